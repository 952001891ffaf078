"""Ten digits, one of each kind, that the network must read right before a process may be asked for others."""

import functools

import numpy as np

from . import pictures, recognizer
from .pictures.drawing import Stroke
from .stages import untimed

PEN = 0.07  # of the pad's side

# Each stroke as its points x,y in hundredths of the pad's side, from the upper left.
STROKES = {
    0: ["52,18 40,22 32,34 29,50 31,66 39,78 50,82 61,78 69,66 71,50 68,34 61,22 52,18"],
    1: ["56,18 53,34 50,50 48,66 45,82"],
    2: ["31,34 35,25 44,19 56,19 65,26 67,36 63,47 54,58 42,69 30,80 45,80 60,80 73,79"],
    3: ["34,24 44,18 56,19 64,27 62,38 54,46 45,49 56,50 65,57 67,67 60,77 48,82 34,77"],
    4: ["38,18 35,32 31,46 30,54 42,54 56,53 70,51", "62,22 60,40 58,60 56,82"],
    5: ["40,20 38,34 36,45 47,42 58,45 66,54 66,67 58,78 45,82 32,77", "40,20 52,19 68,18"],
    6: ["60,18 48,28 39,42 34,58 36,72 45,81 56,80 64,71 62,60 53,54 43,58 36,67"],
    7: ["30,22 45,21 60,20 70,20 64,34 57,48 50,65 45,82"],
    8: ["62,25 52,18 41,22 38,32 45,42 56,52 64,62 63,74 53,82 42,78 37,68 43,57 54,47 63,36 62,25"],
    9: ["64,30 56,20 44,20 36,30 38,43 48,50 59,45 64,30 63,45 61,60 57,82"],
}


def points(stroke: str) -> list[tuple[float, float]]:
    """The points of a stroke, in fractions of the pad's side."""
    pairs = (pair.split(",") for pair in stroke.split())
    return [(int(x) / 100, int(y) / 100) for x, y in pairs]


@functools.cache
@untimed()
def misread() -> list[int]:
    """The digits of these that are not prepared and read as they should be; asked once a process."""
    drawings = [[Stroke(np.array(points(stroke)), PEN) for stroke in strokes] for strokes in STROKES.values()]
    pixels = np.stack([pictures.prepare_strokes(drawing) for drawing in drawings])
    read = recognizer.read_digits(pixels)
    return [digit for digit, answer in zip(STROKES, read, strict=True) if digit != answer]
