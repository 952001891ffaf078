"""Counts of right answers, and the accuracy of a network on labelled images, as typed records.

Counts are stored. Every number that follows from them, such as a fraction or an interval, is a property here and
computed nowhere else.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import add
from typing import NamedTuple

from .records import Record


@dataclass(frozen=True)
class Count(Record):
    """How many of `total` answers are right; a picture that does not show one digit is answered right by a refusal."""

    right: int
    total: int

    def __post_init__(self) -> None:
        if not 0 <= self.right <= self.total:
            raise ValueError(f"{self.right} of {self.total} is not a count")

    def __add__(self, other: "Count") -> "Count":
        return Count(self.right + other.right, self.total + other.total)

    @property
    def wrong(self) -> int:
        return self.total - self.right

    @property
    def fraction(self) -> float:
        """The fraction of right answers, 0-1; 1 where there are no answers."""
        return self.right / self.total if self.total else 1.0

    @property
    def wrong_fraction(self) -> float:
        return self.wrong / self.total if self.total else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % confidence interval of the fraction (Wilson 1927); 0 to 1 where there are no answers."""
        if not self.total:
            return 0.0, 1.0
        z = 1.959964
        squared = z * z / self.total
        centre = (self.fraction + squared / 2) / (1 + squared)
        spread = self.fraction * (1 - self.fraction) / self.total + squared / (4 * self.total)
        half = z * math.sqrt(spread) / (1 + squared)
        return centre - half, centre + half


@dataclass(frozen=True)
class Bin(Record):
    """The answers whose confidence, 0-1, lies between two bounds; `confidence` is its mean over them."""

    least: float
    most: float
    count: Count
    confidence: float

    def __add__(self, other: "Bin") -> "Bin":
        count = self.count + other.count
        confidence = (self.confidence * self.count.total + other.confidence * other.count.total) / count.total
        return Bin(self.least, self.most, count, confidence)


def expected_calibration_error(bins: Iterable[Bin]) -> float:
    """The mean distance of confidence from accuracy over the answers of all bins, 0-1; 0 where there are no answers.

    Source: Guo et al. 2017 (arXiv:1706.04599), equation 3, with their 15 bins.
    """
    distances = [(each.count.total, abs(each.confidence - each.count.fraction)) for each in bins]
    return sum(total * distance for total, distance in distances) / max(sum(total for total, _ in distances), 1)


class Mistake(NamedTuple):
    """How many images of one digit were read as another one."""

    label: int
    answer: int
    images: int


@dataclass(frozen=True)
class Accuracy(Record):
    """The answers to labelled images.

    confusion: the number of images by label (row) and answer (column), 10 x 10.
    uncertain: the number of answers that are "not sure" for either reason.
    no_digit: the number of these whose picture "does not look like one digit".
    right_where_certain: the number of right answers among those that are not "not sure".
    reliability: the bins of confidence that have answers, by rising confidence.
    """

    confusion: tuple[tuple[int, ...], ...]
    uncertain: int
    no_digit: int
    right_where_certain: int
    reliability: tuple[Bin, ...] = ()

    def __post_init__(self) -> None:
        if [len(row) for row in self.confusion] != [10] * 10:
            raise ValueError("the confusion matrix must have 10 rows of 10 counts")
        if not self.right_where_certain <= self.images - self.uncertain or not self.no_digit <= self.uncertain:
            raise ValueError("the counts of uncertain answers contradict each other")

    def __add__(self, other: "Accuracy") -> "Accuracy":
        pairs = zip(self.confusion, other.confusion, strict=True)
        return Accuracy(
            tuple(tuple(map(add, *pair)) for pair in pairs),
            self.uncertain + other.uncertain,
            self.no_digit + other.no_digit,
            self.right_where_certain + other.right_where_certain,
            pool(self.reliability + other.reliability, lambda each: (each.least, each.most)),
        )

    @property
    def images(self) -> int:
        return sum(map(sum, self.confusion))

    @property
    def count(self) -> Count:
        return Count(sum(row[digit] for digit, row in enumerate(self.confusion)), self.images)

    @property
    def uncertain_fraction(self) -> float:
        return self.uncertain / self.images

    @property
    def no_digit_fraction(self) -> float:
        return self.no_digit / self.images

    @property
    def certain(self) -> Count:
        """The answers that are not "not sure"."""
        return Count(self.right_where_certain, self.images - self.uncertain)

    @property
    def wrong_and_certain(self) -> int:
        """The number of wrong answers that "not sure" misses."""
        return self.certain.wrong

    @property
    def wrong_and_uncertain(self) -> int:
        """The number of wrong answers that "not sure" catches."""
        return self.count.wrong - self.certain.wrong

    @property
    def right_and_uncertain(self) -> int:
        """The number of right answers that are "not sure" all the same."""
        return self.uncertain - self.wrong_and_uncertain

    @property
    def recall(self) -> tuple[Count, ...]:
        """For each digit, how many of its images are read as it."""
        return tuple(Count(row[digit], sum(row)) for digit, row in enumerate(self.confusion))

    @property
    def precision(self) -> tuple[Count, ...]:
        """For each digit, how many of the answers with it are right."""
        columns = zip(*self.confusion, strict=True)
        return tuple(Count(column[digit], sum(column)) for digit, column in enumerate(columns))

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The digits that are read as others, the most frequent mistake first."""
        cells = (
            Mistake(label, answer, n) for label, row in enumerate(self.confusion) for answer, n in enumerate(row) if n
        )
        wrong = [cell for cell in cells if cell.label != cell.answer]
        return tuple(sorted(wrong, key=lambda mistake: -mistake.images))

    @property
    def expected_calibration_error(self) -> float:
        return expected_calibration_error(self.reliability)


def pool(parts: Iterable, key: Callable) -> tuple:
    """The sums of the parts that have the same key, by rising key."""
    pooled: dict = {}
    for part in parts:
        pooled[key(part)] = pooled[key(part)] + part if key(part) in pooled else part
    return tuple(pooled[name] for name in sorted(pooled))
