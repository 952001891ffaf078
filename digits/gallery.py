"""The MNIST CSV as a store of tiles: parsed once, then memory-mapped from a copy in the cache folder.

What the network says of all of them is computed once, too, and kept beside that copy.
"""

import base64
import functools
import hashlib
import os
import random
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import urlencode

import numpy as np
from django.conf import settings

from digit_recognizer_dl_model.dataset import PIXELS, SIDE, Dataset, read_csv

from . import recognizer
from .pictures import pngs

TILES_AT_ONCE = 20
UNLABELLED = 255
CACHE_VERSION = 1  # part of the names of cached copies: raise it when their layout changes


class Tile(NamedTuple):
    """One MNIST image in the gallery."""

    index: int
    label: int | None
    image: str  # base64 of a 28x28 PNG


class Selection(NamedTuple):
    """Which tiles to choose from: all those that meet every condition."""

    digit: int | None = None  # the label
    read: int | None = None  # what the network answers
    hard: int | None = None  # 1: the network is wrong or not sure

    @property
    def fields(self) -> dict[str, int]:
        """The conditions, as an address or a form carries them."""
        return {name: value for name, value in self._asdict().items() if value is not None}

    @property
    def query(self) -> str:
        return f"?{urlencode(self.fields)}" if self.fields else ""

    @property
    def words(self) -> str:
        """What follows "tiles"; nothing where there is no condition."""
        digit = "" if self.digit is None else f" of a {self.digit}"
        answers = [] if self.read is None else [f"reads as {self.read}"]
        answers += ["gets wrong or is not sure of"] if self.hard else []
        return f"{digit} that the network {' and '.join(answers)}" if answers else digit


EVERY_TILE = Selection()


class Gallery:
    """The tiles of one CSV file, by index; only a tile that is looked at is read."""

    def __init__(self, table: np.ndarray, copy: Path) -> None:
        self._table = table  # (n, 785) uint8: label, pixels
        self._copy = copy

    @classmethod
    def open(cls, csv: Path, cache: Path) -> Self:
        """Map the cached copy of the CSV's present contents; make it first where there is none.

        Raises MalformedDataset or FileNotFoundError where the CSV can't be read. A cache folder that can't be
        written costs memory and time, not the gallery.
        """
        with csv.open("rb") as file:
            checksum = hashlib.file_digest(file, "sha256").hexdigest()
        copy = cache / f"{checksum}-{CACHE_VERSION}.npy"
        return cls(map_or_make(copy, 1 + PIXELS, lambda: as_table(read_csv(csv))), copy)

    def __len__(self) -> int:
        return len(self._table)

    def pixels(self, index: int) -> np.ndarray:
        """(28, 28) uint8, ink 255 on 0."""
        return self._table[index, 1:].reshape(SIDE, SIDE)

    def tile(self, index: int) -> Tile:
        return Tile(index, self.label(index), base64.b64encode(pngs.png(self.pixels(index))).decode())

    def label(self, index: int) -> int | None:
        label = int(self._table[index, 0])
        return None if label == UNLABELLED else label

    def select(self, selection: Selection) -> Sequence[int]:
        """The indices of the tiles of a selection, in order."""
        if selection == EVERY_TILE:
            return range(len(self))
        chosen = np.ones(len(self), bool)
        if selection.digit is not None:
            chosen &= self._labels == selection.digit
        if selection.read is not None:
            chosen &= self._readings[:, 0] == selection.read
        if selection.hard is not None:
            wrong = (self._labels != UNLABELLED) & (self._labels != self._readings[:, 0])
            chosen &= wrong | self._readings[:, 1].astype(bool)
        return np.flatnonzero(chosen).tolist()

    def random_tiles(self, count: int = TILES_AT_ONCE, digit: int | None = None, seed: int | None = None) -> list[Tile]:
        """Different tiles, of one digit or all, in random order that a seed repeats; fewer where there are fewer."""
        return [self.tile(index) for index in sample(self.select(Selection(digit)), count, seed)]

    @functools.cached_property
    def _labels(self) -> np.ndarray:
        return self._table[:, 0].copy()

    @functools.cached_property
    def _readings(self) -> np.ndarray:
        """What the network says of every tile: (n, 2) uint8, its digit and whether it is uncertain."""
        return map_or_make(self._copy.with_stem(f"{self._copy.stem}-{recognizer.weights_sha256()}"), 2, self._read_all)

    def _read_all(self) -> np.ndarray:
        predictions = recognizer.read(self._table[:, 1:].reshape(-1, SIDE, SIDE))
        return np.array([(prediction.digit, prediction.uncertain) for prediction in predictions], np.uint8)


@functools.cache
def gallery() -> Gallery:
    """The gallery of the setting MNIST_CSV, opened once a process."""
    return Gallery.open(settings.MNIST_CSV, settings.MNIST_CACHE)


def as_table(dataset: Dataset) -> np.ndarray:
    labels = np.full(len(dataset.pixels), UNLABELLED, np.uint8) if dataset.labels is None else dataset.labels
    return np.column_stack([labels, dataset.pixels.reshape(-1, PIXELS)])


def sample(indices: Sequence[int], count: int = TILES_AT_ONCE, seed: int | None = None) -> list[int]:
    """Different ones in random order, which a seed repeats; all of them where there are fewer than `count`."""
    return random.Random(seed).sample(indices, min(count, len(indices)))


def map_or_make(copy: Path, columns: int, make: Callable[[], np.ndarray]) -> np.ndarray:
    """Map the copy, made first where there is none; a folder that can't be written costs memory and time alone."""
    try:
        return map_copy(copy, columns)
    except (OSError, ValueError, EOFError):
        table = make()
    try:
        write_copy(copy, table)
        return map_copy(copy, columns)
    except (OSError, ValueError):
        return table


def map_copy(copy: Path, columns: int) -> np.ndarray:
    table = np.load(copy, mmap_mode="r", allow_pickle=False)
    if table.dtype != np.uint8 or table.ndim != 2 or table.shape[1] != columns:
        raise ValueError(f"{copy} is not a copy of a gallery")
    return table


def write_copy(copy: Path, table: np.ndarray) -> None:
    """Write whole or not at all: other processes may be looking for the same copy."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(dir=copy.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.save(file, table)
        Path(unfinished).replace(copy)
    finally:
        Path(unfinished).unlink(missing_ok=True)
