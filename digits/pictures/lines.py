"""The lines of digits in a picture: components that stand beside each other, once the lines of forms are erased."""

from statistics import median
from typing import NamedTuple

import numpy as np
from PIL import Image

from . import levels
from .levels import quantile
from .morphology import components, dilate
from .rulings import long_lines

LONGEST = 640  # pixels along the longest side at which lines are looked for
INKED = 0.35, 0.5, 0.65  # of the picture's strongest ink, from which a pixel belongs to a component; tried in turn
DUST = 4  # pixels; smaller components are not looked at
STRONGEST = 0.995  # quantile of the ink that counts as the strongest
FAINT = 0.6  # of the ink of the strongest line; fainter lines are the paper's pattern
TALL = 0.45  # of the usual height in a line; lower components are separators or dirt
LOW = 0.15  # of a line's height; lower components are not looked at
MOST = 1000  # components in which lines are looked for; 20 lines of 32 digits have fewer
MOST_LINES = 60  # of which some may be parts of others; a number has 20
LEAST = 0.02  # of the picture's shortest side that a digit is high at least
LOWEST = 5  # pixels of the picture in which lines are looked for that a digit is high at least
STACKED = 0.6  # of the narrower one's width that two parts of a digit share which lie above each other
HALF = 0.8  # of the usual height in a line; parts of a digit are lower
TOLERANCE = 0.2  # of the usual height
NEAR = 2.2  # heights between neighbours in a line, at most
OVERLAP = 0.35  # of the lower one's height that two neighbours share
DARK = 0.5  # of the picture's strongest ink, from which the line of a form is erased; paler ones are rulings
DARKER = 1.3  # times the darkness of a form's line, from which a pixel of it is a stroke that lies on it
EDGE = 2  # pixels beside the line of a form and the side of a frame that are paler
POST = 0.25  # of its height that the side of a frame is wide at most
MARGIN = 1.5  # times the usual height of components, from which one is the margin of a page
FRAME = 0.85  # of the picture's width that rulings and frames span


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


def without_dark_lines(depth: np.ndarray) -> np.ndarray:
    """What stands out from the paper (h, w), without lines and frames as dark as ink, which forms have."""
    found = dark_lines(depth)
    return depth if found is None else np.where(found, np.float32(0), depth)


def dark_lines(depth: np.ndarray) -> np.ndarray | None:
    """Where lines and frames as dark as ink are in what stands out from the paper (h, w); None where there are none.

    Ink that crosses a line is not part of it.
    """
    small = levels.reduced(depth, LONGEST)
    least = INKED[0] * quantile(small[::2, ::2], STRONGEST)
    mask = small > least
    lines = long_lines(mask)
    if not lines.any():
        return None
    darkest = np.where(lines, small, 0).max(axis=0)
    usual = np.median(darkest[darkest > 0])
    if usual < DARK * least / INKED[0]:
        return None
    lines &= small <= DARKER * usual
    lines |= posts(mask & ~lines, lines)
    edges = dilate(np.pad(lines, EDGE), 2 * EDGE + 1)
    found, near = (
        np.asarray(Image.fromarray(each).resize(depth.shape[::-1], Image.Resampling.NEAREST)) for each in (lines, edges)
    )
    return found | (near & (depth < least))


def posts(mask: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """The ink (h, w) that goes straight from a line above it to one below it: the sides of frames."""
    found = np.zeros_like(mask)
    boxes = extents_of(components(mask))
    for left, top, right, bottom in boxes if len(boxes) <= MOST else []:
        is_narrow = right - left <= POST * (bottom - top)
        beside = slice(max(left - 2, 0), right + 2)  # a line that it crosses has a gap there
        is_between = lines[max(top - 2, 0) : top + 2, beside].any() and lines[bottom - 2 : bottom + 2, beside].any()
        if is_narrow and is_between:
            found[top:bottom, left:right] = True
    return found


def find_lines(depth: np.ndarray) -> tuple[list[list[Box]], float]:
    """The lines of what stands out from the paper (h, w), and how many of its pixels are one of their boxes'."""
    small = levels.reduced(depth, LONGEST)
    return strong_lines(small, lines_of(boxes_of(small))), max(1, max(depth.shape) / LONGEST)


def strong_lines(depth: np.ndarray, lines: list[list[Box]]) -> list[list[Box]]:
    """The lines whose ink (h, w) is not much fainter than that of the strongest; others are the paper's pattern."""
    strengths = [np.mean([depth[box.top : box.bottom, box.left : box.right].max() for box in line]) for line in lines]
    return [line for line, strength in zip(lines, strengths, strict=True) if strength >= FAINT * max(strengths)]


def boxes_of(depth: np.ndarray) -> list[Box]:
    """The components of ink (h, w) that may be digits.

    Rulings, frames and grids join the digits on them into one component. They are mostly fainter than ink, so where
    there is such a component, ink has to be stronger to count.
    """
    strongest = quantile(depth[::2, ::2], STRONGEST)
    boxes: list[Box] = []
    for share in INKED:
        found = extents_of(components(depth > share * strongest))
        boxes = [box for box in found if not is_frame(box, depth.shape)]
        if len(boxes) == len(found):
            break
    boxes = [box for box in boxes if box.height >= max(LEAST * min(depth.shape), LOWEST)]
    return without_margins(boxes, len(depth))


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


def without_margins(boxes: list[Box], height: int) -> list[Box]:
    """The components of a picture of that height without the margins of a page, which go through all of it."""
    if not boxes or height <= MARGIN * median(box.height for box in boxes):
        return boxes
    return [box for box in boxes if box.height < height]


def is_frame(box: Box, shape: tuple[int, int]) -> bool:
    """Whether a component of a picture of that shape is a ruling, a frame or a grid."""
    height, width = shape
    return box.right - box.left > FRAME * width and (box.height < 0.2 * height or touches(box, shape) > 1)


def touches(box: Box, shape: tuple[int, int]) -> int:
    """How many edges of the picture a component touches."""
    return sum([box.left == 0, box.top == 0, box.right == shape[1], box.bottom == shape[0]])


def lines_of(boxes: list[Box]) -> list[list[Box]]:
    """The components of each line, from left to right; the lines in the order of reading. There are none in noise."""
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
    return in_reading_order(lines)


def in_reading_order(lines: list[list[Box]]) -> list[list[Box]]:
    """The lines from top to bottom, and from left to right where they stand beside each other, as in a table."""
    rows: list[list[list[Box]]] = []
    for line in sorted(lines, key=middle_of):
        if rows and middle_of(line) <= np.mean([box.bottom for box in rows[-1][0]]):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda line: min(box.left for box in line))]


def middle_of(line: list[Box]) -> float:
    return float(np.mean([box.middle for box in line]))


def rejoined(boxes: list[Box], usual: float) -> list[Box]:
    """The components; two parts above each other that together are about as high as others become one.

    They are a digit that is broken across, such as an eight in two loops. usual: the height of most others.
    """
    halves = [box for box in boxes if TALL * usual <= box.height < HALF * usual]
    if len(halves) < 2:
        return boxes
    left, top, right, bottom = np.array(halves).T
    shared = np.minimum(right[:, None], right) - np.maximum(left[:, None], left)  # by each with each, (n, n)
    narrower = np.minimum(right - left, (right - left)[:, None])
    are_parts = (shared >= STACKED * narrower) & (top >= bottom[:, None] - TOLERANCE * usual)
    are_parts &= bottom - top[:, None] <= (1 + TOLERANCE) * usual
    joined = dict(zip(halves, halves, strict=True))
    for above, below in np.argwhere(are_parts):
        upper, lower = halves[above], halves[below]
        if above != below and upper in joined and lower in joined:
            del joined[upper]
            joined[lower] = Box(*map(min, upper[:2], lower[:2]), *map(max, upper[2:], lower[2:]))
    divided = set(halves)
    return [joined.get(box, box) for box in boxes if box in joined or box not in divided]


def merged(lines: list[list[Box]]) -> list[list[Box]]:
    """The lines without those that stand within a longer one, to which their components are added.

    Of a digit that is broken across, such as an eight in two loops, one part goes on with the line that it belongs to,
    and the other, with or without what follows it, is a line of its own at first.
    """
    if len(lines) > MOST_LINES:  # a number has fewer, and the time for merging grows with their square
        return lines
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
    return median(each.top for each in near) <= box.middle <= median(each.bottom for each in near)


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
