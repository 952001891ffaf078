"""Made-up pictures of no digit: prepared as digits are, repeatable, and each kind what its name says."""

import numpy as np
import pytest

from digit_recognizer_dl_model import frame
from digit_recognizer_dl_model.synthetic import handwriting, negatives
from digit_recognizer_dl_model.synthetic.negatives import KINDS, sample

kinds = pytest.mark.parametrize("kind", KINDS)


@kinds
def test_a_kind_is_prepared_as_digits_are(kind):
    pixels = sample(40, np.random.default_rng(1), kind)
    assert (pixels.shape, pixels.dtype) == ((40, 28, 28), np.uint8)
    assert (pixels.max(axis=(1, 2)) == 255).all()
    for image in pixels:
        rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
        sides = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert max(sides) <= handwriting.BOX
        # As far as the picture's edge allows, the centre of mass is at pixel 14.
        middle = (image.sum(axis=1) * np.arange(28)).sum() / image.sum()
        assert abs(middle - frame.CENTRE) < 1 or rows[0] == 0 or rows[-1] == 27


@kinds
def test_a_seed_repeats_its_pictures_and_no_two_are_alike(kind):
    first, again, other = (sample(20, np.random.default_rng(seed), kind) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert len(np.unique(np.concatenate([first, other]).reshape(40, -1), axis=0)) == 40


def extents(pixels):
    """Heights and widths of the ink, (n,) each."""
    return [(pixels.any(axis=axis)).sum(axis=1) for axis in (2, 1)]


def test_several_digits_make_a_row():
    rng = np.random.default_rng(3)
    heights, widths = extents(sample(60, rng, "several digits"))
    of_digits = extents(handwriting.sample(60, rng).pixels)
    assert (widths >= heights).mean() > 0.8
    assert (of_digits[1] >= of_digits[0]).mean() < 0.3


def test_a_row_consists_of_two_digits_at_least(monkeypatch):
    written, write = [], handwriting.write

    def watched(form, rng):
        written.append(form)
        return write(form, rng)

    monkeypatch.setattr(negatives, "write", watched)
    counts = []
    for seed in range(40):
        written.clear()
        sample(1, np.random.default_rng(seed), "several digits")
        counts.append(len(written))
    assert set(counts) == {2, 3, 4}


def roughness(pixels):
    """How much pixels differ from those beside them, relative to how much they differ at all."""
    images = pixels.astype(float)
    return np.abs(np.diff(images, axis=2)).mean() / images.std()


def test_a_blot_is_smooth_and_noise_is_not():
    rng = np.random.default_rng(4)
    assert 2 * roughness(sample(60, rng, "blot")) < roughness(sample(60, rng, "noise"))


def test_lines_leave_most_of_the_picture_blank():
    rng = np.random.default_rng(5)
    for kind in ("scribble", "strokes"):
        assert (sample(60, rng, kind) > 0).mean() < 0.35


def test_a_glyph_is_no_upright_line():
    heights, widths = extents(sample(200, np.random.default_rng(6), "glyph"))
    assert (widths > heights / 4).all()


def enclosed(image):
    """Whether ink shuts off some blank from the picture's border."""
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
    pixels = sample(60, np.random.default_rng(7), kind)
    assert np.mean([enclosed(image) for image in pixels]) > 0.8
    heights, widths = extents(pixels)
    zeros = extents(handwriting.sample(60, np.random.default_rng(7), ["zero"]).pixels)
    assert np.median(widths / heights) > 1.2 * np.median(zeros[1] / zeros[0])


def test_what_is_left_of_a_stroke_is_its_runs_of_kept_points():
    stroke = np.arange(12.0).reshape(6, 2)
    runs = negatives.pieces(stroke, np.array([True, True, False, False, True, False]))
    assert [run.tolist() for run in runs] == [[[0, 1], [2, 3]], [[8, 9]]]
    assert negatives.pieces(stroke, np.zeros(6, bool)) == []


def test_no_digit_is_turned_into_a_digit():
    for form, turns in negatives.TURNED:
        digit = handwriting.FORMS[form].digit
        assert digit not in (0, 1, 6), form
        if digit in (2, 5, 8, 9):  # on their heads 2, 5 and 8 are digits, and so is 9; in a mirror 2 and 5 are
            assert "over" not in turns
        if digit in (2, 5):
            assert "mirrored" not in turns


def test_no_digit_is_crossed_out_that_has_strokes_across_it(monkeypatch):
    written, write = [], handwriting.write
    monkeypatch.setattr(negatives, "write", lambda form, rng: (written.append(form), write(form, rng))[1])
    sample(100, np.random.default_rng(8), "crossed out")
    assert {handwriting.FORMS[form].digit for form in written} == {2, 3, 5, 6, 8, 9}
