"""Calibration: a temperature for the logits, so that confidence is the fraction of right answers, and a check of it."""

import math
from collections.abc import Callable

import numpy as np

from .counts import Bin, Count
from .loss import cross_entropy, targets_of


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature under which held-out labels are likeliest (Guo et al. 2017, arXiv:1706.04599).

    logits: (n, 11); labels: (n,).
    """
    targets = targets_of(labels, 0)
    return best_temperature(lambda temperature: cross_entropy(logits / temperature, targets)[0])


def best_temperature(loss: Callable[[float], float]) -> float:
    """The temperature at which a loss that has one minimum is least.

    Golden-section search on its logarithm between 1/20 and 20, to one part in ten thousand.
    """
    golden = (math.sqrt(5) - 1) / 2
    low, high = math.log(1 / 20), math.log(20)
    while high - low > 1e-4:
        left, right = high - golden * (high - low), low + golden * (high - low)
        if loss(math.exp(left)) < loss(math.exp(right)):
            high = right
        else:
            low = left
    return math.exp((low + high) / 2)


def reliability(probabilities: np.ndarray, labels: np.ndarray, bins: int = 15) -> list[Bin]:
    """Count the right answers in equal bins of confidence; bins without answers are left out.

    probabilities: (n, 10); labels: (n,); bins: their number.
    """
    return reliability_of(probabilities.max(axis=1), probabilities.argmax(axis=1) == labels, bins)


def reliability_of(confidence: np.ndarray, right: np.ndarray, bins: int = 15) -> list[Bin]:
    """The same from the confidence of n answers and whether each is right, (n,) bool."""
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)  # (n,)
    return [
        Bin(
            least=number / bins,
            most=(number + 1) / bins,
            count=Count(int(right[within].sum()), int(within.sum())),
            confidence=float(confidence[within].mean()),
        )
        for number in range(bins)
        if (within := bin_of == number).any()
    ]
