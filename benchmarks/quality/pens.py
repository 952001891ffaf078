"""How well digits are read that people wrote with a pen: recorded strokes, drawn in pictures.

The pictures take the way of every picture that is sent, through `digits.images`.
"""

from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise

import numpy as np
from PIL import Image

from digit_recognizer_dl_model.dataset import Dataset
from digit_recognizer_dl_model.frame import BOX, SIDE
from digit_recognizer_dl_model.inference import Classifier
from digit_recognizer_dl_model.metrics import describe, measure
from digit_recognizer_dl_model.recordings import Recording
from digit_recognizer_dl_model.synthetic.redrawing import CANVAS, DIGIT_SIZES, PEN_WIDTHS
from digits import pictures
from digits.pictures.drawing import draw_line
from digits.refusals import Refusal

FINENESS = 2  # Pillow draws hard edges: drawn larger and averaged, they are as soft as a drawing program's
THICKNESSES = (0, 1.5, 2.5, 4, 6)  # pixels at 28x28, between which pens are told apart


def draw(strokes: list[np.ndarray], pen: float, share: float, rng: np.random.Generator) -> Image.Image:
    """Black strokes on white, the longer side of the digit filling `share` of the canvas, anywhere on it."""
    sheet = Image.new("L", (CANVAS * FINENESS, CANVAS * FINENESS), "white")
    for stroke in place(strokes, pen, share, rng):
        draw_line(sheet, stroke * FINENESS, pen * FINENESS, 0)
    return sheet.resize((CANVAS, CANVAS), Image.Resampling.BOX)


def place(strokes: list[np.ndarray], pen: float, share: float, rng: np.random.Generator) -> list[np.ndarray]:
    """Strokes (n, 2) in pixels of the canvas, where `draw` draws them."""
    points = np.concatenate(strokes)
    low = points.min(axis=0)
    scale = share * CANVAS / max(np.ptp(points, axis=0).max(), 1)
    room = np.maximum(CANVAS - pen - np.ptp(points, axis=0) * scale, 0)
    corner = pen / 2 + rng.uniform(0, 1, 2) * room
    return [(stroke - low) * scale + corner for stroke in strokes]


def measure_pens(
    classifier: Classifier, recordings: list[Recording], progress: Callable[[int, int], None] = lambda done, total: None
) -> dict:
    """The figures of `measure` on all recordings, each drawn with a random pen, size and place, and some more.

    `writers` counts who wrote them; `by_thickness` gives the share read right for pens of about so many pixels at
    28x28, `by_writer` that of each writer. Of a drawing refused as blank the network sees an empty image.
    """
    rng = np.random.default_rng(0)
    pixels, thickness = np.zeros((len(recordings), SIDE, SIDE), np.uint8), np.zeros(len(recordings))
    for index, recording in enumerate(recordings):
        progress(index, len(recordings))
        pen, share = rng.uniform(*PEN_WIDTHS), rng.uniform(*DIGIT_SIZES)
        thickness[index] = BOX * pen / (share * CANVAS + pen)
        picture = draw(recording.strokes, pen, share, rng)
        with suppress(Refusal):
            pixels[index] = pictures.prepare_image(picture)
    progress(len(recordings), len(recordings))
    labels = np.array([recording.label for recording in recordings], np.uint8)
    writers = np.array([recording.writer for recording in recordings])
    right = classifier.probabilities(pixels).argmax(axis=1) == labels
    by_thickness = {}
    for least, most in pairwise(THICKNESSES):
        within = (thickness >= least) & (thickness < most)
        by_thickness[f"{least} to {most}"] = float(right[within].mean()) if within.any() else None
    return {
        **measure(classifier, Dataset(pixels, labels)),
        "writers": len(set(writers.tolist())),
        "by_thickness": by_thickness,
        "by_writer": {str(writer): float(right[writers == writer].mean()) for writer in sorted(set(writers.tolist()))},
    }


def describe_pens(figures: dict) -> str:
    """The figures of `measure_pens` as lines of text."""
    shares = figures["by_writer"].values()
    lines = [
        f"pens            {figures['writers']} writers, who are read right from {min(shares):.1%} to {max(shares):.1%}",
        describe(figures),
    ]
    for pixels, share in figures["by_thickness"].items():
        if share is not None:
            lines.append(f"{share:>21.1%}  with pens of {pixels} pixels at 28x28")
    return "\n".join(lines)
