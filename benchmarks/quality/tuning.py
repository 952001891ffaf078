"""How the constants of background correction were chosen: the loss at several values of each, the others as shipped.

Run as `python -m benchmarks.quality.tuning`, about an hour. The pictures are photographs of MNIST's training images and
of synthetic handwriting, whole and cropped to their ink, and of blank paper; `manage.py fetch_mnist` brings the images.
A value is worth taking where the loss differs by more than twice its standard error, and differs as much with another
`--seed`.
"""

from .. import environment

environment.use_one_blas_thread()

import argparse
import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("DJANGO_DEBUG", "1")

import django
import numpy as np
from PIL import Image

django.setup()

from digit_recognizer_dl_model.dataset import DATA, Dataset, read_csv
from digit_recognizer_dl_model.doubt import doubts
from digit_recognizer_dl_model.inference import Classifier
from digit_recognizer_dl_model.weights import SHIPPED, load_weights
from digits.pictures import background

from .margins import INKED, crop
from .photographs import KINDS, Digit, choose_image, encode, expose, write_digit
from .reading import prepare_all

SEED = 20_261_128
COUNT = 60  # photographs of each kind; a quarter as many crops and blank papers
MARGINS = (0, 0.05, 0.2)  # of the crops
DEAREST = 5.0  # the loss of a picture that is refused, and the largest of one that is read
UNSURE = 1.0  # the loss of a blank paper for which the answer is "not sure"
BLANK = -1
UPRIGHT = 1  # the EXIF orientation of a picture that is not turned

VALUES: dict[str, Sequence[float]] = {
    "EVEN": (2, 3, 4, 6),
    "STAINED": (0.02, 0.03, 0.04, 0.06, 0.1),
    "SPECK": (14, 20, 28),
    "SPECKS": (0.00025, 0.0005, 0.001),
    "CALM": (0.01, 0.015, 0.02, 0.03, 0.04),
    "ENOUGH": (300, 400, 500),
    "CELLS": (32, 40, 50),
    "BROADEST": (9, 11, 13, 15, 17),
    "NARROW": (4, 5, 6, 8),
    "BESIDE": (2, 3, 4),
    "CORNER": (2, 3, 4, 5),
    "CELL_INKED": (0.15, 0.2, 0.3, 0.4),
    "GUESSED": (0.03, 0.045, 0.06, 0.08, 0.12),
    "DOUBT": (0.6, 0.7, 0.8, 0.9, 1.0),
    "LIFTED": (0, 1, 2, 3),
    "DARK": (15, 20, 30, 45, 60),
    "CELL_FAINT": (0.1, 0.15, 0.2, 0.25),
    "SMALL": (0.05, 0.07, 0.1, 0.15, 0.2),
    "AT_BORDER": (0.15, 0.3, 0.5, 1),
    "LEAST": (30, 45, 60),
}


def take_pictures(dataset: Dataset, count: int, seed: int) -> Iterator[tuple[Image.Image, int]]:
    """Photographs and their labels; blank paper has the label BLANK."""
    rng = np.random.default_rng(seed)
    for kind in KINDS.values():
        for number in range(count + count // 4):
            digit: tuple[Digit, int] = choose_image(dataset, rng) if number % 2 else write_digit(rng)
            picture, ink = expose(kind(rng), digit[0], rng)
            if number >= count and ink.max() > INKED:
                picture = crop(picture, ink, rng.choice(MARGINS))
            yield as_jpeg(picture, rng), int(digit[1])
        for _ in range(count // 4):
            scene = replace(kind(rng), grain=np.inf)  # which takes all the ink away
            yield as_jpeg(expose(scene, write_digit(rng)[0], rng)[0], rng), BLANK


def as_jpeg(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """The luminance of a picture after it was stored as a phone does; decoded, as it is read many times."""
    return Image.open(io.BytesIO(encode(picture, UPRIGHT, rng))).convert("L")


def losses(classifier: Classifier, pictures: Sequence[Image.Image], labels: np.ndarray) -> np.ndarray:
    """The loss of each picture, (n,): the cross-entropy of a digit; for blank paper, how sure the answer is."""
    pixels, refused = prepare_all(pictures)
    probabilities = classifier.probabilities(pixels)
    is_sure = ~doubts(probabilities, classifier.weights).is_uncertain
    entropy = -np.log(np.maximum(probabilities[np.arange(len(labels)), labels], np.exp(-DEAREST)))
    of_digits = np.where(refused, DEAREST, entropy)
    of_blanks = np.where(refused, 0, np.where(is_sure, DEAREST, UNSURE))
    return np.where(labels == BLANK, of_blanks, of_digits)


@contextmanager
def changed(name: str, value: float) -> Iterator[None]:
    """A constant of background correction with another value."""
    shipped = getattr(background, name)
    setattr(background, name, value)
    try:
        yield
    finally:
        setattr(background, name, shipped)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="a constant (all of them)")
    parser.add_argument("--count", type=int, default=COUNT, help=f"photographs of each kind ({COUNT})")
    parser.add_argument("--seed", type=int, default=SEED, help="of the pictures")
    options = parser.parse_args()
    classifier, dataset = Classifier(load_weights(SHIPPED)), read_csv(DATA / "mnist_train.csv")
    pictures, labels = zip(*take_pictures(dataset, options.count, options.seed), strict=True)
    shipped = losses(classifier, pictures, np.array(labels))
    print(f"The mean loss of {len(labels)} pictures is {shipped.mean():.4f}. What other values add to it:\n")
    print("| constant | shipped | other values, with the standard error of the difference |")
    print("| --- | ---: | --- |")
    for name in options.names or VALUES:
        cells = []
        for value in VALUES[name]:
            if value != getattr(background, name):
                with changed(name, value):
                    more = losses(classifier, pictures, np.array(labels)) - shipped
                cells.append(f"{value:g}: {more.mean():+.4f} ± {more.std() / len(more) ** 0.5:.4f}")
        print(f"| `{name}` | {getattr(background, name):g} | {', '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
