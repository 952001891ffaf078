"""Noise all over a small picture is taken out before anything else looks at it.

In a large picture, reducing averages noise away. In one of 28x28 pixels a pixel of noise is as large as the pen.
"""

import numpy as np

from . import levels
from .morphology import box_sum, dilate, median

LEAST_SIDE = 16  # pixels; what is smaller or narrower is cropped to its ink, whose edges would look like noise
STANDING_OUT = 20  # grey levels that a pixel differs by from the median of the 3x3 around it
STROKE = 40  # grey levels that the median differs by from the paper's level where there is a stroke
CLEAR = 0.25  # fraction of the picture that must be clear of strokes to tell anything
# Pixels that stand out away from strokes are a fine pen's or noise. They are noise where there are so many of them,
# as a fraction, and where so many have none or more than three of their kind around them: a line has one or two.
FRACTION = 0.05
IRREGULAR = 0.41  # together with twice the fraction


def without_noise(luminance: np.ndarray) -> np.ndarray:
    """The median of 3x3 around each pixel of a small noisy picture (h, w); another picture comes back itself."""
    # The border of a clean picture is even, as a rule.
    if min(luminance.shape) < LEAST_SIDE or np.ptp(levels.border(luminance)) <= levels.EVEN:
        return luminance
    smooth = median(luminance)
    return smooth if is_noise(luminance, smooth) else luminance


def is_noise(luminance: np.ndarray, smooth: np.ndarray) -> bool:
    """Whether what a picture (h, w) has more than its median, `smooth`, is noise, not a fine pen's line."""
    smooth = smooth.astype(np.float32)
    stands_out = np.abs(luminance - smooth) > STANDING_OUT
    is_clear = ~dilate(np.pad(np.abs(smooth - np.median(smooth)) > STROKE, 1), 3)
    clear = np.count_nonzero(is_clear)
    if clear < CLEAR * is_clear.size:
        return False
    fraction = np.count_nonzero(stands_out & is_clear) / clear
    if fraction <= FRACTION:
        return False
    around = (box_sum(stands_out.astype(np.int8)) - 1)[stands_out]  # without the pixel itself
    irregular = np.count_nonzero((around == 0) | (around > 3)) / around.size
    return irregular + 2 * fraction > IRREGULAR
