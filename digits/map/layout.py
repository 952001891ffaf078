"""Where the tiles lie on the map: computed by `manage.py lay_out_map`, shipped for the shipped network and tiles.

A layout belongs to one CSV and one network, whose checksums it holds. With others, the one that the command has left in
the cache folder is taken, or there is none: a map of other tiles would be false.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from django.conf import settings

from .. import recognizer
from ..gallery import Gallery, gallery
from . import tsne
from .quality import Quality, quality_of

SHIPPED = Path(__file__).with_name("layout.npz")
SCALE = 65_535  # the largest coordinate
MARGIN = 0.03  # of the map's side, around all tiles
LEAST_TILES, MOST_TILES = 20, 65_536  # the latter are numbered in two bytes


class NoLayout(Exception):
    """No layout belongs to these tiles and this network."""


class Layout(NamedTuple):
    """The places of all tiles of a gallery, as one network sees them."""

    places: np.ndarray  # (n, 2) uint16, x to the right and y down, in parts of SCALE
    csv: str  # SHA-256 of the gallery's CSV
    weights: str  # checksum of the network

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file; raises OSError, or ValueError or KeyError for what is no layout."""
        with np.load(path, allow_pickle=False) as file:
            return cls(file["places"], str(file["csv"]), str(file["weights"]))

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            np.savez_compressed(file, **self._asdict())

    def belongs_to(self, gallery: Gallery) -> bool:
        is_of_both = (self.csv, self.weights) == (gallery.sha256, recognizer.network_checksum())
        return is_of_both and self.places.shape == (len(gallery), 2) and self.places.dtype == np.uint16


def layout_of(gallery: Gallery) -> Layout:
    """The layout that belongs to these tiles and the present network; raises NoLayout."""
    for path in (SHIPPED, computed_file(gallery)):
        try:
            layout = Layout.read(path)
        except (OSError, ValueError, KeyError):
            continue
        if layout.belongs_to(gallery):
            return layout
    raise NoLayout


def computed_file(gallery: Gallery) -> Path:
    """Where the command leaves a layout that is not shipped."""
    return settings.MNIST_CACHE / f"map-{gallery.sha256[:16]}-{recognizer.network_checksum()[:16]}.npz"


def compute(tell: Callable[[int], object]) -> tuple[Layout, Quality]:
    """Lay the gallery's tiles out, which takes about a minute, and measure how well; `tell` as in `tsne.lay_out`."""
    stored = gallery()
    places = to_scale(tsne.spread_out(tsne.lay_out(stored.features, tell, tsne.STEPS), tell))
    layout = Layout(places, stored.sha256, recognizer.network_checksum())
    return layout, quality_of(stored.features, places, stored.labels)


def to_scale(places: np.ndarray) -> np.ndarray:
    """Places on a plane (n, 2) float -> (n, 2) uint16, in the middle of a square with a margin."""
    low, high = places.min(axis=0), places.max(axis=0)
    side = (high - low).max() / (1 - 2 * MARGIN)
    return np.rint(((places - (low + high) / 2) / side + 0.5) * SCALE).astype(np.uint16)
