"""Thick strokes are thinned before a digit is reduced, and thin ones are as black as thick ones."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from digits import pictures
from digits.gallery import gallery
from digits.pictures import centring, pngs
from digits.recognizer import recognize

from .pictures import SEVEN, TWO, drawing, encoded


def test_a_thin_pen_is_as_black_as_a_thick_one():
    for pen in (3, 30):
        pixels = pictures.prepare(encoded(drawing([SEVEN], pen=pen)))
        assert pixels.max() == 255


ROUND = [(0.5 + 0.2 * np.sin(turn), 0.5 - 0.3 * np.cos(turn)) for turn in np.linspace(0, 2 * np.pi, 40)]


NINE = [*((0.3 + 0.65 * x, 0.08 + 0.58 * y) for x, y in ROUND[10:] + ROUND[:11]), (0.7, 0.8)]


def halved(stroke: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(0.25 + x / 2, 0.25 + y / 2) for x, y in stroke]


@pytest.mark.parametrize("stroke", [ROUND, NINE, TWO, SEVEN], ids="0927")
def test_a_small_drawing_with_a_thick_pen_is_read_as_a_large_one_with_a_thin_pen(stroke):
    small, large = (pictures.prepare(encoded(drawing([s], pen=pen))) for s, pen in ((halved(stroke), 28), (stroke, 24)))
    assert centring.stroke_width(small / 255) == pytest.approx(centring.stroke_width(large / 255), abs=1.6)
    assert recognize(small).digit == recognize(large).digit


def test_a_gap_that_a_thick_pen_nearly_fills_is_opened():
    narrow = [(0.5 + 0.56 * (x - 0.5), y) for x, y in halved(ROUND)]
    pixels = pictures.prepare(encoded(drawing([narrow], pen=28)))
    assert (pixels[11:16, 11:17].min(axis=1) < 20).all()


@pytest.mark.parametrize("angle", [0, 0.4, np.pi / 4, np.pi / 2])
@pytest.mark.parametrize("thickness", [8, 15, 25])
def test_the_width_of_a_stroke_is_told_in_any_direction(thickness, angle):
    y, x = np.indices((200, 200)) - 99.5
    away = np.abs(np.cos(angle) * x + np.sin(angle) * y)
    along = np.abs(np.cos(angle) * y - np.sin(angle) * x)
    ink = np.clip((thickness + 1) / 2 - away, 0, 1) * (along < 95)
    expected = thickness * 190 / (190 + thickness)  # the outline has two ends, too
    assert centring.stroke_width(ink) == pytest.approx(expected, rel=0.06)


def test_strokes_out_of_focus_are_not_taken_for_thick_ones(monkeypatch):
    picture = encoded(drawing(pen=22).filter(ImageFilter.GaussianBlur(20)))
    prepared = pictures.prepare(picture)
    monkeypatch.setattr(centring, "THICK", 20)
    assert (pictures.prepare(picture) == prepared).all()


@pytest.mark.parametrize("pen", [8, 22, 34])
def test_strokes_no_thicker_than_usual_stay_as_they_are(pen, monkeypatch):
    picture = encoded(drawing(pen=pen))
    prepared = pictures.prepare(picture)
    monkeypatch.setattr(centring, "THICK", 20)
    assert (pictures.prepare(picture) == prepared).all()


def test_a_blot_full_of_holes_is_not_thinned_away():
    blot = np.full((280, 280), 255, np.uint8)
    blot[60:220, 60:220] = 0
    for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
        blot[64 + down : 220 : 20, 64 + right : 220 : 20] = 255
    assert pictures.prepare(encoded(Image.fromarray(blot))).sum() > 100 * 255


def test_the_thickest_tile_comes_back_as_it_was():
    tile = max(map(gallery().pixels, range(2000)), key=lambda tile: centring.stroke_width(tile / 255))
    assert centring.stroke_width(tile / 255) > centring.THICK
    assert np.abs(pictures.prepare(pngs.png(tile)) - np.rint(tile * (255 / tile.max()))).max() <= 1
