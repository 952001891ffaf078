"""What tests of the real server share: clients, well-behaved and not, and a look at its processes and its log."""

import contextlib
import http.client
import itertools
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings

from .conftest import DEADLINE, Site
from .pictures import drawing, encoded

ROOM = {"DIGITS_MAX_PREDICTIONS_IN_FLIGHT": "16"}  # so that no prediction of a few clients at a time is refused
LIVE = "/api/health/live"
READY = "/api/health/ready"
PREDICT = "/api/predict-digit/"
PICTURE = encoded(drawing())
HEAD = f"POST {PREDICT} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\n"


def predict(site: Site) -> int:
    return site.ask("POST", PREDICT, PICTURE, **{"Content-Type": "image/png"}).status


def wait_until(condition: Callable[[], bool], seconds: float = DEADLINE) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "this takes too long"
        time.sleep(0.05)


def workers(site: Site) -> set[int]:
    """The process ids of the workers."""
    pid = site.process.pid
    return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def sockets(pid: int) -> set[str]:
    """The names of all sockets that a process has open."""
    names = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            names.add(str(file.readlink()))
    return {name for name in names if name.startswith("socket:")}


def lines(site: Site) -> list[dict]:
    """What has been logged; fails where a line is no JSON."""
    return [json.loads(line) for line in site.log.read_text().splitlines()]


def assert_secured(headers: dict[str, str]) -> None:
    expected = settings.SECURITY_HEADERS | {"Content-Security-Policy": settings.CONTENT_SECURITY_POLICY}
    assert expected.items() <= headers.items()


def answer_on(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Read the answer that comes without having been asked for by `http.client`."""
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response.status, dict(response.getheaders()), response.read()


@contextlib.contextmanager
def dripping(connections: list[socket.socket]) -> Iterator[None]:
    """Send a byte a second on each connection, as long as it takes one."""
    is_over = threading.Event()

    def drip() -> None:
        while not is_over.wait(1):
            for connection in connections:
                with contextlib.suppress(OSError):
                    connection.send(b"a")

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


class Clients:
    """Clients that ask again and again, each in a thread of its own, and count their answers.

    Half of them keep their connections, half open one for each request. What is lost was sent on a connection that
    the server had accepted, and got no answer. A client stops when no connection is accepted any more.
    """

    def __init__(self, site: Site, number: int = 4) -> None:
        self.site = site
        self.answers: Counter[int] = Counter()
        self.lost: list[str] = []
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=self.ask, args=(bool(i % 2),)) for i in range(number)]

    def __enter__(self) -> "Clients":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.is_over.set()
        for thread in self.threads:
            thread.join()

    def wait_for(self, answers: int) -> None:
        """Wait for so many more."""
        answered = self.answers.total()
        wait_until(lambda: self.answers.total() > answered + answers)

    def ask(self, keep: bool) -> None:
        connection = http.client.HTTPConnection(self.site.netloc, timeout=DEADLINE)
        for path in itertools.cycle([LIVE, LIVE, LIVE, PREDICT]):
            if self.is_over.is_set():
                break
            if connection.sock is None:
                try:
                    connection.connect()
                except ConnectionError:
                    break
            try:
                if path == PREDICT:
                    connection.request("POST", path, PICTURE, {"Content-Type": "image/png"})
                else:
                    connection.request("GET", path)
                answer = connection.getresponse()
                answer.read()
                self.answers[answer.status] += 1
            except (OSError, http.client.HTTPException) as error:
                self.lost.append(repr(error))
                connection.close()
            if not keep:
                connection.close()
        connection.close()


def refuses_connections(site: Site) -> bool:
    try:
        site.connect().close()
    except ConnectionError:
        return True
    return False
