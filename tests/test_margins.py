"""Digits that are cropped to their ink are read as they are with some of their paper around them."""

import pytest

from benchmarks.quality import margins
from digits.recognizer import classifier

pytestmark = pytest.mark.slow

DIGITS = 30


@pytest.fixture(scope="module")
def images():
    return margins.read_csv(margins.DATA / "mnist_test.csv")


@pytest.mark.parametrize("kind", margins.KINDS)
def test_a_digit_that_fills_its_picture_is_read_as_with_a_margin(kind, images):
    right, wrong = margins.measure(classifier(), images, kind, DIGITS)
    kept = right[right[:, -1]]
    assert len(kept) > DIGITS / 2
    assert kept.mean(axis=0).min() > 0.9
    assert wrong[right[:, -1]].mean(axis=0).max() < 0.1


def test_a_crop_has_the_margin_that_is_asked_for(images):
    picture, ink, _ = next(margins.drawn(images, margins.np.random.default_rng(1)))
    tight, roomy = (margins.crop(picture, ink, margin) for margin in (0, 0.1))
    more = round(0.1 * max(tight.size))
    assert roomy.size == (tight.width + 2 * more, tight.height + 2 * more)
