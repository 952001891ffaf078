"""A small picture with noise all over is read; fine lines and small crops are no noise."""

import numpy as np
import pytest
from PIL import Image

from digit_recognizer_dl_model.synthetic import handwriting
from digits import pictures
from digits.pictures import noise, pngs
from digits.pictures.drawing import draw_line
from digits.recognizer import read_digits

from .pictures import TWO


def grainy(tiles: np.ndarray, deviation: float) -> np.ndarray:
    return np.rint(tiles + np.random.default_rng(1).normal(0, deviation, tiles.shape)).clip(0, 255).astype(np.uint8)


def peppered(tiles: np.ndarray, share: float) -> np.ndarray:
    rng = np.random.default_rng(2)
    return np.where(rng.random(tiles.shape) < share, 255 * rng.integers(0, 2, tiles.shape), tiles).astype(np.uint8)


@pytest.mark.parametrize("enlargement", [1, 2], ids=["28 pixels", "56 pixels"])
@pytest.mark.parametrize("is_light", [False, True], ids=["light on dark", "dark on light"])
@pytest.mark.parametrize(
    ("change", "amount", "least"),
    [(grainy, 40, 0.9), (peppered, 0.2, 0.9), (peppered, 0.33, 0.7)],
    ids=["grainy", "salt and pepper on a fifth", "salt and pepper on a third"],
)
def test_digits_are_read_through_noise(tiles, labels, change, amount, least, is_light, enlargement):
    sent = change(tiles.repeat(enlargement, axis=1).repeat(enlargement, axis=2), amount)
    prepared = np.stack([pictures.prepare(pngs.png(255 - tile if is_light else tile)) for tile in sent])
    assert np.mean(np.array(read_digits(prepared)) == labels) >= least


def drawn(pen: int, margin: int) -> np.ndarray:
    """A digit of hard pixels in a picture of 28x28, with so many pixels around."""
    sheet = Image.new("L", (28, 28))
    points = np.array(TWO)
    points = (points - points.min(axis=0)) / np.ptp(points, axis=0).max()
    draw_line(sheet, margin + points * (27 - 2 * margin), pen, 255)
    return np.asarray(sheet)


def test_what_is_clean_stays_as_it_is(tiles):
    rng = np.random.default_rng(3)
    thin = [handwriting.render(handwriting.write_form(form, rng), 1.2, rng) for form in handwriting.FORMS.values()]
    cropped = [tile[4:-4, 4:-4] for tile in tiles]
    for picture in [*tiles, *cropped, *thin, *(drawn(pen, margin) for pen in (1, 2, 3) for margin in (0, 3))]:
        assert noise.without_noise(picture) is picture


@pytest.mark.parametrize("side", [3, 15])
def test_what_is_too_small_to_tell_noise_from_edges_stays_as_it_is(side):
    picture = np.random.default_rng(4).integers(0, 256, (24, side)).astype(np.uint8)
    assert noise.without_noise(picture) is picture
