"""The tiles that look most like a picture to the network: nearest in its features, the neurons before its outputs.

Their features are computed once and memory-mapped from a copy in the cache folder.
"""

import functools

import numpy as np

from digit_recognizer_dl_model.dataset import MalformedDataset

from . import recognizer
from .event_loop import leave_if
from .gallery import Tile, gallery

SHOWN = 5
MOST = 20_000  # tiles that are compared, the first: MNIST's test images are half of that, other galleries may be huge


def look_alikes_context(pixels: np.ndarray, runner_up: int, index: int | None = None) -> dict:
    """The tiles that look like the pixels, (28, 28) uint8, and those of the runner-up, for `_look_alikes.html`.

    index: of the tile whose pixels they are, which is left out. Without a gallery, nothing is shown.
    """
    try:
        return {
            "look_alikes": look_alikes(pixels, without=index),
            "rivals": look_alikes(pixels, digit=runner_up, without=index),
            "rival": runner_up,
        }
    except (FileNotFoundError, PermissionError, MalformedDataset):
        return {}


def look_alikes(pixels: np.ndarray, digit: int | None = None, without: int | None = None) -> list[Tile]:
    """The tiles that are most like pixels (28, 28) uint8, the nearest first.

    digit: only tiles with this label. without: the index of a tile that is left out, as the picture itself.
    """
    tiles, squares = tile_features()
    [query] = recognizer.features(pixels[None])
    # The square of the distance, without the query's own square, which is the same for all tiles.
    distances = squares - 2 * (tiles @ query)
    if digit is not None:
        distances[~has_label(digit)] = np.inf
    if without is not None and without < len(distances):
        distances[without] = np.inf
    nearest = np.argpartition(distances, min(SHOWN, len(distances) - 1))[:SHOWN]
    nearest = nearest[np.argsort(distances[nearest])]
    return [gallery().tile(int(index)) for index in nearest if np.isfinite(distances[index])]


@functools.cache
def tile_features() -> tuple[np.ndarray, np.ndarray]:
    """The features of the tiles that are compared, (n, neurons) float32, and their squared lengths, (n,) float32.

    They take seconds to compute, unless there is a copy for this CSV and these weights.
    """
    leave_if(True)
    tiles = gallery().features[:MOST]
    return tiles, np.einsum("ij,ij->i", tiles, tiles)


@functools.cache
def has_label(digit: int) -> np.ndarray:
    """Which of them have this label, (n,) bool."""
    tiles, _ = tile_features()
    return np.isin(np.arange(len(tiles)), gallery().select(digit))
