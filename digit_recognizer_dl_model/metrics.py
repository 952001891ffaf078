"""What is counted on labelled images, however they came about: accuracy, calibration, refusals, confusion."""

import math

import numpy as np

from .calibration import expected_calibration_error, reliability
from .dataset import Dataset
from .inference import Classifier, beyond_two


def wilson_interval(right: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a share of `right` out of `total` (Wilson 1927)."""
    z = 1.959964
    share = right / total
    centre = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return centre - half, centre + half


def measure(classifier: Classifier, dataset: Dataset) -> dict:
    """The figures of a classifier on labelled images, all shares 0-1.

    `confusion[label][answer]` counts images; `uncertain` is the share marked "not sure" for any reason, and `no_digit`
    that of those which "do not look like one digit"; `reliability` has a row for each bin of confidence.
    """
    probabilities = classifier.probabilities(dataset.pixels)  # (n, 10)
    answers, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    right = answers == dataset.labels
    digits = beyond_two(probabilities) <= classifier.weights.no_digit_above
    certain = digits & (confidence >= classifier.weights.uncertain_below)
    bins = reliability(probabilities, dataset.labels)
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (dataset.labels, answers), 1)
    return {
        "images": len(right),
        "accuracy": float(right.mean()),
        "interval_95": wilson_interval(int(right.sum()), len(right)),
        "expected_calibration_error": expected_calibration_error(bins),
        "reliability": bins,
        "uncertain": float(1 - certain.mean()),
        "no_digit": float(1 - digits.mean()),
        "accuracy_where_certain": float(right[certain].sum() / max(certain.sum(), 1)),
        "confusion": confusion.tolist(),
    }


def describe(figures: dict) -> str:
    """The figures of `measure` as a few lines of text."""
    low, high = figures["interval_95"]
    lines = [
        f"accuracy        {figures['accuracy']:.2%} of {figures['images']:,} images (95 %: {low:.2%} to {high:.2%})",
        f"calibration     expected calibration error {figures['expected_calibration_error']:.2%}",
        f"not sure        {figures['uncertain']:.2%}; of the rest {figures['accuracy_where_certain']:.2%} are right",
        f"no digit        {figures['no_digit']:.2%}, which are among the not sure",
        "confusion       rows: label, columns: answer",
        "       " + "".join(f"{digit:>6}" for digit in range(10)),
    ]
    lines += [f"{label:>7}" + "".join(f"{n:>6}" for n in row) for label, row in enumerate(figures["confusion"])]
    return "\n".join(lines)
