"""The lines of a picture become strips of 42 pixels' height, in which the network for lines reads them.

The median of each large part of the picture is its paper. What stands out from it falls into components; those that are
as high as digits and stand beside each other are a line. Each line is levelled and brought to the height that the
network knows.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image

from digit_recognizer_dl_model.strip import HEIGHT, MARGIN, WIDEST, strip_width

from . import levels
from .morphology import components

SAMPLED = 320  # pixels along the longest side in which the paper is looked for
PARTS = 6  # along the longest side
LONGEST = 640  # pixels along the longest side at which lines are looked for
INKED = 0.35  # of the picture's strongest ink, from which a pixel belongs to a component
STRONGEST = 99.5  # percentile of the ink that counts as the strongest
LINE_STRONGEST = 97.5  # the same within a line
TALL = 0.45  # of the usual height in a line; lower components are separators or dirt
LOW = 0.15  # of a line's height; lower components are not looked at
LEAST = 0.02  # of the picture's longest side that a digit is high at least
NEAR = 2.2  # heights between neighbours in a line, at most
OVERLAP = 0.35  # of the lower one's height that two neighbours share
FRAME = 0.85  # of the picture's width that rulings and frames span
DIGIT = 29  # pixels of the strip's 42 that a line's digits are high
BESIDE = 10  # pixels of the strip that are shown of the paper beside a line


class Strip(NamedTuple):
    """One line of a picture.

    ink: (42, width) uint8, ink 255 on 0.
    matrix: (2, 3), from x, y and 1 in the strip to x and y in the picture, in pixels.
    """

    ink: np.ndarray
    matrix: np.ndarray


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


def strips_of_picture(luminance: np.ndarray) -> list[Strip]:
    """The lines of a picture (h, w), from top to bottom."""
    depth = depth_of(luminance)
    scale = max(1, max(depth.shape) / LONGEST)
    small = levels.reduced(depth, LONGEST)
    boxes = boxes_of(small)
    return [strip_of(depth, line, scale) for line in lines_of(boxes)]


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
    return depth if (of_small**3).sum() > 0 else -depth


def medians(luminance: np.ndarray) -> np.ndarray:
    """The medians of a picture (h, w) in parts, PARTS along the longest side, float32."""
    size = max(luminance.shape) / PARTS
    rows, columns = (np.array_split(np.arange(side), max(round(side / size), 1)) for side in luminance.shape)
    return np.array(
        [
            [np.median(luminance[row[0] : row[-1] + 1, column[0] : column[-1] + 1]) for column in columns]
            for row in rows
        ],
        np.float32,
    )


def boxes_of(depth: np.ndarray) -> list[Box]:
    """The components of ink (h, w) that may be digits."""
    height, width = depth.shape
    numbers = components(depth > INKED * np.percentile(depth, STRONGEST))
    order = np.argsort(numbers, axis=None, kind="stable")
    sizes = np.bincount(numbers.ravel())
    boxes = []
    for number, pixels in enumerate(np.split(order, np.cumsum(sizes)[:-1])):
        if number == 0 or len(pixels) < 4:
            continue
        rows, columns = np.divmod(pixels, width)
        box = Box(int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
        is_frame = box.right - box.left > FRAME * width and (box.height < 0.2 * height or touches(box, depth.shape) > 1)
        if box.height >= LEAST * max(depth.shape) and not is_frame:
            boxes.append(box)
    return boxes


def touches(box: Box, shape: tuple[int, int]) -> int:
    """How many edges of the picture a component touches."""
    return sum([box.left == 0, box.top == 0, box.right == shape[1], box.bottom == shape[0]])


def lines_of(boxes: list[Box]) -> list[list[Box]]:
    """The components of each line, from left to right; the lines from top to bottom."""
    if not boxes:
        return []
    tallest = np.percentile([box.height for box in boxes], 75)
    tall = sorted(box for box in boxes if box.height >= TALL * tallest)
    lines: list[list[Box]] = []
    for box in tall:
        fitting = [line for line in lines if belongs(box, line)]
        if fitting:
            max(fitting, key=lambda line: line[-1].right).append(box)
        else:
            lines.append([box])
    for line in lines:
        extend(line, [box for box in boxes if box not in tall])
    return sorted(lines, key=lambda line: np.mean([box.middle for box in line]))


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


def strip_of(depth: np.ndarray, line: list[Box], scale: float) -> Strip:
    """A line of a picture (h, w), levelled; scale: pixels of the picture for one of the boxes."""
    tops, bottoms = np.array([box.top for box in line]), np.array([box.bottom for box in line])
    middles = np.array([(box.left + box.right) / 2 for box in line])
    slope = 0.0
    if len(line) > 2 and np.ptp(middles) > 2 * (bottoms - tops).max():
        slope = float(np.clip(np.polyfit(middles, bottoms, 1)[0], -0.3, 0.3))
    level_tops, level_bottoms = tops - slope * middles, bottoms - slope * middles
    top, bottom = np.percentile(level_tops, 15), np.percentile(level_bottoms, 85)
    factor = DIGIT / (max(bottom - top, 1) * scale)  # pixels of the strip for one of the picture
    left, right = (edge * scale for edge in (min(box.left for box in line), max(box.right for box in line)))
    beside = min(BESIDE / factor, 0.5 * (bottom - top) * scale)
    left, right = max(left - beside, 0), min(right + beside, depth.shape[1])
    inked = min(round((right - left) * factor), WIDEST - 2 * MARGIN)
    middle = (top + bottom) / 2 * scale
    # From the strip to the picture: a row of the strip follows the slope of the line.
    matrix = np.array(
        [[1 / factor, 0, left], [slope / factor, 1 / factor, middle + slope * left - HEIGHT / 2 / factor]]
    )
    cut = warp(depth, matrix, inked, factor)
    ink = cut / max(np.percentile(cut, LINE_STRONGEST), 1)
    width = strip_width(inked)
    start = (width - inked) // 2
    strip = np.zeros((HEIGHT, width), np.uint8)
    strip[:, start : start + inked] = np.rint(255 * ink.clip(0, 1))
    matrix[:, 2] -= matrix[:, 0] * start
    return Strip(strip, matrix)


def warp(depth: np.ndarray, matrix: np.ndarray, width: int, factor: float) -> np.ndarray:
    """The part of a picture (h, w) that a strip sees, (42, width) float32; 0 outside the picture."""
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
