"""Where numbers are looked for: a picture, or the drawing on a pad.

Both give the strips of their lines, all of them as one line, and their ink as a single digit's pixels.
"""

import functools
from collections.abc import Sequence

import numpy as np

from digit_recognizer_dl_model.frame import BOX, SIDE

from ..refusals import Blank
from . import centring, drawing, ink, strips
from .centring import USUAL, Ink
from .drawing import FULL, SQUARE, Stroke
from .lines import Box, find_lines
from .strips import DIGIT, Strip

LEVEL = 0.7  # of the width of the ink that is inked in some row, from which it may be the line of a form
MOST_POINTS = 5000  # of a drawing in which numbers are looked for; a digit has a hundred
FINE = 280  # pixels of the pad's height in which strokes are drawn
# A stroke that underlines a number: its height, at most, as a fraction of its width; its width, as fractions of the
# rest's width and height, at least, and of its width, at most; and how far down in the rest it is.
FLAT, ALONG, ACROSS, MOST, BELOW = 0.15, 0.8, 1.2, 2.0, 0.6
# The longest side of a character that is too small to be read if it is not sure.
TINY_PICTURE = 12  # pixels
TINY_DRAWING = 0.06  # of the pad's height


class PictureSheet:
    """A picture (h, w) whose boxes are told in pixels that are `scale` times smaller."""

    def __init__(self, luminance: np.ndarray, scale: float = 1) -> None:
        self._luminance, self._scale = luminance, scale

    @property
    def size(self) -> tuple[float, float]:
        """The width and the height in which boxes are told."""
        height, width = self._luminance.shape
        return width * self._scale, height * self._scale

    @functools.cached_property
    def _depth(self) -> np.ndarray:
        return strips.depth_of(self._luminance)

    @functools.cached_property
    def _found(self) -> tuple[list[list[Box]], float]:
        return find_lines(self._depth)

    def lines(self, digit: int = DIGIT) -> list[Strip]:
        """The lines, in the order of reading, with digits that are so many pixels high in their strips."""
        found, scale = self._found
        return [self._scaled(strips.strip_of(self._depth, line, scale, digit)) for line in found]

    def whole(self) -> list[Strip]:
        """All of it as one line, in several sizes."""
        return [self._scaled(strip) for strip in strips.whole_strips(self._depth)]

    def candidates(self) -> list[np.ndarray]:
        """A single digit as (28, 28) uint8, in each way that may be right; raises Blank where there is no ink."""
        return candidates_of(self._luminance, self._ink)

    @property
    def is_tiny(self) -> bool:
        """Whether all ink together is hardly large enough to be read; raises Blank where there is none."""
        return max(self._ink.strength.shape) < TINY_PICTURE

    @functools.cached_property
    def _ink(self) -> Ink:
        return ink.ink_of_picture(self._luminance)

    def _scaled(self, strip: Strip) -> Strip:
        return strip._replace(matrix=strip.matrix * self._scale)


def candidates_of(luminance: np.ndarray, found: Ink) -> list[np.ndarray]:
    """The ink found in a picture (h, w) as (28, 28) uint8 in each way that may be right; raises Blank for a dot.

    It is brought to the size and the place of MNIST's digits. In a picture of 28x28 pixels whose ink reaches farther
    than theirs, the digit either is larger, or it has its place already and lies among noise, spots or lines. Only the
    network can tell which is true, so that such ink is also left where it lies. In a larger picture, the line or the
    frame of a form is erased, unless the network then sees less of a digit.
    """
    centred = centring.centre(found)
    if luminance.shape == (SIDE, SIDE):
        return [centred, ink.ink_in_place(luminance)] if max(found.strength.shape) > BOX else [centred]
    if min(luminance.shape) <= SIDE or (found.strength > 0.5).mean(axis=1).max() < LEVEL:
        return [centred]
    plain = strips.without_form(luminance)
    if plain is None:
        return [centred]
    try:
        return [centring.centre(ink.ink_of_picture(plain)), centred]
    except Blank:
        return [centred]


class DrawingSheet:
    """The strokes on a pad of that width and height, in the unit of the strokes.

    A drawing of more points than numbers have is looked at as a single digit alone, because drawing it takes long.
    """

    def __init__(self, strokes: Sequence[Stroke], size: tuple[float, float] = SQUARE) -> None:
        self._strokes, self.size = without_underlines(strokes), size
        self._is_simple = sum(len(stroke.points) + drawing.ENDS for stroke in strokes) <= MOST_POINTS
        self._sheets: dict[float, np.ndarray] = {}  # drawn so far, by the thickest pen

    @functools.cached_property
    def _found(self) -> tuple[list[list[Box]], float]:
        return find_lines(self._drawn(np.inf))

    def lines(self, digit: int = DIGIT) -> list[Strip]:
        """The lines as those of a picture, by a pen no thicker than usual."""
        if not self._is_simple:
            return []
        found, scale = self._found
        if not found:
            return []
        depth = self._drawn_for(found, scale)
        return [self._strip(depth, line, scale, digit) for line in found]

    def whole(self) -> list[Strip]:
        """All of it as one line, in several sizes."""
        if not self._is_simple:
            return []
        rows, columns = (np.flatnonzero(self._drawn(np.inf).any(axis=axis)) for axis in (1, 0))
        if not len(rows):
            return []
        line = [Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)]
        return [self._strip(self._drawn_for([line], 1), line, 1, DIGIT)]

    def candidates(self) -> list[np.ndarray]:
        """A single digit as (28, 28) uint8, in the one way that is right; raises Blank where there is no ink."""
        return [centring.centre(drawing.ink_of_strokes(self._strokes, self.size))]

    @property
    def is_tiny(self) -> bool:
        """Whether all strokes together are hardly more than a dot."""
        return np.ptp(np.concatenate([stroke.points for stroke in self._strokes]), axis=0).max() < TINY_DRAWING

    def _drawn_for(self, lines: list[list[Box]], scale: float) -> np.ndarray:
        """The ink by a pen that is no thicker than usual for the height of most lines."""
        heights = [max(box.bottom for box in line) - min(box.top for box in line) for line in lines]
        usual = float(np.median(heights)) * scale / FINE * USUAL / BOX
        return self._drawn(usual if any(stroke.width > usual for stroke in self._strokes) else np.inf)

    def _drawn(self, thickest: float) -> np.ndarray:
        """The ink, (h, w) float32 in 0-255."""
        if thickest not in self._sheets:
            sheet = drawing.blank_sheet(self.size, FINE)
            for stroke in self._strokes:
                drawing.draw_line(sheet, FINE * stroke.points, FINE * min(stroke.width, thickest), FULL)
            self._sheets[thickest] = np.asarray(sheet, np.float32)
        return self._sheets[thickest]

    def _strip(self, depth: np.ndarray, line: list[Box], scale: float, digit: int) -> Strip:
        strip = strips.strip_of(depth, line, scale, digit)
        return strip._replace(matrix=strip.matrix / FINE)


def without_underlines(strokes: Sequence[Stroke]) -> Sequence[Stroke]:
    """The strokes without those under the others that are level and as long as a number is."""
    if len(strokes) < 2:
        return strokes
    boxes = np.array([[*stroke.points.min(axis=0), *stroke.points.max(axis=0)] for stroke in strokes])
    widths, heights = (boxes[:, 2:] - boxes[:, :2]).T
    is_level = heights <= FLAT * widths
    if is_level.all() or not is_level.any():
        return strokes
    (left, top), (right, bottom) = boxes[~is_level, :2].min(axis=0), boxes[~is_level, 2:].max(axis=0)
    is_long = (widths >= max(ALONG * (right - left), ACROSS * (bottom - top))) & (widths <= MOST * (right - left))
    is_below = (boxes[:, 1] + boxes[:, 3]) / 2 >= top + BELOW * (bottom - top)
    return [stroke for stroke, erased in zip(strokes, is_level & is_long & is_below, strict=True) if not erased]
