"""What a client does wrong is answered with the right status and a problem, here and by the real server."""

import contextlib
import http.client
import io
import json
import socket
import time
import tracemalloc
import urllib.parse
from collections.abc import Callable
from typing import NamedTuple

import pytest
from django.conf import settings
from django.test import Client, RequestFactory
from PIL import Image

from config.wsgi import application
from digits import pictures
from digits.api.multipart import field_name
from digits.refusals import UnusablePicture

from .bodies import BAD, FORM, HUGE, PNG, URL, form, part, pixels
from .pictures import encoded


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


@pytest.fixture(params=["in process", "real server"])
def ask(request: pytest.FixtureRequest) -> Callable[..., Answer]:
    """Send a request and return the answer."""

    def in_process(body: bytes, content_type: str, method: str = "POST", path: str = URL, **headers: str) -> Answer:
        client = Client(raise_request_exception=False, enforce_csrf_checks=True)
        answer = client.generic(method, path, body, content_type, headers=headers)
        return Answer(answer.status_code, {name.lower(): value for name, value in answer.items()}, answer.content)

    def real_server(body: bytes, content_type: str, method: str = "POST", path: str = URL, **headers: str) -> Answer:
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(server).netloc, timeout=30)
        try:
            connection.request(method, path, body, {"Content-Type": content_type} | headers)
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    if request.param == "in process":
        return in_process
    server = request.getfixturevalue("server")
    return real_server


def assert_problem(answer: Answer, status: int) -> None:
    assert answer.status == status, answer.body[:300]
    assert answer.headers["content-type"] == "application/problem+json"
    problem = json.loads(answer.body)
    assert set(problem) == {"type", "title", "status", "detail"}
    assert problem["status"] == status
    assert problem["type"].startswith("/api/#")
    assert len(problem["detail"]) > 15
    assert "Traceback" not in problem["detail"]


@pytest.mark.parametrize(("body", "content_type", "status"), BAD.values(), ids=BAD)
def test_what_a_client_does_wrong_is_answered_with_a_problem(ask, body, content_type, status):
    assert_problem(ask(body, content_type), status)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", URL, {}, 405),
        ("DELETE", "/api/display-images/", {}, 405),
        ("BREW", URL, {}, 405),
        ("GET", "/api/nothing/", {}, 404),
        ("POST", URL, {"Accept": "text/html"}, 406),
        ("POST", URL, {"Accept": "application/json;q=0"}, 406),
        ("POST", URL, {"Accept": "application/json;q=0, */*"}, 406),
        ("POST", URL, {"Accept": "application/*;q=0, */*;q=0.5"}, 406),
        ("POST", URL, {"Content-Encoding": "gzip"}, 415),
        ("GET", "/api/display-images/", {"Accept": "image/png"}, 406),
        ("GET", "/metrics", {"Accept": "application/json"}, 406),
        ("POST", "/metrics", {}, 405),
        ("POST", "/api/health/live", {}, 405),
        ("POST", f"{URL}?include=everything", {}, 400),
        ("GET", "/api/display-images/", {"Host": "evil.example"}, 400),
    ],
)
def test_a_wrong_method_address_host_or_accept_header_is_a_problem(ask, method, path, headers, status):
    answer = ask(PNG if method == "POST" else b"", "image/png", method, path, **headers)
    assert_problem(answer, status)
    assert ("allow" in answer.headers) == (status == 405)


@pytest.mark.parametrize("path", ["/api/nothing", "/api/model/nothing/", "/v2/models/letters"])
def test_an_unknown_address_is_a_problem_while_developing_too(client, settings, path):
    settings.DEBUG = True
    answer = client.post(path)
    assert answer.status_code == 404
    assert path in "".join(map(str, answer.json().values()))


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "application/*",
        "application/json;charset=utf-8",
        "text/html,*/*",
        "application/*;q=0,application/json",
        "application/json; x*=nothing''%41",
    ],
)
def test_what_a_client_accepts_may_be_said_in_many_ways(client, accept):
    headers = {"Accept": accept} if accept else {}
    assert client.post(URL, PNG, content_type="image/png", headers=headers).status_code == 200


def test_a_page_form_without_its_token_is_refused_in_the_style_of_the_site(ask):
    answer = ask(form(part(PNG)), FORM, path="/draw/")
    assert answer.status == 403
    assert b"<nav" in answer.body


def send_chunked(body: io.BytesIO, content_type: str):
    """Send a body of no announced length, as servers do that take chunks and tell where they end."""
    environment = {
        "CONTENT_TYPE": content_type,
        "wsgi.input": body,
        "wsgi.input_terminated": True,
        "CONTENT_LENGTH": "",
    }
    return Client().generic("POST", URL, **environment, HTTP_TRANSFER_ENCODING="chunked")


@pytest.mark.parametrize("content_type", [FORM, "image/png", "application/json"])
def test_an_empty_body_in_chunks_is_a_bad_request(content_type):
    assert send_chunked(io.BytesIO(b""), content_type).status_code == 400


def test_a_server_that_does_not_know_the_last_chunk_is_not_said_to_get_nothing(server):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(server).netloc, timeout=30)
    with contextlib.closing(connection):
        connection.request("POST", URL, iter([PNG]), {"Content-Type": "image/png"}, encode_chunked=True)
        answer = connection.getresponse()
        assert answer.status == 400
        assert "Content-Length" in json.loads(answer.read())["detail"]


def test_a_picture_in_chunks_is_read():
    assert send_chunked(io.BytesIO(form(part(PNG))), FORM).json()["prediction"] == 2
    assert send_chunked(io.BytesIO(PNG), "image/png").json()["prediction"] == 2


@pytest.mark.parametrize(
    ("body", "content_type", "read"),
    [
        (form(part(bytes(49 * 1024**2))), FORM, 25.2),
        (form(*[part(bytes(5 * 1024**2))] * 15), FORM, 50.2),
        (bytes(49 * 1024**2), "image/png", 25.2),
        (b" " * (49 * 1024**2), "application/json", 36.2),
    ],
    ids=["large part", "many parts", "raw picture", "JSON"],
)
def test_what_is_too_large_is_not_read_to_the_end(body, content_type, read):
    stream = io.BytesIO(body)
    assert send_chunked(stream, content_type).status_code == 413
    assert stream.tell() < read * 1024**2


@pytest.mark.parametrize("side", [8000, 20_000])
def test_a_huge_picture_costs_neither_time_nor_memory(side):
    data = encoded(Image.new("1", (8000, 8000))) if side == 8000 else HUGE
    assert len(data) < 64 * 1024
    tracemalloc.start()
    try:
        with pytest.raises(UnusablePicture, match=f"{side} x {side}"):
            pictures.prepare(data)
        assert tracemalloc.get_traced_memory()[1] < 1024**2
    finally:
        tracemalloc.stop()

    def seconds() -> float:
        start = time.perf_counter()
        with pytest.raises(UnusablePicture):
            pictures.prepare(data)
        return time.perf_counter() - start

    assert min(seconds() for _ in range(5)) < 0.01


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(PNG, "image/png"), (pixels([7] * 784), "application/json"), (form(part(PNG)), FORM), (part(PNG), FORM)],
)
@pytest.mark.parametrize("path", [URL, "/v2/models/digits/infer"])
def test_a_body_shorter_than_its_content_length_is_a_bad_request(server, body, content_type, path):
    address = urllib.parse.urlsplit(server)
    head = f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: {content_type}\r\n"
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(f"{head}Content-Length: {len(body) + 9}\r\n\r\n".encode() + body)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.makefile("rb").read()
    assert b" 400 " in answer.partition(b"\r\n")[0]
    assert b"breaks off" in answer


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ('form-data; filename="x; name=file"', 400),
        ('form-data; name="picture"; filename="x; name=file"', 400),
        ('form-data; filename="x; name=picture"; name="file"', 200),
        ('form-data; filename="an \\"; name=picture;\\" in quotes"; name=file', 200),
        ('form-data; x; NAME = "file" ; y', 200),
    ],
)
def test_a_field_is_named_by_its_name_and_by_nothing_in_quotes(client, headers, status):
    body = form(part(PNG, f"Content-Disposition: {headers}"))
    assert client.generic("POST", URL, body, FORM).status_code == status


def test_headers_of_a_part_that_look_like_many_parameters_take_no_time():
    for padding in (" " * 8000, ' ;a="' * 1600, '\\"' * 4000, " a" * 4000):
        start = time.thread_time()
        field_name(f"\r\nContent-Disposition: form-data;{padding}".encode())
        assert time.thread_time() - start < 0.1


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/", "GET, HEAD"),
        ("POST", "/", "GET, HEAD"),
        ("PUT", "/tiles/7/", "GET, HEAD"),
        ("PATCH", "/draw/", "GET, HEAD, POST"),
        ("GET", "/draw/predict/", "POST"),
    ],
)
def test_a_page_that_is_asked_by_a_wrong_method_says_so_in_the_style_of_the_site(ask, method, path, allowed):
    answer = ask(b"", "text/plain", method, path)
    assert answer.status == 405
    assert answer.headers["allow"] == allowed
    assert b"<nav" in answer.body


@pytest.mark.parametrize("path", ["/", "/nothing", "/api/display-images/", URL, "/v2"])
def test_a_head_answer_has_a_length_and_no_body_for_the_server_to_drop(path):
    request = RequestFactory().head(path)
    begun = {}
    response = application(request.environ, lambda status, headers: begun.update(headers))
    assert b"".join(response) == b""
    assert int(begun["Content-Length"]) > 0
    response.close()


def test_a_picture_at_the_limit_is_read(ask):
    padded = PNG + bytes(settings.MAX_PICTURE_BYTES - len(PNG))
    assert ask(form(part(padded)), FORM).status == 200
    assert ask(padded, "image/png").status == 200
