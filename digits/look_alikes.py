"""The tiles that look most like a picture to the network: nearest in its features, the neurons before its outputs."""

import numpy as np

from digit_recognizer_dl_model.dataset import MalformedDataset

from . import recognizer
from .gallery import Tile, gallery

SHOWN = 5
MOST = 20_000  # tiles that are compared, the first: MNIST's test images are half of that, other galleries may be huge


def look_alikes_context(pixels: np.ndarray, rival: int, index: int | None = None) -> dict:
    """The tiles that look like the pixels, (28, 28) uint8, and those of its rival, for `_look_alikes.html`.

    index: of the tile whose pixels they are, which is left out. Without a gallery, nothing is shown.
    """
    try:
        return {
            "look_alikes": look_alikes(pixels, without=index),
            "rivals": look_alikes(pixels, digit=rival, without=index),
            "rival": rival,
        }
    except (FileNotFoundError, PermissionError, MalformedDataset):
        return {}


def look_alikes(pixels: np.ndarray, digit: int | None = None, without: int | None = None) -> list[Tile]:
    """The tiles that are most like pixels (28, 28) uint8, the nearest first.

    digit: only tiles with this label. without: the index of a tile that is left out, as the picture itself.
    """
    [query] = recognizer.features(pixels[None])
    distances = gallery().distances(query, MOST)
    if digit is not None:
        distances[gallery().labels[:MOST] != digit] = np.inf
    if without is not None and without < len(distances):
        distances[without] = np.inf
    nearest = np.argpartition(distances, min(SHOWN, len(distances) - 1))[:SHOWN]
    nearest = nearest[np.argsort(distances[nearest])]
    return [gallery().tile(int(index)) for index in nearest if np.isfinite(distances[index])]
