"""The characters of a strip: their extents, and each alone, cut from its neighbours."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from digit_recognizer_dl_model.strip import HEIGHT, NARROWEST, STEP
from digits.pictures import PictureSheet
from digits.pictures.characters import cut_around, cut_upright, extents
from digits.pictures.strips import Strip
from digits.recognizer import read_digits, read_line

from .pictures import number_picture


def finer(ink: np.ndarray) -> np.ndarray:
    """A strip of which the picture shows no more."""
    return Strip(ink, np.eye(2, 3)).finer()


BOTH = pytest.mark.parametrize("cut", [cut_upright, cut_around])


def strip_of_strokes(*strokes: list[tuple[int, int]]) -> np.ndarray:
    """Lines through points of a strip, (46, 142) uint8."""
    picture = Image.new("L", (NARROWEST + STEP, HEIGHT))
    for stroke in strokes:
        ImageDraw.Draw(picture).line(stroke, fill=255, width=3)
    return np.asarray(picture)


def test_each_character_has_its_extent_between_its_neighbours():
    ink = np.zeros((HEIGHT, NARROWEST + 2 * STEP), np.uint8)
    ink[8:30, 40:52] = ink[10:34, 60:70] = ink[6:36, 100:108] = 255
    assert extents(ink, np.array([46, 65, 104])) == [(40, 8, 52, 30), (60, 10, 70, 34), (100, 6, 108, 36)]
    [(left, top, right, bottom)] = extents(ink, np.array([150]))  # there is no ink
    assert left < 150 < right
    assert top < bottom


@BOTH
def test_characters_of_a_strip_become_the_pixels_of_single_digits(cut):
    [strip] = PictureSheet(np.asarray(number_picture("40921"))).lines()
    places = read_line([strip.ink]).places
    chosen = np.array([True, False, False, True, True])
    alone = cut(strip.ink, strip.finer(), places, chosen)
    assert alone.shape == (3, 28, 28)
    assert read_digits(alone) == [4, 2, 1]


def test_a_stroke_that_reaches_over_the_next_character_stays_with_its_own():
    seven = [(30, 8), (58, 8), (40, 38)]  # its bar ends above the one
    one = [(60, 18), (60, 38)]
    places, first, second = np.array([44.0, 60.0]), np.array([True, False]), np.array([False, True])
    both = strip_of_strokes(seven, one)
    [alone] = cut_around(strip_of_strokes(seven), finer(strip_of_strokes(seven)), places[:1], first[:1])
    assert (cut_around(both, finer(both), places, first)[0] == alone).all()
    assert (cut_upright(both, finer(both), places, first)[0] != alone).any()
    [alone] = cut_around(strip_of_strokes(one), finer(strip_of_strokes(one)), places[1:], second[1:])
    assert (cut_around(both, finer(both), places, second)[0] == alone).all()


def test_touching_characters_are_cut_where_they_touch():
    left, right = [(40, 10), (40, 36)], [(54, 10), (54, 36)]
    places = np.array([40.0, 54.0])
    touching = strip_of_strokes(left, right, [(41, 30), (53, 30)])
    for pixels in cut_around(touching, finer(touching), places, np.ones(2, bool)):
        columns = np.flatnonzero((pixels > 100).any(axis=0))
        assert np.ptp(columns) < 10  # half of what joins them, and not the neighbour


@BOTH
def test_a_character_without_ink_is_empty(cut):
    assert not cut(strip_of_strokes(), finer(strip_of_strokes()), np.array([50.0, 70.0]), np.ones(2, bool)).any()
