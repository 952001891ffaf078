"""Pictures that the network gets wrong, the surest first: `measure --save` keeps them in the weights file.

Run as `python -m benchmarks.quality.failures` to draw those of the weights file in docs/failures.png.
"""

from .. import environment

environment.use_one_blas_thread()

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("DJANGO_DEBUG", "1")

import django

django.setup()

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from digit_recognizer_dl_model.dataset import Dataset
from digit_recognizer_dl_model.doubt import doubts
from digit_recognizer_dl_model.figures import Failure, grouped_failures
from digit_recognizer_dl_model.frame import BOX, SIDE
from digit_recognizer_dl_model.inference import Classifier
from digit_recognizer_dl_model.recordings import Recording
from digit_recognizer_dl_model.weights import SHIPPED, load_weights

from . import corruptions, unseen_kinds
from .pens import draw_recording
from .reading import prepare_all

IMAGES, PENS, DAMAGED, NO_DIGITS = "Test images", "Pens of strangers", "Damaged pictures", "Pictures of no digit"
EACH = 24  # failures of a group at most
TRIED = 200  # pictures of each kind of damage, and of each kind that shows no digit
SEED = 20_261_127
PEN = 16  # pixels of a canvas of 280

PICTURE = Path(__file__).parents[2] / "docs" / "failures.png"
COLUMNS = 12
ENLARGEMENT = 2
CELL = 72, 88  # pixels of the width and height of an example with its caption
TITLE = 26  # pixels


def find_failures(
    classifier: Classifier, test: Dataset, strangers: list[tuple[Classifier, list[Recording]]] = ()
) -> tuple[Failure, ...]:
    """What a classifier gets wrong: test images, damaged ones, pictures of no digit that it takes for one.

    strangers: classifiers with the recordings of people whom they have never seen.
    """
    return (
        *surest(classifier, test.pixels, IMAGES, list(map(str, test.labels))),
        *pens_of(strangers),
        *damaged(classifier, test),
        *no_digits(classifier),
    )


def surest(classifier: Classifier, pixels: np.ndarray, group: str, shown: list[str], most: int = EACH) -> list[Failure]:
    """The wrong answers to pixels (n, 28, 28) uint8, the surest first; "not sure" is right where no digit is shown."""
    probabilities = classifier.probabilities(pixels)
    doubted = doubts(probabilities, classifier.weights)
    is_wrong = np.array(
        [
            str(digit) != name if name.isdigit() else not is_uncertain
            for name, digit, is_uncertain in zip(shown, doubted.digits, doubted.is_uncertain, strict=True)
        ],
        bool,
    )
    order = np.lexsort((-probabilities.max(axis=1), doubted.is_uncertain))
    return [
        Failure.of(pixels[index], group, shown[index], int(doubted.digits[index]), bool(doubted.is_uncertain[index]))
        for index in order[is_wrong[order]][:most]
    ]


def pens_of(strangers: list[tuple[Classifier, list[Recording]]]) -> Iterator[Failure]:
    """Recorded digits, each read by the teacher that has never seen its writer."""
    rng = np.random.default_rng(SEED)
    for classifier, recordings in strangers:
        pixels, _ = prepare_all(draw_recording(recording.strokes, PEN, BOX / SIDE, rng) for recording in recordings)
        shown = [str(recording.label) for recording in recordings]
        yield from surest(classifier, pixels, PENS, shown, EACH // len(strangers))


def damaged(classifier: Classifier, test: Dataset) -> Iterator[Failure]:
    """The surest mistake with each kind of damage."""
    images = corruptions.some_of(test, TRIED)
    for name in corruptions.DAMAGE:
        pixels, refused = prepare_all(corruptions.corrupted(images.pixels, name), classifier)
        shown = list(map(str, images.labels[~refused]))
        yield from surest(classifier, pixels[~refused], DAMAGED, shown, 1)


def no_digits(classifier: Classifier) -> Iterator[Failure]:
    """The surest mistakes with each unseen kind."""
    for name, make in unseen_kinds.KINDS.items():
        pixels = unseen_kinds.make_pixels(TRIED, np.random.default_rng(SEED), make)
        yield from surest(classifier, pixels, NO_DIGITS, [name] * TRIED, 4)


def draw(failures: tuple[Failure, ...]) -> Image.Image:
    """The failures on a white sheet, group by group, each with what it shows and what it was read as."""
    groups = grouped_failures(failures)
    heights = [TITLE + CELL[1] * -(-len(members) // COLUMNS) for members in groups.values()]
    sheet = Image.new("L", (COLUMNS * CELL[0], sum(heights)), 255)
    brush, title, text = ImageDraw.Draw(sheet), ImageFont.load_default(15), ImageFont.load_default(11)
    top = 0
    for (name, members), height in zip(groups.items(), heights, strict=True):
        brush.text((8, top + 6), name, 0, title)
        for number, failure in enumerate(members):
            row, column = divmod(number, COLUMNS)
            corner = column * CELL[0] + 8, top + TITLE + row * CELL[1] + 4
            tile = Image.fromarray(255 - failure.pixels)
            sheet.paste(tile.resize((SIDE * ENLARGEMENT, SIDE * ENLARGEMENT), Image.Resampling.NEAREST), corner)
            brush.text((corner[0], corner[1] + SIDE * ENLARGEMENT + 4), caption(failure), 80, text)
        top += height
    return sheet


def caption(failure: Failure) -> str:
    read = f"as {failure.answer}{', ?' if failure.is_uncertain else ''}"
    return f"{failure.shown} {read}" if failure.shown.isdigit() else f"read {read}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.failures", description=__doc__)
    parser.add_argument("--out", type=Path, default=PICTURE)
    options = parser.parse_args()
    draw(load_weights(SHIPPED).figures.failures).save(options.out, optimize=True)
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
