"""The map of the gallery's tiles: where they lie, their pictures in sheets, and all of it as a browser needs it."""

import functools
import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ..gallery import UNLABELLED, Gallery, gallery
from ..pictures import pngs
from .layout import SCALE, Layout, layout_of

VERSION = 1  # of what a browser is sent; raise it when its form changes
ACROSS = 20  # tiles of a sheet, along each side
SIZES = (14, 28)  # pixels of a tile in a sheet: half as large for many at once, and as they are
HARD = 0  # the number of the sheet of the tiles that are hard to read; the others begin with 1
WRONG, UNSURE = 1, 2  # bits of a tile's flags


class Name(NamedTuple):
    """A digit that is written on the map, in the thick of its tiles; x and y in fractions of the map's side."""

    digit: int
    x: float
    y: float


class TileMap:
    """A map of all tiles of a gallery, in the order of its sheets, in which tiles of the same region are together."""

    def __init__(self, gallery: Gallery, layout: Layout) -> None:
        self.gallery, self.places = gallery, layout.places  # (n, 2) uint16, by index
        self.version = hashlib.sha256(
            f"{VERSION} {layout.csv} {layout.weights} ".encode() + layout.places.tobytes()
        ).hexdigest()[:12]
        self._order = np.concatenate(list(regions(layout.places, ACROSS**2)))
        self.digits = np.where(gallery.labels == UNLABELLED, gallery.answers[:, 0], gallery.labels)  # (n,), by index
        self.sheet = functools.cache(self._sheet)

    @property
    def sheets(self) -> int:
        """How many sheets there are beside that of the hard tiles."""
        return -(-len(self._order) // ACROSS**2)

    @functools.cached_property
    def records(self) -> bytes:
        """All tiles in the order of the sheets, one column of numbers after the other, which compresses better.

        Three columns of uint16, little-endian: index, x, y. Two of uint8: 16 times the digit plus the answer; flags.
        """
        order, gallery = self._order, self.gallery
        flags = WRONG * gallery.are_wrong + UNSURE * gallery.are_unsure
        wide = [order, *self.places[order].T]
        narrow = [(16 * self.digits + gallery.answers[:, 0])[order], flags[order]]
        return b"".join(
            [*(each.astype("<u2").tobytes() for each in wide), *(each.astype("u1").tobytes() for each in narrow)]
        )

    def _sheet(self, size: int, number: int) -> bytes:
        """A sheet of tiles as a PNG file, transparent but for the ink; raises IndexError if there is none.

        size: one of SIZES. number: 1 and up, or HARD for the tiles that are read wrong or not surely, up to a sheet's.
        """
        if size not in SIZES or not 0 <= number <= self.sheets:
            raise IndexError(number)
        if number == HARD:
            chosen = self._order[(self.gallery.are_wrong | self.gallery.are_unsure)[self._order]][: ACROSS**2]
        else:
            chosen = self._order[(number - 1) * ACROSS**2 : number * ACROSS**2]
        pixels = self.gallery.pixels_of(chosen)
        return pngs.stamps(reduced(pixels, pixels.shape[1] // size), ACROSS)

    @functools.cached_property
    def names(self) -> list[Name]:
        """Each digit that has tiles, where most of them are."""
        found = []
        for digit in np.unique(self.digits).tolist():
            places = self.places[self.digits == digit].astype(np.float64)
            x, y = densest(places) / SCALE
            found.append(Name(digit, round(float(x), 4), round(float(y), 4)))
        return found


@functools.cache
def tile_map() -> TileMap:
    """The map of the site's gallery; raises NoLayout each time until there is one."""
    return TileMap(gallery(), layout_of(gallery()))


def regions(places: np.ndarray, most: int, chosen: np.ndarray | None = None) -> Iterator[np.ndarray]:
    """Divide places (n, 2) into regions of so many, each by a cut across its longer side: their indices.

    All regions but one have `most` places.
    """
    if chosen is None:
        chosen = np.arange(len(places))
    if len(chosen) <= most:
        yield chosen
        return
    axis = np.ptp(places[chosen].astype(np.int64), axis=0).argmax()
    ordered = chosen[places[chosen, axis].argsort(kind="stable")]
    cut = max(1, len(ordered) // most // 2) * most
    yield from regions(places, most, ordered[:cut])
    yield from regions(places, most, ordered[cut:])


def reduced(pixels: np.ndarray, factor: int) -> np.ndarray:
    """Pictures (n, h, w) uint8, their sides divided by a factor: the mean of each square."""
    n, height, width = pixels.shape
    squares = pixels.reshape(n, height // factor, factor, width // factor, factor)
    return squares.mean(axis=(2, 4)).round().astype(np.uint8)


def densest(places: np.ndarray) -> np.ndarray:
    """Where most of some places (n, 2) are: their median, moved to the mean of what is near until it stays.

    So a digit with two islands has its name on the larger one, not in the water between them.
    """
    reach = 0.08 * SCALE
    centre = np.median(places, axis=0)
    for _ in range(50):
        weights = np.exp(-((places - centre) ** 2).sum(axis=1) / (2 * reach**2))
        moved = weights @ places / weights.sum()
        if np.abs(moved - centre).max() < 1:
            break
        centre = moved
    return centre


def confusions(gallery: Gallery) -> list[tuple[int, int, Sequence[int]]]:
    """Which digit is read as which other, and the tiles of each pair; the most frequent first."""
    wrong = np.flatnonzero(gallery.are_wrong)
    pairs: dict[tuple[int, int], list[int]] = {}
    for index in wrong.tolist():
        pairs.setdefault((int(gallery.labels[index]), int(gallery.answers[index, 0])), []).append(index)
    return sorted(((*pair, tiles) for pair, tiles in pairs.items()), key=lambda row: (-len(row[2]), row[:2]))
