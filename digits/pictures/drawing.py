"""The strokes of a pen become ink: a drawing needs none of the clean-up that photographs go through."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from digit_recognizer_dl_model.frame import BOX

from ..event_loop import leave_if
from ..refusals import Blank
from .centring import USUAL, Ink

# Pixels of the pad's height in which strokes are drawn. Their edges are hard, but so fine that those of a reduced digit
# are soft.
PAD_SIDE = 560
SQUARE = (1.0, 1.0)  # the width and the height of a pad that are not told
# How many points may be drawn on the event loop; the round ends of a stroke take as long as so many.
QUICK, ENDS = 500, 30
FULL = 255  # the level of a pixel that is all ink


class Stroke(NamedTuple):
    """A line of the pad's pen; points and width in fractions of the pad's height."""

    points: np.ndarray  # (n, 2)
    width: float


def ink_of_strokes(strokes: Sequence[Stroke], size: tuple[float, float] = SQUARE) -> Ink:
    """The ink of a drawing, 0 or 1, 560 pixels for the height of the pad; raises Blank where no stroke is on the pad.

    size: the width and the height of the pad, in the unit of the strokes.

    A pen that is thick for the size of the digit is replaced by one of the usual thickness, because it fills loops that
    the strokes still know.
    """
    leave_if(sum(len(stroke.points) + ENDS for stroke in strokes) > QUICK)
    on_pad = [points_on_pad(stroke.points, size) for stroke in strokes]
    points = np.concatenate(on_pad)
    if not len(points):
        raise Blank("There is no ink in this drawing.")
    usual = np.ptp(points, axis=0).max() * USUAL / (BOX - USUAL)
    sheet = blank_sheet(size, PAD_SIDE)
    for stroke, seen in zip(strokes, on_pad, strict=True):
        if usual:
            draw_line(sheet, PAD_SIDE * stroke.points, PAD_SIDE * min(stroke.width, usual), FULL)
        elif len(seen):  # all that is on the pad is in one place: a dot, even if its stroke goes on beside the pad
            draw_line(sheet, PAD_SIDE * seen[:1], PAD_SIDE * stroke.width, FULL)
    box = sheet.getbbox()
    if not box:
        raise Blank("There is no ink in this drawing.")
    return Ink(np.asarray(sheet.crop(box), np.float32) / FULL, PAD_SIDE)


def blank_sheet(size: tuple[float, float], scale: int) -> Image.Image:
    """A sheet without ink for a pad of that width and height, with `scale` pixels for 1."""
    return Image.new("L", (max(round(size[0] * scale), 1), max(round(size[1] * scale), 1)))


def points_on_pad(points: np.ndarray, size: tuple[float, float] = SQUARE) -> np.ndarray:
    """The ends (m, 2) of those parts of a line (n, 2) that lie on a pad of that size; the rest is not seen."""
    steps = np.diff(points, axis=0, append=points[-1:])  # the last step leads nowhere, so that a dot counts
    # Where each step crosses the pad's edges, in fractions of the step; it crosses edges parallel to it far away.
    edges = np.zeros(2), np.array(size)
    crossings = np.sort([(edge - points) / np.where(steps == 0, 1e-12, steps) for edge in edges], axis=0)
    enters, leaves = crossings[0].max(axis=1).clip(min=0), crossings[1].min(axis=1).clip(max=1)
    ends = points + np.stack([enters, leaves])[..., None] * steps
    return ends[:, enters <= leaves].reshape(-1, 2)


def draw_line(sheet: Image.Image, points: np.ndarray, width: float, level: int) -> None:
    """Draw along points (n, 2) with a round pen; points and width in pixels, the level of grey 0-255."""
    brush = ImageDraw.Draw(sheet)
    path = [tuple(point) for point in points.tolist()]
    brush.line(path, fill=level, width=round(width), joint="curve")
    for x, y in (path[0], path[-1]):
        brush.ellipse([x - width / 2, y - width / 2, x + width / 2, y + width / 2], fill=level)
