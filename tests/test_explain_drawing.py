"""POST /draw/explain/: which parts of a drawing decided the answer, as a fragment."""

import base64
import io
import re

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from digits import pictures
from digits.numbers import read_uncounted

from .pictures import SEVEN, TWO, drawing, encoded, number_picture


def post(client, data: bytes):
    return client.post("/draw/explain/", {"file": SimpleUploadedFile("drawing.png", data, "image/png")})


def words(answer) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


@pytest.mark.parametrize(("stroke", "digit"), [(TWO, 2), (SEVEN, 7)])
def test_a_drawing_is_explained_by_what_speaks_for_it_and_for_the_runner_up(client, stroke, digit):
    answer = post(client, encoded(drawing([stroke])))
    assert answer.status_code == 200
    runner_up = re.match(rf"Why {digit}, and not (\d)\?", words(answer))[1]
    assert f"Blue speaks for {digit} Orange speaks for {runner_up}" in words(answer)
    chances = rf"{digit} \([\d.]+ %\) was weighed against {runner_up} \((less than )?[\d.]+ %\), the next likeliest: "
    assert re.search(chances + rf"the (ink|empty paper) [a-z ]+ speaks most for {digit},", words(answer))
    assert words(answer).endswith(f"Explained: {digit}, weighed against {runner_up}.")


def test_the_overlay_and_the_sheets_are_pictures_of_the_drawing(client):
    data = encoded(drawing())
    answer = post(client, data).content.decode()
    overlay, first, second, third, fourth, neurons = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(png))))
        for png in re.findall(r'src="data:image/png;base64,([^"]+)" alt="(?!Tile)[^"]{20}', answer)
    )
    assert overlay.shape == (112, 112, 3)
    ink = pictures.prepare(data) > 128
    brightness = overlay[2::4, 2::4].max(axis=2)
    assert brightness[ink].min() > brightness[~ink].mean()
    assert first.ndim == second.ndim == 2
    assert first.size > second.size
    assert [sheet.shape for sheet in (third, fourth, neurons)] == [(87, 87), (39, 39), (19, 159)]
    assert all(sheet.max() == 255 for sheet in (first, second, third, fourth, neurons))


def test_the_least_sure_digit_of_a_number_is_explained_or_the_one_that_is_asked_for(client):
    sheet = pictures.sheet_of_picture(encoded(number_picture("4217")))
    read = read_uncounted(sheet)
    least = min(range(4), key=lambda place: read.digits[place].confidence)
    for place, explained in ((None, least), (0, 0), (2, 2), (99, least)):
        fields = {"file": SimpleUploadedFile("n.png", encoded(number_picture("4217")), "image/png")}
        answer = client.post("/draw/explain/", fields | ({} if place is None else {"place": place}))
        assert f"Why {'4217'[explained]}, and not " in words(answer)
        pressed = re.findall(r'value="(\d)" aria-pressed="true"', answer.content.decode())
        assert pressed == [str(explained)]


def test_what_is_not_read_is_not_explained(client):
    answer = post(client, encoded(number_picture(*["42"] * 21)))
    assert "Nothing to explain" in words(answer)


def test_an_empty_form_is_told_what_to_do(client):
    answer = client.post("/draw/explain/")
    assert answer.status_code == 400
    assert "Draw a number, or choose a picture of one." in words(answer)


@pytest.mark.parametrize(
    ("data", "status", "reason"),
    [
        (encoded(Image.new("L", (280, 280), 255)), 422, "There is no ink in this picture."),
        (b"plain text", 415, "This file is not a PNG, JPEG, WebP, BMP or GIF picture."),
        (encoded(drawing())[:200], 422, "damaged or cut off"),
    ],
    ids=["blank", "text", "cut off"],
)
def test_a_refusal_takes_the_place_of_the_explanation_and_is_announced(client, data, status, reason):
    answer = post(client, data)
    assert answer.status_code == status
    assert words(answer).count(reason) == 2
    assert "Why" not in words(answer)


def test_the_address_answers_only_post(client):
    assert client.get("/draw/explain/").status_code == 405
