"""The MNIST CSV as a store of tiles: parsed once, then memory-mapped from a copy in the cache folder.

The network's answers to all tiles are computed once, too, and kept beside that copy.
"""

import base64
import functools
import hashlib
import random
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from django.conf import settings

from digit_recognizer_dl_model.dataset import PIXELS, SIDE, Dataset, read_csv

from . import recognizer
from .array_cache import map_or_make
from .pictures import pngs

TILES_AT_ONCE = 20
UNLABELLED = 255
IMAGES_KEPT = 10_000  # encoded tiles that a process keeps, as many as MNIST has test images; they take 4 MB
CACHE_VERSION = 1  # part of the names of cached copies: raise it when their layout changes


class Tile(NamedTuple):
    """One MNIST image in the gallery."""

    index: int
    label: int | None
    image: str  # base64 of a 28x28 PNG


class Gallery:
    """The tiles of one CSV file, by index; a tile is read from the copy when it is looked at."""

    def __init__(self, table: np.ndarray, copy: Path, sha256: str = "") -> None:
        self._table = table  # (n, 785) uint8: label, pixels
        self._copy = copy
        self.sha256 = sha256  # of the CSV
        self._image = functools.lru_cache(IMAGES_KEPT)(self._encoded)

    @classmethod
    def open(cls, csv: Path, cache: Path) -> Self:
        """Map the cached copy of the CSV's present contents, which is made first if there is none.

        Raises MalformedDataset or OSError if the CSV can't be read. A cache folder that can't be written costs memory
        and time, but the gallery works.
        """
        with csv.open("rb") as file:
            checksum = hashlib.file_digest(file, "sha256").hexdigest()
        copy = cache / f"{checksum}-{CACHE_VERSION}.npy"
        return cls(map_or_make(copy, 1 + PIXELS, lambda: as_table(read_csv(csv))), copy, checksum)

    def __len__(self) -> int:
        return len(self._table)

    def __contains__(self, index: int) -> bool:
        return 0 <= index < len(self)

    def pixels(self, index: int) -> np.ndarray:
        """(28, 28) uint8, ink 255 on 0."""
        return self._table[index, 1:].reshape(SIDE, SIDE)

    def pixels_of(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """The pixels of several tiles, (n, 28, 28) uint8, ink 255 on 0."""
        return self._table[indices, 1:].reshape(-1, SIDE, SIDE)

    def tile(self, index: int) -> Tile:
        return Tile(index, self.label(index), self._image(index))

    def _encoded(self, index: int) -> str:
        return base64.b64encode(pngs.png(self.pixels(index))).decode()

    def label(self, index: int) -> int | None:
        label = int(self._table[index, 0])
        return None if label == UNLABELLED else label

    def select(self, digit: int | None = None, read: int | None = None, hard: bool = False) -> Sequence[int]:
        """The indices of the tiles that meet every condition, in order.

        digit: the label. read: the network's answer. hard: the network is wrong or not sure.
        """
        if digit is None and read is None and not hard:
            return range(len(self))
        chosen = np.ones(len(self), bool)
        if digit is not None:
            chosen &= self.labels == digit
        if read is not None:
            chosen &= self.answers[:, 0] == read
        if hard:
            chosen &= self.are_wrong | self.are_unsure
        return np.flatnonzero(chosen).tolist()

    def random_tiles(self, count: int = TILES_AT_ONCE, digit: int | None = None, seed: int | None = None) -> list[Tile]:
        """Tiles of one digit or of all, sampled without replacement, reproducibly if seeded."""
        return [self.tile(index) for index in choose_at_random(self.select(digit), count, seed)]

    @functools.cached_property
    def labels(self) -> np.ndarray:
        """(n,) uint8: the digit, or UNLABELLED."""
        return self._table[:, 0].copy()

    @functools.cached_property
    def answers(self) -> np.ndarray:
        """The network's answers to all tiles: (n, 2) uint8, the digit and whether it is uncertain."""
        return map_or_make(self._copy_by_network(), 2, self._recognize_all)

    @property
    def are_wrong(self) -> np.ndarray:
        """(n,) bool: which tiles the network reads as another digit than their label."""
        return (self.labels != UNLABELLED) & (self.labels != self.answers[:, 0])

    @property
    def are_unsure(self) -> np.ndarray:
        """(n,) bool: which tiles the network is not sure of, right or wrong."""
        return self.answers[:, 1].astype(bool)

    @functools.cached_property
    def features(self) -> np.ndarray:
        """What the network sees in all tiles: (n, channels) float32, see `recognizer.features`."""
        width = 4 * recognizer.features(self._pixels[:1]).shape[1]  # bytes of a row, as copies hold
        copy = self._copy_by_network("-features")
        rows = map_or_make(copy, width, lambda: recognizer.features(self._pixels).view(np.uint8))
        return rows.view(np.float32)

    def distances(self, features: np.ndarray, most: int | None = None) -> np.ndarray:
        """The squared distances of all tiles, or of the first `most`, from features (channels,): (n,) float32."""
        squared = self._squares[:most] - 2 * (self.features[:most] @ features) + features @ features
        return squared.clip(min=0)  # rounding may leave less

    @functools.cached_property
    def _squares(self) -> np.ndarray:
        return np.einsum("ij,ij->i", self.features, self.features)

    @property
    def _pixels(self) -> np.ndarray:
        return self._table[:, 1:].reshape(-1, SIDE, SIDE)

    def _copy_by_network(self, kind: str = "") -> Path:
        """The copy of what the network makes of the tiles."""
        return self._copy.with_stem(f"{self._copy.stem}-{recognizer.weights_sha256()}{kind}")

    def _recognize_all(self) -> np.ndarray:
        predictions = recognizer.recognize_uncounted(self._pixels)
        return np.array([(prediction.digit, prediction.uncertain) for prediction in predictions], np.uint8)


@functools.cache
def gallery() -> Gallery:
    """The gallery of the setting MNIST_CSV, opened once a process."""
    return Gallery.open(settings.MNIST_CSV, settings.MNIST_CACHE)


def as_table(dataset: Dataset) -> np.ndarray:
    """(n, 785) uint8: the label or UNLABELLED, then the pixels."""
    labels = np.full(len(dataset.pixels), UNLABELLED, np.uint8) if dataset.labels is None else dataset.labels
    return np.column_stack([labels, dataset.pixels.reshape(-1, PIXELS)])


def choose_at_random(indices: Sequence[int], count: int = TILES_AT_ONCE, seed: int | None = None) -> list[int]:
    """Sample without replacement, reproducibly if seeded; all of the indices where there are fewer than `count`."""
    return random.Random(seed).sample(indices, min(count, len(indices)))
