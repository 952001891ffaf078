"""Small pictures are read in haze, in uneven light and on paper in bands; what only looks like bands is no paper."""

import numpy as np
import pytest
from PIL import Image

from digits import pictures
from digits.pictures import pngs, thumbnails
from digits.recognizer import read_digits


def hazy(tile: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A tile (28, 28) uint8 behind a bright cloud, which takes more than half of its contrast."""
    cloud = Image.fromarray(rng.integers(0, 256, (4, 4)).astype(np.uint8)).resize(tile.shape, Image.Resampling.BICUBIC)
    return np.rint(0.4 * tile + 0.6 * np.asarray(cloud)).astype(np.uint8)


def shaded(tile: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A tile (28, 28) uint8 whose light changes along a random direction."""
    angle = rng.uniform(0, 2 * np.pi)
    axis = np.linspace(-0.5, 0.5, len(tile))
    slope = np.cos(angle) * axis + np.sin(angle) * axis[:, None]
    return np.rint(75 + 0.4 * tile + 105 * slope).clip(0, 255).astype(np.uint8)


def banded(tile: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A tile (28, 28) uint8 whose left and right are inverted."""
    bands = tile.copy()
    left, right = rng.integers(4, 10), rng.integers(19, 25)
    bands[:, :left] = 255 - bands[:, :left]
    bands[:, right:] = 255 - bands[:, right:]
    return bands


@pytest.mark.parametrize("enlargement", [1, 2], ids=["28 pixels", "56 pixels"])
@pytest.mark.parametrize("is_light", [False, True], ids=["dark on light", "light on dark"])
@pytest.mark.parametrize("change", [hazy, shaded])
def test_digits_are_read_in_uneven_light(tiles, labels, change, is_light, enlargement):
    rng = np.random.default_rng(1)
    sent = [change(tile, rng).repeat(enlargement, axis=0).repeat(enlargement, axis=1) for tile in tiles]
    prepared = np.stack([pictures.prepare(pngs.png(tile if is_light else 255 - tile)) for tile in sent])
    assert np.mean(np.array(read_digits(prepared)) == labels) >= 0.9


@pytest.mark.parametrize("turns", [0, 1], ids=["upright", "level"])
def test_digits_are_read_on_paper_in_bands(tiles, labels, turns):
    rng = np.random.default_rng(2)
    sent = [np.rot90(banded(np.rot90(tile, -turns), rng), turns) for tile in tiles]
    prepared = np.stack([pictures.prepare(pngs.png(np.ascontiguousarray(tile))) for tile in sent])
    assert np.mean(np.array(read_digits(prepared)) == labels) >= 0.9


def test_the_top_of_a_seven_is_no_band():
    seven = np.zeros((28, 20), np.uint8)
    seven[:4] = 255
    for row in range(4, 28):
        right = 20 - round((row - 4) * 0.7)
        seven[row, max(right - 4, 0) : right] = 255
    assert thumbnails.depth_on_bands(seven.astype(np.float32)) is None


def test_even_paper_needs_no_correction(tiles):
    for tile in tiles:
        assert thumbnails.depth_on_uneven_paper(tile) is None
        assert thumbnails.depth_on_uneven_paper(tile[4:-4, 4:-4]) is None
