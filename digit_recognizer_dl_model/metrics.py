"""What is counted on labelled images, however they came about: accuracy, calibration, refusals, confusion."""

import math
import statistics

import numpy as np

from .calibration import expected_calibration_error, reliability
from .dataset import Dataset
from .doubt import doubts
from .inference import Classifier


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
    doubted = doubts(probabilities, classifier.weights)
    right = doubted.digits == dataset.labels
    certain = ~doubted.is_uncertain
    bins = reliability(probabilities, dataset.labels)
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (dataset.labels, doubted.digits), 1)
    return {
        "images": len(right),
        "accuracy": float(right.mean()),
        "interval_95": wilson_interval(int(right.sum()), len(right)),
        "expected_calibration_error": expected_calibration_error(bins),
        "reliability": bins,
        "uncertain": float(1 - certain.mean()),
        "no_digit": float(doubted.is_no_digit.mean()),
        "accuracy_where_certain": float(right[certain].sum() / max(certain.sum(), 1)),
        "confusion": confusion.tolist(),
    }


def pool(parts: list[dict]) -> dict:
    """What `measure_pens` found in each part of the recordings as figures of all of them.

    Shares by thickness are means of the parts'.
    """
    confusion = np.sum([part["confusion"] for part in parts], axis=0)
    right, images = int(confusion.trace()), int(confusion.sum())
    thicknesses = {
        name: [part["by_thickness"][name] for part in parts if part["by_thickness"][name] is not None]
        for name in parts[0]["by_thickness"]
    }
    return {
        "images": images,
        "accuracy": right / images,
        "interval_95": wilson_interval(right, images),
        "uncertain": sum(part["uncertain"] * part["images"] for part in parts) / images,
        "confusion": confusion.tolist(),
        "by_thickness": {name: statistics.mean(shares) if shares else None for name, shares in thicknesses.items()},
        "by_writer": {writer: share for part in parts for writer, share in part["by_writer"].items()},
    }


def by_digit(matrix: list) -> list[float]:
    """The diagonal's share of each row, 1 where the row is empty."""
    return [row[digit] / sum(row) if any(row) else 1.0 for digit, row in enumerate(matrix)]


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
