"""The rule "not sure"."""

from types import SimpleNamespace

import numpy as np
import pytest

from digit_recognizer_dl_model.doubt import beyond_two, doubt_scores, doubts
from digit_recognizer_dl_model.inference import softmax

LIMITS = SimpleNamespace(uncertain_below=0.6, no_digit_above=0.1)
SURE = [0.0, 0, 0, 0.9, 0, 0.05, 0, 0, 0.05, 0]
BETWEEN_TWO = [0.0, 0, 0, 0.5, 0, 0.45, 0, 0, 0.05, 0]
NO_DIGIT = [0.0, 0, 0, 0.7, 0, 0.1, 0, 0, 0.1, 0.1]
NEITHER = [0.0, 0, 0, 0.4, 0, 0.3, 0, 0, 0.2, 0.1]  # unsure by both limits
PROBABILITIES = np.array([SURE, BETWEEN_TWO, NO_DIGIT, NEITHER], np.float32)


def test_an_answer_is_doubted_for_one_reason_at_most():
    doubted = doubts(PROBABILITIES, LIMITS)
    assert doubted.is_between_two.tolist() == [False, True, False, False]
    assert doubted.is_no_digit.tolist() == [False, False, True, True]
    assert doubted.is_uncertain.tolist() == [False, True, True, True]


def test_the_two_likeliest_digits_are_named():
    doubted = doubts(PROBABILITIES, LIMITS)
    assert doubted.digits.tolist() == [3, 3, 3, 3]
    assert doubted.runners_up[[1, 3]].tolist() == [5, 5]


def test_a_score_is_above_one_where_an_answer_is_doubted():
    scores = doubt_scores(PROBABILITIES, LIMITS)
    assert (scores > 1).tolist() == doubts(PROBABILITIES, LIMITS).is_uncertain.tolist()
    assert scores == pytest.approx([0.5, 1.25, 2, 3], abs=1e-5)


def test_the_probability_beyond_two_excludes_the_two_likeliest():
    probabilities = np.array([[0.5, 0.1, 0.3, 0.1], [0.25, 0.25, 0.25, 0.25], [0, 0, 0, 1]], np.float32)
    assert beyond_two(probabilities) == pytest.approx([0.2, 0.5, 0])


def test_a_tiny_probability_beyond_two_is_not_lost_to_rounding():
    probabilities = softmax(np.array([[20.0, 12, *[2.0] * 8]], np.float32))
    assert beyond_two(probabilities) == pytest.approx([8 * np.exp(-18) / (1 + np.exp(-8))], rel=1e-3)
