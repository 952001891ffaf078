"""The lines of a picture become strips of 46 pixels' height, in which the network for lines reads them.

The median of each large part of the picture is its paper. What stands out from it is divided into lines (`lines.py`),
each of which is levelled and brought to the height that the network knows.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from PIL import Image

from digit_recognizer_dl_model.strip import HEIGHT, MARGIN, WIDEST, strip_width

from . import levels
from .characters import FINER, extents
from .levels import quantile
from .lines import Box, dark_lines, without_dark_lines

SAMPLED = 320  # pixels along the longest side in which the paper is looked for
PARTS = 6  # along the longest side
FILLED = 30  # grey levels by which the median of a part full of ink differs from those beside it
STRONGEST = 0.975  # quantile of the ink of a line that counts as the strongest
DIGIT = 29  # pixels of the strip's 46 that a line's digits are high
TALLEST = 38  # pixels that its tallest digit is high at most
LEVEL = 0.6  # of the tallest part's height, from which parts tell the slope of a line
FILLINGS = 31, 34, 38  # pixels of the strip's 46 that a picture is high which shows nothing but a line
BEYOND = 0.1  # of its length that the line of a form reaches beyond a digit on each side, at least
SIDES = 0.8  # of a digit's height that a frame around it has sides beside it, at least
BESIDE = 10  # pixels of the strip that are shown of the paper beside a line


class View(NamedTuple):
    """How a strip sees its picture.

    depth: (h, w), what stands out from the paper.
    matrix: (2, 3), from x, y and 1 in the inked part of the strip to x and y in the picture, in pixels.
    inked: pixels of the strip that show the picture; those beside them are empty.
    factor: pixels of the strip for one of the picture.
    """

    depth: np.ndarray
    matrix: np.ndarray
    inked: int
    factor: float

    @property
    def start(self) -> int:
        """The first pixel of the strip that shows the picture."""
        return (strip_width(self.inked) - self.inked) // 2

    def ink(self, times: int = 1) -> np.ndarray:
        """The strip with so many pixels along each side of one, (46 * times, width * times) uint8, ink 255 on 0."""
        matrix = self.matrix / [times, times, 1]
        cut = warp(self.depth, matrix, (HEIGHT * times, self.inked * times), self.factor * times)
        shown = cut * (255 / max(quantile(cut, STRONGEST), 1))
        strip = np.zeros((HEIGHT * times, strip_width(self.inked) * times), np.uint8)
        strip[:, self.start * times : (self.start + self.inked) * times] = (shown + 0.5).clip(0, 255)
        return strip


class Strip(NamedTuple):
    """One line of a picture.

    ink: (46, width) uint8, ink 255 on 0.
    matrix: (2, 3), from x, y and 1 in the strip to x and y in the picture, in pixels.
    is_cut: whether the line goes on to the right of the widest strip.
    view: how it sees the picture, from which a finer strip is made.
    """

    ink: np.ndarray
    matrix: np.ndarray
    is_cut: bool = False
    view: View | None = None

    def finer(self) -> np.ndarray:
        """The strip with FINER times as many pixels along each side, as sharp as the picture is, uint8."""
        return self.view.ink(FINER) if self.view else self.ink.repeat(FINER, axis=0).repeat(FINER, axis=1)

    def boxes(self, places: np.ndarray) -> list[tuple[float, float, float, float]]:
        """The boxes of characters in the picture, from the middles of all characters in the strip, in pixels.

        A box is its left and upper edge, its width and its height.
        """
        return [self._on_picture(*extent) for extent in extents(self.ink, places)]

    def _on_picture(self, left: int, top: int, right: int, bottom: int) -> tuple[float, float, float, float]:
        corners = self.matrix @ [[left, right, left, right], [top, top, bottom, bottom], [1, 1, 1, 1]]
        (x, y), (x_end, y_end) = corners.min(axis=1).tolist(), corners.max(axis=1).tolist()
        return x, y, x_end - x, y_end - y


def whole_strips(depth: np.ndarray) -> list[Strip]:
    """All of a picture as one line, in several sizes; from what stands out from the paper, (h, w)."""
    height, width = depth.shape
    strips = []
    for filling in FILLINGS:
        factor = filling / height
        matrix = np.array([[1 / factor, 0, 0], [0, 1 / factor, height / 2 - HEIGHT / 2 / factor]])
        strips.append(framed(depth, matrix, round(width * factor), factor))
    return strips


def depth_of(luminance: np.ndarray) -> np.ndarray:
    """How many grey levels each pixel of a picture (h, w) stands out from the paper, (h, w) float32, negative too.

    The lines and frames of forms do not.
    """
    return without_dark_lines(depth_on_paper(luminance)[0])


def depth_on_paper(luminance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many grey levels each pixel of a picture (h, w) stands out from the paper, and the paper: (h, w) float32.

    Ink covers less than half of any large part of a picture, so the median there is the paper's. Ink is narrow and
    paper is not, so the differences from it are skewed towards the ink.
    """
    small = levels.reduced(luminance.astype(np.float32, copy=False), SAMPLED)
    shape = luminance.shape[::-1]
    paper = np.asarray(Image.fromarray(medians(small)).resize(shape, Image.Resampling.BILINEAR))
    depth = luminance - paper
    of_small = levels.reduced(depth, SAMPLED)
    return depth if (of_small * of_small * of_small).sum() > 0 else -depth, paper


def without_form(luminance: np.ndarray) -> np.ndarray | None:
    """A picture (h, w) of a digit without the line or the frame of a form, float32; None where it has none.

    A line goes from one edge of the picture to the other, a frame has two sides, and both reach beyond the digit.
    """
    depth, paper = depth_on_paper(luminance)
    erased = dark_lines(depth)
    if erased is None:
        return None
    rest = np.where(erased, 0, depth)
    rows, columns = (np.flatnonzero((rest > rest.max() / 2).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    across = np.flatnonzero(erased.any(axis=0))
    beyond = min(columns[0] - across[0], across[-1] - columns[-1])
    beside = erased[rows[0] : rows[-1] + 1]
    is_across = across[0] == 0 and across[-1] == luminance.shape[1] - 1
    is_around = all(side.any(axis=1).mean() > SIDES for side in (beside[:, : columns[0]], beside[:, columns[-1] + 1 :]))
    is_form = (is_across or is_around) and beyond >= BEYOND * len(across)
    return np.where(erased, paper, luminance) if is_form else None


def medians(luminance: np.ndarray) -> np.ndarray:
    """The medians of a picture (h, w) in parts, PARTS along the longest side, float32; of every fourth pixel.

    A median that is far from those of the neighbouring parts is that of ink: theirs is taken.
    """
    size = max(luminance.shape) / PARTS
    rows, columns = (
        np.linspace(0, side, min(max(round(side / size), 1), side) + 1).astype(int).tolist() for side in luminance.shape
    )
    found = np.array(
        [
            [quantile(luminance[top:bottom:2, left:right:2], 0.5) for left, right in pairwise(columns)]
            for top, bottom in pairwise(rows)
        ],
        np.float32,
    )
    # A thick digit may cover more than half of a part, but hardly of its neighbours.
    usual = among_neighbours(among_neighbours(found).T).T
    return np.where(np.abs(found - usual) > FILLED, usual, found)


def among_neighbours(values: np.ndarray) -> np.ndarray:
    """The median of each of values (h, w) and of those beside it in its row; the outermost ones count twice."""
    padded = np.pad(values, [(0, 0), (1, 1)], mode="edge")
    return np.median([padded[:, :-2], padded[:, 1:-1], padded[:, 2:]], axis=0)


def strip_of(depth: np.ndarray, line: list[Box], scale: float, digit: int = DIGIT) -> Strip:
    """A line of a picture (h, w), levelled; scale: pixels of the picture for one of the boxes."""
    extents = np.array(line) * scale  # (n, 4): left, top, right, bottom
    slope = slope_of(extents)
    middles = (extents[:, 0] + extents[:, 2]) / 2
    tops, bottoms = extents[:, 1] - slope * middles, extents[:, 3] - slope * middles
    top, bottom = quantile(tops, 0.15), quantile(bottoms, 0.85)
    highest, lowest = tops.min(), bottoms.max()
    # Pixels of the strip for one of the picture: the usual digit fills its part of the strip, and the tallest one fits.
    factor = min(digit / max(bottom - top, 1), TALLEST / max(lowest - highest, 1))
    middle = ((top + bottom) / 2 + (highest + lowest) / 2) / 2
    beside = min(BESIDE / factor, 0.5 * (bottom - top))
    left, right = max(extents[:, 0].min() - beside, 0), min(extents[:, 2].max() + beside, depth.shape[1])
    # From the strip to the picture: a row of the strip follows the slope of the line.
    matrix = np.array(
        [[1 / factor, 0, left], [slope / factor, 1 / factor, middle + slope * left - HEIGHT / 2 / factor]]
    )
    return framed(depth, matrix, round((right - left) * factor), factor)


def slope_of(extents: np.ndarray) -> float:
    """By how much a line falls for each pixel to the right; from the edges of its parts, (n, 4), as Box has them."""
    heights = extents[:, 3] - extents[:, 1]
    left, top, right, bottom = extents[heights >= LEVEL * heights.max()].T
    middles = (left + right) / 2
    if len(middles) < 3 or np.ptp(middles) <= 2 * heights.max():
        return 0.0
    aside = middles - middles.mean()
    return float(np.clip(aside @ (top + bottom) / 2 / (aside @ aside), -0.3, 0.3))


def framed(depth: np.ndarray, matrix: np.ndarray, inked: int, factor: float) -> Strip:
    """The strip in whose middle the part of a picture (h, w) stands that a matrix maps to, so many pixels wide."""
    is_cut = inked > WIDEST - 2 * MARGIN
    inked = min(max(inked, 1), WIDEST - 2 * MARGIN)
    view = View(depth, matrix.copy(), inked, factor)
    matrix[:, 2] -= matrix[:, 0] * view.start
    return Strip(view.ink(), matrix, is_cut, view)


def warp(depth: np.ndarray, matrix: np.ndarray, shape: tuple[int, int], factor: float) -> np.ndarray:
    """The part of a picture (h, w) that a matrix maps to, in that shape, float32; 0 outside the picture."""
    # Averages over areas first, because the transformation reads single pixels.
    reduction = max(int(1 / factor), 1)
    picture = Image.fromarray(depth)
    if reduction > 1:
        picture = picture.reduce(reduction)
    a, b = matrix[:, :2] / reduction, matrix[:, 2] / reduction
    coefficients = (a[0, 0], a[0, 1], b[0], a[1, 0], a[1, 1], b[1])
    return np.asarray(
        picture.transform(shape[::-1], Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR, fillcolor=0)
    )
