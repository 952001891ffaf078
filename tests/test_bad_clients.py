"""What a client does wrong is answered with the right status and a problem, here and by the real server."""

import base64
import contextlib
import http.client
import io
import json
import time
import tracemalloc
import urllib.parse
import zlib
from collections.abc import Callable
from typing import NamedTuple

import pytest
from django.conf import settings
from django.test import Client
from PIL import Image

from digits import pictures
from digits.refusals import UnusablePicture

from .pictures import chunk, drawing, encoded, png_header, with_chunk

URL = "/api/predict-digit/"
PNG = encoded(drawing())
HUGE = png_header(20_000, 20_000) + chunk(b"IDAT", zlib.compress(bytes(1_900_000))) + chunk(b"IEND", b"")
JPEG = encoded(drawing(), "JPEG")
FORM = "multipart/form-data; boundary=frontier"
FILE = 'Content-Disposition: form-data; name="file"; filename="digit.png"'
ZEROS = [0] * 784
SVG = b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>"


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


def part(content: bytes, headers: str = FILE) -> bytes:
    return b"--frontier\r\n" + headers.encode() + b"\r\n\r\n" + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--frontier--\r\n"


def pixels(value: object) -> bytes:
    return json.dumps({"pixels": value}).encode()


def wrong_checksum(name: bytes) -> bytes:
    start = PNG.index(name)
    end = start + 4 + int.from_bytes(PNG[start - 4 : start])
    return PNG[:end] + bytes(4) + PNG[end + 4 :]


EXIF = b"Exif\0\0II*\0\x08\0\0\0\x02\0\x12\x01\x03"  # breaks off in the orientation
BOMB = b"name\0\0" + zlib.compress(bytes(50_000_000))
SCAN = b"\xff\xda\0\x08\1\1\0\0\x3f\0"

BAD = {
    "no body": (b"", "image/png", 400),
    "no content type and no body": (b"", "", 400),
    "form without the field": (form(part(PNG, "Content-Disposition: form-data; name=picture")), FORM, 400),
    "form without parts": (form(), FORM, 400),
    "form with an empty file": (form(part(b"")), FORM, 400),
    "form without boundary": (form(part(PNG)), "multipart/form-data", 400),
    "form whose boundary is none": (form(part(PNG)), "multipart/form-data; boundary=\u00e4", 400),
    "form that breaks off": (part(PNG), FORM, 400),
    "form that breaks off in the headers": (b"--frontier\r\nContent-Disp", FORM, 400),
    "part in base64": (
        form(
            part(
                base64.b64encode(PNG),
                'Content-Disposition: form-data; name="file"\r\nContent-Transfer-Encoding: BASE64',
            )
        ),
        FORM,
        415,
    ),
    "hundreds of files": (form(*[part(PNG)] * 300), FORM, 413),
    "hundreds of fields": (form(*[part(b"x", "Content-Disposition: form-data; name=x")] * 900), FORM, 413),
    "endless headers": (form(part(PNG, "X: " + "x" * 70_000)), FORM, 413),
    "picture of 2 MB and a byte": (form(part(bytes(2 * 1024**2 + 1))), FORM, 413),
    "raw picture of 2 MB and a byte": (bytes(2 * 1024**2 + 1), "image/png", 413),
    "picture of 2 MB and a byte in JSON": (
        json.dumps({"image": base64.b64encode(bytes(2 * 1024**2 + 1)).decode()}).encode(),
        "application/json",
        413,
    ),
    "request of 20 MB and more": (form(*[part(bytes(2 * 1024**2))] * 11), FORM, 413),
    "JSON of 4 MB and more": (b" " * (4 * 1024**2 + 1), "application/json", 413),
    "batch of 101": (json.dumps({"images": [""] * 101}).encode(), "application/json", 413),
    "malformed JSON": (b'{"image": ', "application/json", 400),
    "JSON in Latin-1": ('{"imäge": 1}'.encode("latin-1"), "application/json", 400),
    "JSON in UTF-16": ('{"image": ""}'.encode("utf-16"), "application/json", 400),
    "deeply nested JSON": (b'{"pixels": ' + b"[" * 100_000, "application/json", 400),
    "number of 5,000 digits": (b'{"pixels": [' + b"9" * 5000 + b"]}", "application/json", 400),
    "JSON without the field": (b'{"picture": ""}', "application/json", 400),
    "JSON that is no object": (b'"image"', "application/json", 400),
    "JSON with two fields": (json.dumps({"image": "", "pixels": []}).encode(), "application/json", 400),
    "NaN": (pixels([float("nan")] * 784), "application/json", 422),
    "Infinity": (pixels([float("inf"), *ZEROS[1:]]), "application/json", 422),
    "1e999": (pixels(ZEROS).replace(b"0", b"1e999", 1), "application/json", 422),
    "number of 400 digits": (pixels([10**400, *ZEROS[1:]]), "application/json", 422),
    "ragged rows": (pixels([[0] * 28] * 27 + [[0] * 27]), "application/json", 422),
    "783 pixels": (pixels(ZEROS[1:]), "application/json", 422),
    "no pixels": (pixels([]), "application/json", 422),
    "pixels that are null": (pixels(None), "application/json", 422),
    "pixels that are strings": (pixels(["0"] * 784), "application/json", 422),
    "pixels that are true or false": (pixels([True, *ZEROS[1:]]), "application/json", 422),
    "pixels over 255": (pixels([256, *ZEROS[1:]]), "application/json", 422),
    "pixels under 0": (pixels([-1, *ZEROS[1:]]), "application/json", 422),
    "pixels all alike": (pixels(ZEROS), "application/json", 422),
    "pixels from 0 to 1": (pixels([1, *ZEROS[1:]]), "application/json", 422),
    "image that is no string": (b'{"image": 7}', "application/json", 422),
    "image that is no base64": (b'{"image": "%%%"}', "application/json", 422),
    "data URL that is no base64": (b'{"image": "data:image/svg+xml,<svg/>"}', "application/json", 422),
    "data URL of nothing": (b'{"image": "data:image/png;base64,"}', "application/json", 400),
    "image that is not even ASCII": ('{"image": "äöü"}'.encode(), "application/json", 422),
    "batch that is no list": (b'{"images": 7}', "application/json", 422),
    "batch of none": (b'{"images": []}', "application/json", 422),
    "form of a page": (b"file=digit.png", "application/x-www-form-urlencoded", 415),
    "text": (PNG, "text/plain", 415),
    "no content type": (PNG, "", 415),
    **{
        f"{name} as PNG": (form(part(data)), FORM, 415)
        for name, data in {
            "SVG": SVG,
            "EPS": encoded(drawing(), "EPS"),
            "PDF": encoded(drawing(), "PDF"),
            "TIFF": encoded(drawing(), "TIFF"),
            "PSD": b"8BPS\0\1" + bytes(40),
            "GIF": encoded(drawing(), "GIF"),
            "HTML": b"<!doctype html><title>digit.png</title>",
        }.items()
    },
    "wrong checksum of the header": (wrong_checksum(b"IHDR"), "image/png", 422),
    "wrong checksum of the pixels": (wrong_checksum(b"IDAT"), "image/png", 422),
    "magic and nothing else": (PNG[:8], "image/png", 422),
    "zero size": (png_header(0, 0) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""), "image/png", 422),
    "truncated PNG": (PNG[:-30], "image/png", 422),
    "truncated JPEG": (JPEG[: len(JPEG) // 2], "image/jpeg", 422),
    "zTXt bomb": (with_chunk(PNG, b"zTXt", BOMB), "image/png", 422),
    "iTXt bomb": (with_chunk(PNG, b"iTXt", b"name\0\1\0\0\0" + BOMB[6:]), "image/png", 422),
    "huge ICC profile": (with_chunk(PNG, b"iCCP", BOMB), "image/png", 422),
    "broken EXIF in a JPEG": (encoded(drawing(), "JPEG", exif=EXIF), "image/jpeg", 422),
    "broken EXIF in a PNG": (with_chunk(PNG, b"eXIf", EXIF[6:]), "image/png", 422),
    "JPEG of a thousand scans": (JPEG[:-2] + SCAN * 1000 + JPEG[-2:], "image/jpeg", 422),
    "20000 x 20000 declared": (HUGE, "image/png", 422),
    "60000 x 1": (encoded(Image.new("1", (60_000, 1))), "image/png", 422),
    "blank": (encoded(Image.new("L", (280, 280), "white")), "image/png", 422),
    "one colour": (encoded(Image.new("RGB", (280, 280), "teal")), "image/png", 422),
    "fully transparent": (encoded(Image.new("RGBA", (280, 280), (0, 0, 0, 0))), "image/png", 422),
}


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


def test_a_last_slash_more_or_less_loses_nothing(client):
    for path in (URL, URL.rstrip("/")):
        assert client.post(path, PNG, content_type="image/png").json()["prediction"] == 2


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
        (form(part(bytes(19 * 1024**2))), FORM, 2.2),
        (form(*[part(bytes(2 * 1024**2))] * 15), FORM, 20.2),
        (bytes(19 * 1024**2), "image/png", 2.2),
        (b" " * (19 * 1024**2), "application/json", 4.2),
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


def test_a_picture_at_the_limit_is_read(ask):
    padded = PNG + bytes(settings.MAX_PICTURE_BYTES - len(PNG))
    assert ask(form(part(padded)), FORM).status == 200
    assert ask(padded, "image/png").status == 200
