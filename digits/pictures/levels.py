"""The two levels of a picture on even paper: which is the paper's, and which the ink's.

Ink may touch the edge of a picture or fill it, so the edge alone does not tell the paper. Ink covers less of a picture
than paper, lies in fewer of its corners and hangs together, while it cuts the paper into parts.
"""

import functools
import math
from typing import NamedTuple

import numpy as np
from PIL import Image

from .morphology import components, dilate, erode

# When the edge alone tells.
CLEAR = 0.95  # fraction of the edge on one side of the middle level
ENOUGH = 0.75  # fraction of the picture on the same side

# How much each of three fractions speaks for a level being the ink's; `python -m benchmarks.quality.margins --fit`
AREA, CORNERS, CONNECTED = -4.6, -2.3, 3.9
FINE = 48  # pixels along the longest side of what is judged by them
CRUMB = 0.02  # fraction of a level's pixels below which a part of it does not count
SOFT = 0.5  # of the way from the middle to the outermost level that is a stroke's soft edge, neither paper nor noise

# When paper is even.
SAMPLED = 400  # pixels along the longest side that are looked at
EVEN = 3  # grey levels within which paper counts as even
NEAR, STEEP = 0.1, 0.2  # a stroke is near if within so much of the longest side is so much of the ink's contrast
SPAN = 8  # standard deviations of noise between the least and the most of so many pixels
UNEVEN = 0.15  # fraction of the paper away from strokes that may be off its level
SPECKS = 0.0005  # fraction of single pixels in the paper from which it has salt-and-pepper noise
# A shadow is an area of one level between those of paper and ink; the soft edges of strokes are narrow.
DARKEST = 0.9  # fraction of the contrast between paper and ink
SHADOW = 0.005  # fraction of the picture


class Levels(NamedTuple):
    """Grey levels, 0-255, of a picture with even paper."""

    paper: float
    noise: float  # the median distance of the paper's pixels from its level
    is_dark: bool  # whether the ink is darker than the paper

    def depth(self, luminance: np.ndarray) -> np.ndarray:
        """How many grey levels values of the luminance stand out from the paper and its noise, float32."""
        luminance = luminance.astype(np.float32, copy=False)
        depth = self.paper - luminance if self.is_dark else luminance - self.paper
        depth -= 3 * self.noise
        return depth


def levels_of(luminance: np.ndarray) -> Levels:
    """The levels of a picture (h, w) whose paper is even."""
    least, most = luminance.min().item(), luminance.max().item()
    middle = (least + most) / 2
    edge = border(luminance)
    dark_edge = np.count_nonzero(edge <= middle) / edge.size
    if min(dark_edge, 1 - dark_edge) <= 1 - CLEAR:
        sample = luminance[::4, ::4]
        dark = np.count_nonzero(sample <= middle) / sample.size
        if (dark_edge < 0.5 and dark <= 1 - ENOUGH) or (dark_edge > 0.5 and dark >= ENOUGH):
            return spread(edge, is_dark=bool(dark_edge < 0.5))
    is_dark = ink_is_dark(luminance)
    clear = middle + SOFT * ((most if is_dark else least) - middle)
    return spread(luminance[luminance >= clear if is_dark else luminance <= clear], is_dark)


def border(values: np.ndarray) -> np.ndarray:
    """The values (n,) along the four edges of an array (h, w)."""
    return np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])


def spread(paper: np.ndarray, is_dark: bool) -> Levels:
    if np.ptp(paper) == 0:  # as programs draw it
        return Levels(float(paper[0]), 0.0, is_dark)
    level = median(paper)
    return Levels(level, median(np.abs(paper - np.float32(level))), is_dark)


def median(values: np.ndarray) -> float:
    """As `np.median`, which takes four times as long for the border of a picture."""
    below, above = (values.size - 1) // 2, values.size // 2
    parted = np.partition(values, (below, above))
    return float((parted[below].astype(np.float32) + parted[above].astype(np.float32)) / 2)


def ink_is_dark(luminance: np.ndarray) -> bool:
    """Whether the ink of a picture (h, w) is what lies below the middle level, not what lies above it."""
    small = reduced(luminance.astype(np.float32, copy=False), FINE)
    dark = small <= (small.min() + small.max()) / 2
    return likeness_to_ink(dark) >= likeness_to_ink(~dark)


def reduced(values: np.ndarray, longest: int) -> np.ndarray:
    """The means of values (h, w) in areas, at most so many along the longest side."""
    scale = longest / max(values.shape)
    if scale >= 1:
        return values
    height, width = (max(1, round(side * scale)) for side in values.shape)
    return np.asarray(Image.fromarray(values).resize((width, height), Image.Resampling.BOX))


def likeness_to_ink(mask: np.ndarray) -> float:
    """How much the pixels (h, w) of a level are like ink; higher is more."""
    return float(features(mask) @ (AREA, CORNERS, CONNECTED))


def features(mask: np.ndarray) -> np.ndarray:
    """Three fractions, (3,): of the picture (h, w) covered, of its corners covered, of its pixels connected."""
    sizes = np.bincount(components(mask).ravel())[1:]
    sizes = sizes[sizes > CRUMB * mask.sum()]
    corners = mask[[0, 0, -1, -1], [0, -1, 0, -1]]
    return np.array([mask.mean(), corners.mean(), sizes.max(initial=0) / max(mask.sum(), 1)])


def has_even_paper(luminance: np.ndarray) -> bool:
    """Whether the paper (h, w) has one level and the ink another, so that no light, shadow or noise is on them."""
    sample = sampled(luminance)
    levels = levels_of(sample)
    return (
        has_one_level(sample)
        and not is_shadowed(sample, levels)
        and not has_specks(luminance, levels.paper)
        and not lies_beside(is_ink_of(sample, levels))
    )


def sampled(luminance: np.ndarray) -> np.ndarray:
    step = -(-max(luminance.shape) // SAMPLED)
    return np.ascontiguousarray(luminance[::step, ::step], np.float32)


def has_one_level(luminance: np.ndarray) -> bool:
    """Whether hardly any paper (h, w) is off its level, except near strokes, whose edges may be soft."""
    levels = levels_of(luminance)
    outermost = luminance.min() if levels.is_dark else luminance.max()
    size = 2 * round(NEAR * max(luminance.shape) / 2) + 1
    framed = np.pad(luminance, size // 2, mode="edge")
    change = dilate(framed, size) - erode(framed, size) - SPAN * noise_of(luminance)
    away = luminance[~is_ink_of(luminance, levels) & (change <= STEEP * abs(outermost - levels.paper))]
    if not away.size:
        return True
    return bool(np.count_nonzero(np.abs(away - np.median(away)) > EVEN) <= UNEVEN * away.size)


def is_shadowed(luminance: np.ndarray, levels: Levels) -> bool:
    """Whether an area (h, w) has one level between those of paper and ink."""
    depth = depth_of(luminance, levels)
    between = luminance[(np.abs(luminance - levels.paper) > EVEN) & (depth > 0) & (depth < DARKEST)]
    if not between.size:
        return False
    shadow = np.bincount(between.astype(np.uint8)).argmax()
    return np.count_nonzero(erode(np.abs(luminance - shadow) <= EVEN, 3)) > SHADOW * luminance.size


def is_ink_of(luminance: np.ndarray, levels: Levels) -> np.ndarray:
    """Where a picture (h, w) is on the ink's side of the middle level."""
    middle = (luminance.min() + luminance.max()) / 2
    return luminance <= middle if levels.is_dark else luminance > middle


def depth_of(luminance: np.ndarray, levels: Levels) -> np.ndarray:
    """Where a picture (h, w) is between the paper, 0, and the outermost level of the ink, 1."""
    outermost = luminance.min() if levels.is_dark else luminance.max()
    return (luminance - levels.paper) / (outermost - levels.paper or 1)


def lies_beside(mask: np.ndarray) -> bool:
    """Whether some of the ink (h, w) reaches the edge and some does not, as where a shadow or a neighbour is beside it.

    Ink that fills a picture hangs together.
    """
    numbers = components(reduced(mask.astype(np.float32), FINE) > 0)
    sizes = np.bincount(numbers.ravel())
    sizes[sizes <= CRUMB * sizes[1:].sum()] = 0
    at_edge = np.zeros(len(sizes), bool)
    at_edge[border(numbers)] = True
    at_edge[0] = False
    return bool(sizes[at_edge].any() and sizes[1:][~at_edge[1:]].any())


def has_specks(luminance: np.ndarray, paper: float) -> bool:
    """Whether single pixels with only paper around them stand out in some of the rows (h, w), as salt and pepper do."""
    step = max(16, len(luminance) // 64)
    paper = np.float32(paper)
    above, here, below = (np.abs(luminance[row : row - 5 or None : step] - paper) <= EVEN for row in (3, 4, 5))
    rows = min(len(above), len(here), len(below))
    above, here, below = above[:rows, 1:-1], here[:rows], below[:rows, 1:-1]
    alone = functools.reduce(np.logical_and, (~here[:, 1:-1], here[:, :-2], here[:, 2:], above, below))
    return np.count_nonzero(alone) > SPECKS * alone.size


def noise_of(luminance: np.ndarray) -> float:
    """The standard deviation of the noise of a picture (h, w), in grey levels.

    Second differences along the rows tell it: ink and light add little to their median.
    """
    second = np.abs(np.diff(luminance[::4], 2, axis=1))
    # The median of normal noise is 0.6745 standard deviations; second differences have root 6 times as much noise.
    return float(np.median(second)) / (0.6745 * math.sqrt(6)) if second.size else 0.0


def quantile(values: np.ndarray, fraction: float) -> float:
    """A quantile without interpolation; sorted, because `np.partition` is slow where most values are the same."""
    return float(np.sort(values, axis=None)[round(fraction * (values.size - 1))])
