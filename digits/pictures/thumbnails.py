"""Ink in a small picture whose paper is uneven: hazy, shaded or in bands.

A pixel of such a picture is nearly as large as the pen, so its paper cannot be found from cells, as `background` does
in larger ones. What is narrow and stands out from what is around it is ink.
"""

import numpy as np
from PIL import Image, ImageFilter

from digit_recognizer_dl_model.frame import SIDE

from . import levels
from .background import DARK
from .morphology import opening

ENLARGEMENT = 4  # times, so that strokes are broad beside the squares in which the paper is looked at
BROADEST = 9  # pixels of 28 across a stroke
NEAR = 3.0  # pixels of 28, the standard deviation of the blur that tells what is around a pixel
FAINT = 0.25  # of the strongest ink; what stands out less is the paper's

STEPS = 2  # from light to dark or back; the top of a 7 makes one
LIKELIER = 0.8  # by which ink on bands must be more like ink than ink on even paper is


def depth_on_uneven_paper(luminance: np.ndarray) -> np.ndarray | None:
    """How many grey levels each pixel of a small picture (h, w) stands out from its paper, float32, 0 on the paper.

    None means that the paper is even.
    """
    if np.ptp(levels.border(luminance)) <= levels.EVEN:
        return None
    values = luminance.astype(np.float32, copy=False)
    depth = depth_on_bands(values)
    if depth is None and not is_even(values):
        depth = depth_of_narrow(values)
    return None if depth is None else without_faint(depth)


def is_even(values: np.ndarray) -> bool:
    """Whether the paper of a small picture (h, w) float32 has one level."""
    height, width = values.shape
    size = ENLARGEMENT * width, ENLARGEMENT * height
    return levels.has_one_level(np.asarray(Image.fromarray(values).resize(size, Image.Resampling.BILINEAR)))


def depth_on_bands(values: np.ndarray) -> np.ndarray | None:
    """The depth of ink (h, w) on paper that is light and dark in turns from side to side, or from top to bottom.

    The level of each band is that of its two ends. None where even paper explains the picture as well.
    """
    is_light = values > (values.min() + values.max()) / 2
    plain = None
    for side, light in ((values, is_light), (values.T, is_light.T)):
        first, last = light[0], light[-1]
        if np.count_nonzero(np.diff(first)) < STEPS or (first != last).any():
            continue
        depth = np.abs(side - (side[0] + side[-1]) / 2)
        if plain is None:
            plain = max(levels.likeness_to_ink(is_light), levels.likeness_to_ink(~is_light))
        if levels.likeness_to_ink(depth > depth.max() / 2) > plain + LIKELIER:
            return depth if side is values else depth.T
    return None


def depth_of_narrow(values: np.ndarray) -> np.ndarray:
    """The depth of what is narrow (h, w) and lighter, or darker, than what is around it, as it would be in even light.

    What darkens paper darkens it by a fraction of the light that it gets.
    """
    scale = max(values.shape) / SIDE
    size = round(BROADEST * scale) | 1
    if is_ink_light(values, NEAR * scale):
        return values - opening(values, size, across_border=True)
    paper = -opening(-values, size, across_border=True)
    return (paper - values) * ((np.median(paper) + DARK) / (paper + DARK))


def is_ink_light(values: np.ndarray, deviation: float) -> bool:
    """Whether the ink of a picture (h, w) is lighter than its paper.

    Strokes are few and stand out much, so the differences of pixels from what is around them, by a blur of this
    standard deviation, lean to the strokes' side.
    """
    around = Image.fromarray(np.rint(values).astype(np.uint8)).filter(ImageFilter.GaussianBlur(deviation))
    difference = values - np.asarray(around, np.float32)
    return bool(((difference - difference.mean()) ** 3).sum() >= 0)


def without_faint(depth: np.ndarray) -> np.ndarray:
    """Depth (h, w) less what the paper may have, the strongest staying as it is."""
    faint = FAINT * depth.max()
    return np.maximum(depth - faint, 0) / (1 - FAINT)
