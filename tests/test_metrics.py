"""Counting the answers of a classifier whose every answer is known."""

from types import SimpleNamespace

import numpy as np
import pytest

from digit_recognizer_dl_model.counts import Count
from digit_recognizer_dl_model.dataset import Dataset
from digit_recognizer_dl_model.figures import Row
from digit_recognizer_dl_model.metrics import describe, describe_rows, measure

EMPTY = np.zeros((6, 28, 28), np.uint8)


@pytest.fixture
def classifier():
    """Answers image i with answers[i], as sure as confidences[i], and 1 with as much of the rest as seconds[i] says.

    An answer with a confidence below 0.6 is not sure. With more than 0.2 outside the two likeliest digits, it is not
    a digit.
    """
    answers, confidences, seconds = [3, 3, 5, 8, 0, 9], [0.9, 0.7, 0.55, 0.5, 0.95, 0.7], [0, 0, 0.4, 0, 0, 0.3]
    table = np.array([[(1 - c - s) / 8] * 10 for c, s in zip(confidences, seconds, strict=True)], np.float32)
    table[:, 1] = seconds
    table[np.arange(6), answers] = confidences
    weights = SimpleNamespace(uncertain_below=0.6, no_digit_above=0.2)
    return SimpleNamespace(probabilities=lambda pixels: table, weights=weights)


LABELS = np.array([3, 5, 5, 3, 0, 9], np.uint8)


def test_the_answers_are_counted(classifier):
    accuracy = measure(classifier, Dataset(EMPTY, LABELS))
    assert accuracy.count == Count(4, 6)
    assert (accuracy.uncertain, accuracy.no_digit) == (3, 2)
    assert accuracy.certain == Count(3, 3)
    # Only the two confidences of 0.7 share a bin of 1/15.
    by_hand = (abs(0.9 - 1) + abs(0.55 - 1) + 0.5 + abs(0.95 - 1) + abs(2 * 0.7 - 1)) / 6
    assert accuracy.expected_calibration_error == pytest.approx(by_hand, abs=1e-6)
    assert [each.count.total for each in accuracy.reliability] == [1, 1, 2, 1, 1]
    confusion = np.array(accuracy.confusion)
    assert {cell: n for cell, n in np.ndenumerate(confusion) if n} == dict.fromkeys(
        [(3, 3), (5, 3), (5, 5), (3, 8), (0, 0), (9, 9)], 1
    )


def test_a_classifier_that_is_never_sure_has_no_certain_answers(classifier):
    classifier.weights.uncertain_below = 1
    accuracy = measure(classifier, Dataset(EMPTY, np.zeros(6, np.uint8)))
    assert (accuracy.uncertain_fraction, accuracy.certain) == (1, Count(0, 0))


def test_the_description_names_the_figures(classifier):
    text = describe(measure(classifier, Dataset(EMPTY, LABELS)))
    for part in ("accuracy        66.67% of 6 images", "not sure        50.00%; of the rest 100.00% are right"):
        assert part in text
    assert "no digit        33.33%" in text
    rows = [line.split() for line in text.splitlines()[-10:]]
    assert rows[5] == ["5", *"0001010000"]


def test_the_lowest_row_is_described_first():
    lines = describe_rows("title", [Row("easy", Count(991, 1000)), Row("hard", Count(1, 2))]).splitlines()
    assert [line.split() for line in lines] == [["title"], ["50.00%", "hard"], ["99.10%", "easy"]]
