"""A drawing falls into place: among the tiles in which the network sees the same."""

from typing import NamedTuple

import numpy as np

from .. import recognizer
from .layout import SCALE
from .tile_map import TileMap

NEIGHBOURS = 10  # tiles that tell where a drawing lies
ALIKE = 5  # of which so many are shown
ROUNDS = 20  # of the search for the median, after which it moves by less than a dot


class Placed(NamedTuple):
    """Where a drawing lies on the map; x and y in fractions of the map's side."""

    x: float
    y: float
    digit: int  # that most tiles around it are
    alike: list[int]  # the most similar tiles, the most similar first


def place(pixels: np.ndarray, tile_map: TileMap) -> Placed:
    """Find the place of prepared pixels, (28, 28) uint8, from the nearest tiles in the network's features."""
    features = recognizer.features(pixels[None])[0]
    squared = tile_map.gallery.distances(features)
    nearest = np.argsort(squared, kind="stable")[:NEIGHBOURS]
    weights = 1 / (squared[nearest] + squared[nearest].mean() / 10 + 1e-6)
    x, y = median(tile_map.places[nearest].astype(np.float64), weights) / SCALE
    digit = int(np.bincount(tile_map.digits[nearest], weights).argmax())
    return Placed(round(float(x), 5), round(float(y), 5), digit, nearest[:ALIKE].tolist())


def median(places: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The geometric median of places (n, 2) with weights (n,), from which their distances sum to the least.

    Where most of the tiles are on one island, it is on that island, too; their mean might be in the water. Found by
    Weiszfeld's method (1937, doi:10.1007/s10479-008-0352-z).
    """
    centre = np.average(places, axis=0, weights=weights)
    for _ in range(ROUNDS):
        distances = np.hypot(*(places - centre).T)
        centre = np.average(places, axis=0, weights=weights / np.maximum(distances, 1))
    return centre
