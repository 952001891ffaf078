"""Recorded digits drawn again to train on, each time with another pen, at another size and slightly bent."""

import numpy as np

from ..dataset import Dataset
from ..frame import BOX, SIDE
from ..recordings import Recording
from .handwriting import bend, render

# How people draw on a square canvas.
CANVAS = 280  # pixels of its side
PEN_WIDTHS = (8, 28)  # pixels
DIGIT_SIZES = (0.3, 0.8)  # the longer side of a digit, as fractions of the canvas's side

LARGEST_HASTE = 0.5  # with which `bend` displaces the points of a recording


def draw_recordings(recordings: list[Recording], rng: np.random.Generator) -> Dataset:
    """Draw each recording once and prepare it as MNIST is: pixels (n, 28, 28) uint8, and the labels."""
    pixels = np.zeros((len(recordings), SIDE, SIDE), np.uint8)
    for image, recording in zip(pixels, recordings, strict=True):
        points = np.concatenate(recording.strokes)
        bent = bend(points / max(np.ptp(points, axis=0).max(), 1), rng.uniform(0, LARGEST_HASTE), rng)
        ends = np.cumsum([len(stroke) for stroke in recording.strokes])[:-1]
        pen, side = rng.uniform(*PEN_WIDTHS), rng.uniform(*DIGIT_SIZES) * CANVAS
        image[:] = render(np.split(bent, ends), BOX * pen / (side + pen), rng)
    return Dataset(pixels, np.array([recording.label for recording in recordings], np.uint8))
