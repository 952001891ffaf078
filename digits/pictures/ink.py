"""How much ink is at each pixel of a picture, dark on light or light on dark."""

import numpy as np
from PIL import Image

from digit_recognizer_dl_model.frame import SIDE

from ..refusals import Blank
from . import background, levels
from .morphology import components

MIN_CONTRAST = 20  # grey levels of 255 between paper and ink; a fainter mark may be the paper's own
# A fainter mark is ink if it stands out from the noise and hangs together, unlike noise.
FAINTEST = 8  # grey levels
DISTINCT = 10  # standard deviations of the noise
LEAST_NOISE = 0.3  # grey levels; rounding to whole levels alone makes as much
CONNECTED = 0.5  # fraction of the mark in its largest component

ENLARGEMENT = 4  # times, of a small picture on uneven paper
SMALL = 0.2  # of the picture's longest side; a digit that is smaller is looked at once more


def ink_of_picture(luminance: np.ndarray) -> np.ndarray:
    """Luminance (h, w) float32, 0-255 -> ink (h, w) float32, 0-1, reduced in size where the paper is uneven.

    Raises Blank where nothing stands out from the paper.
    """
    depth = depth_of_picture(luminance)
    # What was reduced until a digit has few pixels is looked at once more, from near.
    if depth.size < luminance.size and (near := surroundings(depth, luminance)) is not None:
        depth = depth_of_picture(near)
    # In place, here and below, because fresh memory for a large picture takes longer than the arithmetic.
    np.maximum(depth, 0, out=depth)
    depth /= depth.max()
    return depth


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


def depth_of_picture(luminance: np.ndarray) -> np.ndarray:
    """How many grey levels each pixel of the digit stands out from the paper; raises Blank where nothing does."""
    is_large = max(luminance.shape) > 2 * SIDE
    uneven = uneven_picture(luminance) if is_large else uneven_tile(luminance)
    depth = None if uneven is None else background.depth_on_uneven_paper(uneven)
    if depth is None:
        depth = depth_on_even_paper(luminance)
        if is_large and has_gaps(depth):
            depth[~background.digit_mask(depth)] = 0
    if depth.max() < MIN_CONTRAST:
        depth = background.depth_on_uneven_paper(luminance, looks_closely=True) if is_large else None
        if depth is None or not is_faint_ink(depth, levels.noise_of(background.reduced(luminance))):
            raise Blank("There is no ink in this picture.")
    return depth


def uneven_picture(luminance: np.ndarray) -> np.ndarray | None:
    """The picture (h, w) itself if its paper is uneven."""
    return luminance if background.may_be_uneven(luminance) and not levels.has_even_paper(luminance) else None


def uneven_tile(luminance: np.ndarray) -> np.ndarray | None:
    """A small picture (h, w) on uneven paper, enlarged so that cells are smaller than strokes; None on even paper."""
    if np.ptp(levels.border(luminance)) <= levels.EVEN:
        return None
    height, width = luminance.shape
    size = ENLARGEMENT * width, ENLARGEMENT * height
    enlarged = np.asarray(Image.fromarray(luminance).resize(size, Image.Resampling.BILINEAR))
    return None if levels.has_one_level(enlarged) else enlarged


def has_gaps(depth: np.ndarray) -> bool:
    """Whether rows or columns without ink (h, w) lie between others, so that there may be more than the digit."""
    step = 1 + max(depth.shape) // 100  # one digit in rows that are looked at leaves no gap
    for profile in (depth[::step].max(axis=0), depth[:, ::step].max(axis=1)):
        inked = np.flatnonzero(profile > MIN_CONTRAST / 2)
        if len(inked) and inked[-1] - inked[0] >= len(inked):
            return True
    return False


def is_faint_ink(depth: np.ndarray, noise: float) -> bool:
    """Whether what stands out from the paper by so little (h, w) is ink, not noise."""
    strongest = depth.max()
    if strongest < FAINTEST or strongest < DISTINCT * max(noise, LEAST_NOISE):
        return False
    coarse = levels.reduced(depth.clip(0), levels.FINE)
    sizes = np.bincount(components(coarse > coarse.max() / 2).ravel())[1:]
    return sizes.max() >= CONNECTED * sizes.sum()


def depth_on_even_paper(luminance: np.ndarray) -> np.ndarray:
    """How many grey levels each pixel (h, w) stands out from paper of one level; paper is at most 0."""
    paper, noise, is_dark = levels.levels_of(luminance)
    depth = paper - luminance if is_dark else luminance - paper
    depth -= 3 * noise
    return depth
