"""Clients that take their time: the server as it is shipped in deploy/ answers others meanwhile, and lets them go."""

import contextlib
import itertools
import select
import sys
import time

import pytest

from .clients import HEAD, LIVE, answer_on, assert_secured, dripping, lines, predict, sockets, wait_until, workers
from .conftest import DEADLINE, HASTY

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are looked at in /proc"),
]


def test_slow_clients_hold_nobody_up_and_are_let_go(start_site):
    """64 bodies and 64 heads at a byte a second, and 64 connections that send nothing, all at once."""
    site = start_site(HASTY)
    assert predict(site) == 200  # it listens before its workers are there, for whom the first one waits
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
        assert len(waited) > 25
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


def test_a_client_that_takes_no_answer_is_let_go(start_site):
    site = start_site(HASTY, WEB_CONCURRENCY="1")
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


def test_slow_clients_do_not_keep_a_server_from_stopping(start_site):
    site = start_site(HASTY)
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(site.connect()) for _ in range(60)]
        for connection in connections[:20]:
            connection.sendall(f"{HEAD}Content-Length: 100000\r\n\r\n".encode())
        for connection in connections[20:40]:
            connection.sendall(HEAD.encode())
        stack.enter_context(dripping(connections[:30]))  # the last ten heads stand still
        assert predict(site) == 200
        site.process.terminate()
        assert site.process.wait(timeout=15) == 0
        assert {answer_on(connection)[0] for connection in connections[:40]} == {408}


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
