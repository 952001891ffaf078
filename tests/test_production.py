"""The site as many use it: served as it is shipped, with processes that count a client's requests together in Redis."""

import contextlib
import functools
import http.client
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Site, free_address, require, started
from .pictures import drawing, encoded

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="gunicorn is for Linux and macOS"),
]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen]]:
    """The address of a Redis server and its process."""
    require("redis-server")
    host, port = address = free_address()
    command = ["redis-server", "--bind", host, "--port", str(port), "--save", "", "--dir", str(tmp_path)]
    with started(command, address, tmp_path / "redis.txt") as process:
        yield f"redis://{host}:{port}", process


def predict(
    site: Site, body: object = None, timeout: float = 30, **options: object
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(site.netloc, timeout=timeout)
    with contextlib.closing(connection):
        body = encoded(drawing()) if body is None else body
        connection.request("POST", "/api/predict-digit/", body, {"Content-Type": "image/png"}, **options)
        answer = connection.getresponse()
        return answer.status, dict(answer.headers), answer.read()


def test_processes_count_a_client_s_requests_together(redis, start_site):
    url, _ = redis
    start = functools.partial(start_site, DIGITS_CACHE_URL=url, DIGITS_RATE_LIMIT="3/day")
    one, other = start(), start()
    assert [predict(site)[0] for site in (one, other, one, other, one)] == [200, 200, 200, 429, 429]


def test_without_redis_everybody_is_answered(redis, start_site):
    url, process = redis
    site = start_site(DIGITS_CACHE_URL=url, DIGITS_RATE_LIMIT="1/day")
    assert predict(site)[1]["RateLimit-Remaining"] == "0"
    process.terminate()
    process.wait()
    status, headers, _ = predict(site)
    assert status == 200
    assert "RateLimit-Limit" not in headers


def test_a_redis_that_hangs_holds_nobody_up(start_site):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host, port = silent.getsockname()
        site = start_site(DIGITS_CACHE_URL=f"redis://{host}:{port}", DIGITS_RATE_LIMIT="1/day")
        assert [predict(site, timeout=4)[0] for _ in range(2)] == [200, 200]


@pytest.mark.parametrize("chunks", [b"zz\r\n", b"3\r\nabcde\r\n0\r\n\r\n", b"3\r\nab"])
def test_chunks_that_break_off_or_are_none_are_a_bad_request(site, chunks):
    head = "POST /api/predict-digit/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\n"
    with site.connect() as connection:
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunks)
        connection.shutdown(socket.SHUT_WR)
        assert connection.makefile("rb").readline().startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(("chunks", "status"), [([], 400), ([b"no picture"], 415), ([encoded(drawing())], 200)])
def test_a_body_may_come_in_chunks(site, chunks, status):
    assert predict(site, iter(chunks), encode_chunked=True)[0] == status
