"""The lines of a picture become strips of 46 pixels' height, in which the network for lines reads them.

The median of each large part of the picture is its paper. What stands out from it falls into components; those that are
as high as digits and stand beside each other are a line. Each line is levelled and brought to the height that the
network knows.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from PIL import Image

from digit_recognizer_dl_model.strip import HEIGHT, MARGIN, WIDEST, strip_width

from . import levels
from .characters import extents
from .morphology import closing_of_rows, components, opening_of_rows

SAMPLED = 320  # pixels along the longest side in which the paper is looked for
PARTS = 6  # along the longest side
FILLED = 30  # grey levels by which the median of a part full of ink differs from those beside it
LONGEST = 640  # pixels along the longest side at which lines are looked for
INKED = 0.35, 0.5, 0.65  # of the picture's strongest ink, from which a pixel belongs to a component; tried in turn
DUST = 4  # pixels; smaller components are not looked at
STRONGEST = 0.995  # quantile of the ink that counts as the strongest
LINE_STRONGEST = 0.975  # the same within a line
FAINT = 0.6  # of the ink of the strongest line; fainter lines are the paper's pattern
TALL = 0.45  # of the usual height in a line; lower components are separators or dirt
LOW = 0.15  # of a line's height; lower components are not looked at
MOST = 1000  # components in which lines are looked for; 20 lines of 32 digits have fewer
LEAST = 0.02  # of the picture's shortest side that a digit is high at least
LOWEST = 5  # pixels of the picture in which lines are looked for that a digit is high at least
STACKED = 0.6  # of the narrower one's width that two parts of a digit share which lie above each other
HALF = 0.8  # of the usual height in a line; parts of a digit are lower
TOLERANCE = 0.2  # of the usual height
NEAR = 2.2  # heights between neighbours in a line, at most
OVERLAP = 0.35  # of the lower one's height that two neighbours share
LONGEST_STROKE = 1.5, 0.6  # of the picture's height, and of its width: what is level and longer is a ruling
PARTS_OF_RULING = 3  # that are level, at most, in one that is not
FRAME = 0.85  # of the picture's width that rulings and frames span
DIGIT = 29  # pixels of the strip's 46 that a line's digits are high
TALLEST = 38  # pixels that its tallest digit is high at most
LEVEL = 0.6  # of the tallest part's height, from which parts tell the slope of a line
FILLINGS = 31, 34, 38  # pixels of the strip's 46 that a picture is high which shows nothing but a line
BESIDE = 10  # pixels of the strip that are shown of the paper beside a line


class Strip(NamedTuple):
    """One line of a picture.

    ink: (46, width) uint8, ink 255 on 0.
    matrix: (2, 3), from x, y and 1 in the strip to x and y in the picture, in pixels.
    is_cut: whether the line goes on to the right of the widest strip.
    """

    ink: np.ndarray
    matrix: np.ndarray
    is_cut: bool = False

    def boxes(self, places: np.ndarray) -> list[tuple[float, float, float, float]]:
        """The boxes of characters in the picture, from the middles of all characters in the strip, in pixels.

        A box is its left and upper edge, its width and its height.
        """
        return [self._on_picture(*extent) for extent in extents(self.ink, places)]

    def _on_picture(self, left: int, top: int, right: int, bottom: int) -> tuple[float, float, float, float]:
        corners = self.matrix @ [[left, right, left, right], [top, top, bottom, bottom], [1, 1, 1, 1]]
        (x, y), (x_end, y_end) = corners.min(axis=1).tolist(), corners.max(axis=1).tolist()
        return x, y, x_end - x, y_end - y


class Box(NamedTuple):
    """The extent of a component, in pixels of the picture in which lines are looked for."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2

    def with_other(self, other: "Box") -> "Box":
        """The smallest box around both."""
        return Box(*map(min, self[:2], other[:2]), *map(max, self[2:], other[2:]))


def strips_of_picture(luminance: np.ndarray) -> list[Strip]:
    """The lines of a picture (h, w), from top to bottom."""
    return strips_of_depth(depth_of(luminance))


def strips_of_depth(depth: np.ndarray, digit: int = DIGIT) -> list[Strip]:
    """The lines of what stands out from the paper by `depth` (h, w), from top to bottom.

    digit: pixels that the digits of a line are high in its strip.
    """
    lines, scale = find_lines(depth)
    return [strip_of(depth, line, scale, digit) for line in lines]


def find_lines(depth: np.ndarray) -> tuple[list[list[Box]], float]:
    """The lines of what stands out from the paper (h, w), and how many of its pixels are one of their boxes'."""
    small = levels.reduced(depth, LONGEST)
    return strong_lines(small, lines_of(boxes_of(small))), max(1, max(depth.shape) / LONGEST)


def strong_lines(depth: np.ndarray, lines: list[list[Box]]) -> list[list[Box]]:
    """The lines whose ink (h, w) is not much fainter than that of the strongest; others are the paper's pattern."""
    strengths = [np.mean([depth[box.top : box.bottom, box.left : box.right].max() for box in line]) for line in lines]
    return [line for line, strength in zip(lines, strengths, strict=True) if strength >= FAINT * max(strengths)]


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

    Ink covers less than half of any large part of a picture, so the median there is the paper's. Ink is narrow and
    paper is not, so the differences from it are skewed towards the ink.
    """
    small = levels.reduced(luminance.astype(np.float32, copy=False), SAMPLED)
    shape = luminance.shape[::-1]
    paper = Image.fromarray(medians(small)).resize(shape, Image.Resampling.BILINEAR)
    depth = luminance - np.asarray(paper)
    of_small = levels.reduced(depth, SAMPLED)
    return depth if (of_small * of_small * of_small).sum() > 0 else -depth


def quantile(values: np.ndarray, fraction: float) -> float:
    """A quantile without interpolation; sorted, because `np.partition` is slow where most values are the same."""
    return float(np.sort(values, axis=None)[round(fraction * (values.size - 1))])


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


def boxes_of(depth: np.ndarray) -> list[Box]:
    """The components of ink (h, w) that may be digits.

    Rulings, frames and grids join the digits on them into one component. They are mostly fainter than ink, so where
    there is such a component, ink has to be stronger to count.
    """
    strongest = quantile(depth[::2, ::2], STRONGEST)
    boxes: list[Box] = []
    for share in INKED:
        found = extents_of(components(without_rulings(depth > share * strongest)))
        boxes = [box for box in found if not is_frame(box, depth.shape)]
        if len(boxes) == len(found):
            break
    return [box for box in boxes if box.height >= max(LEAST * min(depth.shape), LOWEST)]


def without_rulings(mask: np.ndarray) -> np.ndarray:
    """Ink (h, w) without what is level and longer than the strokes of digits, except where other ink crosses it."""
    height, width = mask.shape
    longest = min(LONGEST_STROKE[0] * height, LONGEST_STROKE[1] * width)
    level = mask.copy()  # with the rows beside it, because a ruling that is not quite level goes on there
    level[1:] |= mask[:-1]
    level[:-1] |= mask[1:]
    parts = components(mask & opening_of_rows(level, round(longest / PARTS_OF_RULING)))
    ruling = np.zeros_like(mask)
    for left, top, right, bottom in extents_of(parts):
        if right - left >= longest:
            part = parts[top:bottom, left:right]
            ruling[top:bottom, left:right] |= part == np.bincount(part[part > 0]).argmax()
    if not ruling.any():
        return mask
    rest = mask & ~ruling
    thickness = round(quantile(ruling.sum(axis=0), 0.9))
    return rest | (mask & closing_of_rows(rest.T, 2 * thickness + 1).T)


def extents_of(numbers: np.ndarray) -> list[Box]:
    """The extents of components (h, w), as `components` numbers them; dust is left out."""
    places = np.flatnonzero(numbers)
    if not len(places):
        return []
    places = places[np.argsort(numbers.ravel()[places], kind="stable")]
    starts = np.flatnonzero(np.diff(numbers.ravel()[places], prepend=0))
    rows, columns = np.divmod(places, numbers.shape[1])
    edges = np.stack(
        [
            np.minimum.reduceat(columns, starts),
            np.minimum.reduceat(rows, starts),
            np.maximum.reduceat(columns, starts) + 1,
            np.maximum.reduceat(rows, starts) + 1,
        ],
        axis=1,
    )
    sizes = np.diff(starts, append=len(places))
    return [Box(*edge) for edge in edges[sizes >= DUST].tolist()]


def is_frame(box: Box, shape: tuple[int, int]) -> bool:
    """Whether a component of a picture of that shape is a ruling, a frame or a grid."""
    height, width = shape
    return box.right - box.left > FRAME * width and (box.height < 0.2 * height or touches(box, shape) > 1)


def touches(box: Box, shape: tuple[int, int]) -> int:
    """How many edges of the picture a component touches."""
    return sum([box.left == 0, box.top == 0, box.right == shape[1], box.bottom == shape[0]])


def lines_of(boxes: list[Box]) -> list[list[Box]]:
    """The components of each line, from left to right; the lines from top to bottom. There are none in noise."""
    if not boxes or len(boxes) > MOST:
        return []
    tallest = quantile(np.array([box.height for box in boxes]), 0.75)
    boxes = rejoined(boxes, tallest)
    tall = sorted(box for box in boxes if box.height >= TALL * tallest)
    low = [box for box in boxes if box.height < TALL * tallest]
    lines: list[list[Box]] = []
    for box in tall:
        fitting = [line for line in lines if belongs(box, line)]
        if fitting:
            max(fitting, key=lambda line: line[-1].right).append(box)
        else:
            lines.append([box])
    lines = merged(lines)
    for line in lines:
        extend(line, low)
    return sorted(lines, key=lambda line: np.mean([box.middle for box in line]))


def rejoined(boxes: list[Box], usual: float) -> list[Box]:
    """The components; two parts above each other that together are about as high as others become one.

    They are a digit that is broken across, such as an eight in two loops. usual: the height of most others.
    """
    joined: list[Box] = []
    for box in sorted(boxes, key=lambda each: each.top):
        place = next((place for place, above in enumerate(joined) if are_parts(above, box, usual)), None)
        if place is None:
            joined.append(box)
        else:
            joined[place] = joined[place].with_other(box)
    return joined


def are_parts(above: Box, below: Box, usual: float) -> bool:
    """Whether two components are the upper and the lower part of a digit."""
    shared = min(above.right, below.right) - max(above.left, below.left)
    narrower = min(above.right - above.left, below.right - below.left)
    is_above = shared >= STACKED * narrower and below.top >= above.bottom - TOLERANCE * usual
    are_half = all(TALL * usual <= part.height < HALF * usual for part in (above, below))
    return is_above and are_half and above.with_other(below).height <= (1 + TOLERANCE) * usual


def merged(lines: list[list[Box]]) -> list[list[Box]]:
    """The lines without those that stand within a longer one, to which their components are added.

    Of a digit that is broken across, such as an eight in two loops, one part goes on with the line that it belongs to,
    and the other, with or without what follows it, is a line of its own at first.
    """
    kept: list[list[Box]] = []
    for line in sorted(lines, key=len, reverse=True):
        around = next((other for other in kept if all(is_within(box, other) for box in line)), None)
        if around is None:
            kept.append(list(line))
        else:
            around.extend(line)
    return [sorted(line) for line in kept]


def is_within(box: Box, line: list[Box]) -> bool:
    """Whether the middle of a component is between the usual top and bottom of what is near it in a line."""
    reach = NEAR * max(each.height for each in line)
    near = [each for each in line if each.left - reach < box.right and box.left < each.right + reach]
    if not near:
        return False
    top, bottom = np.median([(each.top, each.bottom) for each in near], axis=0)
    return bool(top <= box.middle <= bottom)


def extend(line: list[Box], others: list[Box]) -> None:
    """Add to a line what is lower than its digits and stands beside or between them."""
    top, bottom = min(box.top for box in line), max(box.bottom for box in line)
    reach = NEAR * (bottom - top)
    for box in others:
        left, right = min(each.left for each in line), max(each.right for each in line)
        is_beside = left - reach < box.right and box.left < right + reach
        if is_beside and top <= box.middle <= bottom and box.height > LOW * (bottom - top):
            line.append(box)


def belongs(box: Box, line: list[Box]) -> bool:
    """Whether a component goes on with a line, whose components begin further left."""
    last = max(line, key=lambda each: each.right)
    shared = min(box.bottom, last.bottom) - max(box.top, last.top)
    height = max(box.height, last.height)
    return box.left - last.right < NEAR * height and shared >= OVERLAP * min(box.height, last.height)


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
    cut = warp(depth, matrix, inked, factor)
    ink = cut * (255 / max(quantile(cut, LINE_STRONGEST), 1))
    width = strip_width(inked)
    start = (width - inked) // 2
    strip = np.zeros((HEIGHT, width), np.uint8)
    strip[:, start : start + inked] = (ink + 0.5).clip(0, 255)
    matrix[:, 2] -= matrix[:, 0] * start
    return Strip(strip, matrix, is_cut)


def warp(depth: np.ndarray, matrix: np.ndarray, width: int, factor: float) -> np.ndarray:
    """The part of a picture (h, w) that a strip sees, (46, width) float32; 0 outside the picture."""
    # Averages over areas first, because the transformation reads single pixels.
    reduction = max(int(1 / factor), 1)
    picture = Image.fromarray(depth)
    if reduction > 1:
        picture = picture.reduce(reduction)
    a, b = matrix[:, :2] / reduction, matrix[:, 2] / reduction
    coefficients = (a[0, 0], a[0, 1], b[0], a[1, 0], a[1, 1], b[1])
    return np.asarray(
        picture.transform((width, HEIGHT), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR, fillcolor=0)
    )
