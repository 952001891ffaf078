"""How well digits are read that people wrote with a pen: recorded strokes, drawn in pictures.

The pictures are prepared like every picture that is sent.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from PIL import Image

from digit_recognizer_dl_model.counts import Count
from digit_recognizer_dl_model.dataset import Dataset
from digit_recognizer_dl_model.figures import Pens, Thickness, Writer
from digit_recognizer_dl_model.frame import BOX
from digit_recognizer_dl_model.inference import Classifier
from digit_recognizer_dl_model.metrics import describe, measure
from digit_recognizer_dl_model.recordings import Recording
from digit_recognizer_dl_model.synthetic.redrawing import CANVAS, DIGIT_SIZES, PEN_WIDTHS

from .reading import prepare_all
from .strokes import draw_strokes, extent, fit

SUPERSAMPLING = 2
THICKNESSES = (0.0, 1.5, 2.5, 4.0, 6.0)  # pixels of the 28, between which pens are counted together


def draw_recording(strokes: list[np.ndarray], pen: float, size: float, rng: np.random.Generator) -> Image.Image:
    """Draw strokes in black on a white canvas, placed by `place_strokes`."""
    placed = place_strokes(strokes, pen, size, rng)
    return draw_strokes((CANVAS, CANVAS), placed, pen, supersampling=SUPERSAMPLING)


def place_strokes(strokes: list[np.ndarray], pen: float, size: float, rng: np.random.Generator) -> list[np.ndarray]:
    """Place strokes at random on the canvas, so that a pen of this thickness does not leave it.

    size: the longer side of the digit, as a fraction of the canvas's side.
    """
    fitted = fit(strokes, size * CANVAS)
    room = np.maximum(CANVAS - pen - extent(fitted), 0)
    corner = pen / 2 + rng.uniform(0, 1, 2) * room
    return [stroke + corner for stroke in fitted]


def measure_pens(
    classifier: Classifier, recordings: list[Recording], progress: Callable[[int, int], None] = lambda done, total: None
) -> Pens:
    """Read all recordings, each drawn once with a random pen, size and place.

    The network sees an empty image where a drawing is refused as blank. `progress` is told how many recordings are
    drawn, and of how many.
    """
    rng = np.random.default_rng(0)
    thickness = np.zeros(len(recordings))  # of each pen, in pixels of the 28

    def draw_all():
        for index, recording in enumerate(recordings):
            progress(index, len(recordings))
            pen, size = rng.uniform(*PEN_WIDTHS), rng.uniform(*DIGIT_SIZES)
            thickness[index] = BOX * pen / (size * CANVAS + pen)
            yield draw_recording(recording.strokes, pen, size, rng)

    pixels, _ = prepare_all(draw_all())
    progress(len(recordings), len(recordings))
    labels = np.array([recording.label for recording in recordings], np.uint8)
    writers = np.array([recording.writer for recording in recordings])
    right = classifier.probabilities(pixels).argmax(axis=1) == labels

    def count(chosen: np.ndarray) -> Count:
        return Count(int(right[chosen].sum()), int(chosen.sum()))

    ranges = [
        Thickness(least, most, count((thickness >= least) & (thickness < most)))
        for least, most in pairwise(THICKNESSES)
    ]
    return Pens(
        measure(classifier, Dataset(pixels, labels)),
        tuple(each for each in ranges if each.count.total),
        tuple(Writer(writer, count(writers == writer)) for writer in sorted(set(writers.tolist()))),
    )


def describe_pens(pens: Pens) -> str:
    """The figures of `measure_pens` as lines of text."""
    worst, best = pens.writers[0].count.fraction, pens.writers[-1].count.fraction
    thicknesses = [
        f"{each.count.fraction:>22.2%}  with pens of {each.least:g} to {each.most:g} pixels of the 28"
        for each in pens.by_thickness
    ]
    title = f"pens            {len(pens.writers)} writers, who are read right from {worst:.1%} to {best:.1%}"
    return "\n".join([title, describe(pens.accuracy), *thicknesses])
