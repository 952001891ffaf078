"""The figures of a trained network, as typed records that the weights file keeps.

Counts, settings and areas under curves are stored. Every number that follows from them, such as a fraction, an interval
or a mean, is a property here and computed nowhere else: the commands, the model card and the page only render it.
"""

import base64
import math
import statistics
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from functools import reduce
from operator import add
from typing import NamedTuple, Self, TypeVar

import numpy as np

from .frame import SIDE
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
            _pool(self.reliability + other.reliability, lambda each: (each.least, each.most)),
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


@dataclass(frozen=True)
class Thickness(Record):
    """Digits drawn with pens from `least` to just below `most` pixels thick, of the 28."""

    least: float
    most: float
    count: Count

    def __add__(self, other: "Thickness") -> "Thickness":
        return Thickness(self.least, self.most, self.count + other.count)


@dataclass(frozen=True)
class Writer(Record):
    """The digits of one person, who is known by a number."""

    writer: int
    count: Count

    def __add__(self, other: "Writer") -> "Writer":
        return Writer(self.writer, self.count + other.count)


@dataclass(frozen=True)
class Pens(Record):
    """Recorded digits drawn with pens of random thickness; `by_thickness` has only the ranges that have digits."""

    accuracy: Accuracy
    by_thickness: tuple[Thickness, ...]
    by_writer: tuple[Writer, ...]

    def __add__(self, other: "Pens") -> "Pens":
        return Pens(
            self.accuracy + other.accuracy,
            _pool(self.by_thickness + other.by_thickness, lambda each: (each.least, each.most)),
            _pool(self.by_writer + other.by_writer, lambda each: each.writer),
        )

    @property
    def writers(self) -> "tuple[Writer, ...]":
        """The writers from the one that is read worst to the one that is read best."""
        return in_order(self.by_writer)

    @property
    def median(self) -> float:
        """The median over the writers of the fraction of digits read right."""
        return statistics.median(writer.count.fraction for writer in self.by_writer)

    @property
    def thickest(self) -> Thickness:
        return max(self.by_thickness, key=lambda each: each.most)


@dataclass(frozen=True)
class Row(Record):
    """A row of a table: the pictures of one kind."""

    name: str
    count: Count


@dataclass(frozen=True)
class Form(Row):
    """Synthetic digits in one form of `synthetic.handwriting.FORMS`."""

    digit: int


@dataclass(frozen=True)
class Change(Row):
    """Digits in pictures that were changed in one way; `group` is the title of the changes that belong together."""

    group: str


@dataclass(frozen=True)
class UnseenKind(Row):
    """Pictures that do not show one digit, of a kind that nothing was trained on or fitted to; a refusal is right.

    auroc: the probability that such a picture is doubted more than a digit, both picked at random.
    auroc_of_confidence: the same if the confidence alone tells how much a picture is doubted.
    """

    auroc: float
    auroc_of_confidence: float


@dataclass(frozen=True)
class UnseenKinds(Record):
    """The refusals of pictures of unseen kinds, and of the digits that they are told from."""

    digits: Count  # right: not refused
    kinds: tuple[UnseenKind, ...]

    @property
    def pooled(self) -> UnseenKind:
        """All kinds as one. Each area is a mean over pictures, so that of all is the mean weighted by their numbers."""
        count = pooled_count(self.kinds)
        aurocs = [
            sum(getattr(kind, name) * kind.count.total for kind in self.kinds) / count.total
            for name in ("auroc", "auroc_of_confidence")
        ]
        return UnseenKind("all kinds", count, *aurocs)


@dataclass(frozen=True)
class Failure(Record):
    """A picture that the network gets wrong, to look at.

    group: where it comes from; shown: the digit that it shows, or what else it shows; packed: its pixels as text.
    """

    group: str
    shown: str
    answer: int
    is_uncertain: bool
    packed: str

    @classmethod
    def of(cls, pixels: np.ndarray, group: str, shown: str, answer: int, is_uncertain: bool) -> Self:
        """The failure on pixels (28, 28) uint8, ink 255 on 0."""
        packed = base64.b64encode(zlib.compress(pixels.tobytes(), 9)).decode()
        return cls(group, shown, answer, is_uncertain, packed)

    @property
    def pixels(self) -> np.ndarray:
        """(28, 28) uint8, ink 255 on 0."""
        return np.frombuffer(zlib.decompress(base64.b64decode(self.packed)), np.uint8).reshape(SIDE, SIDE)


@dataclass(frozen=True)
class TrainingSettings(Record):
    """The settings of a training run, by the names that `train.Settings` explains.

    A setting that is added needs a default here, or the weights files that lack it can no longer be read.
    """

    seed: int
    epochs: int
    batch: int
    validation: int
    handwriting: int
    drawings: int
    negatives: int
    peak_learning_rate: float
    warm_up: float
    weight_decay: float
    label_smoothing: float
    averaging: float
    augmentation: dict[str, float]
    fold: int | None = None
    damaged: float = 0.0


@dataclass(frozen=True)
class Composition(Record):
    """The number of images of each origin in an epoch; `writers` wrote the `recorded` digits that were `drawn`."""

    mnist: int
    recorded: int
    writers: int
    drawn: int
    handwriting: int
    negatives: int

    @property
    def images(self) -> int:
        return self.mnist + self.drawn + self.handwriting + self.negatives


@dataclass(frozen=True)
class Repeat(Record):
    """The same training from another seed, and its answers to the test images."""

    training: TrainingSettings
    test: Accuracy


@dataclass(frozen=True)
class Teacher(Record):
    """A teacher, its answers to the test images and those to the pens of the fold of writers it has never seen."""

    training: TrainingSettings
    test: Accuracy
    pens: Pens


class Spread(NamedTuple):
    """The accuracy of several networks that differ only by chance, 0-1."""

    fractions: tuple[float, ...]

    @property
    def mean(self) -> float:
        return statistics.mean(self.fractions)

    @property
    def standard_deviation(self) -> float:
        """The standard deviation of the sample; 0 where there is only one network."""
        return statistics.stdev(self.fractions) if len(self.fractions) > 1 else 0.0


@dataclass(frozen=True)
class Figures(Record):
    """Everything that is known of a trained network; a part that was not measured is None or empty.

    validation, test: its answers to the held-out images and to the test images.
    forms, negatives: its answers to fresh synthetic digits, and its refusals of fresh negatives.
    unseen_kinds, robustness, photographs, damaged: its answers to pictures that the site prepared.
    failures: pictures that it gets wrong.
    pens: its answers to recorded pens of writers it has learned from; `teachers` have those to writers they have not.
    """

    training: TrainingSettings | None = None
    composition: Composition | None = None
    validation: Accuracy | None = None
    test: Accuracy | None = None
    forms: tuple[Form, ...] = ()
    negatives: tuple[Row, ...] = ()
    unseen_kinds: UnseenKinds | None = None
    robustness: tuple[Change, ...] = ()
    photographs: tuple[Row, ...] = ()
    damaged: tuple[Row, ...] = ()
    failures: tuple[Failure, ...] = ()
    pens: Pens | None = None
    teachers: tuple[Teacher, ...] = ()
    repeats: tuple[Repeat, ...] = ()

    def updated(self, newer: "Figures") -> "Figures":
        """These figures with all parts that the newer ones have."""
        return Figures(
            **{field.name: getattr(newer, field.name) or getattr(self, field.name) for field in fields(self)}
        )

    @property
    def missing(self) -> list[str]:
        """The parts that were not measured, of those that need no data but MNIST."""
        needing_more = ("pens", "teachers", "repeats", "failures")
        return [part.name for part in fields(self) if part.name not in needing_more and not getattr(self, part.name)]

    @property
    def expected(self) -> Count | None:
        """The answers that tell best how often the network is right: those to the test images, if it was measured."""
        accuracy = self.test or self.validation
        return accuracy and accuracy.count

    @property
    def of_seeds(self) -> Spread:
        """The accuracy on the test images of the network and of its repeats."""
        return Spread((self.test.count.fraction, *(repeat.test.count.fraction for repeat in self.repeats)))

    @property
    def of_teachers(self) -> Spread:
        """The accuracy of the teachers on the test images."""
        return Spread(tuple(teacher.test.count.fraction for teacher in self.teachers))

    @property
    def unseen_writers(self) -> Pens:
        """The pens of all writers, each read by the teacher that has never seen that writer."""
        return reduce(add, [teacher.pens for teacher in self.teachers])


Counted = TypeVar("Counted", Row, Form, Change, UnseenKind, Writer, Thickness)


class Group(NamedTuple):
    """Rows of a table that belong together."""

    key: str | int
    rows: tuple[Row, ...]

    @property
    def pooled(self) -> Count:
        return pooled_count(self.rows)

    @property
    def lowest(self) -> Row:
        return in_order(self.rows)[0]


def in_order(rows: Iterable[Counted]) -> tuple[Counted, ...]:
    """The rows from the lowest fraction of right answers to the highest."""
    return tuple(sorted(rows, key=lambda row: row.count.fraction))


def flawed(rows: Iterable[Counted], least: float = 0.0) -> tuple[Counted, ...]:
    """The rows that have wrong answers, at least this fraction of them, the lowest first."""
    return tuple(row for row in in_order(rows) if row.count.wrong and row.count.wrong_fraction >= least)


def grouped(rows: Iterable[Counted], key: Callable[[Counted], str | int]) -> tuple[Group, ...]:
    """The rows by their key, groups and rows in the order of the table."""
    return tuple(Group(name, members) for name, members in _by_key(rows, key).items())


def pooled_count(rows: Iterable[Counted]) -> Count:
    """The answers of all rows together."""
    return sum((row.count for row in rows), Count(0, 0))


def grouped_failures(failures: Iterable[Failure]) -> dict[str, tuple[Failure, ...]]:
    """The failures by their group, in the order of the table."""
    return _by_key(failures, lambda failure: failure.group)


def _by_key(parts: Iterable, key: Callable) -> dict:
    """The parts that have the same key, as tuples; keys and parts stay in their order."""
    groups: dict = {}
    for part in parts:
        groups.setdefault(key(part), []).append(part)
    return {name: tuple(members) for name, members in groups.items()}


def _pool(parts: Iterable, key: Callable) -> tuple:
    """The sums of the parts that have the same key, by rising key."""
    pooled: dict = {}
    for part in parts:
        pooled[key(part)] = pooled[key(part)] + part if key(part) in pooled else part
    return tuple(pooled[name] for name in sorted(pooled))
