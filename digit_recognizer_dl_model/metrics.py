"""Counting a classifier's answers to labelled images, and the counts as lines of text."""

from collections.abc import Iterable

import numpy as np

from .calibration import reliability
from .counts import Accuracy
from .dataset import Dataset
from .doubt import doubts
from .figures import Row, in_order
from .inference import Classifier


def measure(classifier: Classifier, dataset: Dataset) -> Accuracy:
    """Count the answers of a classifier to labelled images."""
    probabilities = classifier.probabilities(dataset.pixels)  # (n, 10)
    doubted = doubts(probabilities, classifier.weights)
    right = doubted.digits == dataset.labels
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (dataset.labels, doubted.digits), 1)
    return Accuracy(
        confusion=tuple(map(tuple, confusion.tolist())),
        uncertain=int(doubted.is_uncertain.sum()),
        no_digit=int(doubted.is_no_digit.sum()),
        right_where_certain=int(right[~doubted.is_uncertain].sum()),
        reliability=tuple(reliability(probabilities, dataset.labels)),
    )


def describe(accuracy: Accuracy) -> str:
    """The figures of `measure` as a few lines of text."""
    low, high = accuracy.count.interval
    calibration, certain = accuracy.expected_calibration_error, accuracy.certain.fraction
    lines = [
        f"accuracy        {accuracy.count.fraction:.2%} of {accuracy.images:,} images (95 %: {low:.2%} to {high:.2%})",
        f"calibration     expected calibration error {calibration:.2%}",
        f"not sure        {accuracy.uncertain_fraction:.2%}; of the rest {certain:.2%} are right",
        f"no digit        {accuracy.no_digit_fraction:.2%}, which are among the not sure",
        "confusion       rows: label, columns: answer",
        "       " + "".join(f"{digit:>6}" for digit in range(10)),
    ]
    lines += [f"{label:>7}" + "".join(f"{n:>6}" for n in row) for label, row in enumerate(accuracy.confusion)]
    return "\n".join(lines)


def describe_rows(title: str, rows: Iterable[Row]) -> str:
    """The rows of a table as lines of text, the lowest first."""
    return "\n".join([title, *(f"{row.count.fraction:>22.2%}  {row.name}" for row in in_order(rows))])
