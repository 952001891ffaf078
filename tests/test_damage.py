"""Damaged training images stay images, and still show most of their digit."""

import numpy as np
import pytest

from digit_recognizer_dl_model.synthetic import damage as damages
from digit_recognizer_dl_model.synthetic.damage import damage
from digits.gallery import gallery


@pytest.fixture(scope="module")
def images():
    return np.stack([gallery().pixels(index) for index in range(50)]).astype(np.float32) / 255


@pytest.mark.parametrize("kind", damages.KINDS, ids=lambda kind: kind.__name__)
def test_each_kind_changes_images_and_leaves_their_digit_there(images, kind):
    rng = np.random.default_rng(1)
    changed = np.stack([kind(image, rng).clip(0, 1) for image in images])
    assert np.isfinite(changed).all()
    assert (changed != images).any(axis=(1, 2)).mean() > 0.9
    likeness = [np.corrcoef(one.ravel(), other.ravel())[0, 1] for one, other in zip(images, changed, strict=True)]
    assert np.mean(likeness) > 0.25


def test_damage_is_random_but_the_same_for_the_same_seed(images):
    once, again, other = (
        np.stack([damage(image, rng) for image in images]) for rng in map(np.random.default_rng, (1, 1, 2))
    )
    np.testing.assert_array_equal(once, again)
    assert once.dtype == np.float32
    assert (once != other).any(axis=(1, 2)).all()


def test_a_blank_image_stays_finite():
    rng = np.random.default_rng(1)
    assert all(np.isfinite(damage(np.zeros((28, 28), np.float32), rng)).all() for _ in range(100))
