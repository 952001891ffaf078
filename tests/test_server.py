"""The answers that the server as it is shipped in deploy/ gives itself, its processes and its log."""

import contextlib
import json
import os
import re
import signal
import socket
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings

from .clients import (
    HEAD,
    LIVE,
    PICTURE,
    PREDICT,
    READY,
    ROOM,
    answer_on,
    assert_secured,
    lines,
    predict,
    sockets,
    wait_until,
    workers,
)
from .conftest import HASTY, Site

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are looked at in /proc"),
]


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
        (HEAD.encode() + b"Content-Length: 10\r\n\r\nabc", 400),
        (HEAD.encode() + b"Transfer-Encoding: chunked\r\n\r\nmany\r\n", 400),
    ],
)
def test_the_server_s_own_refusals_are_as_secure_as_others_and_are_logged(site, sent, status):
    assert_refused(site, sent, status)


def test_the_refusal_of_an_announced_length_is_as_secure_and_is_logged(start_site):
    """Before the connection is closed, the body is waited for, which never comes."""
    site = start_site(HASTY, WEB_CONCURRENCY="1")
    assert_refused(site, HEAD.encode() + b"Content-Length: 60000000\r\n\r\n", 413)


def assert_refused(site: Site, sent: bytes, status: int) -> None:
    before = site.log.read_text()
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
    assert not re.search("secret|a{20}|many", site.log.read_text().removeprefix(before), re.IGNORECASE)


def test_a_client_that_sends_too_much_reads_why(site):
    answer = site.ask("POST", PREDICT, bytes(60_000_000), **{"Content-Type": "image/png"})
    assert answer.status == 413
    assert b"50 MB" in answer.body


@pytest.mark.parametrize("end", ["breaks off", "is malformed"])
def test_a_request_that_ends_wrongly_after_its_answer_gets_no_other(site, end):
    """Which a proxy would take for the answer to somebody else's request."""
    before = len(lines(site))
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
    assert [line["status"] for line in lines(site)[before:] if "status" in line] == [413]


def test_a_client_that_will_send_no_more_gets_its_answer(site):
    with site.connect() as connection:
        connection.sendall(f"GET {LIVE} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        connection.shutdown(socket.SHUT_WR)
        start = time.monotonic()
        assert answer_on(connection)[0] == 200
        assert connection.recv(1) == b""
        assert time.monotonic() - start < 5


def test_a_client_that_leaves_is_no_error(site):
    before = len(lines(site))
    with site.connect() as connection:
        connection.sendall(f"{HEAD}Content-Length: 100\r\n\r\nabc".encode())
        assert predict(site) == 200
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # it resets the connection
    assert predict(site) == 200
    logged = lines(site)[before:]
    assert [line["status"] for line in logged if "status" in line] == [200, 200]
    assert {line["level"] for line in logged} == {"INFO"}


@pytest.mark.parametrize(("behind_proxy", "status"), [("0", 301), ("1", 404)])
def test_forwarded_headers_are_believed_only_when_told_so(start_site, behind_proxy, status):
    site = start_site(DJANGO_HTTPS="1", DJANGO_BEHIND_PROXY=behind_proxy)
    assert site.ask("GET", "/nothing/", **{"X-Forwarded-Proto": "https"}).status == status
    assert site.ask("GET", "/nothing/", **{"X-Forwarded-Ssl": "on", "X-Forwarded-Protocol": "ssl"}).status == 301


def test_the_network_and_the_gallery_are_there_before_anybody_listens(start_site, tmp_path):
    assert not [line for line in lines(start_site()) if line["level"] != "INFO"]
    site = start_site(MNIST_CSV=str(tmp_path / "missing.csv"))
    [missing] = [line for line in lines(site) if line["level"] != "INFO"]
    assert missing["message"].startswith("not ready")
    assert site.ask("GET", READY).status == 503
    assert predict(site) == 200


def test_the_main_process_has_no_thread_that_its_forks_would_miss(site):
    pid = site.process.pid
    assert [file.name for file in Path(f"/proc/{pid}/task").iterdir()] == [str(pid)]


def test_the_workers_share_the_network_the_gallery_and_the_code(start_site):
    site = start_site()
    wait_until(lambda: len(workers(site)) == 2)
    for pid in workers(site):
        maps = Path(f"/proc/{pid}/maps").read_text()
        assert ".npy" in maps, "the gallery is mapped"
        sizes = dict(re.findall(r"^(\w+): +(\d+) kB$", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE))
        assert int(sizes["Pss"]) < 0.6 * int(sizes["Rss"])


def test_the_server_logs_json_and_each_request_once(site):
    before = len(lines(site))
    assert site.ask("HEAD", "/").body == b""
    assert site.ask("GET", "/%ff?%ff").status == 404
    logged = lines(site)[before:]
    assert [line["method"] for line in logged] == ["HEAD", "GET"]
    assert {line["level"] for line in logged} == {"INFO"}


def test_connections_that_come_together_are_shared_by_the_workers(start_site):
    """By asyncio's way of accepting, the worker that wakes first would take up to a hundred of them."""
    site = start_site(**ROOM)
    wait_until(lambda: len(workers(site)) == 2)
    request = f"{HEAD}Content-Length: {len(PICTURE)}\r\n\r\n".encode() + PICTURE
    shares = []
    for _ in range(3):  # a worker that the system lets wait gets fewer
        with contextlib.ExitStack() as stack:
            for worker in workers(site):
                os.kill(worker, signal.SIGSTOP)
            connections = [stack.enter_context(site.connect()) for _ in range(60)]
            for connection in connections:
                connection.sendall(request)
            for worker in workers(site):
                os.kill(worker, signal.SIGCONT)
            assert {answer_on(connection)[0] for connection in connections} == {200}
            share = connections_of(site, {connection.getsockname()[1] for connection in connections})
        assert sum(share) == 60
        shares.append(min(share))
    assert sum(shares) >= 6


def connections_of(site: Site, ports: set[int]) -> list[int]:
    """How many connections from these ports of this machine each worker has accepted."""
    rows = [line.split() for line in Path(f"/proc/{site.process.pid}/net/tcp").read_text().splitlines()[1:]]
    of_ports = {f"socket:[{row[9]}]" for row in rows if int(row[2].rpartition(":")[2], 16) in ports}
    return [len(of_ports & sockets(worker)) for worker in workers(site)]
