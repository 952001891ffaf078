"""The map marks the pixels that decide the answer: on networks that look at one known pixel, and on the shipped one."""

import numpy as np
import pytest

from digit_recognizer_dl_model.explanation import SPOT_WEIGHTS, nearness, relevance
from digit_recognizer_dl_model.figures import Figures
from digit_recognizer_dl_model.inference import Classifier
from digit_recognizer_dl_model.weights import Weights, load_weights
from digits.gallery import gallery

LINEAR = [{"layer": "Flatten"}, {"layer": "Dense", "inputs": 784, "outputs": 10}]
STROKE = np.zeros((28, 28), np.uint8)
STROKE[5:23, 13:16] = 255


@pytest.fixture(scope="module")
def shipped():
    return Classifier(load_weights())


def network_of_one_pixel(row: int, column: int, weight: float) -> Classifier:
    """A network that looks at one pixel alone: its ink speaks for 3, or against it where the weight is below 0."""
    weights = np.zeros((28, 28, 10), np.float32)
    weights[row, column, 3] = weight
    arrays = {"1.weight": weights.reshape(784, 10), "1.bias": np.zeros(10, np.float32)}
    return Classifier(Weights(LINEAR, arrays, 1.0, 0.5, 0.5, Figures()))


@pytest.mark.parametrize(
    ("column", "weight", "sign"),
    [(14, 4, 1), (14, -4, -1), (18, -4, 1), (18, 4, -1)],
    ids=["ink for it", "ink against it", "no ink for it", "no ink against it"],
)
def test_the_pixel_that_a_network_looks_at_is_marked_with_its_sign(column, weight, sign):
    marks = relevance(network_of_one_pixel(12, column, weight), STROKE, 3, 5)
    assert marks.shape == (28, 28)
    assert marks.dtype == np.float32
    row, strongest = np.unravel_index(np.abs(marks).argmax(), marks.shape)
    assert abs(row - 12) <= 1
    assert abs(strongest - column) <= 1
    assert marks[row, strongest] * sign > 0.5
    assert (marks * sign >= -1e-6).all()
    rows, columns = np.indices(marks.shape)
    assert np.abs(marks[np.hypot(rows - 12, columns - column) > 8]).max() < 1e-3


def test_a_pixel_far_from_ink_matters_little():
    assert np.abs(relevance(network_of_one_pixel(12, 24, -4), STROKE, 3, 5)).max() < 0.1


def test_a_pixel_that_speaks_for_one_digit_speaks_against_the_other(shipped):
    pixels = gallery().pixels(0)
    np.testing.assert_allclose(relevance(shipped, pixels, 4, 9), -relevance(shipped, pixels, 9, 4), atol=1e-5)


def test_the_pixels_marked_for_an_answer_decide_it_and_those_marked_against_it_do_not(shipped):
    rng = np.random.default_rng(1)
    pictures = np.array([gallery().pixels(index) for index in range(40)])
    logits = shipped.logits(pictures)
    runners_up, digits = np.argsort(logits, axis=1)[:, -2:].T
    each = np.arange(40)

    def falls(scores: list[np.ndarray]) -> np.ndarray:
        """How far the log-odds of each answer fall if the ten pixels with the highest scores are inverted."""
        changed = pictures.reshape(40, -1).copy()
        for picture, score in zip(changed, scores, strict=True):
            picture[np.argsort(score, axis=None)[-10:]] ^= 255
        after = shipped.logits(changed.reshape(-1, 28, 28))
        return (logits[each, digits] - logits[each, runners_up]) - (after[each, digits] - after[each, runners_up])

    marks = list(map(relevance, [shipped] * 40, pictures, digits, runners_up))
    # Chance chooses spots as soft as the marks and as near to the strokes; anything else would be an easy opponent.
    chance = [
        np.where(nearness(p / 255) > 0.5, np.tensordot(rng.random(len(SPOT_WEIGHTS)), SPOT_WEIGHTS, 1), 0)
        for p in pictures
    ]
    assert (falls(marks) > falls(chance)).mean() > 0.8
    assert falls(marks).mean() > 1.5 * falls(chance).mean()
    assert falls([-mark for mark in marks]).mean() < 0
