"""The server of deploy/ and others, with the same site behind them: speed, memory, slow clients and reloads.

Run as `python -m benchmarks.servers`, with `wrk` (Debian has a package of this name) and two cores that are idle.
Servers that are not installed are left out: `pip install granian uwsgi waitress uvicorn[standard] hypercorn` brings
them. Each runs one worker on one core, in turns; the medians are printed. The last line is one JSON object.
"""

import argparse
import contextlib
import http.client
import io
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .environment import configure_site

STATIC_ROOT = tempfile.TemporaryDirectory()
configure_site(STATIC_ROOT.name)

import django

django.setup()

from django.core.management import call_command
from PIL import Image

from digits.gallery import gallery

ROOT = Path(__file__).parents[1]
SCRIPTS = Path(sys.executable).parent
CONNECTIONS = (1, 8, 64)
SECONDS = 3  # of load at each number of connections
SLOW = 64  # slow bodies, as many slow heads and as many idle connections
RELOAD_SECONDS = 8  # of load, with a reload after the first second
LIVE, PREDICT = "/api/health/live", "/api/predict-digit/"
BOUNDARY = "boundary"
ADDRESS = "127.0.0.1:{port}"
DJANGO_ASGI = "django.core.asgi:get_asgi_application"

# The commands; {address}, {port} and {workers} are filled in.
SERVERS = {
    "deploy/gunicorn.conf.py": "gunicorn --config deploy/gunicorn.conf.py --bind {address} --workers {workers}",
    "gunicorn gthread": "gunicorn config.wsgi --threads 8 --preload --bind {address} --workers {workers}",
    "gunicorn asgi, Django's handler": f"gunicorn {DJANGO_ASGI}() -k asgi --bind {{address}} --workers {{workers}}",
    "granian wsgi, 8 threads": "granian --interface wsgi config.wsgi:application --blocking-threads 8 --http 1 "
    "--port {port} --workers {workers}",
    "granian wsgi, 256 threads": "granian --interface wsgi config.wsgi:application --blocking-threads 256 --http 1 "
    "--port {port} --workers {workers}",
    "granian asgi, config/asgi.py": "granian --interface asginl config.asgi:application --http 1 "
    "--port {port} --workers {workers}",
    "uvicorn, config/asgi.py": "uvicorn config.asgi:application --lifespan off --no-access-log --log-level warning "
    "--port {port} --workers {workers}",
    "uvicorn, Django's handler": f"uvicorn --factory {DJANGO_ASGI} --lifespan off --no-access-log --log-level warning "
    "--port {port} --workers {workers}",
    "hypercorn, Django's handler": f"hypercorn {DJANGO_ASGI}() --bind {{address}} --workers {{workers}}",
    "waitress": "waitress-serve --listen {address} --threads 8 --asyncore-use-poll --connection-limit 1000 "
    "config.wsgi:application",
    "uwsgi": "uwsgi --http11-socket {address} --module config.wsgi --master --processes {workers} --threads 8 "
    "--disable-logging --need-app --die-on-term",
}
# wrk runs this; it sends the body in the file and prints what is measured.
SCRIPT = """
wrk.method = "POST"
wrk.body = io.open("{body}", "rb"):read("*a")
wrk.headers["Content-Type"] = "multipart/form-data; boundary={boundary}"
done = function(summary, latency)
    local bad = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
    print("measured", summary.requests / summary.duration * 1e6, latency:percentile(50) / 1e3,
          latency:percentile(99) / 1e3, bad)
end
"""


class Load(NamedTuple):
    """What wrk measured at one number of connections."""

    per_second: float
    median: float  # milliseconds
    p99: float  # milliseconds
    failed: float
    processor: float  # milliseconds a request, of all the server's processes


def request_body() -> bytes:
    """A 280x280 PNG as multipart."""
    picture = io.BytesIO()
    Image.fromarray(255 - gallery().pixels(0)).resize((280, 280), Image.Resampling.BICUBIC).save(picture, "PNG")
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="digit.png"\r\n'
    return f"{head}Content-Type: image/png\r\n\r\n".encode() + picture.getvalue() + f"\r\n--{BOUNDARY}--\r\n".encode()


@contextlib.contextmanager
def running(name: str, workers: int, core: int | None) -> Iterator[tuple[int, subprocess.Popen]]:
    """The port of a server that answers, and its main process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = SERVERS[name].format(address=ADDRESS.format(port=port), port=port, workers=workers).split()
    pinned = [] if core is None else ["taskset", "--cpu-list", str(core)]
    command = [*pinned, str(SCRIPTS / words[0]), *words[1:]]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "DIGITS_MAX_PREDICTIONS_IN_FLIGHT": "100"}
    environment["DJANGO_ALLOWED_HOSTS"] = "127.0.0.1"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True, **quiet) as process:
        try:
            deadline = time.monotonic() + 60
            while ask(port, timeout=1) != 200:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{name} does not start: {' '.join(command)}")
                time.sleep(0.1)
            yield port, process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def ask(port: int, path: str = LIVE, body: bytes | None = None, timeout: float = 5) -> int | None:
    """The status of the answer, or None where there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"} if body else {}
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("POST" if body else "GET", path, body, headers)
        return connection.getresponse().status
    return None


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
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


def measure_load(port: int, pid: int, connections: int, script: str) -> Load:
    before = processor_seconds(pid)
    wrk = [
        "taskset",
        "--cpu-list",
        "1",
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{SECONDS}s",
        "-s",
        script,
        f"http://127.0.0.1:{port}{PREDICT}",
    ]
    printed = subprocess.run(wrk, capture_output=True, text=True, check=True).stdout
    rate, median, p99, failed = map(float, re.search(r"^measured\s+(.*)$", printed, re.MULTILINE)[1].split())
    return Load(rate, median, p99, failed, 1000 * (processor_seconds(pid) - before) / max(1, rate * SECONDS))


def holds_against_slow_clients(port: int, body: bytes) -> bool:
    """Whether others are answered, each within a second, while slow clients are connected."""
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\n"
    with contextlib.ExitStack() as stack:
        for sent in [f"{head}Content-Length: 100000\r\n\r\na", f"{head}X-Slow: ", ""]:
            for _ in range(SLOW):
                stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5)).sendall(sent.encode())
        time.sleep(1)
        asked = [ask(port, LIVE, timeout=1) == ask(port, PREDICT, body, timeout=1) == 200 for _ in range(5)]
    return all(asked)


def lost_in_a_reload(port: int, process: subprocess.Popen) -> str:
    """How many requests got no answer, and of how many; half of them are sent on connections that are kept."""
    answers: list[bool] = []
    is_over = threading.Event()

    def client(keep: bool) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        while not is_over.is_set():
            try:
                connection.request("GET", LIVE)
                answers.append(connection.getresponse().read() != b"")
            except (OSError, http.client.HTTPException):
                answers.append(False)
                connection.close()
            if not keep:
                connection.close()
        connection.close()

    threads = [threading.Thread(target=client, args=(bool(number % 2),)) for number in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    process.send_signal(signal.SIGHUP)
    time.sleep(RELOAD_SECONDS - 1)
    is_over.set()
    for thread in threads:
        thread.join()
    return "no reload" if process.poll() is not None else f"{answers.count(False)} of {len(answers)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="of all servers in turn (3)")
    options = parser.parse_args()
    call_command("collectstatic", interactive=False, verbosity=0)
    names = [name for name, command in SERVERS.items() if (SCRIPTS / command.split()[0]).exists()]
    loads: dict[str, dict[int, list[Load]]] = {name: {number: [] for number in CONNECTIONS} for name in names}
    memory: dict[str, list[float]] = {name: [] for name in names}
    body = request_body()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "body").write_bytes(body)
        script = Path(folder) / "wrk.lua"
        script.write_text(SCRIPT.format(body=Path(folder) / "body", boundary=BOUNDARY))
        for _ in range(options.rounds):
            for name in names:
                with running(name, 1, core=0) as (port, process):
                    for number in CONNECTIONS:
                        loads[name][number].append(measure_load(port, process.pid, number, str(script)))
                    memory[name].append(megabytes(process.pid))
    loads_header = "requests a second at 1 / 8 / 64 connections | p50, ms | p99, ms | processor, ms a request"
    print(f"| server | {loads_header} | MB | slow clients | lost in a reload |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | --- | ---: |")
    figures = {}
    for name in names:
        medians = [Load(*map(statistics.median, zip(*loads[name][number], strict=True))) for number in CONNECTIONS]
        with running(name, 2, core=None) as (port, process):
            holds = holds_against_slow_clients(port, body)
        with running(name, 2, core=None) as (port, process):
            lost = lost_in_a_reload(port, process)
        cells = [
            " / ".join(f"{load.per_second:.0f}" for load in medians),
            " / ".join(f"{load.median:.1f}" for load in medians),
            " / ".join(f"{load.p99:.0f}" for load in medians),
            f"{statistics.median(load.processor for load in medians):.2f}",
            f"{statistics.median(memory[name]):.0f}",
            "held" if holds else "stopped",
            lost,
        ]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
        figures[name] = {"loads": medians, "megabytes": statistics.median(memory[name]), "held": holds, "lost": lost}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
