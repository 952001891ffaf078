"""How much ink is at each pixel of a picture, dark on light or light on dark."""

import numpy as np

from digit_recognizer_dl_model.frame import SIDE

from ..event_loop import leave_if
from ..refusals import Blank
from . import background, levels, noise, thumbnails
from .centring import Ink, crop, extent
from .morphology import components

NO_INK = "There is no ink in this picture."
MIN_CONTRAST = 20  # grey levels of 255 between paper and ink; a fainter mark may be the paper's own
# A fainter mark is ink if it stands out from the noise and hangs together, unlike noise.
FAINTEST = 8  # grey levels
DISTINCT = 10  # standard deviations of the noise
LEAST_NOISE = 0.3  # grey levels; rounding to whole levels alone makes as much
CONNECTED = 0.5  # fraction of the mark in its largest component

SMALL = 0.2  # of the picture's longest side; a digit that is smaller is looked at once more


def ink_of_picture(luminance: np.ndarray) -> Ink:
    """The ink of a picture from its luminance (h, w) uint8 or float32, 0-255; reduced in size where paper is uneven.

    Raises Blank where nothing stands out from the paper.
    """
    if not is_large(luminance):
        return ink_of_small(luminance)
    is_uneven = has_uneven_paper(luminance)
    if not is_uneven and (ink := ink_of_outlines(luminance)):
        return ink
    leave_if(True)
    depth = depth_of_picture(luminance, is_uneven)
    # What was reduced until a digit has few pixels is looked at once more, from near.
    if depth.size < luminance.size and (near := surroundings(depth, luminance)) is not None:
        if not is_large(near):
            return ink_of_small(near)
        depth = depth_of_picture(near, has_uneven_paper(near))
    return ink_of_depth(depth)


def ink_in_place(luminance: np.ndarray) -> np.ndarray:
    """All ink of a small picture where it lies, as an array of its shape, uint8; the faintest, too."""
    luminance, depth = without_noise_and_haze(luminance)
    if depth is None:
        depth = levels.levels_of(luminance).depth(luminance)
    strength = np.maximum(depth, 0)
    strength /= max(strength.max(), MIN_CONTRAST)
    return np.rint(255 * strength).astype(np.uint8)


def ink_of_small(luminance: np.ndarray) -> Ink:
    """The ink of a picture (h, w) in which a pixel is nearly as large as the pen; raises Blank where there is none."""
    luminance, depth = without_noise_and_haze(luminance)
    ink = ink_of_outlines(luminance) if depth is None else None
    if ink is None:
        if depth is None or depth.max() < MIN_CONTRAST:
            raise Blank(NO_INK)
        ink = ink_of_depth(depth)
    return ink


def without_noise_and_haze(luminance: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """A small picture (h, w) without noise, and the depth of its ink if its paper is uneven."""
    luminance = noise.without_noise(luminance)
    return luminance, thumbnails.depth_on_uneven_paper(luminance)


def ink_of_depth(depth: np.ndarray) -> Ink:
    """Ink from how much it stands out from the paper (h, w) float32, which is overwritten."""
    # In place, because fresh memory for a large picture takes longer than the arithmetic.
    np.maximum(depth, 0, out=depth)
    depth /= depth.max()
    return Ink(crop(depth), max(depth.shape))


def ink_of_outlines(luminance: np.ndarray) -> Ink | None:
    """The ink of a picture (h, w) on even paper, computed only where it lies; None where that takes a closer look."""
    found = levels.levels_of(luminance)
    outermost = np.minimum if found.is_dark else np.maximum
    columns, rows = (found.depth(outermost.reduce(luminance, axis=axis)) for axis in (0, 1))
    most = columns.max()
    if most < MIN_CONTRAST:
        return None
    if is_large(luminance) and (has_gap(columns) or has_gap(rows)):
        return None
    strength = found.depth(luminance[extent(rows / most), extent(columns / most)])
    np.maximum(strength, 0, out=strength)
    strength /= most
    return Ink(strength, max(luminance.shape))


def surroundings(depth: np.ndarray, luminance: np.ndarray) -> np.ndarray | None:
    """The part of a picture (h, w) around a digit that is small in it; None if the digit (h', w') is not small."""
    inked = depth > depth.max() / 2
    spans = [np.flatnonzero(inked.any(axis=axis))[[0, -1]] for axis in (1, 0)]
    size = max(last + 1 - first for first, last in spans)
    if size > SMALL * max(depth.shape):
        return None
    scale = max(luminance.shape) / max(depth.shape)
    rows, columns = (
        slice(round(max(first - size, 0) * scale), round((last + 1 + size) * scale)) for first, last in spans
    )
    return luminance[rows, columns]


def depth_of_picture(luminance: np.ndarray, is_uneven: bool) -> np.ndarray:
    """How many grey levels each pixel of the digit in a large picture (h, w) stands out from the paper.

    Raises Blank where nothing does.
    """
    depth = background.depth_on_uneven_paper(luminance) if is_uneven else None
    if depth is None:
        depth = levels.levels_of(luminance).depth(luminance)
        if any(has_gap(depth.max(axis=axis)) for axis in (0, 1)):
            depth[~background.digit_mask(depth)] = 0
    if depth.max() < MIN_CONTRAST:
        depth = background.depth_on_uneven_paper(luminance, looks_closely=True)
        if depth is None or not is_faint_ink(depth, levels.noise_of(background.reduced(luminance))):
            raise Blank(NO_INK)
    return depth


def is_large(luminance: np.ndarray) -> bool:
    """Whether a picture (h, w) may have more in it than a digit, and light that differs."""
    return max(luminance.shape) > 2 * SIDE


def has_uneven_paper(luminance: np.ndarray) -> bool:
    """Whether the paper of a large picture (h, w) may be uneven or noisy."""
    return background.may_be_uneven(luminance) and not levels.has_even_paper(luminance)


def has_gap(profile: np.ndarray) -> bool:
    """Whether rows or columns without ink lie between others, so that there may be more than the digit.

    profile: (n,) the most ink in each row or column, in grey levels.
    """
    inked = np.flatnonzero(profile > MIN_CONTRAST / 2)
    return len(inked) > 0 and bool(inked[-1] - inked[0] >= len(inked))


def is_faint_ink(depth: np.ndarray, deviation: float) -> bool:
    """Whether what stands out from the paper by so little (h, w) is ink, not noise."""
    strongest = depth.max()
    if strongest < FAINTEST or strongest < DISTINCT * max(deviation, LEAST_NOISE):
        return False
    coarse = levels.reduced(depth.clip(0), levels.FINE)
    sizes = np.bincount(components(coarse > coarse.max() / 2).ravel())[1:]
    return sizes.max() >= CONNECTED * sizes.sum()
