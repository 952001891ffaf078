"""Noise, shadows and uneven light make hardly a difference, and leave blank paper blank."""

import numpy as np
import pytest
from PIL import Image

from digits import pictures
from digits.pictures import background, decode
from digits.refusals import Blank

from .pictures import SEVEN, TWO, drawing, encoded

RAMP = np.linspace(-1, 1, 280)


def lit(picture: Image.Image, light: np.ndarray) -> Image.Image:
    """A picture of 280x280 under light of 0-1."""
    return Image.fromarray(np.rint(np.asarray(picture) * light).astype(np.uint8))


def noisy(picture: Image.Image, deviation: float) -> Image.Image:
    noise = deviation * np.random.default_rng(3).standard_normal((picture.height, picture.width))
    return Image.fromarray((np.asarray(picture) + noise).clip(0, 255).astype(np.uint8))


def peppered(picture: Image.Image, share: float) -> Image.Image:
    chance = np.random.default_rng(4).random((picture.height, picture.width))
    return Image.fromarray(np.where(chance < share, 255 * (chance < share / 2), np.asarray(picture)).astype(np.uint8))


def difference(one: Image.Image, other: Image.Image) -> float:
    """Grey levels a pixel between two prepared pictures, of which one may lie a pixel aside: 12 is a soft edge."""
    first, second = (pictures.prepare(encoded(picture)).astype(int) for picture in (one, other))
    steps = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return min(float(np.abs(np.roll(first, step, axis=(0, 1)) - second).mean()) for step in steps)


LIGHTS = {
    "falling": 0.65 + 0.35 * RAMP + 0 * RAMP[:, None],
    "vignette": 1 - 0.375 * (RAMP**2 + RAMP[:, None] ** 2),
    "soft shadow": 0.75 + 0.25 * np.tanh(3 * (RAMP + RAMP[:, None] - 0.3)),
}


SHADOWS = {
    "shadow in a corner": 0.75 + 0.25 * np.tanh(20 * (RAMP + RAMP[:, None] + 1.3)),
    "shadow at a rim": 0.75 + 0.25 * np.tanh(20 * (RAMP + 0.4 * RAMP[:, None] + 1)),
    "hard shadow across": np.where(RAMP + 0.4 * RAMP[:, None] > 0.1, 0.5, 1),
    "hard shadow below": np.where(RAMP + 0 * RAMP[:, None] > 0, 0.6, 1).T,
    "hard round shadow": np.where(RAMP**2 + (RAMP[:, None] + 1) ** 2 < 1, 0.6, 1),
}


@pytest.mark.parametrize("light", [*LIGHTS.values(), *SHADOWS.values()], ids=[*LIGHTS, *SHADOWS])
@pytest.mark.parametrize("colours", [(30, 235), (130, 235), (235, 50)], ids=["ink", "pencil", "chalk"])
def test_uneven_light_makes_hardly_a_difference(light, colours):
    picture = drawing(ink=colours[0], paper=colours[1])
    assert difference(lit(picture, light), picture) < 12


@pytest.mark.parametrize(
    "spoilt",
    [
        noisy(drawing(paper=220, ink=40), 20),
        noisy(drawing(paper=220, ink=160), 8),
        peppered(drawing(), 0.002),
        peppered(drawing(), 0.05),
        noisy(lit(drawing(paper=220, ink=60), LIGHTS["soft shadow"]), 6),
    ],
    ids=["noise", "noise on faint ink", "few specks", "many specks", "noise and shadow"],
)
def test_noise_makes_hardly_a_difference(spoilt):
    assert difference(spoilt, drawing()) < 10


PAPER = Image.new("L", (280, 280), 225)


@pytest.mark.parametrize(
    "paper",
    [noisy(PAPER, 5), noisy(PAPER, 20), *(noisy(lit(PAPER, light), 3) for light in LIGHTS.values())],
    ids=["noise", "strong noise", *LIGHTS],
)
def test_blank_paper_is_blank_under_noise_and_uneven_light(paper):
    with pytest.raises(Blank):
        pictures.prepare(encoded(paper))


@pytest.mark.parametrize("dark", [0.4, 0.7])
@pytest.mark.parametrize("slope", [0.6, 1, 1.5])
@pytest.mark.parametrize("reach", [0.5, 0.9])
def test_blank_paper_with_a_hard_shadow_in_a_corner_is_blank(reach, slope, dark):
    corner = RAMP + slope * RAMP[:, None] > (1 + slope) * (1 - reach)
    with pytest.raises(Blank):
        pictures.prepare(encoded(noisy(lit(PAPER, np.where(corner, dark, 1)), 3)))


@pytest.mark.parametrize("side", [56, 140, 280, 1000])
def test_clean_pictures_are_on_even_paper_and_stay_as_they_are(side):
    touching = [(x - 0.28, y) for x, y in SEVEN]
    for strokes in ([TWO], [SEVEN], [touching]):
        for picture in (drawing(strokes, side, side // 12), drawing(strokes, side, side // 12, "white", "black")):
            luminance = decode.luminance_of(picture).astype(np.float32)
            assert background.depth_on_uneven_paper(luminance) is None


def test_a_large_uneven_picture_is_prepared_as_a_small_one():
    small = lit(drawing(ink=60, paper=220), LIGHTS["falling"])
    large = small.resize((2000, 2000), Image.Resampling.BICUBIC)
    assert difference(large, small) < 10


@pytest.mark.parametrize("shape", [(1500, 2000), (2000, 1501), (801, 33), (400, 400)])
def test_a_picture_reduced_in_strips_is_the_one_reduced_at_once(shape):
    luminance = np.random.default_rng(5).integers(0, 256, shape).astype(np.uint8)
    at_once = Image.fromarray(luminance.astype(np.float32)).reduce(-(-max(shape) // 400))
    small = background.reduced(luminance)
    assert small.dtype == np.float32
    np.testing.assert_array_equal(small, np.asarray(at_once))
