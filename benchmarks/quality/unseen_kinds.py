"""How many pictures that do not show one digit are refused, of unseen kinds: letters, shapes, photographs.

The network was trained on the kinds of `negatives`, so its figures for them flatter. The kinds of this module are for
measuring alone: nothing may be trained on or fitted to them. The pictures are prepared like every picture that is sent.
Most letters in type are drawn among the negatives as well, by the program that writes digits, but not in type.
"""

import zlib
from collections.abc import Callable
from typing import NamedTuple, Self

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from digit_recognizer_dl_model.counts import Count
from digit_recognizer_dl_model.dataset import Dataset
from digit_recognizer_dl_model.doubt import doubt_scores, doubts
from digit_recognizer_dl_model.figures import UnseenKind, UnseenKinds, in_order
from digit_recognizer_dl_model.frame import BOX, SIDE
from digit_recognizer_dl_model.inference import Classifier
from digit_recognizer_dl_model.synthetic import handwriting
from digit_recognizer_dl_model.synthetic.handwriting import Form
from digits import pictures
from digits.refusals import Blank

from .robustness import to_grey
from .strokes import draw_strokes, fit

SAMPLES_A_KIND = 500
SEED = 20_240_301
TWO_DIGITS = "two MNIST digits"  # a kind that is made of the digits it is told from

SHEET = 280  # pixels of a drawing's side
DRAWING_SIZES = (0.4, 0.8)  # fractions of the sheet's side that a drawing fills
MARGIN = 0.05  # sheets from the drawing to the sheet's left and upper edge
PEN_WIDTHS = (1.2, 3.2)  # pixels once the drawing is 20 pixels large
TYPE_SIZE = 72  # pixels of an em

# Characters that look like a digit are left out: the letters B D G I J L O Q S Z and b g i j l o q s z, the symbols
# ! | / \ - _ ( ) [ ] and the sign of a degree; the built-in font of Pillow has no other symbols.
LETTERS = "ACEFHKMNPRTUVWXY" + "acdefhkmnprtuvwxy"
SYMBOLS = "#$%&*+<=>?@^{}~±©«»™…"

# Others than those that `negatives` has.
HAND_LETTERS = {
    "F": "60~8,0 0,0!! 0~4,100 | 0,48~5 45~6,48~5",
    "P": "0,100 0,0!! 40,2 52~5,25 40,50 2,52~4",
    "X": "0~5,0 62~6,100 | 62~6,0 0~5,100",
    "f": "56~5,8 36,0 24,18 22,100 | 0,42~5 46~5,42~5",
    "p": "0,0 2,100! 2,20 22~4,0 44~4,14~4 44~4,38~4 22~4,54 2,40~4",
    "w": "0,0 14,100 36~4,30! 54,100 76,0",
    "x": "0,0 50~5,100 | 52~5,0 0~4,100",
    "gamma": "0~4,100 0~4,0!! 60~6,0~4",
    "delta": "34~6,0 0~5,100!! 70~6,100!! 34~6,0",
    "pi": "0~4,0~4 76~6,0~4 | 16~4,0 14~5,100 | 58~4,0 60~5,100",
    "sigma": "62~6,4~4 2~4,0!! 34~5,48~5!! 0~4,100!! 64~6,96~4",
    "psi": "0~4,0 6~4,44~5 32~4,60~4 58~4,44~5 64~5,0 | 32~4,0 32~4,100",
    "omega": "4~4,100 24~4,98 6~4,60~5 10~4,20~5 36~4,0 62~4,20~5 66~4,60~5 48~4,98 70~5,100",
}
HAND_FORMS = [Form(-1, strokes) for strokes in HAND_LETTERS.values()]


Maker = Callable[[np.random.Generator], Image.Image]


def measure_unseen_kinds(classifier: Classifier, digits: Dataset, count: int = SAMPLES_A_KIND) -> UnseenKinds:
    """Measure how well a classifier tells `count` pictures of each unseen kind from digits."""
    kinds: dict[str, Maker] = {**KINDS, TWO_DIGITS: lambda rng: two_digits(digits.pixels, rng)}
    of_digits = Doubted.of(classifier, digits.pixels)
    rows = []
    for kind, make in kinds.items():
        rng = np.random.default_rng([SEED, zlib.crc32(kind.encode())])  # a kind stays as it is when others are added
        doubted = Doubted.of(classifier, make_pixels(count, rng, make))
        rows.append(
            UnseenKind(
                kind,
                Count(int(doubted.is_refused.sum()), count),
                area_under_roc(of_digits.score, doubted.score),
                area_under_roc(of_digits.unsureness, doubted.unsureness),
            )
        )
    accepted = ~of_digits.is_refused
    return UnseenKinds(Count(int(accepted.sum()), len(accepted)), tuple(rows))


class Doubted(NamedTuple):
    """How much a classifier doubts n pictures."""

    is_refused: np.ndarray  # (n,) bool
    score: np.ndarray  # (n,) by the whole rule
    unsureness: np.ndarray  # (n,) by confidence alone: the probability of all digits but the likeliest

    @classmethod
    def of(cls, classifier: Classifier, pixels: np.ndarray) -> Self:
        """The doubts about pixels (n, 28, 28) uint8."""
        probabilities, weights = classifier.probabilities(pixels), classifier.weights
        is_refused = doubts(probabilities, weights).is_uncertain
        return cls(is_refused, doubt_scores(probabilities, weights), 1 - probabilities.max(axis=1).astype(np.float64))


def area_under_roc(negatives: np.ndarray, positives: np.ndarray) -> float:
    """The probability that a positive scores higher than a negative, ties counted half; scores (n,) and (m,).

    It is the area under the receiver operating characteristic (Hanley & McNeil 1982).
    """
    ordered = np.sort(negatives)
    below = np.searchsorted(ordered, positives, side="left") + np.searchsorted(ordered, positives, side="right")
    return float(below.mean() / (2 * len(negatives)))


def describe_unseen_kinds(figures: UnseenKinds) -> str:
    """The figures of `measure_unseen_kinds` as lines of text, the least refused first."""
    table = [
        f"{kind.count.fraction:>22.2%}  {kind.auroc:.4f}  {kind.auroc_of_confidence:.4f}  {kind.name}"
        for kind in (*in_order(figures.kinds), figures.pooled)
    ]
    digits = f"{figures.digits.wrong_fraction:>22.2%}  of the digits that they are told from"
    return "\n".join(["unseen kinds   refused   AUROC  of confidence alone", *table, digits])


def make_pixels(count: int, rng: np.random.Generator, make: Maker) -> np.ndarray:
    """Make and prepare `count` pictures: (count, 28, 28) uint8, ink 255 on 0.

    A blank picture is refused before it reaches the network, so another one is made instead.
    """
    pixels = np.zeros((count, SIDE, SIDE), np.uint8)
    done = 0
    while done < count:
        try:
            pixels[done] = pictures.prepare_image(make(rng))
        except Blank:
            continue
        done += 1
    return pixels


def letter_in_type(rng: np.random.Generator) -> Image.Image:
    return print_text(choose_characters(LETTERS, 1, rng), rng)


def word_in_type(rng: np.random.Generator) -> Image.Image:
    """Two to five letters."""
    return print_text(choose_characters(LETTERS, rng.integers(2, 6), rng), rng)


def number_in_type(rng: np.random.Generator) -> Image.Image:
    """Two to five digits."""
    return print_text(choose_characters("0123456789", rng.integers(2, 6), rng), rng)


def symbol_in_type(rng: np.random.Generator) -> Image.Image:
    return print_text(choose_characters(SYMBOLS, 1, rng), rng)


def letter_by_hand(rng: np.random.Generator) -> Image.Image:
    """A letter by the hands that write the digits of `handwriting`."""
    return draw_with_pen(handwriting.write_form(HAND_FORMS[rng.integers(len(HAND_FORMS))], rng), rng)


def lines(rng: np.random.Generator) -> Image.Image:
    """A level line, two or three parallel ones, or two to four that cross in one point; an upright one is a one."""
    kind = rng.choice(["level", "parallel", "crossing"])
    if kind == "level":
        return draw_with_pen([turned(np.array([[-1.0, 0], [1, 0]]), rng.uniform(-0.3, 0.3))], rng)
    if kind == "parallel":
        count, gap, angle = rng.integers(2, 4), rng.uniform(0.7, 1.1), rng.uniform(0, np.pi)
        return draw_with_pen([turned(np.array([[-1, n * gap], [1, n * gap]]), angle) for n in range(count)], rng)
    count, angle = rng.integers(2, 5), rng.uniform(0, np.pi)
    directions = angle + (np.arange(count) + rng.uniform(-0.15, 0.15, count)) * np.pi / count
    return draw_with_pen([turned(np.array([[-1.0, 0], [1, 0]]), direction) for direction in directions], rng)


def closed_shape(rng: np.random.Generator) -> Image.Image:
    """A closed shape of SHAPES, by an unsteady hand; not a circle, which is a zero.

    `negatives` has closed lines with uneven corners and rings with dots, so of all kinds this is the least unseen.
    """
    strokes = list(SHAPES.values())[rng.integers(len(SHAPES))]
    width, tilt = rng.uniform(0.85, 1.2), rng.normal(0, 0.1)
    return draw_with_pen(
        [turned(s * [width, 1] + rng.normal(0, 0.02, s.shape) * (len(s) < 20), tilt) for s in strokes], rng
    )


def two_digits(digits: np.ndarray, rng: np.random.Generator) -> Image.Image:
    """Two of these digits (n, 28, 28) uint8 beside each other, as near as in a number."""
    parts = []
    for digit in digits[rng.integers(len(digits), size=2)]:
        inked = np.flatnonzero(digit.any(axis=0))
        parts += [digit[:, inked[0] : inked[-1] + 1], np.zeros((SIDE, rng.integers(0, 5)), np.uint8)]
    row = np.pad(np.concatenate(parts, axis=1), 6)
    height, width = row.shape
    return Image.fromarray(255 - row).resize((5 * width, 5 * height), Image.Resampling.BICUBIC)


def dead_leaves(rng: np.random.Generator) -> Image.Image:
    """A scene of things that hide each other, with texture, light from one side and a horizon at times.

    By the dead leaves model (Lee, Mumford & Huang 2001), which has the edges of photographs and their statistics.
    """
    side = 112  # pixels
    texture = rough_surface(side, rng)
    if rng.random() < 0.4:
        texture[: rng.integers(side // 4, 3 * side // 4)] += rng.choice([-2, 2])  # the sky
    scene = Image.fromarray(to_grey(texture * rng.uniform(2, 40) + rng.uniform(60, 200)))
    brush = ImageDraw.Draw(scene)
    for _ in range(int(80 ** rng.random())):
        radius = min(4 / np.sqrt(rng.random()), side / 2)  # the number of larger ones falls with the square
        x, y = rng.uniform(0, side, 2)
        angles = np.sort(rng.uniform(0, 2 * np.pi, rng.choice([3, 4, 5, 40])))
        outline = np.column_stack([x + radius * np.cos(angles), y + radius * np.sin(angles)])
        brush.polygon([tuple(point) for point in outline.tolist()], fill=int(rng.integers(256)))
    blurred = np.asarray(scene.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 2))), np.float64)
    light = np.linspace(1, rng.uniform(0.4, 1), side)
    grain = rng.normal(0, rng.uniform(1, 5), (side, side))
    return Image.fromarray(to_grey(blurred * (light if rng.random() < 0.5 else light[:, None]) + grain))


def sensor_noise(rng: np.random.Generator) -> Image.Image:
    """A picture of an even surface in the dark, with noise as a camera leaves it: raw or smoothed."""
    side = rng.integers(40, 160)
    noise = rng.normal(rng.uniform(40, 200), rng.uniform(15, 60), (side, side))
    picture = Image.fromarray(to_grey(noise + np.linspace(0, rng.uniform(-15, 15), side)))
    if rng.random() < 0.5:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.5)))
    return picture


KINDS: dict[str, Maker] = {
    "letter in type": letter_in_type,
    "letter by hand": letter_by_hand,
    "word in type": word_in_type,
    "number in type": number_in_type,
    "symbol in type": symbol_in_type,
    "lines": lines,
    "shape": closed_shape,
    "photograph": dead_leaves,
    "sensor noise": sensor_noise,
}


def choose_characters(characters: str, count: int, rng: np.random.Generator) -> str:
    return "".join(rng.choice(list(characters), count))


def print_text(text: str, rng: np.random.Generator) -> Image.Image:
    """A text in Pillow's built-in font, more or less bold and oblique."""
    font = ImageFont.load_default(TYPE_SIZE)
    left, top, right, bottom = font.getbbox(text)
    sheet = Image.new("L", (int(right - left) + TYPE_SIZE, int(bottom - top) + TYPE_SIZE), "white")
    place = (TYPE_SIZE / 2 - left, TYPE_SIZE / 2 - top)
    ImageDraw.Draw(sheet).text(place, text, "black", font, stroke_width=int(rng.integers(0, 4)), stroke_fill="black")
    slant = rng.choice([0, rng.uniform(0, 0.25)])  # sideways per height
    oblique = (1, slant, -slant * sheet.height / 2, 0, 1, 0)
    sheet = sheet.transform(sheet.size, Image.Transform.AFFINE, oblique, Image.Resampling.BICUBIC, fillcolor="white")
    return sheet.rotate(rng.normal(0, 3), Image.Resampling.BICUBIC, expand=True, fillcolor="white")


def draw_with_pen(strokes: list[np.ndarray], rng: np.random.Generator) -> Image.Image:
    """Strokes of (n, 2) points, in any unit, drawn with a pen of random thickness."""
    size = rng.uniform(*DRAWING_SIZES) * SHEET
    width = rng.uniform(*PEN_WIDTHS) * size / BOX
    placed = [stroke + (MARGIN * SHEET + width / 2) for stroke in fit(strokes, size - width)]
    return draw_strokes((SHEET, SHEET), placed, width)


def turned(points: np.ndarray, angle: float) -> np.ndarray:
    """Points (n, 2) turned about 0, 0."""
    return points @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def rough_surface(side: int, rng: np.random.Generator) -> np.ndarray:
    """Noise whose amplitude falls with frequency, as that of natural scenes does (Field 1987), (side, side)."""
    frequencies = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side))
    amplitudes = np.maximum(frequencies, 1 / side) ** -rng.uniform(0.8, 1.6)
    surface = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(side, side))) * amplitudes, (side, side))
    return (surface - surface.mean()) / surface.std()


def _shapes() -> dict[str, list[np.ndarray]]:
    """Strokes of (n, 2) points, about 2 high, y down."""
    t = np.linspace(0, 2 * np.pi, 60)
    dark, lit = np.linspace(0.6, 2 * np.pi - 0.6, 40), np.linspace(2 * np.pi - 1.1, 1.1, 30)
    moon = np.vstack(
        [
            np.column_stack([np.cos(dark), np.sin(dark)]),
            np.column_stack([0.45 + 0.75 * np.cos(lit), 0.75 * np.sin(lit)]),
        ]
    )
    smile = np.linspace(0.3, np.pi - 0.3, 30)
    spiral = np.linspace(0.5, 6 * np.pi, 120)
    return {
        "triangle": [np.array([[0, -1], [-1, 0.8], [1, 0.8], [0, -1]])],
        "square": [np.array([[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9], [-0.9, -0.9]])],
        "moon": [np.vstack([moon, moon[:1]])],
        "lightning": [
            np.array([[0.2, -1], [-0.5, 0.1], [0, 0.1], [-0.3, 1], [0.6, -0.25], [0.05, -0.25], [0.7, -1], [0.2, -1]])
        ],
        "house": [
            np.array([[-0.8, 1], [-0.8, -0.2], [0, -1], [0.8, -0.2], [0.8, 1], [-0.8, 1]]),
            np.array([[-0.2, 1], [-0.2, 0.3], [0.25, 0.3], [0.25, 1]]),
        ],
        "spiral": [spiral[:, None] * np.column_stack([np.cos(spiral), np.sin(spiral)]) / (6 * np.pi)],
        "face": [
            np.column_stack([np.cos(t), np.sin(t)]),
            np.array([[-0.38, -0.3], [-0.36, -0.26]]),
            np.array([[0.38, -0.3], [0.36, -0.26]]),
            np.column_stack([0.55 * np.cos(smile), 0.1 + 0.45 * np.sin(smile)]),
        ],
    }


SHAPES = _shapes()
