"""The MNIST CSV as a store of tiles: parsed once, then memory-mapped from a copy in the cache folder."""

import base64
import functools
import hashlib
import os
import random
import tempfile
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from django.conf import settings

from digit_recognizer_dl_model.dataset import PIXELS, SIDE, Dataset, read_csv

from . import images

TILES_AT_ONCE = 20
UNLABELLED = 255
CACHE_VERSION = 1  # part of the cached copy's name: raise it when its layout changes


class Tile(NamedTuple):
    """One MNIST image in the gallery."""

    index: int
    label: int | None
    image: str  # base64 of a 28x28 PNG


class Gallery:
    """The tiles of one CSV file, by index; only a tile that is looked at is read."""

    def __init__(self, table: np.ndarray) -> None:
        self._table = table  # (n, 785) uint8: label, pixels

    @classmethod
    def open(cls, csv: Path, cache: Path) -> Self:
        """Map the cached copy of the CSV's present contents; make it first where there is none.

        Raises MalformedDataset or FileNotFoundError where the CSV can't be read. A cache folder that can't be
        written costs memory and time, not the gallery.
        """
        with csv.open("rb") as file:
            checksum = hashlib.file_digest(file, "sha256").hexdigest()
        copy = cache / f"{checksum}-{CACHE_VERSION}.npy"
        try:
            return cls(map_copy(copy))
        except (OSError, ValueError, EOFError):
            table = as_table(read_csv(csv))
        try:
            write_copy(copy, table)
            return cls(map_copy(copy))
        except (OSError, ValueError):
            return cls(table)

    def __len__(self) -> int:
        return len(self._table)

    def pixels(self, index: int) -> np.ndarray:
        """(28, 28) uint8, ink 255 on 0."""
        return self._table[index, 1:].reshape(SIDE, SIDE)

    def tile(self, index: int) -> Tile:
        label = int(self._table[index, 0])
        image = base64.b64encode(images.png(self.pixels(index))).decode()
        return Tile(index, None if label == UNLABELLED else label, image)

    def random_tiles(self, count: int = TILES_AT_ONCE) -> list[Tile]:
        """Different tiles in random order; all of them where there are fewer than `count`."""
        return [self.tile(index) for index in random.sample(range(len(self)), min(count, len(self)))]


@functools.cache
def gallery() -> Gallery:
    """The gallery of the setting MNIST_CSV, opened once a process."""
    return Gallery.open(settings.MNIST_CSV, settings.MNIST_CACHE)


def as_table(dataset: Dataset) -> np.ndarray:
    labels = np.full(len(dataset.pixels), UNLABELLED, np.uint8) if dataset.labels is None else dataset.labels
    return np.column_stack([labels, dataset.pixels.reshape(-1, PIXELS)])


def map_copy(copy: Path) -> np.ndarray:
    table = np.load(copy, mmap_mode="r", allow_pickle=False)
    if table.dtype != np.uint8 or table.ndim != 2 or table.shape[1] != 1 + PIXELS:
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
