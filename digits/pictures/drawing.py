"""The strokes of a pen on the drawing pad as a picture."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from digit_recognizer_dl_model.frame import BOX

from .centring import USUAL

PAD_SIDE = 560  # pixels that strokes are drawn in: hard edges, so fine that the reduced digit's are soft


class Stroke(NamedTuple):
    """A line of the pad's pen, in shares of the pad's side."""

    points: np.ndarray  # (n, 2)
    width: float


def draw(strokes: Sequence[Stroke]) -> Image.Image:
    """Strokes of a pen as a picture, black on white.

    A pen that is thick for the digit is taken for one of the usual thickness: what it filled are loops to the strokes.
    """
    points = np.concatenate([on_pad(stroke.points) for stroke in strokes])
    usual = np.ptp(points, axis=0).max() * USUAL / (BOX - USUAL) if len(points) else 0
    picture = Image.new("L", (PAD_SIDE, PAD_SIDE), "white")
    for stroke in strokes:
        width = min(stroke.width, usual) or stroke.width  # a dot has no length
        line(picture, PAD_SIDE * stroke.points, PAD_SIDE * width)
    return picture


def on_pad(points: np.ndarray) -> np.ndarray:
    """The ends (m, 2) of all parts of a line (n, 2) that lie on the pad; what runs off it is not seen."""
    ways = np.diff(points, axis=0, append=points[-1:])  # the last leads nowhere, so that a dot counts
    # The shares of each way at which it passes the pad's edges; those that it is parallel to, it passes far away.
    passes = np.sort([(edge - points) / np.where(ways == 0, 1e-12, ways) for edge in (0, 1)], axis=0)
    comes, goes = passes[0].max(axis=1).clip(min=0), passes[1].min(axis=1).clip(max=1)
    ends = points + np.stack([comes, goes])[..., None] * ways
    return ends[:, comes <= goes].reshape(-1, 2)


def line(picture: Image.Image, points: np.ndarray, width: float, level: int = 0) -> None:
    """Draw along points (n, 2) with a round pen; points and width in pixels, the level of grey 0-255."""
    brush = ImageDraw.Draw(picture)
    path = [tuple(point) for point in points.tolist()]
    brush.line(path, fill=level, width=round(width), joint="curve")
    for x, y in (path[0], path[-1]):
        brush.ellipse([x - width / 2, y - width / 2, x + width / 2, y + width / 2], fill=level)
