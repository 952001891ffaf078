"""How well digits are read from the pictures that people send: moved, turned, faint, blurred, noisy, badly lit.

MNIST's images as drawn on paper, each changed in one way, through the very preparation of the site and the network.
"""

import io
import zlib
from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
from PIL import Image, ImageFilter

from digit_recognizer_dl_model.dataset import Dataset
from digit_recognizer_dl_model.frame import BOX, SIDE
from digit_recognizer_dl_model.inference import Classifier
from digits import pictures
from digits.refusals import Refusal

IMAGES = 2000  # enough to tell 97 % from 98 %, and few enough for a table in a few minutes
SEED = 20_240_229

FINENESS = 4  # pixels of the picture along a pixel of MNIST's
SHEET = 40 * FINENESS  # the picture's side: room to turn a digit and to move it about
PAPER, INK = 235, 35  # grey levels of the paper and of the darkest ink

Distortion = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def measure_robustness(
    classifier: Classifier,
    dataset: Dataset,
    count: int = IMAGES,
    progress: Callable[[int, int], None] = lambda done, rows: None,
) -> dict[str, float]:
    """The share read right, 0-1, of pictures with each change of `DISTORTIONS`; one that is refused is not right.

    All rows are of the same `count` images, chosen at random by a fixed seed, or of all where there are fewer.
    `progress` is told after each row how many are done, and of how many.
    """
    total = len(dataset.pixels)
    chosen = np.random.default_rng(SEED).permutation(total)[:count]
    accuracies = {}
    for name, distort in DISTORTIONS.items():
        rng = np.random.default_rng([SEED, zlib.crc32(name.encode())])  # a row stays as it is when others come
        pixels = np.zeros((len(chosen), SIDE, SIDE), np.uint8)
        refused = np.zeros(len(chosen), bool)
        for row, index in enumerate(chosen):
            try:
                pixels[row] = prepare(distort(dataset.pixels[index], rng))
            except Refusal:
                refused[row] = True
        answers = classifier.probabilities(pixels).argmax(axis=1)
        accuracies[name] = float(((answers == dataset.labels[chosen]) & ~refused).mean())
        progress(len(accuracies), len(DISTORTIONS))
    return accuracies


def prepare(picture: np.ndarray) -> np.ndarray:
    """A picture (h, w) uint8 as the site brings it to the network, (28, 28) uint8; raises a Refusal where it does."""
    return pictures.prepare_image(Image.fromarray(picture))


def describe_robustness(accuracies: dict[str, float]) -> str:
    """The accuracies of `measure_robustness` as lines of text, the lowest first."""
    ordered = sorted(accuracies.items(), key=lambda item: item[1])
    return "\n".join(["pictures         right", *(f"{share:>22.2%}  {name}" for name, share in ordered)])


def draw(pixels: np.ndarray, degrees: float = 0.0, scale: float = 1.0) -> np.ndarray:
    """A digit (28, 28) uint8 enlarged on a sheet, its middle on the sheet's: ink (160, 160) float32 in 0-1.

    It is turned anticlockwise by the degrees, and all its lengths are multiplied by the scale.
    """
    rows, columns = np.flatnonzero(pixels.max(axis=1)), np.flatnonzero(pixels.max(axis=0))
    margin = 2  # what the interpolation reads beyond the digit
    source = Image.fromarray(np.pad(pixels, margin).astype(np.float32) / 255)
    # Where each point of the sheet comes from, by its distance from the middle; the middle of a pixel is at 0.5.
    middle = margin + (columns[0] + columns[-1] + 1) / 2, margin + (rows[0] + rows[-1] + 1) / 2
    angle, step = np.deg2rad(degrees), 1 / (scale * FINENESS)
    cos, sin, half = np.cos(angle) * step, np.sin(angle) * step, SHEET / 2
    matrix = (cos, -sin, middle[0] - (cos - sin) * half, sin, cos, middle[1] - (sin + cos) * half)
    sheet = source.transform((SHEET, SHEET), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)
    return np.asarray(sheet).clip(0, 1)


def paint(ink: np.ndarray, paper: float = PAPER, ink_level: float = INK, light: float | np.ndarray = 1) -> np.ndarray:
    """Ink (h, w) in 0-1 on paper, both of a grey level, as a picture (h, w) uint8.

    The light, one value or one a pixel, darkens paper and ink by the same factor.
    """
    return levels((paper + ink * (ink_level - paper)) * light)


def levels(luminance: np.ndarray) -> np.ndarray:
    return np.rint(luminance).clip(0, 255).astype(np.uint8)


def move(pixels: np.ndarray, rng: np.random.Generator, touching: int = 0) -> np.ndarray:
    """Anywhere on the sheet, or with its ink at one edge or, `touching` two, in a corner of the picture."""
    ink = draw(pixels)
    rows, columns = (np.flatnonzero(ink.max(axis=axis) > 0.5) for axis in (1, 0))
    cropped = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    room = SHEET - np.array(cropped.shape)
    corner = rng.integers(0, room + 1)
    axes = rng.permutation(2)[:touching]
    corner[axes] = rng.choice([0, 1], touching) * room[axes]
    sheet = np.zeros_like(ink)
    sheet[corner[0] : corner[0] + len(cropped), corner[1] : corner[1] + cropped.shape[1]] = cropped
    return paint(sheet)


def redraw(pixels: np.ndarray, thickness: float) -> np.ndarray:
    """The digit's skeleton drawn with a round pen that is `thickness` pixels thick once the digit is prepared."""
    points = np.argwhere(skeleton(draw(pixels) > 0.5))  # (n, 2)
    # The ink, as long as the skeleton and the pen together, is to be BOX pixels long.
    pen = thickness * max(np.ptp(points, axis=0).max(), 1) / (BOX - thickness)  # pixels of the sheet
    reach = int(np.ceil(pen / 2))
    offset = np.arange(-reach, reach + 1)
    disc = np.clip((pen + 1) / 2 - np.hypot(offset, offset[:, None]), 0, 1).astype(np.float32)
    sheet = np.zeros((SHEET + 2 * reach, SHEET + 2 * reach), np.float32)
    for y, x in points.tolist():
        window = sheet[y : y + len(disc), x : x + len(disc)]
        np.maximum(window, disc, out=window)
    return paint(sheet[reach : reach + SHEET, reach : reach + SHEET])


def _removable() -> np.ndarray:
    """For each step of thinning and each set of inked neighbours, as bits clockwise from the top: may the pixel go?"""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1  # (256, 8): n, ne, e, se, s, sw, w, nw
    n, _, e, _, s, _, w, _ = bits.T
    count = bits.sum(axis=1)
    begins = ((bits == 0) & (np.roll(bits, -1, axis=1) == 1)).sum(axis=1)  # of runs of inked neighbours
    thinnable = (count >= 2) & (count <= 6) & (begins == 1)
    first = thinnable & (n * e * s == 0) & (e * s * w == 0)
    second = thinnable & (n * e * w == 0) & (n * s * w == 0)
    return np.stack([first, second])


REMOVABLE = _removable()  # (2, 256)


def skeleton(ink: np.ndarray) -> np.ndarray:
    """The middle lines of strokes, one pixel thick: (h, w) bool -> (h, w) bool (Zhang & Suen 1984)."""
    padded = np.pad(ink, 1)
    flat, width = padded.reshape(-1).astype(np.uint8), padded.shape[1]
    neighbours = np.array([-width, 1 - width, 1, width + 1, width, width - 1, -1, -width - 1])[:, None]
    weights = (1 << np.arange(8))[:, None]
    left, before = np.flatnonzero(flat), 0
    while len(left) != before:
        before = len(left)
        for removable in REMOVABLE:
            gone = removable[(flat[left + neighbours] * weights).sum(axis=0)]
            flat[left[gone]] = 0
            left = left[~gone]
    return flat.reshape(padded.shape)[1:-1, 1:-1].astype(bool)


def blur(pixels: np.ndarray, deviation: float) -> np.ndarray:
    """Out of focus, by a Gaussian of a standard deviation in pixels of MNIST's."""
    picture = Image.fromarray(paint(draw(pixels)))
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(deviation * FINENESS)))


def grain(picture: np.ndarray, rng: np.random.Generator, deviation: float) -> np.ndarray:
    """Gaussian noise, of a standard deviation in grey levels, at each pixel of a picture (h, w) uint8."""
    return levels(picture + deviation * rng.standard_normal(picture.shape, np.float32))


def specks(picture: np.ndarray, rng: np.random.Generator, share: float) -> np.ndarray:
    """Salt and pepper: this share of a picture's pixels turned black or white."""
    chance = rng.random(picture.shape, np.float32)
    return np.where(chance < share / 2, 0, np.where(chance < share, 255, picture)).astype(np.uint8)


def compressed(picture: np.ndarray, quality: int) -> np.ndarray:
    """A picture (h, w) uint8 as JPEG leaves it."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def falloff(rng: np.random.Generator, darkest: float) -> np.ndarray:
    """Light (h, w) that falls evenly from 1 to `darkest` across the sheet, in any direction."""
    along = _across(rng.uniform(0, 2 * np.pi))
    return 1 - (1 - darkest) * (along - along.min()) / np.ptp(along)


def vignette(darkest: float) -> np.ndarray:
    """Light (h, w) that is 1 in the middle and `darkest` in the corners, by the square of the distance."""
    return 1 - (1 - darkest) * (_across(0) ** 2 + _across(np.pi / 2) ** 2) / 2


def shadow(rng: np.random.Generator, darkest: float, softness: float) -> np.ndarray:
    """Light (h, w) with a shadow across part of the sheet, whose edge is this share of the sheet wide."""
    along = _across(rng.uniform(0, 2 * np.pi)) - rng.uniform(-0.6, 0.6)
    covered = np.clip(0.5 + along / (2 * softness), 0, 1)
    return 1 - (1 - darkest) * covered * covered * (3 - 2 * covered)


def _across(angle: float) -> np.ndarray:
    """How far each pixel of the sheet (h, w) lies in a direction from the middle: 1 where the edge is reached."""
    axis = ((np.arange(SHEET) + 0.5) * (2 / SHEET) - 1).astype(np.float32)
    return np.cos(angle).astype(np.float32) * axis + np.sin(angle).astype(np.float32) * axis[:, None]


def photograph(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Several at once: a shadow and falling light on grey ink, turned a little, with noise, as JPEG."""
    light = shadow(rng, rng.uniform(0.4, 1), rng.uniform(0.1, 0.5)) * falloff(rng, rng.uniform(0.5, 1))
    picture = paint(draw(pixels, rng.uniform(-10, 10)), 220, rng.uniform(40, 130), light)
    return compressed(grain(picture, rng, rng.uniform(1, 8)), 75)


def _distortions() -> dict[str, Distortion]:
    rows: dict[str, Distortion] = {"as drawn": lambda pixels, rng: paint(draw(pixels))}

    def add(name: str, change: Callable, strengths: Iterable[float], **options: float) -> None:
        for strength in strengths:
            rows[name.format(strength)] = partial(change, strength, **options)

    rows |= {
        "anywhere on the picture": move,
        "touching an edge": partial(move, touching=1),
        "touching two edges": partial(move, touching=2),
        "photographed": photograph,
    }
    add("turned by {:+} degrees", lambda by, p, rng: paint(draw(p, degrees=by)), (-20, -10, 10, 20))
    add("{} of its size", lambda by, p, rng: paint(draw(p, scale=by)), (0.7, 0.85, 1.15, 1.3))
    add("strokes of {} pixels", lambda by, p, rng: redraw(p, by), (1.2, 2, 3, 4, 5))
    add("blurred by {} pixels", lambda by, p, rng: blur(p, by), (0.5, 1, 1.5))
    add("noise of {} grey levels", lambda by, p, rng: grain(paint(draw(p)), rng, by), (10, 20, 40))
    add("salt and pepper on {:.1%}", lambda by, p, rng: specks(paint(draw(p)), rng, by), (0.002, 0.01, 0.05))
    add("ink {} levels darker than dark paper", lambda by, p, rng: paint(draw(p), 90, 90 - by), (80, 40, 25))
    add("ink {} levels darker than light paper", lambda by, p, rng: paint(draw(p), 240, 240 - by), (80, 40, 25))
    add("JPEG of quality {}", lambda by, p, rng: compressed(paint(draw(p)), by), (50, 10))
    add("light falling to {:.0%}", lambda by, p, rng: paint(draw(p), light=falloff(rng, by)), (0.8, 0.5, 0.25))
    add("corners lit by {:.0%}", lambda by, p, rng: paint(draw(p), light=vignette(by)), (0.5, 0.25))
    add("soft shadow of {:.0%}", lambda by, p, rng: paint(draw(p), light=shadow(rng, by, 0.5)), (0.5, 0.25))
    add("sharp shadow of {:.0%}", lambda by, p, rng: paint(draw(p), light=shadow(rng, by, 0.1)), (0.8, 0.5))
    add("chalk, light falling to {:.0%}", lambda by, p, rng: paint(draw(p), 60, 230, falloff(rng, by)), (1, 0.5, 0.25))
    return rows


DISTORTIONS = _distortions()
