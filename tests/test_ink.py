"""Ink stands out from the paper, however faint, small or coloured it is; what is no ink does not."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from digits import pictures
from digits.recognizer import recognize
from digits.refusals import Blank

from .pictures import drawing, encoded


@pytest.mark.parametrize(
    "picture",
    [
        Image.new("L", (280, 280), "white"),
        Image.new("L", (280, 280), "black"),
        Image.new("RGB", (28, 28), (12, 200, 90)),
        Image.new("RGBA", (280, 280), (0, 0, 0, 0)),
        Image.new("L", (1, 1), "black"),
        drawing(ink=249),
        Image.fromarray(60_000 + np.asarray(drawing(), np.uint16) * 6),
        drawing([[(0.5, 0.5), (0.52, 0.5)]], pen=8),
    ],
    ids=["white", "black", "one colour", "transparent", "one pixel", "nearly white ink", "faint in 16 bits", "a dot"],
)
def test_a_picture_without_a_digit_is_blank(picture):
    with pytest.raises(Blank):
        pictures.prepare(encoded(picture))


def mean_difference(one: Image.Image, other: Image.Image) -> float:
    return np.abs(pictures.prepare_image(one).astype(int) - pictures.prepare_image(other)).mean()


@pytest.mark.parametrize("paper", [60, 250])
@pytest.mark.parametrize("noise", [0, 0.6])
def test_faint_ink_is_read_where_the_noise_is_fainter(paper, noise):
    grain = noise * np.random.default_rng(1).standard_normal((280, 280))
    faint = np.asarray(drawing(ink=paper - 9, paper=paper)) + grain
    assert mean_difference(Image.fromarray(np.rint(faint).astype(np.uint8)), drawing()) < 10


@pytest.mark.parametrize(
    ("ink", "paper"),
    [((255, 235, 80), (190, 220, 255)), ((255, 60, 60), (60, 150, 60)), ((120, 120, 255), (140, 140, 140))],
    ids=["yellow on light blue", "red on green", "blue on grey"],
)
@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_ink_of_another_colour_as_light_as_the_paper_is_read(form, ink, paper):
    prediction = recognize(pictures.prepare(encoded(drawing(mode="RGB", ink=ink, paper=paper), form)))
    assert (prediction.digit, prediction.uncertain) == (2, False)


@pytest.mark.parametrize("noise", [1, 3, 10])
def test_noise_is_no_faint_ink(noise):
    grain = 200 + noise * np.random.default_rng(1).standard_normal((300, 400))
    with pytest.raises(Blank):
        pictures.prepare_image(Image.fromarray(np.rint(grain).clip(0, 255).astype(np.uint8)))


@pytest.mark.parametrize("side", [20, 40, 80])
def test_a_digit_that_is_small_in_a_large_picture_is_read(side):
    sheet = Image.new("L", (1000, 800), "white")
    sheet.paste(drawing(side=2 * side, pen=side // 6), (600, 200))
    assert mean_difference(sheet, drawing(side=2 * side, pen=side // 6)) < 2


@pytest.mark.parametrize("side", [20, 40, 80])
def test_a_dot_in_a_large_picture_is_no_digit(side):
    sheet = Image.new("L", (1000, 1000), "white")
    ImageDraw.Draw(sheet).ellipse((600, 200, 600 + side, 200 + side), fill="black")
    with pytest.raises(Blank, match="only a dot"):
        pictures.prepare_image(sheet)


def test_a_digit_of_few_hard_pixels_has_soft_edges():
    hard = pictures.prepare_image(drawing(side=28, pen=1))
    assert np.unique(hard).size > 60


def test_what_is_beside_a_drawing_is_left_out():
    screen = drawing(paper="white")
    ImageDraw.Draw(screen).rectangle((10, 250, 60, 268), outline=190)  # a button of the program
    assert mean_difference(screen, drawing()) < 1
