"""Servers on loopback, each in processes of its own, what is asked of them, and what wrk measures of it.

A server and wrk have a core each, where a measurement says so. `wrk` is a Debian package of this name.
"""

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
SCRIPTS = Path(sys.executable).parent
HOST = "127.0.0.1"
SERVER_CORE, CLIENT_CORE = 0, 1
CONNECTIONS = (1, 8, 64)
START = 60  # seconds that a server may take
LIVE, PREDICT = "/api/health/live", "/api/predict-digit/"
BOUNDARY = "boundary"
# For predictions, of which one client gets half: the fewest that surely refuse none of its connections. As it ships, a
# process has 4 and refuses the rest as busy.
PLACES = 2 * max(CONNECTIONS)

# wrk runs this; it sends the body in the file and prints what is measured.
SCRIPT = """
wrk.method = "{method}"
wrk.body = io.open("{body}", "rb"):read("*a")
for name, value in string.gmatch([[{headers}]], "([^\\n:]+): ([^\\n]+)") do wrk.headers[name] = value end
done = function(summary, latency)
    local bad = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
    print("measured", summary.requests / summary.duration * 1e6, latency:percentile(50) / 1e3,
          latency:percentile(99) / 1e3, bad)
end
"""


class Request(NamedTuple):
    path: str
    body: bytes = b""
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed

    @property
    def method(self) -> str:
        return "POST" if self.body else "GET"


class Answer(NamedTuple):
    status: int
    body: bytes


class Server(NamedTuple):
    """A server that answers."""

    port: int
    process: subprocess.Popen  # the main one
    start: float  # seconds from the command to the first answer


class Load(NamedTuple):
    """What wrk measured at one number of connections."""

    per_second: float
    median: float  # milliseconds
    p99: float  # milliseconds
    failed: float
    processor: float  # milliseconds a request, of all the server's processes


def form(path: str, *pictures: bytes, **fields: str) -> Request:
    """A multipart form with these fields and with the pictures as files named `file`."""
    parts = [(f'name="{name}"', value.encode()) for name, value in fields.items()]
    parts += [('name="file"; filename="digit.png"\r\nContent-Type: image/png', picture) for picture in pictures]
    body = b"".join(
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + content + b"\r\n"
        for head, content in parts
    )
    content_type = f"multipart/form-data; boundary={BOUNDARY}"
    return Request(path, body + f"--{BOUNDARY}--\r\n".encode(), {"Content-Type": content_type})


@contextlib.contextmanager
def running(
    command: list[str], is_ready: Callable[[int], bool], core: int | None = None, **options: object
) -> Iterator[Server]:
    """A server from the time it is ready; all its processes are ended afterwards.

    command: in which {address}, {host} and {port} are filled in. is_ready: asks the server at a port. core: the only
    one it may use. options: of Popen. Raises RuntimeError where it does not start.
    """
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    words = [word.format(address=f"{HOST}:{port}", host=HOST, port=port) for word in command]
    pinned = [] if core is None else ["taskset", "--cpu-list", str(core)]
    quiet = {"cwd": ROOT, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    start = time.perf_counter()
    with subprocess.Popen([*pinned, *words], start_new_session=True, **(quiet | options)) as process:
        try:
            while not is_ready(port):
                if process.poll() is not None or time.perf_counter() > start + START:
                    raise RuntimeError(f"this server does not start: {' '.join(words)}")
                time.sleep(0.01)
            yield Server(port, process, time.perf_counter() - start)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def ask(port: int, request: Request, timeout: float = 5) -> Answer | None:
    """The answer, or None where there is none."""
    connection = http.client.HTTPConnection(HOST, port, timeout=timeout)
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        connection.request(request.method, request.path, request.body or None, request.headers)
        response = connection.getresponse()
        return Answer(response.status, response.read())
    return None


def is_answered(port: int, request: Request, timeout: float = 5) -> bool:
    """Whether a server answers this with 200."""
    answer = ask(port, request, timeout)
    return answer is not None and answer.status == 200


def family(pid: int) -> list[int]:
    """A process and all that descend from it; nothing where it has ended."""
    try:
        children = [
            child for task in Path(f"/proc/{pid}/task").glob("*/children") for child in task.read_text().split()
        ]
    except OSError:
        return []
    return [pid, *(descendant for child in children for descendant in family(int(child)))]


def processor_seconds(pid: int) -> float:
    ticks = 0
    for each in family(pid):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def megabytes(pid: int) -> float:
    """The memory of all processes; what some share is divided among them (PSS)."""
    sizes = [Path(f"/proc/{each}/smaps_rollup").read_text() for each in family(pid)]
    return sum(int(re.search(r"^Pss: +(\d+) kB", size, re.MULTILINE)[1]) for size in sizes) / 1024


def measure(server: Server, request: Request, connections: int, seconds: int, core: int | None = CLIENT_CORE) -> Load:
    """Have wrk send a request again and again on so many connections; core: the one that wrk may use, None for all."""
    pinned = [] if core is None else ["taskset", "--cpu-list", str(core)]
    with tempfile.TemporaryDirectory() as folder:
        body, script = Path(folder, "body"), Path(folder, "wrk.lua")
        body.write_bytes(request.body)
        headers = "\n".join(f"{name}: {value}" for name, value in request.headers.items())
        script.write_text(SCRIPT.format(method=request.method, body=body, headers=headers))
        wrk = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script]
        address = f"http://{HOST}:{server.port}{request.path}"
        before = processor_seconds(server.process.pid)
        printed = subprocess.run([*pinned, *wrk, address], capture_output=True, text=True, check=True).stdout
        used = processor_seconds(server.process.pid) - before
    rate, median, p99, failed = map(float, re.search(r"^measured\s+(.*)$", printed, re.MULTILINE)[1].split())
    return Load(rate, median, p99, failed, 1000 * used / max(1, rate * seconds))
