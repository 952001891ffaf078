"""How much ink is at each pixel of a picture, dark on light or light on dark."""

import numpy as np
from PIL import Image

from digit_recognizer_dl_model.frame import SIDE

from ..event_loop import leave_if
from ..refusals import Blank
from . import background, levels, noise
from .centring import Ink, crop, extent
from .morphology import components

MIN_CONTRAST = 20  # grey levels of 255 between paper and ink; a fainter mark may be the paper's own
# A fainter mark is ink if it stands out from the noise and hangs together, unlike noise.
FAINTEST = 8  # grey levels
DISTINCT = 10  # standard deviations of the noise
LEAST_NOISE = 0.3  # grey levels; rounding to whole levels alone makes as much
CONNECTED = 0.5  # fraction of the mark in its largest component

ENLARGEMENT = 4  # times, of a small picture on uneven paper
SMALL = 0.2  # of the picture's longest side; a digit that is smaller is looked at once more


def ink_of_picture(luminance: np.ndarray) -> Ink:
    """The ink of a picture from its luminance (h, w) uint8 or float32, 0-255; reduced in size where paper is uneven.

    Raises Blank where nothing stands out from the paper.
    """
    if not is_large(luminance):
        luminance = noise.without_noise(luminance)
    uneven = on_uneven_paper(luminance)
    if uneven is None and (ink := ink_of_outlines(luminance)):
        return ink
    leave_if(True)
    depth = depth_of_picture(luminance, uneven)
    # What was reduced until a digit has few pixels is looked at once more, from near.
    if depth.size < luminance.size and (near := surroundings(depth, luminance)) is not None:
        depth = depth_of_picture(near, on_uneven_paper(near))
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


def depth_of_picture(luminance: np.ndarray, uneven: np.ndarray | None) -> np.ndarray:
    """How many grey levels each pixel of the digit stands out from the paper; raises Blank where nothing does.

    luminance: (h, w) uint8 or float32; uneven: what `on_uneven_paper` says of it.
    """
    depth = None if uneven is None else background.depth_on_uneven_paper(uneven)
    if depth is None:
        depth = levels.levels_of(luminance).depth(luminance)
        if is_large(luminance) and any(has_gap(depth.max(axis=axis)) for axis in (0, 1)):
            depth[~background.digit_mask(depth)] = 0
    if depth.max() < MIN_CONTRAST:
        depth = background.depth_on_uneven_paper(luminance, looks_closely=True) if is_large(luminance) else None
        if depth is None or not is_faint_ink(depth, levels.noise_of(background.reduced(luminance))):
            raise Blank("There is no ink in this picture.")
    return depth


def is_large(luminance: np.ndarray) -> bool:
    """Whether a picture (h, w) may have more in it than a digit, and light that differs."""
    return max(luminance.shape) > 2 * SIDE


def on_uneven_paper(luminance: np.ndarray) -> np.ndarray | None:
    """The picture (h, w) if its paper is uneven, a small one enlarged; None on even paper."""
    if not is_large(luminance):
        return uneven_tile(luminance)
    is_uneven = background.may_be_uneven(luminance) and not levels.has_even_paper(luminance)
    return luminance if is_uneven else None


def uneven_tile(luminance: np.ndarray) -> np.ndarray | None:
    """A small picture (h, w) on uneven paper, enlarged so that cells are smaller than strokes; None on even paper."""
    if np.ptp(levels.border(luminance)) <= levels.EVEN:
        return None
    height, width = luminance.shape
    size = ENLARGEMENT * width, ENLARGEMENT * height
    picture = Image.fromarray(luminance.astype(np.float32, copy=False))
    enlarged = np.asarray(picture.resize(size, Image.Resampling.BILINEAR))
    return None if levels.has_one_level(enlarged) else enlarged


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
