"""Cross-entropy against a naive computation, finite differences and known values."""

import math

import numpy as np
import pytest

from digit_recognizer_dl_model.loss import NO_DIGIT, cross_entropy, targets_of

SMOOTHINGS = pytest.mark.parametrize("smoothing", [0.0, 0.05, 0.5])


@pytest.fixture
def batch():
    rng = np.random.default_rng(1)
    return rng.normal(0, 3, (6, 11)), np.array([3, 0, 9, 9, NO_DIGIT, 4], np.uint8)


@SMOOTHINGS
def test_the_loss_agrees_with_a_naive_computation(batch, smoothing):
    logits, labels = batch
    total = 0.0
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        normaliser = sum(math.exp(logit) for logit in row)
        for output, logit in enumerate(row):
            target = float(output == label)
            if label != NO_DIGIT:
                target = (1 - smoothing) * target + smoothing / 10 * (output != NO_DIGIT)
            total -= target * math.log(math.exp(logit) / normaliser)
    assert cross_entropy(logits, targets_of(labels, smoothing))[0] == pytest.approx(total / len(labels), rel=1e-12)


@SMOOTHINGS
def test_the_gradient_agrees_with_finite_differences(batch, smoothing):
    logits, labels = batch
    gradient = cross_entropy(logits, targets_of(labels, smoothing))[1]
    for place in np.ndindex(logits.shape):
        above, below = logits.copy(), logits.copy()
        above[place] += 1e-5
        below[place] -= 1e-5
        difference = (
            cross_entropy(above, targets_of(labels, smoothing))[0]
            - cross_entropy(below, targets_of(labels, smoothing))[0]
        )
        assert gradient[place] == pytest.approx(difference / 2e-5, rel=1e-6, abs=1e-9)


@SMOOTHINGS
def test_equal_logits_cost_the_logarithm_of_their_number(smoothing):
    loss, _ = cross_entropy(np.full((2, 11), 7.0), targets_of(np.array([1, 8]), smoothing))
    assert loss == pytest.approx(math.log(11))


def test_negatives_are_not_smoothed():
    targets = targets_of(np.array([NO_DIGIT]), 0.05)
    assert targets.tolist() == [[0] * 10 + [1]]


@pytest.mark.parametrize("size", [1e4, 1e30])
@SMOOTHINGS
def test_huge_logits_stay_finite(size, smoothing):
    logits = np.zeros((2, 11), np.float32)
    logits[:, 2], logits[:, 5] = size, -size
    loss, gradient = cross_entropy(logits, targets_of(np.array([2, 2]), smoothing))
    # Each digit gets smoothing / 10: eight lie `size` below the largest logit, and one lies twice as far below it.
    assert loss == pytest.approx(smoothing * size, rel=1e-5, abs=1e-6)
    assert np.isfinite(gradient).all()
    assert cross_entropy(logits, targets_of(np.array([2, 5]), 0))[0] == pytest.approx(size, rel=1e-5)


def test_the_gradient_stays_in_single_precision(batch):
    logits, labels = batch
    loss, gradient = cross_entropy(logits.astype(np.float32), targets_of(labels, 0.05))
    assert isinstance(loss, float)
    assert gradient.dtype == np.float32
    np.testing.assert_allclose(gradient, cross_entropy(logits, targets_of(labels, 0.05))[1], atol=1e-6)
