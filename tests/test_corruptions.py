"""Damaged pictures of 28x28 pixels are the same each time, still show the digit, and are read as the site does it."""

import numpy as np
import pytest

from benchmarks.quality import corruptions
from benchmarks.quality.corruptions import CORRUPTIONS, corrupted, measure
from digit_recognizer_dl_model.dataset import Dataset
from digits.gallery import gallery
from digits.recognizer import classifier

DAMAGE = [name for name in CORRUPTIONS if name != "as it is"]


@pytest.fixture
def images():
    return Dataset(
        np.stack([gallery().pixels(index) for index in range(10)]),
        np.array([gallery().label(index) for index in range(10)], np.uint8),
    )


def test_each_kind_of_damage_makes_other_pictures_and_the_same_ones_again(images):
    sent = {name: corrupted(images.pixels, name) for name in CORRUPTIONS}
    assert len({tuple(pictures) for pictures in sent.values()}) == len(CORRUPTIONS)
    assert sent == {name: corrupted(images.pixels, name) for name in CORRUPTIONS}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_leaves_the_digit_where_it_is(images, name):
    damage, rng = CORRUPTIONS[name], np.random.default_rng(1)
    before = [image / 255 for image in images.pixels]
    after = [damage(image, rng) for image in before]
    assert {image.shape for image in after} == {(28, 28)}
    likeness = [np.corrcoef(one.ravel(), other.ravel())[0, 1] for one, other in zip(before, after, strict=True)]
    assert np.mean(likeness) > 0.1


def test_undamaged_images_are_read_right_and_refused_ones_are_not(monkeypatch, images):
    right, sure, wrong = measure(classifier(), images, "as it is")
    assert (right, wrong) == (1, 0)
    assert sure > 0.8
    monkeypatch.setitem(corruptions.CORRUPTIONS, "blank", lambda image, rng: 0 * image)
    assert measure(classifier(), images, "blank") == (0, 0, 0)
