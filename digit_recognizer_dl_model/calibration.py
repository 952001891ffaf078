"""Making confidence mean what it says: a temperature for the logits, and how far confidence and truth are apart."""

import math

import numpy as np

from .loss import cross_entropy, targets_of


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature under which held-out labels are likeliest (Guo et al. 2017, arXiv:1706.04599).

    logits: (n, 10); labels: (n,). The loss has one minimum in the temperature: golden-section search on its
    logarithm between 1/20 and 20, to one part in ten thousand.
    """
    golden = (math.sqrt(5) - 1) / 2
    low, high = math.log(1 / 20), math.log(20)
    targets = targets_of(labels, 0)
    while high - low > 1e-4:
        left, right = high - golden * (high - low), low + golden * (high - low)
        if cross_entropy(logits / math.exp(left), targets)[0] < cross_entropy(logits / math.exp(right), targets)[0]:
            high = right
        else:
            low = left
    return math.exp((low + high) / 2)


def reliability(probabilities: np.ndarray, labels: np.ndarray, bins: int = 15) -> list[dict]:
    """How sure and how right the answers are in each of equal bins of confidence, 0-1; empty bins are left out.

    probabilities: (n, 10); labels: (n,). Each bin tells its `images`, their mean `confidence` and their `accuracy`.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)  # (n,)
    return [
        {
            "from": number / bins,
            "to": (number + 1) / bins,
            "images": int(within.sum()),
            "confidence": float(confidence[within].mean()),
            "accuracy": float(right[within].mean()),
        }
        for number in range(bins)
        if (within := bin_of == number).any()
    ]


def expected_calibration_error(bins: list[dict]) -> float:
    """The mean distance between confidence and the share of right answers over the images of `reliability`'s bins, 0-1.

    Source: Guo et al. 2017, equation 3, with their 15 bins.
    """
    gaps = [each["images"] * abs(each["confidence"] - each["accuracy"]) for each in bins]
    return sum(gaps) / sum(each["images"] for each in bins)
