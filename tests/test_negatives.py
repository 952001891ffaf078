"""Negatives: prepared as digits are, repeatable, and each kind looks as its name says."""

import numpy as np
import pytest

from digit_recognizer_dl_model import frame
from digit_recognizer_dl_model.synthetic import handwriting, negatives
from digit_recognizer_dl_model.synthetic.negatives import KINDS, make_negatives

kinds = pytest.mark.parametrize("kind", KINDS)


@kinds
def test_a_kind_is_prepared_as_digits_are(kind):
    pixels = make_negatives(40, np.random.default_rng(1), kind)
    assert (pixels.shape, pixels.dtype) == ((40, 28, 28), np.uint8)
    assert (pixels.max(axis=(1, 2)) == 255).all()
    for image in pixels:
        rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
        sides = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert max(sides) <= handwriting.BOX
        # The centre of mass is at pixel 14, unless the edge of the picture prevents it.
        middle = (image.sum(axis=1) * np.arange(28)).sum() / image.sum()
        assert abs(middle - frame.CENTRE) < 1 or rows[0] == 0 or rows[-1] == 27


@kinds
def test_a_seed_repeats_its_pictures_and_no_two_are_alike(kind):
    first, again, other = (make_negatives(20, np.random.default_rng(seed), kind) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert len(np.unique(np.concatenate([first, other]).reshape(40, -1), axis=0)) == 40


def extents(pixels):
    """Heights and widths of the ink, (n,) each."""
    return [(pixels.any(axis=axis)).sum(axis=1) for axis in (2, 1)]


def test_several_digits_make_a_row():
    rng = np.random.default_rng(3)
    heights, widths = extents(make_negatives(60, rng, "several digits"))
    of_digits = extents(handwriting.write_digits(60, rng).pixels)
    assert (widths >= heights).mean() > 0.5
    assert (of_digits[1] >= of_digits[0]).mean() < 0.3


def watch_written_forms(monkeypatch):
    """A list to which each form is appended when it is written."""
    written = []
    monkeypatch.setattr(
        negatives, "write_form", lambda form, rng: written.append(form) or handwriting.write_form(form, rng)
    )
    return written


def test_a_row_consists_of_two_to_four_digits(monkeypatch):
    written = watch_written_forms(monkeypatch)
    counts = []
    for seed in range(40):
        written.clear()
        make_negatives(1, np.random.default_rng(seed), "several digits")
        counts.append(len(written))
    assert set(counts) == {2, 3, 4}


def roughness(pixels):
    """The mean difference between neighbouring pixels, relative to the standard deviation of all pixels."""
    images = pixels.astype(float)
    return np.abs(np.diff(images, axis=2)).mean() / images.std()


def test_a_blot_is_smooth_and_noise_is_not():
    rng = np.random.default_rng(4)
    assert 2 * roughness(make_negatives(60, rng, "blot")) < roughness(make_negatives(60, rng, "noise"))


def test_lines_leave_most_of_the_picture_blank():
    rng = np.random.default_rng(5)
    for kind in ("scribble", "strokes"):
        assert (make_negatives(60, rng, kind) > 0).mean() < 0.35


def test_a_glyph_is_not_an_upright_line():
    heights, widths = extents(make_negatives(200, np.random.default_rng(6), "glyph"))
    assert (widths > heights / 4).all()


def enclosed(image):
    """Whether ink encloses blank pixels, so that they are not connected to the border."""
    blank = image < 64
    outside = np.zeros_like(blank)
    outside[[0, -1]] = outside[:, [0, -1]] = True
    while True:
        spread = outside.copy()
        spread[1:] |= outside[:-1]
        spread[:-1] |= outside[1:]
        spread[:, 1:] |= outside[:, :-1]
        spread[:, :-1] |= outside[:, 1:]
        spread &= blank
        if (spread == outside).all():
            return bool((blank & ~outside).any())
        outside = spread


@pytest.mark.parametrize("kind", ["outline", "rings"])
def test_a_closed_line_is_closed_and_not_as_narrow_as_most_zeros(kind):
    pixels = make_negatives(60, np.random.default_rng(7), kind)
    assert np.mean([enclosed(image) for image in pixels]) > 0.8
    heights, widths = extents(pixels)
    zeros = extents(handwriting.write_digits(60, np.random.default_rng(7), ["zero"]).pixels)
    assert np.median(widths / heights) > 1.2 * np.median(zeros[1] / zeros[0])


def test_a_cut_stroke_becomes_its_runs_of_kept_points():
    stroke = np.arange(12.0).reshape(6, 2)
    runs = negatives.kept_runs(stroke, np.array([True, True, False, False, True, False]))
    assert [run.tolist() for run in runs] == [[[0, 1], [2, 3]], [[8, 9]]]
    assert negatives.kept_runs(stroke, np.zeros(6, bool)) == []


def test_turned_digits_are_not_digits_again():
    for name, turns in negatives.TURNED:
        digit = handwriting.FORMS[name].digit
        assert digit not in (0, 1, 6), name
        if digit in (2, 5, 8, 9):  # upside down these are digits
            assert "over" not in turns, name
        if digit in (2, 5):  # mirrored these look like each other
            assert "mirrored" not in turns, name


def test_digits_that_may_have_a_stroke_across_them_are_not_crossed_out(monkeypatch):
    written = watch_written_forms(monkeypatch)
    make_negatives(100, np.random.default_rng(8), "crossed out")
    assert {form.digit for form in written} == {2, 3, 5, 6, 8, 9}
