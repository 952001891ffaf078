"""Stopping, reloading and losing a worker: no request is lost by the server as it is shipped in deploy/."""

import os
import signal
import sys
import time

import pytest

from .clients import (
    HEAD,
    LIVE,
    PICTURE,
    READY,
    ROOM,
    Clients,
    answer_on,
    predict,
    refuses_connections,
    wait_until,
    workers,
)
from .conftest import HASTY

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are looked at in /proc"),
]


def test_a_reload_loses_no_request(start_site):
    site = start_site(**ROOM)
    before = workers(site)
    with Clients(site) as clients:
        for _ in range(2):
            clients.wait_for(500)
            old = workers(site)
            site.process.send_signal(signal.SIGHUP)
            wait_until(lambda old=old: len(workers(site)) == 2 and not old & workers(site))
        clients.wait_for(500)
    assert not before & workers(site)
    assert clients.lost == []
    assert set(clients.answers) == {200}


def test_a_stopping_server_says_so_and_loses_no_request(start_site):
    """Clients that turn elsewhere when the server is not ready lose nothing, and neither does a slow upload."""
    site = start_site(**ROOM)
    with Clients(site) as clients, site.connect() as upload:
        upload.sendall(f"{HEAD}Content-Length: {len(PICTURE)}\r\n\r\n".encode() + PICTURE[:50])
        clients.wait_for(200)
        start = time.monotonic()
        site.process.terminate()
        wait_until(lambda: site.ask("GET", READY).status == 503, seconds=2)
        clients.wait_for(200)
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
    site = start_site(HASTY, **ROOM)
    with Clients(site) as clients:
        clients.wait_for(200)
        site.process.terminate()
        assert site.process.wait(timeout=30) == 0
        for client in clients.threads:
            client.join()
    assert clients.lost == []
    assert set(clients.answers) == {200}


def test_a_killed_worker_s_neighbour_goes_on_and_it_comes_back(start_site):
    site = start_site()
    wait_until(lambda: len(workers(site)) == 2)
    killed = min(workers(site))
    os.kill(killed, signal.SIGKILL)
    assert [predict(site) for _ in range(20)] == [200] * 20
    wait_until(lambda: len(workers(site) - {killed}) == 2, seconds=10)
    assert [predict(site) for _ in range(20)] == [200] * 20
