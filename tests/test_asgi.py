"""The ASGI application: bodies are read whole, within limits of time and memory, before a thread answers."""

import asyncio
import gc
import itertools
import json
import threading
import tracemalloc
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Future
from urllib.parse import urlencode

import numpy as np
import pytest
from django.core.handlers.wsgi import WSGIHandler
from PIL import Image

from config import asgi

from .pictures import drawing, encoded

PICTURE = encoded(drawing())
SCOPE = {
    "type": "http",
    "method": "POST",
    "raw_path": b"/api/predict-digit/",
    "query_string": b"",
    "http_version": "1.1",
    "scheme": "http",
    "server": ("127.0.0.1", 8000),
    "client": ("192.0.2.1", 5000),
    "headers": [(b"host", b"127.0.0.1"), (b"content-type", b"image/png")],
}


def exchange(
    parts: Iterable[bytes | None],
    *headers: tuple[bytes, bytes],
    method: str = "POST",
    path: bytes = b"/api/predict-digit/",
    query: bytes = b"",
    receive: Callable[[], Awaitable[dict]] | None = None,
) -> tuple[int | None, dict[str, str], bytes]:
    """Send a body in these parts and return the answer; None is a client that leaves."""
    messages = iter(parts)
    upcoming = [next(messages, b"")]
    sent: list[dict] = []

    async def take() -> dict:
        part = upcoming.pop()
        upcoming.append(next(messages, ...))
        if part is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": part, "more_body": upcoming[0] is not ...}

    async def send(message: dict) -> None:
        sent.append(message)

    scope = SCOPE | {"method": method, "raw_path": path, "query_string": query}
    scope["headers"] = [*SCOPE["headers"], *headers]
    asyncio.run(asgi.application(scope, receive or take, send))
    assert asgi.Body.waiting == 0
    if not sent:
        return None, {}, b""
    start, body = sent
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, body["body"]


@pytest.mark.parametrize("size", [1, 50, len(PICTURE)])
def test_a_body_may_come_in_parts(size):
    parts = [PICTURE[i : i + size] for i in range(0, len(PICTURE), size)]
    status, _, body = exchange(parts)
    assert (status, json.loads(body)["prediction"]) == (200, 2)


def test_a_body_in_chunks_is_a_body_of_known_length():
    assert exchange([PICTURE], (b"transfer-encoding", b"chunked"))[0] == 200
    assert exchange([b""], (b"transfer-encoding", b"chunked"))[0] == 400


def test_a_head_request_gets_no_body():
    status, headers, body = exchange([b""], method="HEAD", path=b"/api/health/live")
    assert (status, body) == (200, b"")
    assert int(headers["Content-Length"]) > 0


@pytest.mark.parametrize(("path", "query"), [(b"/%ff", b"%ff"), (b"/\xff", b"\xff"), (b"/api/n%c3%bcll/", b"")])
def test_an_address_may_hold_any_bytes(path, query):
    assert exchange([b""], method="GET", path=path, query=query)[0] == 404


@pytest.mark.parametrize(
    ("address", "path"),
    [
        (b"http://digits.example/api/health/live", "/api/health/live"),
        (b"HTTPS://digits.example:8000", "/"),
        (b"/http://digits.example/", "/http://digits.example/"),
        (b"*", "*"),
    ],
)
def test_an_address_may_name_the_server(address, path):
    """As RFC 9112 asks of every server; the header Host says who is meant."""
    scope = {"raw_path": address, "query_string": b"", "method": "GET", "http_version": "1.1", "scheme": "http"}
    environ = asgi.environment(scope | {"server": None, "client": None, "headers": []}, "0")
    assert environ["PATH_INFO"] == path


def test_the_client_and_repeated_headers_reach_the_application():
    scope = {"raw_path": b"/a%20b", "query_string": b"c=%20", "method": "GET", "http_version": "1.1", "scheme": "http"}
    scope |= {"server": None, "client": ("192.0.2.1", 5000), "headers": [(b"accept", b"a"), (b"accept", b"b")]}
    environ = asgi.environment(scope, "0")
    assert environ["REMOTE_ADDR"] == "192.0.2.1"
    assert (environ["PATH_INFO"], environ["QUERY_STRING"], environ["HTTP_ACCEPT"]) == ("/a b", "c=%20", "a,b")


@pytest.mark.parametrize("pause", ["before the body", "within the body"])
def test_a_body_that_comes_too_slowly_is_refused(settings, pause):
    settings.BODY_SECONDS, settings.BODY_BYTES_PER_SECOND = 0.05, 1e9
    parts = iter([b"a"] if pause == "within the body" else [])

    async def receive() -> dict:
        if part := next(parts, b""):
            return {"type": "http.request", "body": part, "more_body": True}
        return await asyncio.Event().wait()

    status, headers, _ = exchange([], receive=receive)
    assert status == 408
    assert headers["Connection"] == "close"
    assert headers["Content-Security-Policy"] == settings.CONTENT_SECURITY_POLICY


def test_a_body_that_drips_is_refused_however_short_its_pauses(settings):
    settings.BODY_SECONDS, settings.BODY_BYTES_PER_SECOND = 0.1, 1e9

    async def receive() -> dict:
        await asyncio.sleep(0.001)
        return {"type": "http.request", "body": b"a", "more_body": True}

    assert exchange([], receive=receive)[0] == 408


def test_a_body_that_comes_fast_enough_may_take_long(settings):
    settings.BODY_SECONDS, settings.BODY_BYTES_PER_SECOND = 0.2, 10
    parts = itertools.chain(PICTURE[i : i + 20] for i in range(0, len(PICTURE), 20))
    upcoming = list(parts)

    async def receive() -> dict:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": upcoming.pop(0), "more_body": bool(upcoming)}

    assert len(upcoming) * 0.02 > settings.BODY_SECONDS
    assert exchange([], receive=receive)[0] == 200


@pytest.mark.parametrize("length", [b"60000000", b"9" * 30])
def test_a_body_that_is_said_to_be_too_large_is_refused_unread(length):
    received = []

    async def receive() -> dict:
        received.append(1)
        return {"type": "http.disconnect"}

    assert exchange([], (b"content-length", length), receive=receive)[0] == 413
    assert len(received) == 1, "the rest is thrown away, for as long as it comes"


def test_a_body_that_turns_out_to_be_too_large_is_refused(settings):
    settings.MAX_REQUEST_BYTES = 1000
    assert exchange(itertools.repeat(bytes(600), 4), (b"transfer-encoding", b"chunked"))[0] == 413


def test_large_bodies_share_what_may_wait_in_memory_and_small_ones_are_not_counted(settings):
    settings.MAX_WAITING_BYTES = 1000
    with asgi.Body() as small, asgi.Body() as large:
        small.add(bytes(asgi.Body.FREE))
        large.add(bytes(asgi.Body.FREE + 1000))
        with pytest.raises(asgi.Unreadable, match="Too many large requests"):
            large.add(b"a")
        with asgi.Body() as another:
            another.add(PICTURE)
    assert asgi.Body.waiting == 0
    assert small.parts == large.parts == []
    status, headers, _ = exchange([bytes(asgi.Body.FREE + 1001)])
    assert status == 503
    assert int(headers["Retry-After"]) > 0


@pytest.mark.parametrize("path", [b"/api/health/live", b"/v2/health/live", b"/metrics"])
def test_health_and_metrics_wait_for_nothing_else(path):
    is_over = threading.Event()
    waiting = [asgi.threads.submit(is_over.wait, 30) for _ in range(asgi.THREADS)]
    try:
        assert exchange([b""], method="GET", path=path)[0] == 200
        assert not any(each.done() for each in waiting)
    finally:
        is_over.set()


class Threads:
    """Counts what is left to threads."""

    def __init__(self) -> None:
        self.given = 0

    def submit(self, *work: object) -> Future:
        self.given += 1
        return asgi.probe_threads.submit(*work)


@pytest.fixture
def threads(monkeypatch) -> Threads:
    monkeypatch.setattr(asgi, "threads", Threads())
    return asgi.threads


@pytest.mark.parametrize(
    "picture", [PICTURE, encoded(drawing(side=28, pen=3)), encoded(drawing().convert("RGBA"))], ids=len
)
def test_a_small_picture_on_even_paper_is_answered_without_a_thread(threads, picture):
    status, _, body = exchange([picture])
    assert (status, json.loads(body)["prediction"], threads.given) == (200, 2, 0)


@pytest.mark.parametrize("path", ["/tiles/", "/tiles/7/prediction/", "/api/display-images/"])
def test_tiles_are_answered_without_a_thread(threads, path):
    assert exchange([b""], method="GET", path=path.encode())[0] == 200
    assert threads.given == 0


@pytest.mark.parametrize(
    "picture",
    [encoded(Image.fromarray(np.uint8(drawing() * np.linspace(1, 0.4, 280)))), encoded(drawing(side=2000, pen=160))],
    ids=["in uneven light", "large"],
)
def test_a_picture_that_takes_longer_is_answered_in_a_thread(threads, picture):
    status, _, body = exchange([picture])
    assert (status, json.loads(body)["prediction"], threads.given) == (200, 2, 1)


@pytest.mark.parametrize(
    ("path", "query", "body", "content_type"),
    [
        ("/api/predict-digit/", "", json.dumps({"images": [[0, 255] * 392] * 21}), "application/json"),
        ("/api/predict-digit/", "include=saliency", json.dumps({"pixels": [0, 255] * 392}), "application/json"),
        ("/tiles/", "predict=all&" + "&".join(f"tile={index}" for index in range(21)), "", ""),
        ("/model/", "", "", ""),
    ],
    ids=["batch", "explanation", "many tiles", "page"],
)
def test_what_takes_longer_is_answered_in_a_thread(threads, path, query, body, content_type):
    given = {"method": "POST" if body else "GET", "path": path.encode(), "query": query.encode()}
    replaced = [header for header in SCOPE["headers"] if header[0] != b"content-type"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SCOPE, "headers", [*replaced, (b"content-type", content_type.encode())])
        assert exchange([body.encode()], **given)[0] == 200
    assert threads.given == 1


@pytest.mark.parametrize(("strokes", "points", "given"), [(1, 200, 0), (1, 500, 1), (20, 2, 1)])
def test_a_drawing_is_answered_in_a_thread_if_it_has_many_points_or_strokes(threads, strokes, points, given):
    line = {"points": np.linspace((0.5, 0.2), (0.5, 0.8), points).tolist(), "width": 0.1}
    form = {"csrfmiddlewaretoken": "a" * 32, "strokes": json.dumps([line] * strokes)}
    headers = (b"cookie", b"csrftoken=" + b"a" * 32), (b"hx-request", b"true")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SCOPE, "headers", [SCOPE["headers"][0], (b"content-type", b"application/x-www-form-urlencoded")])
        status, _, body = exchange([urlencode(form).encode()], *headers, path=b"/draw/predict/")
    assert status == 200
    assert b"<strong>1</strong>" in body
    assert threads.given == given


def test_a_request_that_is_begun_anew_counts_once_toward_the_rate_limit(settings, monkeypatch, threads):
    settings.RATE_LIMIT = 5, 3600
    monkeypatch.setattr("config.wsgi.django_application", WSGIHandler())
    left = [exchange([picture])[1]["RateLimit-Remaining"] for picture in (PICTURE, encoded(drawing(side=2000)))]
    assert (left, threads.given) == (["4", "3"], 1)


def test_quick_requests_need_no_place(monkeypatch, threads):
    def take(*arguments: object) -> None:
        raise AssertionError("a place was asked for")

    monkeypatch.setattr("digits.traffic.limits.places.take", take)
    assert exchange([PICTURE])[0] == 200


def test_with_a_cache_on_the_network_every_request_is_answered_in_a_thread(settings, threads):
    settings.CACHE_URL = "redis://192.0.2.1"
    assert exchange([PICTURE])[0] == 200
    assert threads.given == 1


def test_a_body_is_let_go_of_before_its_answer_is_taken(monkeypatch):
    """A client that takes its answer slowly would hold it otherwise."""
    bodies, were_closed = [], []
    call = asgi.call

    def watched(environ: dict, body: asgi.Body) -> tuple:
        answer = call(environ, body)
        bodies.append(environ["wsgi.input"])
        return answer

    async def send(message: dict) -> None:
        were_closed.append(bodies[0].closed)

    async def receive() -> dict:
        return {"type": "http.request", "body": PICTURE, "more_body": False}

    monkeypatch.setattr(asgi, "call", watched)
    asyncio.run(asgi.application(SCOPE, receive, send))
    assert were_closed == [True, True]


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (bytes(5_000_000), b"image/png", 415),
        (PICTURE[:50] + bytes(5_000_000), b"image/png", 422),
        (b'{"image": "' + b"A" * 5_000_000 + b'"}', b"application/json", 415),
        (b'{"images": ["' + b"A" * 5_000_000 + b'", "' + b"!" * 5_000_000 + b'"]}', b"application/json", 200),
    ],
)
def test_what_is_refused_stays_in_memory_no_longer_than_its_request(body, content_type, status):
    """Though nobody collects the garbage."""
    headers = [(b"host", b"127.0.0.1"), (b"content-type", content_type)]

    async def receive() -> dict:
        return {"type": "http.request", "body": bytes(bytearray(body)), "more_body": False}

    async def send(message: dict) -> None:
        statuses.append(message.get("status", status))

    statuses: list[int] = []
    asyncio.run(asgi.application(SCOPE | {"headers": headers}, receive, send))
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        for _ in range(2):
            asyncio.run(asgi.application(SCOPE | {"headers": headers}, receive, send))
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        gc.enable()
    assert set(statuses) == {status}
    assert kept < 1_000_000


def test_a_request_that_there_is_no_memory_for_is_told_to_come_again(monkeypatch):
    def fail(environ: dict, body: asgi.Body) -> None:
        raise MemoryError

    monkeypatch.setattr(asgi, "call", fail)
    status, headers, body = exchange([PICTURE])
    assert status == 503
    assert int(headers["Retry-After"]) > 0
    assert "out of memory" in json.loads(body)["detail"]


def test_nobody_is_answered_who_has_left():
    assert exchange([PICTURE[:50], None])[0] is None


def test_a_header_with_underscores_is_not_taken_for_the_one_with_hyphens():
    """A proxy sets or removes the latter only."""
    sent = {}
    for name in (b"x-request-id", b"x_request_id"):
        _, headers, _ = exchange([b""], (name, b"mine"), method="GET", path=b"/api/health/live")
        sent[name] = headers["X-Request-ID"]
    assert sent[b"x-request-id"] == "mine"
    assert sent[b"x_request_id"] != "mine"
