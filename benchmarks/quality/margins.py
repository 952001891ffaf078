"""How much the margin around a digit matters: the same digits cropped to their ink, and with some of their paper.

Run as `python -m benchmarks.quality.margins`, about two minutes. The digits are MNIST's test images at their own size
and enlarged, synthetic handwriting drawn at many sizes, digits in type and of segments, and photographs; dark on light
and light on dark. `--fit` chooses the weights of `digits.pictures.levels` instead, by other digits: a logistic
regression tells the level of the ink from that of the paper.
"""

from .. import environment

environment.use_one_blas_thread()

import argparse
import os
from collections.abc import Callable, Iterator

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("DJANGO_DEBUG", "1")

import django
import numpy as np
from PIL import Image, ImageDraw, ImageFont

django.setup()

from digit_recognizer_dl_model.dataset import DATA, Dataset, read_csv
from digit_recognizer_dl_model.doubt import doubts
from digit_recognizer_dl_model.frame import SIDE
from digit_recognizer_dl_model.inference import Classifier
from digit_recognizer_dl_model.synthetic import handwriting
from digit_recognizer_dl_model.weights import SHIPPED, load_weights
from digits.pictures import levels

from . import photographs
from .reading import prepare_all
from .strokes import draw_strokes, extent, fit

MARGINS = (0, 0.02, 0.05, 0.1, 0.3)  # fractions of the digit's longer side
INKED = 0.5  # ink from which a pixel is inside the crop
DIGITS = 300  # of each kind
SEED, SEED_OF_FIT = 20_261_126, 20_261_127

# The ends of seven segments in a grid of 1 x 2, and the segments of each digit.
SEGMENTS = {
    "a": ((0, 0), (1, 0)),
    "b": ((1, 0), (1, 1)),
    "c": ((1, 1), (1, 2)),
    "d": ((1, 2), (0, 2)),
    "e": ((0, 2), (0, 1)),
    "f": ((0, 1), (0, 0)),
    "g": ((0, 1), (1, 1)),
}
SEGMENTS_OF = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")

Digits = Iterator[tuple[Image.Image, np.ndarray, int]]  # pictures with much paper, their ink (h, w) in 0-1, and labels


def tiles(dataset: Dataset | None, rng: np.random.Generator) -> Digits:
    while True:
        pixels, label = photographs.choose_image(dataset, rng)
        yield from printed(np.pad(pixels, SIDE) / 255, label, rng)


def enlarged(dataset: Dataset | None, rng: np.random.Generator) -> Digits:
    while True:
        pixels, label = photographs.choose_image(dataset, rng)
        tile = Image.fromarray(np.pad(pixels, SIDE))
        size = [side * int(rng.integers(2, 11)) for side in tile.size]
        yield from printed(np.asarray(tile.resize((size[0], size[0]), Image.Resampling.BICUBIC)) / 255, label, rng)


def drawn(dataset: Dataset | None, rng: np.random.Generator) -> Digits:
    while True:
        strokes, label = write_digit(rng)
        pen, size = rng.uniform(0.04, 0.16), int(10 ** rng.uniform(1.2, 2.9))
        fitted = fit(strokes, 1 - pen)
        places = [(stroke - extent(fitted) / 2 + 1) * size for stroke in fitted]
        sheet = draw_strokes((2 * size, 2 * size), places, max(1, pen * size), supersampling=int(rng.choice([1, 4])))
        yield from printed(1 - np.asarray(sheet) / 255, label, rng)


def typed(dataset: Dataset | None, rng: np.random.Generator) -> Digits:
    while True:
        label, size = int(rng.integers(10)), int(10 ** rng.uniform(1.4, 2.6))
        sheet = Image.new("L", (3 * size, 3 * size))
        ImageDraw.Draw(sheet).text((size, size), str(label), 255, ImageFont.load_default(size))
        yield from printed(np.asarray(sheet.rotate(rng.normal(0, 5), Image.Resampling.BICUBIC)) / 255, label, rng)


def of_segments(dataset: Dataset | None, rng: np.random.Generator) -> Digits:
    """Digits as displays and careful people write them, whose strokes run along the edges of a crop."""
    while True:
        label = int(rng.choice([0, 2, 3, 4, 5, 6, 7, 8, 9]))  # a bar that fills its picture shows nothing
        height = int(10 ** rng.uniform(1.1, 2.6))
        corner, size = np.array([height, height]), np.array([rng.uniform(0.45, 0.9), 0.5]) * height
        pen = max(1, int(height * rng.uniform(0.05, 0.2)))
        sheet = Image.new("L", (3 * height, 3 * height))
        for segment in SEGMENTS_OF[label]:
            ends = [tuple(corner + size * end) for end in SEGMENTS[segment]]
            ImageDraw.Draw(sheet).line(ends, 255, pen)
        yield from printed(np.asarray(sheet) / 255, label, rng)


def photographed(dataset: Dataset | None, rng: np.random.Generator) -> Digits:
    while True:
        scene = photographs.choose(list(photographs.KINDS.values()), rng)(rng)
        digit, label = photographs.choose((photographs.choose_image(dataset, rng), write_digit(rng)), rng)
        picture, ink = photographs.expose(scene, digit, rng)
        if ink.max() > INKED:
            yield picture, ink, int(label)


def write_digit(rng: np.random.Generator) -> tuple[list[np.ndarray], int]:
    form = photographs.choose(list(handwriting.FORMS.values()), rng)
    return handwriting.write_form(form, rng), form.digit


def printed(ink: np.ndarray, label: int, rng: np.random.Generator) -> Digits:
    """Ink (h, w) in 0-1 as a picture, dark on light or light on dark."""
    darkest, lightest = rng.uniform(0, 80), rng.uniform(170, 255)
    coverage = ink if rng.random() < 0.4 else 1 - ink
    yield Image.fromarray(np.rint(darkest + (lightest - darkest) * coverage).astype(np.uint8)), ink, int(label)


KINDS: dict[str, Callable[[Dataset, np.random.Generator], Digits]] = {
    "as tiles": tiles,
    "enlarged": enlarged,
    "drawn": drawn,
    "typed": typed,
    "of segments": of_segments,
    "photographed": photographed,
}


def crop(picture: Image.Image, ink: np.ndarray, margin: float) -> Image.Image:
    """The part of a picture that the ink reaches to, and a margin around it as far as the picture goes."""
    rows, columns = (np.flatnonzero((ink > INKED).any(axis=axis)) for axis in (1, 0))
    left, top, right, bottom = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    more = round(margin * max(right - left, bottom - top))
    return picture.crop(
        (max(left - more, 0), max(top - more, 0), min(right + more, picture.width), min(bottom + more, picture.height))
    )


def measure(classifier: Classifier, dataset: Dataset, kind: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Whether each digit is read right, and whether surely wrong, at each of the margins: (count, margins) bool."""
    rng = np.random.default_rng([SEED, list(KINDS).index(kind)])
    source = KINDS[kind](dataset, rng)
    digits = [next(source) for _ in range(count)]
    pixels, refused = prepare_all(crop(picture, ink, margin) for picture, ink, _ in digits for margin in MARGINS)
    probabilities = classifier.probabilities(pixels)
    read = probabilities.argmax(axis=1) == np.repeat([label for *_, label in digits], len(MARGINS))
    is_uncertain = doubts(probabilities, classifier.weights).is_uncertain
    right, wrong = read & ~refused, ~read & ~refused & ~is_uncertain
    return right.reshape(count, -1), wrong.reshape(count, -1)


def fit_weights() -> np.ndarray:
    """The weights of AREA, CORNERS and CONNECTED by which a level is told to be the ink's: (3,)."""
    rng = np.random.default_rng(SEED_OF_FIT)
    features = []
    for kind in (drawn, typed, of_segments):
        source = kind(None, rng)
        for _ in range(1000):
            ink = next(source)[1]
            for margin in MARGINS:
                small = levels.reduced(np.asarray(crop(Image.fromarray(np.float32(ink)), ink, margin)), levels.FINE)
                inked = small > (small.min() + small.max()) / 2
                features.append(levels.features(inked) - levels.features(~inked))
    differences, weights = np.array(features), np.zeros(3)
    for _ in range(30):  # Newton's method
        chances = 1 / (1 + np.exp(-differences @ weights))
        slope = differences.T @ (1 - chances) / len(differences) - 1e-3 * weights
        bend = (differences.T * (chances * (1 - chances))) @ differences / len(differences) + 1e-3 * np.eye(3)
        weights += np.linalg.solve(bend, slope)
    mistaken = np.count_nonzero(differences @ weights <= 0)
    print(f"{mistaken} of {len(differences)} pictures are taken for their negatives.")
    return weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--fit", action="store_true", help="choose the weights by which ink is told from paper")
    parser.add_argument("--count", type=int, default=DIGITS, help=f"digits of each kind ({DIGITS})")
    options = parser.parse_args()
    if options.fit:
        names = ("AREA", "CORNERS", "CONNECTED")
        print(", ".join(f"{name} {weight:.1f}" for name, weight in zip(names, fit_weights(), strict=True)))
        return
    classifier, dataset = Classifier(load_weights(SHIPPED)), read_csv(DATA / "mnist_test.csv")
    print("| kind | " + " | ".join(f"margin {100 * margin:.0f} %" for margin in MARGINS) + " | sure and wrong |")
    print("| --- |" + " ---: |" * (len(MARGINS) + 1))
    for kind in KINDS:
        right, wrong = measure(classifier, dataset, kind, options.count)
        kept = 100 * right[right[:, -1]].mean(axis=0)
        more = 100 * (wrong[:, 0].mean() - wrong[:, -1].mean())
        print(f"| {kind} | " + " | ".join(f"{value:.1f}" for value in kept) + f" | {more:+.1f} |", flush=True)


if __name__ == "__main__":
    main()
