"""Recorded strokes drawn in pictures, and what is counted of the answers to them."""

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.quality.pens import describe_pens, draw_recording, measure_pens
from digit_recognizer_dl_model.counts import Count
from digit_recognizer_dl_model.figures import Writer
from digit_recognizer_dl_model.recordings import Recording
from digit_recognizer_dl_model.synthetic.redrawing import CANVAS
from digits.pictures import decode

BAR = np.array([[0.0, 0], [0, 400]])
TEE = [np.array([[0.0, 0], [300, 0]]), np.array([[150.0, 0], [150, 400]])]


@pytest.mark.parametrize("size", [0.3, 0.8])
@pytest.mark.parametrize("pen", [8, 28])
def test_a_drawing_fills_its_part_of_the_canvas_and_stays_on_it(size, pen):
    for seed in range(5):
        picture = draw_recording(TEE, pen, size, np.random.default_rng(seed))
        assert picture.size == (CANVAS, CANVAS)
        inked = np.argwhere(decode.luminance_of(picture) < 128)
        height, width = np.ptp(inked, axis=0) + 1
        assert height == pytest.approx(size * CANVAS + pen, abs=3)
        assert width == pytest.approx(0.75 * size * CANVAS + pen, abs=3)


def test_a_drawing_can_be_anywhere():
    corners = [
        tuple(np.argwhere(decode.luminance_of(draw_recording(TEE, 8, 0.3, np.random.default_rng(seed))) < 128)[0])
        for seed in range(6)
    ]
    assert len(set(corners)) == 6


@pytest.fixture
def classifier():
    """Reads a bar as 1 and a T as 7, and is never sure of the latter."""

    def probabilities(pixels):
        wide = np.array([np.flatnonzero(image.any(axis=0)).size > 10 for image in pixels])
        table = np.full((len(pixels), 10), 0.01)
        table[np.arange(len(pixels)), np.where(wide, 7, 1)] = np.where(wide, 0.5, 0.91)
        return table

    weights = SimpleNamespace(uncertain_below=0.6, no_digit_above=0.3)
    return SimpleNamespace(probabilities=probabilities, weights=weights)


def test_answers_are_counted_by_writer_and_by_thickness(classifier):
    recordings = [Recording(1, 4, [BAR]), Recording(7, 4, TEE), Recording(7, 9, TEE), Recording(4, 9, TEE)] * 20
    progress = []
    pens = measure_pens(classifier, recordings, lambda done, total: progress.append((done, total)))
    assert pens.accuracy.count == Count(60, 80)
    assert pens.accuracy.uncertain == 60
    assert pens.by_writer == (Writer(4, Count(40, 40)), Writer(9, Count(20, 40)))
    bounds = [(each.least, each.most) for each in pens.by_thickness]
    assert bounds == sorted(bounds)
    assert set(bounds) <= {(0, 1.5), (1.5, 2.5), (2.5, 4), (4, 6)}
    assert sum(each.count.total for each in pens.by_thickness) == 80
    assert all(each.count.total and 0.4 < each.count.fraction < 1 for each in pens.by_thickness)
    assert progress == [(done, 80) for done in range(81)]
    text = describe_pens(pens)
    assert "accuracy        75.00% of 80 images" in text
    assert "2 writers, who are read right from 50.0% to 100.0%" in text
    assert "with pens of 1.5 to 2.5 pixels of the 28" in text


def test_the_same_recordings_are_drawn_alike_each_time(classifier):
    recordings = [Recording(1, 4, [BAR]), Recording(7, 4, TEE)] * 5
    assert measure_pens(classifier, recordings) == measure_pens(classifier, recordings)


def test_a_dot_is_measured_like_any_other_recording(classifier):
    assert measure_pens(classifier, [Recording(1, 1, [BAR]), Recording(0, 1, [BAR[:1]])]).accuracy.images == 2
