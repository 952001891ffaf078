"""POST /draw/predict/ and /draw/: a drawing or an uploaded picture, as a fragment and as a page."""

import base64
import io
import json
import re

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageDraw

from digits import pictures
from digits.gallery import gallery
from digits.pictures.drawing import Stroke, ink_of_strokes

from .pictures import SEVEN, TWO, drawing, encoded, number_picture, number_strokes

ADDRESSES = ["/draw/predict/", "/draw/"]


def post(client, address: str, data: bytes):
    return client.post(address, {"file": SimpleUploadedFile("drawing.png", data, "image/png")})


def verdict(answer) -> str:
    page = re.sub(r"<template.*?</template>", "", answer.content.decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", page[page.index('<div class="verdict">') :]).split())


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(("stroke", "digit"), [(TWO, 2), (SEVEN, 7)])
def test_a_drawing_is_answered_with_the_digit_and_what_the_network_saw(client, address, stroke, digit):
    data = encoded(drawing([stroke]))
    answer = post(client, address, data)
    assert answer.status_code == 200
    assert verdict(answer).startswith(f"{digit} ")
    picture = re.search(r'href="data:image/png;base64,([^"]+)"', answer.content.decode())[1]
    assert (np.asarray(Image.open(io.BytesIO(base64.b64decode(picture)))) == pictures.prepare(data)).all()


def send_strokes(client, strokes: object, address: str = "/draw/predict/"):
    return client.post(address, {"strokes": strokes if isinstance(strokes, str) else json.dumps(strokes)})


def scaled(stroke: list[tuple[float, float]], scale: float, width: float) -> list[dict]:
    return [{"points": (0.5 + (np.array(stroke) - 0.5) * scale).tolist(), "width": width}]


@pytest.mark.parametrize("address", ["/draw/predict/", "/draw/explain/"])
@pytest.mark.parametrize(("stroke", "digit"), [(TWO, 2), (SEVEN, 7)])
def test_strokes_are_read_like_a_picture_of_them(client, address, stroke, digit):
    answer = send_strokes(client, scaled(stroke, 1, 20 / 280), address)
    assert answer.status_code == 200
    assert re.search(rf"<strong>{digit}</strong>|Why {digit}, and not", answer.content.decode())


def test_a_small_drawing_with_a_thick_pen_is_seen_as_a_large_one_with_a_finer_pen(client):
    [large], [small] = (scaled(TWO, scale, 28 / 280) for scale in (1, 0.25))
    seen = [
        pictures.prepare_strokes([Stroke(np.array(stroke["points"]), stroke["width"])]).astype(float)
        for stroke in (large, small)
    ]
    assert np.abs(seen[0] - seen[1]).mean() < 6
    assert seen[0].sum() == pytest.approx(seen[1].sum(), rel=0.05)


@pytest.mark.parametrize(
    "excursion",
    [[(4, 0.63)], [(4, 0.63), (4, -3), (-3, -3)], [(1.2, 0.63), (1.2, 3), (-3, 3), (-3, 0.2)]],
    ids=["away", "back over the corner", "around the pad"],
)
def test_what_lies_off_the_pad_does_not_count(excursion):
    broad = 28 / 280  # for a digit so small, whose pen its size decides
    just_off = [*(np.array(TWO) * 0.3 + [0.7, 0.39]), (1.1, 0.63)]  # its foot leaves the pad
    elsewhere = Stroke(np.array([(2, 0), (2, 1)]), broad)
    seen = ink_of_strokes([Stroke(np.array(just_off), broad)])
    drawn = ink_of_strokes([Stroke(np.array([*just_off, *excursion]), broad), elsewhere])
    assert np.array_equal(drawn.strength, seen.strength)


def test_a_dense_scribble_keeps_its_middle():
    """The clean-up of photographs, which took it for paper, is not for drawings."""
    steps = np.linspace(0.1, 0.9, 33)
    zigzag = np.array([(x, y) for i, x in enumerate(steps) for y in ((0.1, 0.9) if i % 2 else (0.9, 0.1))])
    pixels = pictures.prepare_strokes([Stroke(zigzag, 28 / 280)])
    assert pixels[10:18, 10:18].min() > 100


def test_a_pad_full_of_ink_is_ink():
    lines = [Stroke(np.array([(-0.5, y), (1.5, y)]), 0.2) for y in np.linspace(0, 1, 11)]
    drawn = ink_of_strokes(lines)
    assert drawn.strength.shape == (drawn.side, drawn.side)
    assert drawn.strength.all()


def test_strokes_beside_the_pad_are_no_drawing(client):
    answer = send_strokes(client, [{"points": [[3, 3], [3.5, 3.5]], "width": 0.1}])
    assert answer.status_code == 422
    assert "There is no ink in this drawing." in answer.content.decode()
    assert "Probability of each digit" not in answer.content.decode()


def test_a_line_that_only_crosses_the_pad_counts_with_what_is_seen_of_it():
    far, near = ([Stroke(np.array([(-off, 0.5), (1 + off, 0.5)]), 0.5)] for off in (3, 0.5))
    assert np.array_equal(ink_of_strokes(far).strength, ink_of_strokes(near).strength)


@pytest.mark.parametrize(
    ("strokes", "status"),
    [
        ("[", 400),
        ("7", 400),
        ({"points": [[0, 0]]}, 400),
        ([{"points": [[0, 0], [1, 1]]}], 400),
        ([{"points": [], "width": 0.1}], 400),
        ([{"points": [[0, 0, 0]], "width": 0.1}], 400),
        ([{"points": [["a", 0]], "width": 0.1}], 400),
        ([{"points": [[0, 0], [1]], "width": 0.1}], 400),
        ([{"points": [[0, 1e300]], "width": 0.1}], 400),
        ([{"points": [[0.5, 0.5], [4.1, 0.5]], "width": 0.1}], 400),
        ('[{"points": [[0, NaN]], "width": 0.1}]', 400),
        ([{"points": [[0, 0], [1, 1]], "width": 0}], 400),
        ([{"points": [[0, 0], [1, 1]], "width": 2}], 400),
        ([{"points": [[0.5, 0.5]] * 20_001, "width": 0.1}], 413),
        ([{"points": [[0.5, 0.5]], "width": 0.07}], 422),
        ([{"points": [[3, 3], [3.5, 3]], "width": 0.07}], 422),
    ],
)
def test_malformed_strokes_are_refused(client, strokes, status):
    answer = send_strokes(client, strokes)
    assert answer.status_code == status
    assert ("`strokes` must be a list of strokes" in verdict(answer)) == (status == 400)


def test_the_box_and_the_centre_of_mass_are_marked_in_what_the_network_saw(client):
    answer = post(client, "/draw/predict/", encoded(drawing([TWO]))).content.decode()
    width, height = map(int, re.search(r'class="box" [^>]* width="(\d+)" height="(\d+)"', answer).groups())
    assert max(width, height) == 20
    x, y = map(float, re.search(r'class="centre" d="M([\d.]+) ([\d.]+)m', answer).groups())
    assert (x, y) == (pytest.approx(14.5, abs=0.6), pytest.approx(14.5, abs=0.6))  # on pixel 14, counted from 0


@pytest.mark.parametrize(("fields", "announces"), [({}, True), ({"live": "1"}, False)])
def test_an_answer_is_announced_unless_the_pen_moves(client, fields, announces):
    file = SimpleUploadedFile("drawing.png", encoded(drawing()), "image/png")
    answer = client.post("/draw/predict/", {"file": file} | fields)
    assert (b'hx-swap-oob="innerHTML:#announcement"' in answer.content) == announces


def test_the_pad_begins_with_the_tile_that_the_address_names(client):
    [image] = re.findall(r'data-tile="data:image/png;base64,([^"]+)"', client.get("/draw/?tile=4711").content.decode())
    assert (np.asarray(Image.open(io.BytesIO(base64.b64decode(image)))) == gallery().pixels(4711)).all()
    assert b"data-tile" not in client.get("/draw/?tile=x").content


def scribble(rng: np.random.Generator) -> list[tuple[float, float]]:
    return list(map(tuple, rng.uniform(0.1, 0.9, (40, 2))))


def test_a_scribble_is_answered_with_not_sure(client):
    data = encoded(drawing([scribble(np.random.default_rng(1))], pen=10))
    answer = post(client, "/draw/predict/", data)
    assert answer.status_code == 200
    assert verdict(answer).startswith("Not a number, as far as I can tell")
    assert "%" not in answer.content.decode()  # a refusal is no guess


def test_what_is_unclear_under_a_moving_pen_is_not_called_so_before_it_is_lifted(client):
    data = {"file": SimpleUploadedFile("drawing.png", encoded(drawing([scribble(np.random.default_rng(1))], pen=10)))}
    moving = client.post("/draw/predict/", data | {"live": "1"})
    assert verdict(moving).startswith("… ")
    assert "not-sure" not in moving.content.decode()


def test_an_unclear_drawing_that_is_hardly_a_dot_is_called_too_small(client):
    tangle = [{"points": [[0.5, 0.5], [0.53, 0.53], [0.53, 0.5], [0.5, 0.53]], "width": 0.002}]
    assert verdict(send_strokes(client, tangle)).startswith("Too small: draw larger, or crop the picture")


def test_an_unclear_picture_of_few_pixels_is_called_too_small(client):
    tangle = Image.new("L", (24, 24), 255)
    ImageDraw.Draw(tangle).line([(8, 8), (16, 16), (16, 8), (8, 16), (8, 8)], fill=0)
    assert verdict(post(client, "/draw/predict/", encoded(tangle))).startswith("Too small: draw larger, or crop")


def test_a_file_beside_the_drawing_is_refused_in_a_notice(client):
    file = SimpleUploadedFile("notes.txt", b"plain text")
    refused = client.post(
        "/draw/predict/", {"file": file}, headers={"HX-Request": "true", "HX-Target": "notice"}
    ).content.decode()
    assert '<div class="notice">' in refused
    assert "This file is not a PNG" in refused


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_empty_form_is_told_what_to_do(client, address):
    answer = client.post(address)
    assert answer.status_code == 400
    assert "Draw a number, or choose a picture of one." in verdict(answer)


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_empty_file_is_said_to_be_empty(client, address):
    answer = client.post(address, {"file": SimpleUploadedFile("seven.png", b"", "image/png")})
    assert answer.status_code == 400
    assert "This file is empty." in verdict(answer)


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (encoded(Image.new("L", (280, 280), 255)), 422, "There is no ink in this picture."),
        (b"plain text", 415, "This file is not a PNG, JPEG, WebP, BMP or GIF picture."),
        (encoded(drawing())[:200], 422, "damaged or cut off"),
    ],
    ids=["blank", "text", "cut off"],
)
def test_a_refusal_takes_the_place_of_the_answer(client, address, data, status, words):
    answer = post(client, address, data)
    assert answer.status_code == status
    assert words in verdict(answer)


@pytest.mark.parametrize(("fault", "status"), [(MemoryError, 503), (RuntimeError, 500)])
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_fault_of_the_server_is_not_called_a_damaged_picture(client, monkeypatch, address, fault, status):
    def fail(picture, in_place):
        raise fault

    monkeypatch.setattr("PIL.ImageOps.exif_transpose", fail)
    client.raise_request_exception = False
    answer = post(client, address, encoded(drawing(), "JPEG"))
    assert answer.status_code == status
    assert b"damaged" not in answer.content
    assert answer.headers.get("Retry-After") == ("1" if status == 503 else None)


@pytest.mark.parametrize("address", ADDRESSES)
def test_too_large_an_upload_is_refused_in_the_shape_that_was_asked_for(client, address):
    headers = {"HX-Request": "true"} if address == "/draw/predict/" else {}
    file = SimpleUploadedFile("large.png", bytes(26 * 1024 * 1024), "image/png")
    answer = client.post(address, {"file": file}, headers=headers)
    assert answer.status_code == 413
    assert b"This picture is too large; it may have 25 MB." in answer.content
    assert (b"<html" in answer.content) == (address == "/draw/")
    assert address == "/draw/" or b"Try again" not in answer.content  # that would not help


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_picture_of_25_mb_is_read(client, address):
    data = encoded(drawing([TWO]))
    answer = post(client, address, data + bytes(25 * 1024 * 1024 - len(data)))
    assert answer.status_code == 200
    assert "2" in verdict(answer)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
def test_a_picture_of_any_format_is_read_whatever_its_name_and_type(client, form):
    file = SimpleUploadedFile("digit.doc", encoded(drawing([TWO]), form), "application/msword")
    answer = client.post("/draw/", {"file": file})
    assert "<strong>2</strong>" in answer.content.decode()


def test_a_picture_that_is_not_read_is_named(client):
    answer = post(client, "/draw/", encoded(drawing(), "AVIF"))
    assert answer.status_code == 415
    assert "This is an AVIF picture; save it as JPEG or PNG." in verdict(answer)


def test_the_fragment_address_answers_only_post(client):
    assert client.get("/draw/predict/").status_code == 405


def test_the_page_begins_with_nothing_drawn_and_works_without_javascript(client):
    page = client.get("/draw/")
    assert verdict(page).startswith("Nothing drawn yet ")
    assert "%" not in verdict(page)
    assert re.search(r'<form\s[^>]*method="post"[^>]*enctype="multipart/form-data"', page.content.decode())
    assert b"csrfmiddlewaretoken" in page.content
    assert b"PNG, JPEG, WebP, BMP or GIF, up to 25 MB" in page.content


def test_a_drawn_number_is_answered_with_boxes_over_the_pad(client):
    strokes = [{"points": (np.array(line) * 0.4 - [0.3, 0]).tolist(), "width": 0.05} for line in number_strokes("1984")]
    answer = client.post("/draw/predict/", {"strokes": json.dumps(strokes), "pad": "[2, 1]"}).content.decode()
    assert "<strong>1984</strong>" in answer
    assert 'id="boxes"' in answer
    assert 'viewBox="-50.0 0.0 200.0 100.0"' in answer
    lefts = [float(left) for left in re.findall(r'<rect x="([-.\d]+)"', answer)]
    assert len(lefts) == 4
    assert lefts == sorted(lefts)
    assert -40 < lefts[0] < 0


def test_the_boxes_of_a_picture_lie_in_its_frame_on_the_pad(client):
    picture = number_picture("42")
    file = SimpleUploadedFile("number.png", encoded(picture), "image/png")
    fields = {"file": file, "pad": "[1.6, 1]", "frame": "[0.25, 0.2, 0.5, 0.3]"}
    answer = client.post("/draw/predict/", fields).content.decode()
    assert "<strong>42</strong>" in answer
    lefts = [float(left) for left in re.findall(r'<rect x="([-.\d]+)"', answer)]
    assert all(25 < left < 75 for left in lefts)


def test_the_frame_of_an_earlier_picture_does_not_move_the_boxes_of_a_drawing(client):
    strokes = [{"points": (np.array(line) * 0.4).tolist(), "width": 0.05} for line in number_strokes("42")]
    sent = {"strokes": json.dumps(strokes), "pad": "[1.6, 1]"}
    alone = client.post("/draw/predict/", sent)
    after = client.post("/draw/predict/", sent | {"frame": "[0.25, 0.2, 0.5, 0.3]"})
    assert alone.content == after.content


def test_an_answer_to_a_single_digit_takes_the_boxes_away(client):
    answer = send_strokes(client, scaled(TWO, 1, 20 / 280)).content.decode()
    assert 'id="boxes"' in answer
    assert "<rect x=" not in answer.partition('id="boxes"')[2]


@pytest.mark.parametrize(
    ("field", "value"),
    [("pad", "[9, 1]"), ("pad", "[0, 1]"), ("pad", "wide"), ("pad", "[1]"), ("frame", "[1, 2]"), ("frame", "{}")],
)
def test_a_malformed_pad_is_refused_with_what_would_be_right(client, field, value):
    fields = {"strokes": json.dumps(scaled(TWO, 1, 0.07)), "pad": "[1, 1]"} | {field: value}
    if field == "frame":
        fields |= {"strokes": "", "file": SimpleUploadedFile("n.png", encoded(number_picture("42")), "image/png")}
    answer = client.post("/draw/predict/", fields)
    assert answer.status_code == 400
    assert f"`{field}` must be" in answer.content.decode()
