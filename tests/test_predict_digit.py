"""POST /api/predict-digit/: any picture gets a prediction, any failure a problem."""

import base64
import hashlib
import io
import struct

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory
from PIL import Image

from digit_recognizer_dl_model.weights import SHIPPED
from digits import errors
from digits.api import endpoints
from digits.gallery import gallery
from digits.pictures import prepare
from digits.pictures.headers import JPEG_PIXEL, JPEG_SCAN_PIXEL, read_header
from digits.recognizer import recognize_batch

from .bodies import FOREIGN
from .pictures import SEVEN, TWO, drawing, encoded

URL = "/api/predict-digit/"
PHOTO = encoded(drawing([SEVEN], side=4000, pen=300, mode="RGB").crop((0, 500, 4000, 3500)), "JPEG")  # 12 megapixels


def post(client: Client, data: bytes, name: str = "digit.png", content_type: str = "image/png"):
    return client.post(URL, {"file": SimpleUploadedFile(name, data, content_type)})


def assert_problem(answer, status: int, title: str):
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert set(body) == {"type", "title", "status", "detail"}
    assert body["type"] == f"/api/#{title.lower().replace(' ', '-')}"
    assert body["status"] == status
    assert body["title"] == title
    assert len(body["detail"]) > 20
    assert "Traceback" not in body["detail"]
    assert "Error" not in body["detail"]


@pytest.mark.parametrize(("stroke", "digit"), [(TWO, 2), (SEVEN, 7)])
@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
def test_a_drawn_digit_is_read(client, stroke, digit, form):
    answer = post(client, encoded(drawing([stroke]), form))
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"prediction", "confidence", "probabilities", "uncertain", "reason", "weights_version"}
    assert body["prediction"] == digit
    assert body["confidence"] == max(body["probabilities"]) == body["probabilities"][digit]
    assert sum(body["probabilities"]) == pytest.approx(1, abs=1e-5)
    assert body["uncertain"] in (True, False)


def send_json(client: Client, **body):
    return client.post(URL, body, content_type="application/json")


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_every_way_to_send_a_picture_gets_the_same_answer(client):
    picture, pixels = encoded(drawing()), prepare(encoded(drawing()))
    answers = [
        post(client, picture),
        client.post(URL, picture, content_type="image/png"),
        client.post(URL, picture, content_type="image/jpeg"),  # what a picture is, its own bytes tell
        send_json(client, image=base64_of(picture)),
        send_json(client, pixels=pixels.tolist()),
        send_json(client, pixels=pixels.astype(float).ravel().tolist()),
    ]
    assert [answer.status_code for answer in answers] == [200] * 6
    assert all(answer.json() == answers[0].json() for answer in answers)


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg", "IMAGE/PNG;charset=utf-8", ""])
def test_a_data_url_is_a_picture_whatever_kind_it_says(client, kind):
    url = f"data:{kind};base64,{base64_of(encoded(drawing()))}"
    assert send_json(client, image=url).json()["prediction"] == 2
    assert send_json(client, images=[url]).json()["predictions"][0]["prediction"] == 2


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_base64_may_come_in_lines(client, line_end):
    lines = base64.encodebytes(encoded(drawing())).decode().replace("\n", line_end)
    assert send_json(client, image=lines).json()["prediction"] == 2


def test_what_is_posted_without_the_last_slash_is_not_lost(client):
    assert client.post(URL.rstrip("/"), encoded(drawing()), content_type="image/png").json()["prediction"] == 2


def test_the_version_of_the_weights_is_the_start_of_their_checksum(client):
    version = post(client, encoded(drawing())).json()["weights_version"]
    assert hashlib.sha256(SHIPPED.read_bytes()).hexdigest().startswith(version)
    assert len(version) == 12


def test_the_prepared_picture_comes_on_request(client):
    assert "prepared" not in post(client, encoded(drawing())).json()
    [answer] = send_json(client, images=[base64_of(encoded(drawing()))]).json()["predictions"]
    assert "prepared" not in answer
    answer = client.post(f"{URL}?include=prepared,saliency", encoded(drawing()), content_type="image/png").json()
    assert Image.open(io.BytesIO(base64.b64decode(answer["saliency"]))).size == (112, 112)
    picture = Image.open(io.BytesIO(base64.b64decode(answer["prepared"])))
    assert (np.asarray(picture) == prepare(encoded(drawing()))).all()


@pytest.mark.parametrize(
    "query", ["include=prepared&include=saliency", "include=prepared,%20saliency", "include=,prepared,saliency"]
)
def test_what_to_include_may_be_said_in_many_ways(client, query):
    answer = client.post(f"{URL}?{query}", encoded(drawing()), content_type="image/png").json()
    assert {"prepared", "saliency"} < set(answer)


def test_a_batch_is_answered_item_by_item_in_order_and_a_bad_item_in_its_place(client):
    two, seven = encoded(drawing([TWO])), encoded(drawing([SEVEN]))
    items = [base64_of(two), {"image": base64_of(seven)}, base64_of(b"text"), {"pixels": [0] * 784}, {}, 7]
    items += [{"pixels": prepare(seven).tolist()}, prepare(two).ravel().tolist()]
    for name in ("images", "instances"):
        answer = send_json(client, **{name: items})
        assert answer.status_code == 200
        predictions = answer.json()["predictions"]
        assert [prediction.get("prediction") for prediction in predictions] == [2, 7, None, None, None, None, 7, 2]
        errors = [prediction["error"] for prediction in predictions[2:6]]
        assert [error["index"] for error in errors] == [2, 3, 4, 5]
        assert [error["status"] for error in errors] == [415, 422, 400, 400]
        assert all(set(error) == {"type", "title", "status", "detail", "index"} for error in errors)


def test_a_picture_that_is_too_large_does_not_spoil_its_batch(client):
    large = base64_of(bytes(25 * 1024**2 + 1))
    answered, refused = send_json(client, images=[base64_of(encoded(drawing())), large]).json()["predictions"]
    assert answered["prediction"] == 2
    assert (refused["error"]["index"], refused["error"]["status"]) == (1, 413)


def test_several_files_are_a_batch(client):
    pictures = [encoded(drawing([TWO])), b"rubbish", encoded(drawing([SEVEN]))]
    answer = client.post(URL, {"file": [SimpleUploadedFile("digit.png", picture) for picture in pictures]})
    predictions = answer.json()["predictions"]
    assert [prediction.get("prediction") for prediction in predictions] == [2, None, 7]
    assert predictions[1]["error"]["index"] == 1


def test_a_batch_of_100_is_one_pass_and_answers_as_one_by_one(client, monkeypatch):
    passes = []

    def counted(pixels):
        passes.append(len(pixels))
        return recognize_batch(pixels)

    monkeypatch.setattr("digits.recognizer.recognize_batch", counted)
    pixels = [gallery().pixels(index) for index in range(100)]
    together = send_json(client, instances=[{"pixels": tile.tolist()} for tile in pixels]).json()["predictions"]
    assert passes == [100]
    for tile, answer in zip(pixels, together, strict=True):
        alone = send_json(client, pixels=tile.tolist()).json()
        assert answer["prediction"] == alone["prediction"]
        assert answer["probabilities"] == alone["probabilities"]


def costing(seconds: float) -> str:
    """A JPEG picture of several scans that says it has so many pixels that it is estimated to cost so much."""
    data = encoded(drawing(mode="RGB"), "JPEG", progressive=True)
    scans = data.count(b"\xff\xda")
    pixels = seconds / (JPEG_PIXEL + JPEG_SCAN_PIXEL * (scans - 1))
    start, sides = data.index(b"\xff\xc2") + 5, struct.pack(">HH", int(pixels / 8000), 8000)
    return base64_of(data[:start] + sides + data[start + 4 :])


def test_a_picture_that_costs_too_much_spoils_its_own_place_alone(client, settings):
    settings.MAX_PICTURE_SECONDS = 0.3
    answers = send_json(client, images=[base64_of(encoded(drawing())), costing(0.25), base64_of(PHOTO)])
    answered, refused, photo = answers.json()["predictions"]
    assert (answered["prediction"], photo["prediction"]) == (2, 7)
    assert refused["error"]["status"] == 422
    assert "seconds to decode; 0.3 is the most" in refused["error"]["detail"]


def test_the_pictures_of_a_request_share_what_it_may_cost(client, settings):
    settings.MAX_REQUEST_SECONDS = 0.5 + endpoints.ANSWERING
    small = base64_of(encoded(drawing()))
    answers = send_json(client, images=[small, costing(0.3), costing(0.3), small]).json()["predictions"]
    first, costly, refused, last = answers
    assert (first["prediction"], last["prediction"]) == (2, 2)
    assert "error" not in costly
    assert (refused["error"]["title"], refused["error"]["index"]) == ("Too large", 2)
    assert "all the time that a request has" in refused["error"]["detail"]
    assert [send_json(client, image=costing(0.3)).status_code for _ in range(3)] == [200] * 3


def test_ten_photographs_of_a_phone_are_read_in_one_request(client):
    padded = PHOTO + bytes(3 * 1024 * 1024 - len(PHOTO))
    files = [SimpleUploadedFile("photo.jpg", padded, "image/jpeg") for _ in range(10)]
    answers = client.post(URL, {"file": files}).json()["predictions"]
    assert [answer["prediction"] for answer in answers] == [7] * 10
    assert read_header(PHOTO, "JPEG").seconds < 0.1


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
@pytest.mark.parametrize(
    "content_type", ["image/gif", "image/x-ms-bmp", "image/jpg", "image/*", "application/octet-stream"]
)
def test_the_bytes_of_a_picture_say_what_it_is_and_not_its_type(client, form, content_type):
    assert client.post(URL, encoded(drawing(), form), content_type=content_type).json()["prediction"] == 2


@pytest.mark.parametrize(("name", "data"), FOREIGN.items(), ids=FOREIGN)
def test_a_picture_that_is_not_read_is_named(client, name, data):
    answer = client.post(URL, data, content_type="application/octet-stream")
    assert_problem(answer, 415, "Not a picture")
    assert answer.json()["detail"] == f"This is {name}; save it as JPEG or PNG."


def test_a_list_of_very_many_values_is_not_read(client):
    answer = client.post(URL, b'{"images": [' + b"[]," * 300_000 + b"[]]}", content_type="application/json")
    assert_problem(answer, 413, "Too large")
    assert "too many values" in answer.json()["detail"]


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
        (b"GIF89a and so on", 422, "Unusable picture"),
        (encoded(drawing(), "TIFF"), 415, "Not a picture"),
        (b"<html></html>", 415, "Not a picture"),
        (encoded(drawing())[:300], 422, "Unusable picture"),
        (encoded(Image.new("1", (4250, 4000))), 422, "Unusable picture"),
        (encoded(Image.new("L", (280, 280), 255)), 422, "No ink"),
        (b"\x89PNG\r\n\x1a\n" + bytes(25 * 1024 * 1024), 413, "Too large"),
        (b"\x89PNG\r\n\x1a\n" + bytes(26 * 1024 * 1024), 413, "Too large"),
    ],
    ids=["empty", "GIF", "TIFF", "HTML", "cut off", "17 megapixels", "blank", "just over 25 MB", "26 MB"],
)
def test_a_bad_picture_is_refused_with_the_reason(client, data, status, title):
    assert_problem(post(client, data), status, title)


@pytest.mark.parametrize(
    ("fault", "status", "title"), [(MemoryError, 503, "Busy"), (RuntimeError, 500, "Server error")]
)
def test_a_fault_of_ours_is_never_called_damage(client, monkeypatch, fault, status, title):
    def fail(picture, in_place):
        raise fault

    monkeypatch.setattr("PIL.ImageOps.exif_transpose", fail)
    client.raise_request_exception = False
    answer = post(client, encoded(drawing(), "JPEG"))
    assert (answer.status_code, answer.json()["title"]) == (status, title)
    assert ("Retry-After" in answer.headers) == (status == 503)


def test_a_picture_of_25_mb_and_16_megapixels_is_read(client):
    data = encoded(drawing(side=4000, pen=312))
    padding = 25 * 1024 * 1024 - len(data)
    assert post(client, data + bytes(padding)).status_code == 200


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/json"),
        (b"{}", "application/json"),
        (b"[]", "application/json"),
        (b"", "image/png"),
        (b"", ""),
        (b"--x--", "multipart/form-data; boundary=x"),
        (b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n--x--", "multipart/form-data; boundary=x"),
    ],
)
def test_a_request_without_a_picture_says_what_to_send(client, body, content_type):
    answer = client.post(URL, body, content_type=content_type)
    assert_problem(answer, 400, "Nothing to read")
    assert "multipart field `file`" in answer.json()["detail"]


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

    monkeypatch.setattr("digits.recognizer.recognize_batch", fail)
    client.raise_request_exception = False
    answer = post(client, encoded(drawing()))
    assert_problem(answer, 500, "Server error")
    assert "secret" not in answer.content.decode()


@pytest.mark.parametrize("length", ["60000000", "9" * 5000])
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
