"""Numbers to read: strings of MNIST's digits and of recorded pens on all kinds of paper, and pictures without any."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from digit_recognizer_dl_model.dataset import Dataset
from digit_recognizer_dl_model.recordings import Recording
from digit_recognizer_dl_model.synthetic.handwriting import write_form
from digits.pictures.drawing import Stroke

from .robustness import INK, PAPER, to_grey
from .strokes import draw_strokes, extent, fit
from .unseen_kinds import HAND_FORMS, word_in_type
from .unseen_kinds import lines as crossed_lines

DIGITS = 5  # of a line of MNIST's images
APART, TOUCHING, OVERLAPPING = 0.2, 0.0, -0.15  # gaps between their boxes, as fractions of MNIST's 20 pixels
MARGIN = 14  # pixels of paper around a line, in MNIST's pixels
SCALES = (1.5, 4.0)  # pixels of the picture along one of MNIST's
TILT = 10  # degrees, at most


class Sample(NamedTuple):
    """A number as it is sent.

    picture: luminance (h, w) uint8, or the strokes of a drawing on a pad.
    number: the digits that it shows; an empty text where it shows no number.
    """

    picture: np.ndarray | list[Stroke]
    number: str


def cheques(folder: Path) -> list[Sample]:
    """The pictures in a folder whose `numbers.csv` says what each shows, in the columns `file` and `number`."""
    with (folder / "numbers.csv").open(encoding="utf-8") as rows:
        return [
            Sample(np.asarray(Image.open(folder / row["file"]).convert("L")), row["number"])
            for row in csv.DictReader(rows)
        ]


def side_by_side(
    dataset: Dataset, gap: float, count: int, rng: np.random.Generator, paper: str = "plain"
) -> Iterator[Sample]:
    """Lines of MNIST's images; gap: between the boxes of two digits, as a fraction of MNIST's 20 pixels."""
    for _ in range(count):
        chosen = rng.integers(len(dataset.labels), size=DIGITS)
        ink = enlarged(line_of([dataset.pixels[index] for index in chosen], round(20 * gap)), rng)
        yield Sample(PAPERS[paper](ink, rng), "".join(str(dataset.labels[index]) for index in chosen))


def line_of(tiles: list[np.ndarray], gap: int) -> np.ndarray:
    """Tiles (28, 28) uint8 beside each other with so many pixels between their ink, on paper: (h, w) in 0-1."""
    parts = []
    for tile in tiles:
        columns = np.flatnonzero((tile > 25).any(axis=0))
        parts.append(tile[:, columns[0] : columns[-1] + 1])
    width = sum(part.shape[1] + gap for part in parts) - gap
    line = np.zeros((28 + 2 * MARGIN, width + 2 * MARGIN), np.uint8)
    left = MARGIN
    for part in parts:
        place = line[MARGIN : MARGIN + 28, left : left + part.shape[1]]
        np.maximum(place, part, out=place)
        left += part.shape[1] + gap
    return line.astype(np.float32) / 255


def enlarged(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Ink (h, w) at a random size."""
    scale = rng.uniform(*SCALES)
    size = round(ink.shape[1] * scale), round(ink.shape[0] * scale)
    return np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BICUBIC)).clip(0, 1)


def plain(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Dark on light, or one time in three light on dark."""
    paper, level = (PAPER, INK) if rng.random() < 2 / 3 else (INK, PAPER)
    return to_grey(paper + ink * (level - paper))


def lined(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return on_rulings(ink, rng, is_squared=False)


def squared(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return on_rulings(ink, rng, is_squared=True)


def on_rulings(ink: np.ndarray, rng: np.random.Generator, is_squared: bool) -> np.ndarray:
    """Grey rulings at the distance of lined or squared paper, under digits of twice or four times that height."""
    digit = len(ink) * 20 / (28 + 2 * MARGIN)  # pixels
    distance = digit * (rng.uniform(0.4, 0.6) if is_squared else rng.uniform(1.1, 1.5))
    thickness, depth = max(digit * rng.uniform(0.03, 0.06), 1), rng.uniform(25, 80)
    y, x = np.mgrid[: ink.shape[0], : ink.shape[1]] + rng.uniform(0, distance, (2, 1, 1))
    lines = (y % distance < thickness) | (is_squared & (x % distance < thickness))
    return to_grey(PAPER - np.maximum(ink * (PAPER - INK), lines * depth))


def patterned(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The waves of a security pattern, in one direction or two."""
    y, x = np.mgrid[: ink.shape[0], : ink.shape[1]].astype(np.float32)
    digit = len(ink) * 20 / (28 + 2 * MARGIN)
    waves = np.zeros(ink.shape, np.float32)
    for angle in rng.uniform(-0.5, 0.5, rng.integers(1, 3)):
        along, across = x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)
        across += digit * 0.15 * np.sin(along * 2 * np.pi / (digit * rng.uniform(0.8, 3)))
        waves = np.maximum(waves, np.cos(across * 2 * np.pi / (digit * rng.uniform(0.12, 0.3))).clip(0, 1))
    return to_grey(PAPER - np.maximum(ink * (PAPER - INK), waves * rng.uniform(20, 70)))


def shaded(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Light that falls to one side, and a soft shadow across."""
    y, x = (np.linspace(-1, 1, side, dtype=np.float32) for side in ink.shape)
    angle = rng.uniform(0, 2 * np.pi)
    along = np.cos(angle) * x + np.sin(angle) * y[:, None]
    light = 1 - rng.uniform(0.1, 0.4) * (along + 1.5) / 3
    light *= 1 - rng.uniform(0.1, 0.4) / (1 + np.exp(-rng.uniform(4, 12) * (along - rng.uniform(-0.6, 0.6))))
    return to_grey((PAPER + ink * (INK - PAPER)) * light + rng.normal(0, 3, ink.shape))


def tilted(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Turned by up to TILT degrees."""
    picture = Image.fromarray(to_grey(PAPER + ink * (INK - PAPER)))
    return np.asarray(picture.rotate(rng.uniform(-TILT, TILT), Image.Resampling.BICUBIC, expand=True, fillcolor=PAPER))


def underlined(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A line as dark as the ink, as forms have it, on which most digits stand or which they cross, and hardly level."""
    digit = len(ink) * 20 / (28 + 2 * MARGIN)
    y, x = np.mgrid[: ink.shape[0], : ink.shape[1]] - np.array(ink.shape)[:, None, None] / 2
    distance = y - digit * rng.uniform(0.35, 0.6) - x * np.tan(np.radians(rng.uniform(-2, 2)))
    line = np.abs(distance) < max(digit * rng.uniform(0.03, 0.06), 1) / 2 + 0.5
    return to_grey(PAPER + np.maximum(ink, line) * (INK - PAPER))


PAPERS: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "plain": plain,
    "lined": lined,
    "squared": squared,
    "patterned": patterned,
    "shaded": shaded,
    "tilted": tilted,
    "on a dark line": underlined,
}


def drawn(recordings: list[Recording], count: int, rng: np.random.Generator) -> Iterator[Sample]:
    """Numbers of two to six recorded digits by one writer, drawn on a pad; from natural spacing to touching."""
    writers = sorted({recording.writer for recording in recordings})
    by_writer = {writer: [each for each in recordings if each.writer == writer] for writer in writers}
    for _ in range(count):
        of_writer = by_writer[writers[rng.integers(len(writers))]]
        chosen = [of_writer[index] for index in rng.integers(len(of_writer), size=rng.integers(2, 7))]
        yield Sample(beside_each_other(chosen, rng), "".join(str(each.label) for each in chosen))


def beside_each_other(chosen: list[Recording], rng: np.random.Generator) -> list[Stroke]:
    """The strokes of digits beside each other on a pad twice as wide as high, by one pen."""
    width = rng.choice([12, 20, 28]) / 280
    gap = rng.choice([rng.uniform(0, 0.04), rng.uniform(0.04, 0.35)])  # heights between the lines of the pen
    placed, left = [], 0.0
    for recording in chosen:
        strokes = fit(recording.strokes, 1)
        tall = extent(strokes)[1]
        shift = np.array([left, 1 - tall + rng.normal(0, 0.03)])
        placed += [stroke + shift for stroke in strokes]
        left += extent(strokes)[0] + gap
    height = min(rng.uniform(0.3, 0.8), (2 - 2 * width - 0.1) / left)  # of the pad, that digits are high
    corner = np.array([rng.uniform(0, 2 - left * height - width), rng.uniform(0, 1 - 1.1 * height - width)])
    corner = np.maximum(corner, 0) + width / 2
    return [Stroke(stroke * height + corner, width) for stroke in placed]


def no_numbers(count: int, rng: np.random.Generator) -> Iterator[Sample]:
    """Words in type and by hand, scribbles, and empty frames."""
    makers = [word_in_type, word_by_hand, crossed_lines, frame]
    for index in range(count):
        picture = makers[index % len(makers)](rng)
        yield Sample(np.asarray(picture.convert("L")), "")


def word_by_hand(rng: np.random.Generator) -> Image.Image:
    """Two to six letters, none of which is like a digit or was trained on."""
    placed, left = [], 0.0
    for form in (HAND_FORMS[index] for index in rng.integers(len(HAND_FORMS), size=rng.integers(2, 7))):
        strokes = fit(write_form(form, rng), 60)
        placed += [stroke + np.array([left, 0]) for stroke in strokes]
        left += extent(strokes)[0] + rng.uniform(4, 20)
    pen = rng.uniform(4, 8)
    return draw_strokes((round(left) + 40, 110), [stroke + 22 for stroke in placed], pen, supersampling=2)


def frame(rng: np.random.Generator) -> Image.Image:
    """An empty field of a form, or several beside each other."""
    height, width, fields = rng.integers(40, 90), rng.integers(40, 300), rng.integers(1, 6)
    edges = np.linspace(0, width, fields + 1)
    strokes = [np.array([[0.0, y], [width, y]]) for y in (0, height)]
    strokes += [np.array([[x, 0.0], [x, height]]) for x in edges]
    pen = rng.uniform(1, 5)
    picture = draw_strokes((width + 40, height + 40), [stroke + 20 for stroke in strokes], pen, supersampling=2)
    return picture.filter(ImageFilter.GaussianBlur(rng.uniform(0, 1)))
