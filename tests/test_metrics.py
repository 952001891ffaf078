"""What is counted of answers: known intervals, and a classifier whose every answer is known."""

from types import SimpleNamespace

import numpy as np
import pytest

from digit_recognizer_dl_model.dataset import Dataset
from digit_recognizer_dl_model.metrics import describe, measure, wilson_interval

EMPTY = np.zeros((6, 28, 28), np.uint8)


# Newcombe 1998, Statistics in Medicine 17, table I, method 3.
@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (20, 20, 0.8389, 1.0),
    ],
)
def test_the_interval_agrees_with_published_ones(right, total, low, high):
    assert wilson_interval(right, total) == pytest.approx((low, high), abs=5e-5)


@pytest.fixture
def classifier():
    """Answers image i with answers[i], as sure as confidences[i], and 1 with as much of the rest as seconds[i] says.

    Less than 0.6 is not sure, and more than 0.2 beyond the two likeliest no digit.
    """
    answers, confidences, seconds = [3, 3, 5, 8, 0, 9], [0.9, 0.7, 0.55, 0.5, 0.95, 0.7], [0, 0, 0.4, 0, 0, 0.3]
    table = np.array([[(1 - c - s) / 8] * 10 for c, s in zip(confidences, seconds, strict=True)], np.float32)
    table[:, 1] = seconds
    table[np.arange(6), answers] = confidences
    weights = SimpleNamespace(uncertain_below=0.6, no_digit_above=0.2)
    return SimpleNamespace(probabilities=lambda pixels: table, weights=weights)


def test_a_classifier_whose_every_answer_is_known_is_measured(classifier):
    labels = np.array([3, 5, 5, 3, 0, 9], np.uint8)
    figures = measure(classifier, Dataset(EMPTY, labels))
    assert figures["images"] == 6
    assert figures["accuracy"] == pytest.approx(4 / 6)
    assert figures["interval_95"] == wilson_interval(4, 6)
    assert figures["no_digit"] == pytest.approx(2 / 6)
    assert figures["uncertain"] == pytest.approx(3 / 6)
    assert figures["accuracy_where_certain"] == pytest.approx(3 / 3)
    # Of confidences only the two of 0.7 share a bin of 1/15.
    by_hand = (abs(0.9 - 1) + abs(0.55 - 1) + 0.5 + abs(0.95 - 1) + abs(2 * 0.7 - 1)) / 6
    assert figures["expected_calibration_error"] == pytest.approx(by_hand, abs=1e-6)
    assert [row["images"] for row in figures["reliability"]] == [1, 1, 2, 1, 1]
    confusion = np.array(figures["confusion"])
    assert {(label, answer): n for (label, answer), n in np.ndenumerate(confusion) if n} == {
        (3, 3): 1,
        (5, 3): 1,
        (5, 5): 1,
        (3, 8): 1,
        (0, 0): 1,
        (9, 9): 1,
    }


def test_a_classifier_that_is_never_sure_is_measured(classifier):
    classifier.weights.uncertain_below = 1
    figures = measure(classifier, Dataset(EMPTY, np.zeros(6, np.uint8)))
    assert (figures["uncertain"], figures["accuracy_where_certain"]) == (1, 0)


def test_the_description_names_the_figures(classifier):
    labels = np.array([3, 5, 5, 3, 0, 9], np.uint8)
    text = describe(measure(classifier, Dataset(EMPTY, labels)))
    for part in ("accuracy        66.67% of 6 images", "not sure        50.00%; of the rest 100.00% are right"):
        assert part in text
    assert "no digit        33.33%" in text
    rows = [line.split() for line in text.splitlines()[-10:]]
    assert rows[5] == ["5", *"0001010000"]
