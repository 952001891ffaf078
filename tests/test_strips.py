"""The lines of a picture: how many there are, what each strip shows, and where it lies in the picture."""

import numpy as np
import pytest
from PIL import Image

from digit_recognizer_dl_model.strip import HEIGHT, NARROWEST, STEP
from digits.pictures.strips import strips_of_picture


def sheet(tiles: np.ndarray, rows: list[list[int]], scale: int = 2) -> Image.Image:
    """Tiles in rows, black on white, at twice their size."""
    width = max(map(len, rows)) * 26 + 30
    ink = np.zeros((len(rows) * 50 + 20, width), np.uint8)
    for y, row in enumerate(rows):
        for x, index in enumerate(row):
            part = ink[15 + 50 * y : 43 + 50 * y, 15 + 24 * x : 43 + 24 * x]
            np.maximum(part, tiles[index], out=part)
    return Image.fromarray(255 - ink).resize((scale * width, scale * len(ink)), Image.Resampling.BICUBIC)


def inked_columns(strip) -> int:
    return int((strip.ink > 100).any(axis=0).sum())


@pytest.fixture
def line(tiles):
    return sheet(tiles, [[0, 1, 2, 3, 4]])


def test_a_line_of_digits_is_one_strip_with_empty_ends(line):
    [strip] = strips_of_picture(np.asarray(line))
    assert strip.ink.shape[0] == HEIGHT
    assert (strip.ink.shape[1] - NARROWEST) % STEP == 0
    assert not strip.ink[:, :10].any()
    assert not strip.ink[:, -10:].any()
    rows = np.flatnonzero((strip.ink > 100).any(axis=1))
    assert 24 <= np.ptp(rows) <= 36


def test_light_digits_on_dark_paper_are_the_same_ink(line):
    [dark], [light] = (strips_of_picture(each) for each in (np.asarray(line), 255 - np.asarray(line)))
    assert np.abs(dark.ink.astype(int) - light.ink).mean() < 3


def test_two_rows_are_two_strips_from_top_to_bottom(tiles):
    first, second = strips_of_picture(np.asarray(sheet(tiles, [[0, 1, 2], [3, 4, 5, 6, 7]])))
    assert inked_columns(first) < inked_columns(second)
    assert (first.matrix @ [0, HEIGHT / 2, 1])[1] < (second.matrix @ [0, HEIGHT / 2, 1])[1]


def test_a_rising_line_is_levelled(line):
    turned = line.rotate(8, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    [level], [risen] = (strips_of_picture(np.asarray(each)) for each in (line, turned))
    assert abs(inked_columns(level) - inked_columns(risen)) < 0.2 * inked_columns(level)


def test_the_ink_of_a_strip_lies_where_the_matrix_says(line):
    picture = np.asarray(line)
    [strip] = strips_of_picture(picture)
    rows, columns = np.nonzero(strip.ink > 200)
    x, y = strip.matrix @ [columns + 0.5, rows + 0.5, np.ones(len(rows))]
    assert (picture[y.astype(int), x.astype(int)] < 160).mean() > 0.9


def test_even_paper_has_no_lines():
    assert strips_of_picture(np.full((60, 200), 230, np.uint8)) == []
