"""The server as it is shipped in deploy/: slow clients, stopping, reloading, and the answers that it gives itself."""

import contextlib
import http.client
import itertools
import json
import os
import re
import select
import signal
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from .conftest import DEADLINE, Site
from .pictures import drawing, encoded

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are looked at in /proc"),
]

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


def test_slow_clients_hold_nobody_up_and_are_let_go(start_site):
    """64 bodies and 64 heads at a byte a second, and 64 connections that send nothing, all at once."""
    site = start_site()
    with contextlib.ExitStack() as stack:
        slow = [[stack.enter_context(site.connect()) for _ in range(64)] for _ in range(3)]
        bodies, heads, idle = slow
        for connection in bodies:
            connection.sendall(f"{HEAD}Content-Length: 100000\r\n\r\n".encode())
        for connection in heads:
            connection.sendall(f"{HEAD}X-Slow: ".encode())
        waited, statuses = [], set()
        left = set(itertools.chain(*slow))
        stack.enter_context(dripping([*bodies, *heads]))
        deadline = time.monotonic() + DEADLINE
        while left and time.monotonic() < deadline:
            start = time.monotonic()
            assert site.ask("GET", LIVE).status == 200
            waited.append(time.monotonic() - start)
            statuses.add(predict(site))
            left -= set(select.select(list(left), [], [], 0)[0])
        assert not left
        assert max(waited) < 1
        assert len(waited) > 100
        assert statuses == {200}
        for connection in [*bodies, *heads]:
            status, headers, _ = answer_on(connection)
            assert status == 408
            assert_secured(headers)
        assert all(connection.recv(1) == b"" for connection in idle)
    assert [line.get("status") for line in lines(site)].count(408) == len(bodies) + len(heads)


def test_a_head_that_begins_behind_another_request_is_told_when_its_time_is_over(start_site):
    site = start_site(GUNICORN_CMD_ARGS="--keep-alive 1")
    with site.connect() as connection:
        connection.sendall(f"GET {LIVE} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET {LIVE} HTTP".encode())
        assert answer_on(connection)[0] == 200
        assert answer_on(connection)[0] == 408
        assert connection.recv(1) == b""


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


def test_a_client_that_takes_no_answer_is_let_go(start_site):
    site = start_site(WEB_CONCURRENCY="1")
    assert predict(site) == 200
    [worker] = workers(site)
    before = sockets(worker)
    with site.connect() as connection:
        wait_until(lambda: sockets(worker) - before)
        its_own = sockets(worker) - before
        connection.setblocking(False)
        asked = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 1000
        with contextlib.suppress(BlockingIOError):
            while asked:
                asked = asked[connection.send(asked) :]
        wait_until(lambda: not its_own & sockets(worker))
    assert predict(site) == 200


def sockets(pid: int) -> set[str]:
    """The names of all sockets that a process has open."""
    names = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            names.add(str(file.readlink()))
    return {name for name in names if name.startswith("socket:")}


def test_a_reload_loses_no_request(start_site):
    site = start_site(**ROOM)
    before = workers(site)
    with Clients(site) as clients:
        for requests in (1500, 3500):
            wait_until(lambda requests=requests: clients.answers.total() > requests)
            old = workers(site)
            site.process.send_signal(signal.SIGHUP)
            wait_until(lambda old=old: len(workers(site)) == 2 and not old & workers(site))
        wait_until(lambda: clients.answers.total() > 5000)
    assert not before & workers(site)
    assert clients.lost == []
    assert set(clients.answers) == {200}


def test_a_stopping_server_says_so_and_loses_no_request(start_site):
    """Clients that turn elsewhere when the server is not ready lose nothing, and neither does a slow upload."""
    site = start_site(**ROOM)
    with Clients(site) as clients, site.connect() as upload:
        upload.sendall(f"{HEAD}Content-Length: {len(PICTURE)}\r\n\r\n".encode() + PICTURE[:50])
        wait_until(lambda: clients.answers.total() > 200)
        start = time.monotonic()
        site.process.terminate()
        wait_until(lambda: site.ask("GET", READY).status == 503, seconds=2)
        answered = clients.answers.total()
        wait_until(lambda: clients.answers.total() > answered + 200)
        clients.is_over.set()
        assert site.ask("GET", LIVE).status == 200
        wait_until(lambda: refuses_connections(site))
        upload.sendall(PICTURE[50:])
        assert answer_on(upload)[0] == 200
        assert site.process.wait(timeout=30) == 0
        assert time.monotonic() - start < 30
    assert clients.lost == []
    assert set(clients.answers) == {200}


def test_clients_that_go_on_until_they_are_refused_lose_nothing(start_site):
    site = start_site(**ROOM)
    with Clients(site) as clients:
        wait_until(lambda: clients.answers.total() > 200)
        site.process.terminate()
        assert site.process.wait(timeout=30) == 0
        for client in clients.threads:
            client.join()
    assert clients.lost == []
    assert set(clients.answers) == {200}


def refuses_connections(site: Site) -> bool:
    try:
        site.connect().close()
    except ConnectionError:
        return True
    return False


def test_slow_clients_do_not_keep_a_server_from_stopping(start_site):
    site = start_site()
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(site.connect()) for _ in range(60)]
        for connection in connections[:20]:
            connection.sendall(f"{HEAD}Content-Length: 100000\r\n\r\n".encode())
        for connection in connections[20:40]:
            connection.sendall(HEAD.encode())
        stack.enter_context(dripping(connections[:30]))  # the last ten heads stand still
        assert predict(site) == 200
        site.process.terminate()
        assert site.process.wait(timeout=30) == 0
        assert {answer_on(connection)[0] for connection in connections[:40]} == {408}


def test_a_killed_worker_s_neighbour_goes_on_and_it_comes_back(start_site):
    site = start_site()
    wait_until(lambda: len(workers(site)) == 2)
    killed = min(workers(site))
    os.kill(killed, signal.SIGKILL)
    assert [predict(site) for _ in range(20)] == [200] * 20
    wait_until(lambda: len(workers(site) - {killed}) == 2, seconds=10)
    assert [predict(site) for _ in range(20)] == [200] * 20


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"no request\r\n\r\n", 400),
        (b"GET / HTTP/3.7\r\nHost: 127.0.0.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost 127.0.0.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: many\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nSecret: " + b"a" * 9000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"".join(b"X%d: 1\r\n" % i for i in range(101)) + b"\r\n", 431),
        (HEAD.encode() + b"Content-Length: 60000000\r\n\r\n", 413),
        (HEAD.encode() + b"Content-Length: 10\r\n\r\nabc", 400),
        (HEAD.encode() + b"Transfer-Encoding: chunked\r\n\r\nmany\r\n", 400),
    ],
)
def test_the_server_s_own_refusals_are_as_secure_as_others_and_are_logged(start_site, sent, status):
    site = start_site(WEB_CONCURRENCY="1")
    with site.connect() as connection:
        connection.sendall(sent)
        if status == 400:  # what is missing never comes
            connection.shutdown(socket.SHUT_WR)
        answered, headers, body = answer_on(connection)
        assert connection.recv(1) == b""
    assert answered == status
    assert_secured(headers)
    assert headers["Content-Type"] == "application/problem+json"
    assert json.loads(body)["status"] == status
    [line] = [line for line in lines(site) if line.get("request_id") == headers["X-Request-ID"]]
    assert (line["logger"], line["status"]) == ("digits.access", status)
    assert not re.search("secret|aaaa|many", site.log.read_text(), re.IGNORECASE)


def test_a_client_that_sends_too_much_reads_why(start_site):
    answer = start_site().ask("POST", PREDICT, bytes(60_000_000), **{"Content-Type": "image/png"})
    assert answer.status == 413
    assert b"50 MB" in answer.body


@pytest.mark.parametrize("end", ["breaks off", "is malformed"])
def test_a_request_that_ends_wrongly_after_its_answer_gets_no_other(start_site, end):
    """Which a proxy would take for the answer to somebody else's request."""
    site = start_site(WEB_CONCURRENCY="1")
    with site.connect() as connection, connection.makefile("rb") as stream:
        if end == "breaks off":
            connection.sendall(f"{HEAD}Content-Length: 60000000\r\n\r\n".encode())
        else:
            size = settings.MAX_REQUEST_BYTES + 1
            connection.sendall(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n{size:x}\r\n".encode() + bytes(size))
        assert stream.readline().startswith(b"HTTP/1.1 413 ")
        if end == "breaks off":
            connection.shutdown(socket.SHUT_WR)
        else:
            connection.sendall(b"no end of a chunk")
        assert b"HTTP/1.1 " not in stream.read()
    assert [line["status"] for line in lines(site) if "status" in line] == [413]


def test_a_client_that_will_send_no_more_gets_its_answer(start_site):
    with start_site().connect() as connection:
        connection.sendall(f"GET {LIVE} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        connection.shutdown(socket.SHUT_WR)
        start = time.monotonic()
        assert answer_on(connection)[0] == 200
        assert connection.recv(1) == b""
        assert time.monotonic() - start < 5


def test_a_client_that_leaves_is_no_error(start_site):
    site = start_site(WEB_CONCURRENCY="1")
    with site.connect() as connection:
        connection.sendall(f"{HEAD}Content-Length: 100\r\n\r\nabc".encode())
        assert predict(site) == 200
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # it resets the connection
    assert predict(site) == 200
    assert [line["status"] for line in lines(site) if "status" in line] == [200, 200]
    assert {line["level"] for line in lines(site)} == {"INFO"}


@pytest.mark.parametrize("sent", ["", HEAD, f"{HEAD}Content-Length: 100\r\n\r\nabc"], ids=["nothing", "head", "body"])
def test_a_new_connection_takes_the_place_of_the_one_that_has_waited_longest(start_site, sent):
    site = start_site(WEB_CONCURRENCY="1", GUNICORN_CMD_ARGS="--worker-connections 20")
    with contextlib.ExitStack() as stack:
        waiting = [stack.enter_context(site.connect()) for _ in range(40)]
        for connection in waiting:
            with contextlib.suppress(ConnectionError):
                connection.sendall(sent.encode())
        assert predict(site) == 200
        closed = select.select(waiting, [], [], 0)[0]
        assert closed == waiting[: len(closed)]
        assert len(closed) >= 20


@pytest.mark.parametrize(("behind_proxy", "status"), [("0", 301), ("1", 404)])
def test_forwarded_headers_are_believed_only_when_told_so(start_site, behind_proxy, status):
    site = start_site(DJANGO_HTTPS="1", DJANGO_BEHIND_PROXY=behind_proxy)
    assert site.ask("GET", "/nothing/", **{"X-Forwarded-Proto": "https"}).status == status
    assert site.ask("GET", "/nothing/", **{"X-Forwarded-Ssl": "on", "X-Forwarded-Protocol": "ssl"}).status == 301


def test_the_network_and_the_gallery_are_there_before_anybody_listens(start_site, tmp_path):
    assert not [line for line in lines(start_site()) if line["level"] != "INFO"]
    site = start_site(MNIST_CSV=str(tmp_path / "missing.csv"))
    [missing] = [line for line in lines(site) if line["level"] != "INFO"]
    assert missing["message"] == "not ready"
    assert site.ask("GET", READY).status == 503
    assert predict(site) == 200


def test_the_main_process_has_no_thread_that_its_forks_would_miss(start_site):
    pid = start_site().process.pid
    assert [file.name for file in Path(f"/proc/{pid}/task").iterdir()] == [str(pid)]


def test_the_workers_share_the_network_the_gallery_and_the_code(start_site):
    site = start_site()
    wait_until(lambda: len(workers(site)) == 2)
    for pid in workers(site):
        maps = Path(f"/proc/{pid}/maps").read_text()
        assert ".npy" in maps, "the gallery is mapped"
        sizes = dict(re.findall(r"^(\w+): +(\d+) kB$", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE))
        assert int(sizes["Pss"]) < 0.6 * int(sizes["Rss"])


def test_the_server_logs_json_and_each_request_once(start_site):
    site = start_site()
    assert site.ask("HEAD", "/").body == b""
    assert site.ask("GET", "/%ff?%ff").status == 404
    requests = [line["method"] for line in lines(site) if line["logger"] != "gunicorn.error"]
    assert requests == ["HEAD", "GET"]
    assert {line["level"] for line in lines(site)} == {"INFO"}
