"""The figures of a trained network, as typed records that the weights file keeps.

Counts, settings and areas under curves are stored. Every number that follows from them, such as a fraction, an interval
or a mean, is a property here and computed nowhere else: the commands, the model card and the page only render it.
"""

import base64
import statistics
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from functools import reduce
from operator import add
from typing import NamedTuple, Self, TypeVar

import numpy as np

from .counts import Accuracy, Bin, Count, expected_calibration_error, pool
from .frame import SIDE
from .records import Record
from .strip import HEIGHT


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
            pool(self.by_thickness + other.by_thickness, lambda each: (each.least, each.most)),
            pool(self.by_writer + other.by_writer, lambda each: each.writer),
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
class NumberSet(Row):
    """Pictures of one kind. A number is right if every digit is, a picture without a number if it is "not sure".

    sure: those that are not "not sure".
    """

    sure: Count


@dataclass(frozen=True)
class MisreadNumber(Record):
    """A number that is read wrong, to look at: what it shows, the answer, and its strip of 42 pixels' height."""

    group: str
    shown: str
    answer: str
    is_uncertain: bool
    packed: str

    @classmethod
    def of(cls, ink: np.ndarray, group: str, shown: str, answer: str, is_uncertain: bool) -> Self:
        """The failure on a strip (42, w) uint8, ink 255 on 0."""
        return cls(group, shown, answer, is_uncertain, base64.b64encode(zlib.compress(ink.tobytes(), 9)).decode())

    @property
    def ink(self) -> np.ndarray:
        """(42, w) uint8, ink 255 on 0."""
        return np.frombuffer(zlib.decompress(base64.b64decode(self.packed)), np.uint8).reshape(HEIGHT, -1)


@dataclass(frozen=True)
class NumberFigures(Record):
    """How well whole numbers are read; `reliability` has the confidence of all strings in bins."""

    sets: tuple[NumberSet, ...]
    reliability: tuple[Bin, ...]
    failures: tuple[MisreadNumber, ...] = ()

    @property
    def calibration_error(self) -> float:
        return expected_calibration_error(self.reliability)


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
    numbers: of the network that reads lines, and nothing else there.
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
    numbers: NumberFigures | None = None

    def updated(self, newer: "Figures") -> "Figures":
        """These figures with all parts that the newer ones have."""
        return Figures(
            **{field.name: getattr(newer, field.name) or getattr(self, field.name) for field in fields(self)}
        )

    @property
    def missing(self) -> list[str]:
        """The parts that were not measured, of those that need no data but MNIST."""
        needing_more = ("pens", "teachers", "repeats", "failures", "numbers")
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
