"""How well digits are read from the pictures that people send: moved, turned, faint, blurred, noisy, badly lit.

MNIST's images are drawn on paper, each picture is changed in one way, and the site prepares it. `DISTORTIONS`, at the
end, is the table of changes.
"""

import io
import zlib
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from digit_recognizer_dl_model.dataset import Dataset
from digit_recognizer_dl_model.figures import Change
from digit_recognizer_dl_model.frame import BOX
from digit_recognizer_dl_model.inference import Classifier

from .reading import count_right

IMAGES = 2000  # enough to tell 97 % from 98 %, and few enough for a table in a few minutes
SEED = 20_240_229

ENLARGEMENT = 4  # pixels of the picture along a pixel of MNIST's
SHEET = 40 * ENLARGEMENT  # pixels of the picture's side: room to turn a digit and to move it about
PAPER, INK = 235, 35  # grey levels of the paper and of the darkest ink


def measure_robustness(
    classifier: Classifier,
    dataset: Dataset,
    count: int = IMAGES,
    progress: Callable[[int, int], None] = lambda done, changes: None,
) -> tuple[Change, ...]:
    """Read pictures with each change of `DISTORTIONS`; a picture that is refused is not read right.

    All changes are made to the same `count` images, chosen at random by a fixed seed, or to all if there are fewer.
    `progress` is told after each change how many are done, and of how many.
    """
    chosen = np.random.default_rng(SEED).permutation(len(dataset.pixels))[:count]
    changes = []
    for name, distortion in DISTORTIONS.items():
        rng = np.random.default_rng([SEED, zlib.crc32(name.encode())])  # a row stays as it is when others are added
        labelled = (
            (Image.fromarray(distortion.change(dataset.pixels[index], rng)), dataset.labels[index]) for index in chosen
        )
        changes.append(Change(name, count_right(classifier, labelled), distortion.group))
        progress(len(changes), len(DISTORTIONS))
    return tuple(changes)


def enlarge(pixels: np.ndarray, degrees: float = 0.0, scale: float = 1.0) -> np.ndarray:
    """Enlarge a digit (28, 28) uint8 in the middle of a sheet: ink (160, 160) float32 in 0-1.

    The digit is turned anticlockwise by the degrees, and all its lengths are multiplied by the scale.
    """
    rows, columns = np.flatnonzero(pixels.max(axis=1)), np.flatnonzero(pixels.max(axis=0))
    margin = 2  # pixels that the interpolation reads beyond the digit
    source = Image.fromarray(np.pad(pixels, margin).astype(np.float32) / 255)
    # The affine map from the sheet to the source; the middle of a pixel is at 0.5.
    middle = margin + (columns[0] + columns[-1] + 1) / 2, margin + (rows[0] + rows[-1] + 1) / 2
    angle, step = np.deg2rad(degrees), 1 / (scale * ENLARGEMENT)
    cos, sin, half = np.cos(angle) * step, np.sin(angle) * step, SHEET / 2
    matrix = (cos, -sin, middle[0] - (cos - sin) * half, sin, cos, middle[1] - (sin + cos) * half)
    sheet = source.transform((SHEET, SHEET), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)
    return np.asarray(sheet).clip(0, 1)


def paint(ink: np.ndarray, paper: float = PAPER, ink_level: float = INK, light: float | np.ndarray = 1) -> np.ndarray:
    """Paint ink (h, w) in 0-1 on paper, both of a grey level: a picture (h, w) uint8.

    light: one factor for paper and ink, or one for each pixel.
    """
    return to_grey((paper + ink * (ink_level - paper)) * light)


def to_grey(luminance: np.ndarray) -> np.ndarray:
    """Luminance as grey levels, uint8."""
    return np.rint(luminance).clip(0, 255).astype(np.uint8)


def move(pixels: np.ndarray, rng: np.random.Generator, touching: int = 0) -> np.ndarray:
    """Draw a digit anywhere on the sheet; `touching` is the number of edges that its ink touches, 0-2."""
    ink = enlarge(pixels)
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
    """Draw the digit's skeleton with a round pen that is `thickness` pixels thick once the digit is prepared.

    The discs of the pen have soft edges and lie at whole pixels, so `strokes.draw_strokes` does not serve here.
    """
    points = np.argwhere(skeleton(enlarge(pixels) > 0.5))  # (n, 2)
    # The ink is as long as the skeleton and the pen together, and the preparation scales it to BOX pixels.
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
    """Whether each step of thinning removes a pixel, by its inked neighbours as bits clockwise from the top."""
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


def blur(pixels: np.ndarray, standard_deviation: float) -> np.ndarray:
    """Blur a digit with a Gaussian; its standard deviation in pixels of MNIST's."""
    picture = Image.fromarray(paint(enlarge(pixels)))
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(standard_deviation * ENLARGEMENT)))


def add_noise(picture: np.ndarray, rng: np.random.Generator, standard_deviation: float) -> np.ndarray:
    """Add Gaussian noise to a picture (h, w) uint8; its standard deviation in grey levels."""
    return to_grey(picture + standard_deviation * rng.standard_normal(picture.shape, np.float32))


def add_specks(picture: np.ndarray, rng: np.random.Generator, fraction: float) -> np.ndarray:
    """Turn this fraction of a picture's pixels black or white (salt and pepper)."""
    chance = rng.random(picture.shape, np.float32)
    return np.where(chance < fraction / 2, 0, np.where(chance < fraction, 255, picture)).astype(np.uint8)


def compress(picture: np.ndarray, quality: int) -> np.ndarray:
    """Compress a picture (h, w) uint8 as JPEG and read it again."""
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
    """Light (h, w) with a shadow across part of the sheet; `softness` is the width of its edge, in sheets."""
    along = _across(rng.uniform(0, 2 * np.pi)) - rng.uniform(-0.6, 0.6)
    covered = np.clip(0.5 + along / (2 * softness), 0, 1)
    return 1 - (1 - darkest) * covered * covered * (3 - 2 * covered)


def _across(angle: float) -> np.ndarray:
    """The distance (h, w) of each pixel of the sheet from its middle in one direction; 1 is half a side."""
    axis = ((np.arange(SHEET) + 0.5) * (2 / SHEET) - 1).astype(np.float32)
    return np.cos(angle).astype(np.float32) * axis + np.sin(angle).astype(np.float32) * axis[:, None]


def change_all(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Make several changes at once: a shadow and falling light on grey ink, turned a little, with noise, as JPEG."""
    light = shadow(rng, rng.uniform(0.4, 1), rng.uniform(0.1, 0.5)) * falloff(rng, rng.uniform(0.5, 1))
    picture = paint(enlarge(pixels, rng.uniform(-10, 10)), 220, rng.uniform(40, 130), light)
    return compress(add_noise(picture, rng, rng.uniform(1, 8)), 75)


class Distortion(NamedTuple):
    """A change to pictures; `group` is the title of the changes that are shown together."""

    group: str
    change: Callable[[np.ndarray, np.random.Generator], np.ndarray]  # MNIST's pixels (28, 28) -> a picture (h, w)


PLACE, PEN, NOISE = "Place, turn and size", "Pen and focus", "Noise and compression"
FAINT, LIGHT = "Faint ink", "Light and shadow"


def degrees_of(name: str, group: str, degrees: tuple[float, ...], change: Callable) -> dict[str, Distortion]:
    """One row for each degree of a change (degree, pixels, rng); the degree is put into the name."""
    return {name.format(degree): Distortion(group, partial(change, degree)) for degree in degrees}


# A new change needs one entry here and nothing else. Its name seeds its random numbers.
DISTORTIONS: dict[str, Distortion] = {
    "as drawn": Distortion(PLACE, lambda p, rng: paint(enlarge(p))),
    "anywhere on the picture": Distortion(PLACE, move),
    "touching an edge": Distortion(PLACE, partial(move, touching=1)),
    "touching two edges": Distortion(PLACE, partial(move, touching=2)),
    **degrees_of("turned by {:+} degrees", PLACE, (-20, -10, 10, 20), lambda by, p, rng: paint(enlarge(p, degrees=by))),
    **degrees_of("{} of its size", PLACE, (0.7, 0.85, 1.15, 1.3), lambda by, p, rng: paint(enlarge(p, scale=by))),
    **degrees_of("strokes of {} pixels", PEN, (1.2, 2, 3, 4, 5), lambda by, p, rng: redraw(p, by)),
    **degrees_of("blurred by {} pixels", PEN, (0.5, 1, 1.5), lambda by, p, rng: blur(p, by)),
    **degrees_of(
        "noise of {} grey levels", NOISE, (10, 20, 40), lambda by, p, rng: add_noise(paint(enlarge(p)), rng, by)
    ),
    **degrees_of(
        "salt and pepper on {:.1%}",
        NOISE,
        (0.002, 0.01, 0.05),
        lambda by, p, rng: add_specks(paint(enlarge(p)), rng, by),
    ),
    **degrees_of(
        "ink {} levels darker than dark paper", FAINT, (80, 40, 25), lambda by, p, rng: paint(enlarge(p), 90, 90 - by)
    ),
    **degrees_of(
        "ink {} levels darker than light paper",
        FAINT,
        (80, 40, 25),
        lambda by, p, rng: paint(enlarge(p), 240, 240 - by),
    ),
    **degrees_of("JPEG of quality {}", NOISE, (50, 10), lambda by, p, rng: compress(paint(enlarge(p)), by)),
    **degrees_of(
        "light falling to {:.0%}",
        LIGHT,
        (0.8, 0.5, 0.25),
        lambda by, p, rng: paint(enlarge(p), light=falloff(rng, by)),
    ),
    **degrees_of("corners lit by {:.0%}", LIGHT, (0.5, 0.25), lambda by, p, rng: paint(enlarge(p), light=vignette(by))),
    **degrees_of(
        "soft shadow of {:.0%}", LIGHT, (0.5, 0.25), lambda by, p, rng: paint(enlarge(p), light=shadow(rng, by, 0.5))
    ),
    **degrees_of(
        "sharp shadow of {:.0%}", LIGHT, (0.8, 0.5), lambda by, p, rng: paint(enlarge(p), light=shadow(rng, by, 0.1))
    ),
    **degrees_of(
        "chalk, light falling to {:.0%}",
        LIGHT,
        (1, 0.5, 0.25),
        lambda by, p, rng: paint(enlarge(p), 60, 230, falloff(rng, by)),
    ),
    "photographed": Distortion(LIGHT, change_all),
}
