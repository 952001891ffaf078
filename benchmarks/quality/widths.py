"""Whether thick strokes are better thinned in the picture, or inked anew from what the pen wrote.

Run as `python -m benchmarks.quality.widths [--teachers FILE ...]`, some minutes; the last line is one JSON object.
Recorded digits are drawn with thin, usual and thick pens and read three ways: as their pictures are, with thick
strokes thinned by `digits.pictures`, and with their strokes sent as the drawing pad sends them, which `digits.pictures`
inks. Teachers read the people whom they have never seen. The last rows are of held-out MNIST images, of which there are
no strokes.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

import numpy as np
from PIL import Image

from benchmarks.quality.pens import draw, place
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
from digits.refusals import Refusal

WIDTHS = {"thin": (0.7, 1.5), "usual": (1.5, 3.5), "thick": (3.5, 6)}  # of the pen, in pixels of the 20
PAD_PEN, PAD_SHARES = 20, (0.1, 0.8)  # the drawing pad's pen, and what digits may fill of it
DRAWN = ("as drawn", "strokes of 4 pixels", "strokes of 5 pixels")
WAYS = ("as they are", "thinned", "inked anew")


def pen_of(width: float, share: float) -> float:
    """The pen, in pixels of the pad, that is `width` of the 20 pixels thick with a digit whose strokes fill `share`."""
    return width * share * CANVAS / (BOX - width)


def of_widths(least: float, most: float) -> Callable[[np.random.Generator], tuple[float, float]]:
    """A function that draws a pen by lot, and what the strokes fill of the pad."""

    def lot(rng: np.random.Generator) -> tuple[float, float]:
        width = rng.uniform(least, most)
        share = rng.uniform(*DIGIT_SIZES) * (1 - width / BOX)  # the pen is thick on both sides of the strokes
        return pen_of(width, share), share

    return lot


def prepared(picture: Image.Image, thickest: float) -> np.ndarray:
    """The picture's pixels (28, 28) uint8, all 0 where it is refused; strokes thicker than `thickest` are thinned."""
    with patch.object(centring, "THICK", thickest), suppress(Refusal):
        return pictures.prepare_image(picture)
    return np.zeros((SIDE, SIDE), np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.widths", description=__doc__)
    parser.add_argument("--teachers", type=Path, nargs="+", metavar="FILE", help="weights that lack a third of writers")
    parser.add_argument("--strokes", type=Path, default=DATA / "pen_digits.json.gz", metavar="FILE")
    parser.add_argument("--count", type=int, default=2000, help="held-out MNIST images")
    options = parser.parse_args()
    recordings = read_recordings(options.strokes)
    writers = np.array([recording.writer for recording in recordings])
    readers = [(Classifier(load_weights(SHIPPED)), np.full(len(recordings), True))]
    if options.teachers:
        teachers = [load_weights(path) for path in options.teachers]
        thirds = [fold_of_writers(recordings, weights.figures["training"]["fold"]) for weights in teachers]
        readers = [(Classifier(w), np.isin(writers, list(third))) for w, third in zip(teachers, thirds, strict=True)]
    labels = np.array([recording.label for recording in recordings])
    lots = {f"{name} pens, {low} to {high}": of_widths(low, high) for name, (low, high) in WIDTHS.items()}
    lots["the pad's pen, digits of 10 % to 80 %"] = lambda rng: (PAD_PEN, rng.uniform(*PAD_SHARES))

    print("digits  changed  " + "  ".join(f"{way:>11}" for way in WAYS) + "   (read right)")
    rows = {}

    def tell(name: str, pixels: np.ndarray, right: list[np.ndarray]) -> None:
        thinned = float((pixels[0] != pixels[1]).any(axis=(1, 2)).mean())
        shares = [float(way.mean()) for way in right]
        rows[name] = {"digits": len(right[0]), "changed": thinned, **dict(zip(WAYS, shares, strict=False))}
        cells = "  ".join(f"{share:>11.2%}" for share in shares)
        print(f"{len(right[0]):6}  {thinned:>7.2%}  {cells:<37}  {name}", flush=True)

    for name, lot in lots.items():
        rng = np.random.default_rng(1)
        pixels = np.zeros((len(WAYS), len(recordings), SIDE, SIDE), np.uint8)
        for index, recording in enumerate(recordings):
            pen, share = lot(rng)
            picture = draw(recording.strokes, pen, share, rng)
            placed = place(recording.strokes, pen, share, rng)
            strokes = [Stroke(points / CANVAS, pen / CANVAS) for points in placed]
            pixels[:2, index] = [prepared(picture, thickest) for thickest in (BOX, centring.THICK)]
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
        drawn = [Image.fromarray(DISTORTIONS[name](tile, rng)) for tile in held_out.pixels[: options.count]]
        pixels = np.array([[prepared(p, thickest) for p in drawn] for thickest in (BOX, centring.THICK)])
        right = [(shipped.probabilities(way).argmax(axis=1) == held_out.labels[: options.count]) for way in pixels]
        tell(f"MNIST, {name}", pixels, right)
    print(json.dumps({"teachers": len(options.teachers or []), "rows": rows}))


if __name__ == "__main__":
    main()
