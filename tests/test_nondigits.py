"""Made-up pictures of no digit: prepared as digits are, repeatable, and each kind what its name says."""

import numpy as np
import pytest

from digit_recognizer_dl_model import frame, handwriting, nondigits
from digit_recognizer_dl_model.nondigits import KINDS, sample

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

    monkeypatch.setattr(nondigits, "write", watched)
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
