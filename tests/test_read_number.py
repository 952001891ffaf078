"""POST /api/read-number/: pictures in, numbers out."""

import base64
import json

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from digit_recognizer_dl_model.doubt import SEVERAL_DIGITS
from digits.recognizer import SEVERAL_HINT, Prediction

from .pictures import drawing, encoded, number_picture

URL = "/api/read-number/"
PICTURE = encoded(number_picture("1984"))


def test_a_number_is_answered_digit_by_digit(client):
    answer = client.post(URL, PICTURE, content_type="image/png").json()
    assert answer["number"] == "1984"
    assert (answer["uncertain"], answer["reason"]) == (False, None)
    assert [digit["digit"] for digit in answer["digits"]] == [1, 9, 8, 4]
    for digit in answer["digits"]:
        assert digit["confidence"] == digit["probabilities"][digit["digit"]]
        assert sum(digit["probabilities"]) == pytest.approx(1, abs=1e-3)
        assert len(digit["box"]) == 4
    assert [line["number"] for line in answer["lines"]] == ["1984"]
    assert answer["lines"][0]["confidence"] == answer["confidence"]


@pytest.mark.parametrize(
    "sent",
    [
        {"data": {"file": SimpleUploadedFile("a.png", PICTURE)}},
        {"data": PICTURE, "content_type": "application/octet-stream"},
        {"data": json.dumps({"image": base64.b64encode(PICTURE).decode()}), "content_type": "application/json"},
    ],
    ids=["form", "body", "json"],
)
def test_a_picture_may_be_sent_in_any_way(client, sent):
    assert client.post(URL, **sent).json()["number"] == "1984"


def test_a_batch_is_answered_in_order_with_errors_in_place(client, tiles):
    pixels = tiles[0].tolist()
    pictures = [base64.b64encode(each).decode() for each in (PICTURE, b"no picture")]
    body = json.dumps({"images": [pictures[0], {"pixels": pixels}, pictures[1]]})
    first, second, third = client.post(URL, body, content_type="application/json").json()["numbers"]
    assert first["number"] == "1984"
    assert second["number"] == "7"
    assert len(second["digits"]) == 1
    assert (third["error"]["index"], third["error"]["status"]) == (2, 415)


def test_boxes_are_in_the_picture_as_it_stands_upright(client):
    turned = number_picture("1984", height=100).rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    answer = client.post(URL, encoded(turned, "JPEG", exif=exif), content_type="image/jpeg").json()
    assert answer["number"] == "1984"
    lefts = [digit["box"][0] for digit in answer["digits"]]
    assert lefts == sorted(lefts)
    assert all(80 < digit["box"][3] < 125 for digit in answer["digits"])


def test_a_blank_picture_is_refused(client):
    answer = client.post(URL, encoded(drawing([])), content_type="image/png")
    assert answer.status_code == 422
    assert answer.json()["title"] == "No ink"


def test_a_single_digit_is_the_one_that_predict_digit_answers(client, tiles):
    for tile in tiles[:10]:
        picture = encoded(Image.fromarray(tile))
        alone = client.post("/api/predict-digit/", picture, content_type="image/png").json()
        answer = client.post(URL, picture, content_type="image/png").json()
        if alone["reason"] == "does not look like one digit":
            assert answer["uncertain"]
        else:
            assert answer["number"] == str(alone["prediction"])
            assert answer["confidence"] == alone["confidence"]


def test_only_post_is_answered(client):
    answer = client.get(URL)
    assert answer.status_code == 405
    assert answer["Allow"] == "POST"


def test_readings_are_counted(client):
    def count() -> float:
        lines = client.get("/metrics").content.decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith("digits_numbers_total{"))

    before = count()
    client.post(URL, PICTURE, content_type="image/png")
    assert count() == before + 1


def test_predict_digit_points_to_it_where_there_are_several_digits():
    several = Prediction(4, np.full(10, 0.1).tolist(), uncertain=True, reason=SEVERAL_DIGITS)
    assert several.members["hint"] == SEVERAL_HINT
    assert URL in SEVERAL_HINT
    assert "hint" not in several._replace(reason=None, uncertain=False).members
