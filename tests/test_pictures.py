"""Any picture becomes 28x28 pixels as MNIST prepares them."""

import numpy as np
import pytest
from PIL import Image

from digits import pictures
from digits.gallery import gallery
from digits.pictures import pngs

from .pictures import TWO, drawing, encoded


def ink_box(pixels: np.ndarray) -> tuple[int, int]:
    rows, columns = np.flatnonzero(pixels.max(axis=1)), np.flatnonzero(pixels.max(axis=0))
    return rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1


def centre_of_mass(pixels: np.ndarray) -> tuple[float, float]:
    weight = pixels.astype(float)
    rows, columns = np.indices(pixels.shape)
    return (rows * weight).sum() / weight.sum(), (columns * weight).sum() / weight.sum()


def test_tiles_come_back_as_they_were():
    for index in range(0, 10_000, 97):
        tile = gallery().pixels(index)
        prepared = pictures.prepare(pngs.png(tile))
        stretched = np.rint(tile * (255 / tile.max()))  # some tiles have no pixel that is quite black
        assert np.abs(prepared - stretched).max() <= 1, f"tile {index}"


@pytest.mark.parametrize("side", [40, 100, 280, 333, 1000])
def test_the_longest_side_is_20_and_the_centre_of_mass_is_on_pixel_14(side):
    pixels = pictures.prepare(encoded(drawing(side=side, pen=max(2, side // 14))))
    assert max(ink_box(pixels)) == 20
    assert all(13.5 <= middle <= 14.5 for middle in centre_of_mass(pixels))
    assert pixels.max() == 255


@pytest.mark.parametrize("offset", [(0, 0), (300, 10), (10, 300), (310, 310)])
def test_where_the_digit_is_drawn_makes_no_difference(offset):
    sheet = Image.new("L", (600, 600), "white")
    sheet.paste(drawing(side=280), offset)
    reference = Image.new("L", (600, 600), "white")
    reference.paste(drawing(side=280), (160, 160))
    assert (pictures.prepare(encoded(sheet)) == pictures.prepare(encoded(reference))).all()


def test_proportions_are_kept():
    pixels = pictures.prepare(encoded(drawing([[(0.5, 0.2), (0.5, 0.8)]])))
    height, width = ink_box(pixels)
    assert height == 20
    assert width <= 4


def test_a_prepared_picture_prepared_again_stays_as_it_is():
    once = pictures.prepare(encoded(drawing([TWO])))
    assert (pictures.prepare(pngs.png(once)) == once).all()
