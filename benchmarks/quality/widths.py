"""Whether thick strokes are better thinned in the picture, or drawn again with a thinner pen.

Run as `python -m benchmarks.quality.widths [--teachers FILE ...]`, some minutes; the last line is one JSON object.
Recorded digits are drawn with thin, usual and thick pens and read in three ways: as their pictures are, with thick
strokes thinned by `digits.pictures`, and from their strokes as the drawing pad sends them, which the site draws
again. Teachers read the people they have never seen. The last rows show held-out MNIST images, which have no strokes.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import numpy as np
from PIL import Image

from benchmarks.quality.pens import draw_recording, place_strokes
from benchmarks.quality.reading import prepare_all
from benchmarks.quality.robustness import DISTORTIONS
from digit_recognizer_dl_model.dataset import DATA, read_csv
from digit_recognizer_dl_model.frame import BOX, SIDE
from digit_recognizer_dl_model.inference import Classifier
from digit_recognizer_dl_model.recordings import fold_of_writers, read_recordings
from digit_recognizer_dl_model.synthetic.redrawing import CANVAS, DIGIT_SIZES
from digit_recognizer_dl_model.train import Settings, hold_out
from digit_recognizer_dl_model.weights import SHIPPED, load_weights
from digits import pictures
from digits.pictures import centring
from digits.pictures.drawing import Stroke

WIDTHS = {"thin": (0.7, 1.5), "usual": (1.5, 3.5), "thick": (3.5, 6)}  # of the pen, in pixels of the 20
PAD_PEN, PAD_SIZES = 20, (0.1, 0.8)  # the drawing pad's pen, and the fractions of the pad that digits fill
DRAWN = ("as drawn", "strokes of 4 pixels", "strokes of 5 pixels")
WAYS = ("as they are", "thinned", "inked anew")


def pen_of(width: float, size: float) -> float:
    """The pen, in pixels of the pad, that is `width` of the 20 pixels thick if the strokes fill `size` of the pad."""
    return width * size * CANVAS / (BOX - width)


def of_widths(least: float, most: float) -> Callable[[np.random.Generator], tuple[float, float]]:
    """A function that picks a pen at random, and the fraction of the pad that the strokes fill."""

    def pick(rng: np.random.Generator) -> tuple[float, float]:
        width = rng.uniform(least, most)
        size = rng.uniform(*DIGIT_SIZES) * (1 - width / BOX)  # the pen adds half its width on each side
        return pen_of(width, size), size

    return pick


def prepare_thinned(picture: Image.Image, thickest: float) -> np.ndarray:
    """Prepare a picture, with strokes thicker than `thickest` thinned: (28, 28) uint8, all 0 if it is refused."""
    with patch.object(centring, "THICK", thickest):
        pixels, _ = prepare_all([picture])
    return pixels[0]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.widths", description=__doc__)
    parser.add_argument(
        "--teachers", type=Path, nargs="+", metavar="FILE", help="weights that lack a fold of the writers"
    )
    parser.add_argument("--strokes", type=Path, default=DATA / "pen_digits.json.gz", metavar="FILE")
    parser.add_argument("--count", type=int, default=2000, help="held-out MNIST images")
    options = parser.parse_args()
    recordings = read_recordings(options.strokes)
    writers = np.array([recording.writer for recording in recordings])
    readers = [(Classifier(load_weights(SHIPPED)), np.full(len(recordings), True))]
    if options.teachers:
        teachers = [load_weights(path) for path in options.teachers]
        folds = [fold_of_writers(recordings, weights.figures.training.fold) for weights in teachers]
        readers = [(Classifier(w), np.isin(writers, list(fold))) for w, fold in zip(teachers, folds, strict=True)]
    labels = np.array([recording.label for recording in recordings])
    pens = {f"{name} pens, {low} to {high}": of_widths(low, high) for name, (low, high) in WIDTHS.items()}
    pens["the pad's pen, digits of 10 % to 80 %"] = lambda rng: (PAD_PEN, rng.uniform(*PAD_SIZES))

    print("digits  changed  " + "  ".join(f"{way:>11}" for way in WAYS) + "   (read right)")
    rows = {}

    def tell(name: str, pixels: np.ndarray, right: list[np.ndarray]) -> None:
        thinned = float((pixels[0] != pixels[1]).any(axis=(1, 2)).mean())
        fractions = [float(way.mean()) for way in right]
        rows[name] = {"digits": len(right[0]), "changed": thinned, **dict(zip(WAYS, fractions, strict=False))}
        cells = "  ".join(f"{fraction:>11.2%}" for fraction in fractions)
        print(f"{len(right[0]):6}  {thinned:>7.2%}  {cells:<37}  {name}", flush=True)

    for name, pick in pens.items():
        rng = np.random.default_rng(1)
        pixels = np.zeros((len(WAYS), len(recordings), SIDE, SIDE), np.uint8)
        for index, recording in enumerate(recordings):
            pen, size = pick(rng)
            picture = draw_recording(recording.strokes, pen, size, rng)
            placed = place_strokes(recording.strokes, pen, size, rng)
            strokes = [Stroke(points / CANVAS, pen / CANVAS) for points in placed]
            pixels[:2, index] = [prepare_thinned(picture, thickest) for thickest in (BOX, centring.THICK)]
            pixels[2, index] = pictures.prepare_strokes(strokes)
        right = [
            np.concatenate(
                [classifier.probabilities(way[seen]).argmax(axis=1) == labels[seen] for classifier, seen in readers]
            )
            for way in pixels
        ]
        tell(name, pixels, right)

    settings = Settings()
    held_out = hold_out(read_csv(DATA / "mnist_train.csv"), settings.validation, settings.seed)[1]
    shipped = Classifier(load_weights(SHIPPED))
    for name in DRAWN:
        rng = np.random.default_rng(1)
        drawn = [Image.fromarray(DISTORTIONS[name].change(tile, rng)) for tile in held_out.pixels[: options.count]]
        pixels = np.array(
            [[prepare_thinned(picture, thickest) for picture in drawn] for thickest in (BOX, centring.THICK)]
        )
        right = [(shipped.probabilities(way).argmax(axis=1) == held_out.labels[: options.count]) for way in pixels]
        tell(f"MNIST, {name}", pixels, right)
    print(json.dumps({"teachers": len(options.teachers or []), "rows": rows}))


if __name__ == "__main__":
    main()
