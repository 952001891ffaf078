"""POST /api/predict-digit/: any picture gets a prediction, any failure a problem."""

import base64

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory
from PIL import Image

from digits import errors

from .pictures import SEVEN, TWO, drawing, encoded

URL = "/api/predict-digit/"


def post(client: Client, data: bytes, name: str = "digit.png", content_type: str = "image/png"):
    return client.post(URL, {"file": SimpleUploadedFile(name, data, content_type)})


def assert_problem(answer, status: int, title: str):
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert set(body) == {"type", "title", "status", "detail"}
    assert body["status"] == status
    assert body["title"] == title
    assert len(body["detail"]) > 20
    assert "Traceback" not in body["detail"]
    assert "Error" not in body["detail"]


@pytest.mark.parametrize(("stroke", "digit"), [(TWO, 2), (SEVEN, 7)])
@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_a_drawn_digit_is_read(client, stroke, digit, form):
    answer = post(client, encoded(drawing([stroke]), form))
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"prediction", "confidence", "probabilities", "uncertain", "reason"}
    assert body["prediction"] == digit
    assert body["confidence"] == max(body["probabilities"]) == body["probabilities"][digit]
    assert sum(body["probabilities"]) == pytest.approx(1, abs=1e-5)
    assert body["uncertain"] in (True, False)


def test_displayed_tiles_posted_back_are_read_right(client):
    tiles = [tile for _ in range(5) for tile in client.get("/api/display-images/").json()["images"]]
    right = sum(post(client, base64.b64decode(tile["image"])).json()["prediction"] == tile["label"] for tile in tiles)
    assert right >= 95


def test_no_cookie_and_no_token_is_needed():
    client = Client(enforce_csrf_checks=True)
    answer = post(client, encoded(drawing()))
    assert answer.status_code == 200
    assert not answer.cookies


def test_the_name_and_type_that_a_client_claims_do_not_matter(client):
    assert post(client, encoded(drawing()), "digit.txt", "text/plain").status_code == 200


@pytest.mark.parametrize(
    ("data", "status", "title"),
    [
        (b"", 400, "Nothing to read"),
        (b"GIF89a and so on", 415, "Not a picture"),
        (b"<html></html>", 415, "Not a picture"),
        (encoded(drawing())[:300], 422, "Unusable picture"),
        (encoded(Image.new("1", (3000, 3000))), 422, "Unusable picture"),
        (encoded(Image.new("L", (280, 280), 255)), 422, "No ink"),
        (b"\x89PNG\r\n\x1a\n" + bytes(2 * 1024 * 1024), 413, "Too large"),
        (b"\x89PNG\r\n\x1a\n" + bytes(3 * 1024 * 1024), 413, "Too large"),
    ],
    ids=["empty", "GIF", "HTML", "cut off", "9 megapixels", "blank", "just over 2 MB", "3 MB"],
)
def test_a_bad_picture_is_refused_with_the_reason(client, data, status, title):
    assert_problem(post(client, data), status, title)


def test_a_picture_of_2_mb_and_4_megapixels_is_read(client):
    data = encoded(drawing(side=2048, pen=160))
    padding = 2 * 1024 * 1024 - len(data)
    assert post(client, data + bytes(padding)).status_code == 200


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/json"),
        (b"{}", "application/json"),
        (b"a=b", "application/x-www-form-urlencoded"),
        (b"", "multipart/form-data; boundary=x"),
        (b"--x\r\nrubbish", "multipart/form-data; boundary=x"),
    ],
)
def test_a_request_without_a_picture_says_what_to_send(client, body, content_type):
    answer = client.post(URL, body, content_type=content_type)
    assert_problem(answer, 400, "Nothing to read")
    assert "multipart field `file`" in answer.json()["detail"]


def test_multipart_without_boundary_is_a_bad_request(client):
    assert_problem(client.post(URL, b"x", content_type="multipart/form-data"), 400, "Bad request")


def test_hundreds_of_fields_are_a_bad_request(client):
    fields = {f"field{i}": "x" for i in range(1100)}
    assert_problem(client.post(URL, fields), 400, "Bad request")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_another_method_is_refused_as_a_problem(client, method):
    answer = client.generic(method, URL)
    assert_problem(answer, 405, "Method not allowed")
    assert answer.headers["Allow"] == "POST"


def test_an_unknown_address_of_the_api_is_a_problem(client):
    assert_problem(client.get("/api/nothing/"), 404, "Not found")


def test_a_fault_of_ours_is_a_problem_that_tells_nothing_of_it(client, monkeypatch):
    def fail(pixels):
        raise RuntimeError("secret of the house")

    monkeypatch.setattr("digits.api.recognize", fail)
    client.raise_request_exception = False
    answer = post(client, encoded(drawing()))
    assert_problem(answer, 500, "Server error")
    assert "secret" not in answer.content.decode()


@pytest.mark.parametrize("length", ["50000000", "9" * 5000])
def test_the_request_is_refused_by_its_announced_size_before_its_body_is_read(length):
    class Unread:
        def read(self, *size):
            raise AssertionError("read")

        readline = read

    answer = Client().generic("POST", URL, CONTENT_LENGTH=length, **{"wsgi.input": Unread()})
    assert_problem(answer, 413, "Too large")


def test_server_errors_have_the_shape_that_the_client_can_use():
    request = RequestFactory().get("/tiles/", headers={"HX-Request": "true"})
    request.htmx = True
    answer = errors.server_error(request)
    assert answer.status_code == 500
    assert answer.headers["HX-Retarget"] == "#notice"
