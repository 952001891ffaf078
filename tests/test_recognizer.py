"""The door to the network: a digit, ten probabilities, and whether to trust them."""

import numpy as np
import pytest

from digits import recognizer
from digits.gallery import gallery
from digits.recognizer import recognize


def test_a_clear_tile_is_read_with_certainty():
    prediction = recognize(gallery().pixels(0))
    assert prediction.digit == gallery().tile(0).label
    assert prediction.confidence > 0.95
    assert not prediction.uncertain
    assert prediction.reason is None


def test_probabilities_are_ten_that_sum_to_one():
    prediction = recognize(gallery().pixels(1))
    assert len(prediction.probabilities) == 10
    assert sum(prediction.probabilities) == pytest.approx(1, abs=1e-5)
    assert max(prediction.probabilities) == prediction.confidence


class Doubtful:
    """A network that can't decide between 4 and 9."""

    class weights:  # noqa: N801 - stands for an attribute
        uncertain_below = 0.6

    def probabilities(self, pixels: np.ndarray) -> np.ndarray:
        return np.array([[0, 0, 0, 0, 0.51, 0, 0, 0, 0, 0.49]], np.float32)


def test_doubt_names_the_two_likeliest_digits(monkeypatch):
    monkeypatch.setattr(recognizer, "classifier", Doubtful)
    prediction = recognize(gallery().pixels(0))
    assert prediction.digit == 4
    assert prediction.uncertain
    assert prediction.reason == "could be 4 or 9"


def test_the_network_is_loaded_once():
    assert recognizer.classifier() is recognizer.classifier()
