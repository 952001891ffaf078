"""Temperature, reliability and expected calibration error, where the right answer is known."""

import numpy as np
import pytest

from digit_recognizer_dl_model.calibration import fit_temperature, reliability
from digit_recognizer_dl_model.counts import Bin, Count, expected_calibration_error


def probabilities_at(logits, temperature):
    exponentials = np.exp(logits / temperature)
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def synthetic(temperature, n=20_000):
    """Logits, and labels drawn as a network would have to expect them at this temperature."""
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 3, (n, 11))
    chances = probabilities_at(logits, temperature).cumsum(axis=1)
    return logits, (rng.random((n, 1)) > chances).sum(axis=1).clip(max=10)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5, 8.0])
def test_a_known_temperature_is_found(temperature):
    logits, labels = synthetic(temperature)
    assert fit_temperature(logits, labels) == pytest.approx(temperature, rel=0.04)


def test_no_temperature_nearby_makes_the_labels_likelier():
    logits, labels = synthetic(1.7, n=500)
    best = fit_temperature(logits, labels)

    def likelihood(temperature):
        return np.log(probabilities_at(logits, temperature)[np.arange(500), labels]).sum()

    for factor in (0.5, 0.9, 0.99, 1.01, 1.1, 2):
        assert likelihood(best) > likelihood(best * factor)


@pytest.mark.parametrize(("always_right", "temperature"), [(True, 1 / 20), (False, 20)])
def test_the_temperature_stays_within_its_bounds(always_right, temperature):
    logits = np.random.default_rng(2).normal(0, 3, (200, 11)).astype(np.float32)
    labels = logits.argmax(axis=1) if always_right else logits.argmin(axis=1)
    assert fit_temperature(logits, labels) == pytest.approx(temperature, rel=1e-3)


def test_the_fitted_temperature_calibrates():
    logits, labels = synthetic(2.5)
    fitted = probabilities_at(logits, fit_temperature(logits, labels))
    assert expected_calibration_error(reliability(probabilities_at(logits, 1), labels)) > 0.1
    assert expected_calibration_error(reliability(fitted, labels)) < 0.02


def answers(*confidences):
    """Probabilities of answer 0 with these confidences; what is left is spread over the other digits."""
    return np.array([[c, *[(1 - c) / 9] * 9] for c in confidences])


RIGHT, WRONG = 0, 1


@pytest.mark.parametrize(
    ("probabilities", "labels", "error"),
    [
        (answers(1, 1, 1, 1), [RIGHT] * 4, 0),
        (answers(1, 1, 1, 1), [WRONG] * 4, 1),
        (answers(1, 1, 1, 1), [RIGHT, WRONG, RIGHT, WRONG], 0.5),
        (answers(0.5, 0.5), [RIGHT, WRONG], 0),
        # One bin, so that confidence and truth even out: 0.70 sure and 0.5 right.
        (answers(0.69, 0.71), [RIGHT, WRONG], 0.2),
        # Two bins, so that they don't: |0.3 - 1| / 2 + |0.9 - 0| / 2.
        (answers(0.3, 0.9), [RIGHT, WRONG], 0.8),
        # The last bin goes up to 1 itself.
        (answers(0.95, 1), [RIGHT, WRONG], 0.475),
        # Bins of unequal size: (|0.8 + 0.8 + 0.8 - 2| + |0.4 - 0|) / 4.
        (answers(0.8, 0.8, 0.4, 0.8), [RIGHT, WRONG, WRONG, RIGHT], 0.2),
    ],
    ids=["perfect", "always wrong", "too sure", "calibrated", "one bin", "two bins", "last bin", "unequal bins"],
)
def test_the_expected_calibration_error_of_cases_done_by_hand(probabilities, labels, error):
    assert expected_calibration_error(reliability(probabilities, np.array(labels))) == pytest.approx(error, abs=1e-9)


def test_the_expected_calibration_error_can_have_other_bins():
    probabilities, labels = answers(0.3, 0.9), np.array([RIGHT, WRONG])
    assert expected_calibration_error(reliability(probabilities, labels, bins=1)) == pytest.approx(0.1)


def test_the_bins_count_right_answers_and_average_the_confidence():
    low, high = reliability(answers(0.3, 0.9, 0.95, 1), np.array([WRONG, RIGHT, WRONG, RIGHT]), bins=2)
    assert low == Bin(0.0, 0.5, Count(0, 1), pytest.approx(0.3))
    assert high == Bin(0.5, 1.0, Count(2, 3), pytest.approx(0.95))


def test_a_bin_without_images_is_left_out():
    bins = reliability(answers(0.15, 1), np.array([RIGHT, WRONG]), bins=5)
    assert [each.least for each in bins] == [0, 0.8]
