"""A picture of 28x28 pixels may be a tile with dirt around its digit: it is looked at as it is, too, where in doubt."""

from types import SimpleNamespace

import numpy as np
import pytest

from digits import pictures
from digits.pictures import pngs
from digits.recognizer import likeliest, read_all, read_digits


def edged(tile: np.ndarray) -> np.ndarray:
    """A tile (28, 28) uint8 with a line along its upper edge, where no digit of MNIST reaches to."""
    tile = tile.copy()
    tile[:2] = 255
    return tile


@pytest.mark.parametrize("is_light", [False, True], ids=["dark on light", "light on dark"])
def test_a_line_beside_a_tile_s_digit_does_not_make_it_smaller(tiles, labels, is_light):
    sent = [pngs.png(edged(tile) if is_light else 255 - edged(tile)) for tile in tiles]
    answers = [reading.prediction.digit for reading in read_all(sent)]
    assert np.mean(answers == labels) >= 0.95
    assert np.mean(read_digits(np.stack([pictures.prepare(picture) for picture in sent])) == labels) < 0.8


def test_a_picture_on_the_pad_is_prepared_in_the_same_ways(tiles):
    data = pngs.png(edged(tiles[0]))
    for one, other in zip(pictures.candidates(data), pictures.sheet_of_picture(data).candidates(), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("size", [(27, 28), (28, 29), (56, 56)])
def test_pictures_of_other_sizes_are_no_tiles(size):
    ink = np.zeros(size, np.uint8)
    ink[2:-2, 10:14] = ink[2:4, 4:24] = 255
    assert len(pictures.candidates(pngs.png(ink))) == 1


def test_a_tile_whose_ink_fits_the_box_of_a_digit_has_its_place(tiles):
    assert {len(pictures.candidates(pngs.png(tile))) for tile in tiles} == {1}
    assert {len(pictures.candidates(pngs.png(edged(tile)))) for tile in tiles} == {2}


@pytest.mark.parametrize(("confidences", "chosen"), [((0.95, 0.99), 0), ((0.6, 0.8), 1), ((0.8, 0.6), 0)])
def test_another_preparation_counts_only_where_the_first_is_in_doubt(confidences, chosen):
    candidates = [np.full((28, 28), level, np.uint8) for level in (10, 20)]
    network = SimpleNamespace(probabilities=lambda pixels: np.diag(confidences).astype(np.float32))
    assert likeliest(candidates, network) is candidates[chosen]
