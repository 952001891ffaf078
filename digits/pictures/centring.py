"""Ink becomes 28x28 pixels as MNIST prepares its digits: cropped, reduced and centred."""

from typing import NamedTuple

import numpy as np
from PIL import Image

from digit_recognizer_dl_model.frame import BOX, SIDE, place

from ..refusals import Blank

FAINT = 0.1  # of the darkest ink; fainter pixels don't say how far the digit reaches
SMALL = 0.09  # of the picture's longest side; what is smaller may be a dot
MIN_EXTENT = 0.018  # of the picture's longest side; smaller is dust
MIN_PIXELS = 8  # along the longest side of a digit that is small in a picture
ROUND = 7.5  # pixels of the 20; what is small and has strokes thicker than this is a dot, not a digit
THICK = 4  # pixels of the 20; strokes thicker than this, as in less than 1 % of MNIST's digits, are thinned
USUAL = 3  # pixels of the 20 that they are thinned to
INKED = 0.5  # of the darkest ink; what is thinned is to leave more than that somewhere
FEW = 0.5  # times smaller; a digit of fewer pixels is enlarged first, as averaging would keep the steps of its edges
FINER = 8  # times
HARD = 0.05  # fraction of inked pixels that may be grey in a digit with hard edges
FINE = 100  # pixels of the longest side where they are; 20 would have closed the gaps between strokes


class Ink(NamedTuple):
    """The ink of a picture or a drawing."""

    strength: np.ndarray  # (h, w) float32, 0-1, the part of the picture that ink reaches to
    side: int  # pixels along the longest side of the whole picture


def centre(ink: Ink) -> np.ndarray:
    """Bring the longest side of the ink to 20 pixels and its centre of mass to pixel 14, as MNIST does.

    Strokes too thick for a digit of that size are thinned before it is reduced, while its loops are still open.
    """
    longest = max(ink.strength.shape)
    is_small = longest < SMALL * ink.side
    pixels = fit(ink.strength)
    if is_small and (longest < max(MIN_EXTENT * ink.side, MIN_PIXELS) or stroke_width(pixels / 255) > ROUND):
        raise Blank("There is only a dot in this picture.")
    # The reduced digit tells at next to no cost whether to look closer; a tile has no gaps to save.
    if longest > 2 * BOX and stroke_width(pixels / 255) > THICK:
        pixels = fit(crop(thin(ink.strength)))
    return pixels


def crop(strength: np.ndarray) -> np.ndarray:
    """The part of a picture (h, w) that the ink reaches to."""
    rows, columns = (extent(strength.max(axis=axis)) for axis in (1, 0))
    return strength[rows, columns]


def fit(cropped: np.ndarray) -> np.ndarray:
    """Ink (h, w) in 0-1 at the size and in the place of MNIST's, (28, 28) uint8."""
    small = resized(cropped, BOX)
    small = small / np.maximum.reduce(small, axis=None)  # a thin pen's line, greyed by averaging, becomes black

    pixels = np.zeros((SIDE, SIDE), np.uint8)
    height, width = small.shape
    top = place(np.add.reduce(small, axis=1))
    left = place(np.add.reduce(small, axis=0))
    pixels[top : top + height, left : left + width] = np.rint(small * 255)
    return pixels


def resized(ink: np.ndarray, longest: int) -> np.ndarray:
    """Ink (h, w) in 0-1 with its longest side of so many pixels."""
    scale = longest / max(ink.shape)
    height, width = (max(1, round(side * scale)) for side in ink.shape)
    if scale == 1 and not is_hard(ink):
        return ink
    if scale > FEW:
        ink = enlarged(ink)
    # Averages over areas, as MNIST was made.
    small = np.asarray(Image.fromarray(ink).resize((width, height), Image.Resampling.BOX))
    return np.minimum(np.maximum(small, 0), 1)


def is_hard(ink: np.ndarray) -> bool:
    """Whether ink (h, w) has no soft edges, as a program draws with a pen of a pixel."""
    return np.count_nonzero((ink > 0) & (ink < 1)) <= HARD * np.count_nonzero(ink)


def enlarged(ink: np.ndarray) -> np.ndarray:
    """Ink (h, w) at several times its size, its hard edges smoothed, also towards what lies around the picture."""
    padded = Image.fromarray(np.pad(ink, 1))
    large = padded.resize((FINER * padded.width, FINER * padded.height), Image.Resampling.BILINEAR)
    return np.asarray(large)[FINER:-FINER, FINER:-FINER]


def stroke_width(ink: np.ndarray) -> float:
    """How thick strokes (h, w) in 0-1 are in the mean, in pixels: their area divided by half their outline.

    Ink counts by its square, so that strokes that are out of focus don't count as thick.
    """
    framed = np.zeros((ink.shape[0] + 2, ink.shape[1] + 2), np.float32)
    framed[1:-1, 1:-1] = ink
    # Along both diagonals, which tells the length of an edge in any direction, hard or soft.
    falling, rising = framed[1:, 1:] - framed[:-1, :-1], framed[1:, :-1] - framed[:-1, 1:]
    return float(2 * (framed * framed).sum() / np.sqrt((falling * falling + rising * rising) / 2).sum())


def thin(ink: np.ndarray) -> np.ndarray:
    """Ink (h, w) with strokes of the usual thickness once the digit is 20 pixels long; if none are thick, as it is."""
    fine = resized(ink, FINE)
    share, wanted = stroke_width(fine) / FINE, USUAL / BOX  # of the longest side, which becomes shorter, too
    if share <= THICK / BOX:
        return ink
    for step in range(round(FINE * (share - wanted) / (2 * (1 - wanted)))):
        # Least of a cross and of a square in turns, two to one, take nearly as much off in all directions.
        fine = least(fine, diagonally=step % 3 == 1)
    return fine if fine.max() > INKED else ink  # what is full of holes, as no pen's stroke is, comes to nothing


def least(values: np.ndarray, diagonally: bool) -> np.ndarray:
    """The least of each value (h, w) and its four neighbours, or all eight; beyond the edge are zeros."""
    framed = np.pad(values, 1)
    upright = np.minimum(np.minimum(framed[:-2], framed[2:]), framed[1:-1])
    if diagonally:
        return np.minimum(np.minimum(upright[:, :-2], upright[:, 2:]), upright[:, 1:-1])
    middle = framed[1:-1]
    return np.minimum(np.minimum(middle[:, :-2], middle[:, 2:]), upright[:, 1:-1])


def extent(profile: np.ndarray) -> slice:
    """From the first to the last clearly inked row or column, with one faint one on each side: a digit's soft edge."""
    inked = np.flatnonzero(profile > FAINT)
    first, last = inked[0], inked[-1]
    if first > 0 and profile[first - 1] > 0:
        first -= 1
    if last < len(profile) - 1 and profile[last + 1] > 0:
        last += 1
    return slice(first, last + 1)


def box(pixels: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, width and height of the ink, in pixels."""
    left, top, right, bottom = Image.fromarray(pixels).getbbox()
    return left, top, right - left, bottom - top


def centre_of_mass(pixels: np.ndarray) -> tuple[float, float]:
    """x and y, in pixels from the upper left corner of the picture, of which a pixel's middle is at 0.5."""
    positions = np.arange(SIDE) + 0.5
    return tuple(float(pixels.sum(axis=axis) @ positions / pixels.sum()) for axis in (0, 1))
