"""How much ink is at each pixel of a picture, dark on light or light on dark."""

import numpy as np

from digit_recognizer_dl_model.frame import SIDE

from ..refusals import Blank
from . import background

MIN_CONTRAST = 20  # grey levels of 255 between paper and ink; a fainter mark counts as paper


def ink_of_picture(luminance: np.ndarray) -> np.ndarray:
    """Luminance (h, w) float32, 0-255 -> ink (h, w) float32, 0-1, reduced in size where the paper is uneven.

    Raises Blank where nothing stands out from the paper.
    """
    depth = None
    if max(luminance.shape) > 2 * SIDE and background.may_be_uneven(luminance):
        depth = background.depth_on_uneven_paper(luminance)
    if depth is None:
        depth = depth_on_even_paper(luminance)
    strongest = depth.max()
    if strongest < MIN_CONTRAST:
        raise Blank("There is no ink in this picture.")
    # In place, here and below, because fresh memory for a large picture takes longer than the arithmetic.
    np.maximum(depth, 0, out=depth)
    depth /= strongest
    return depth


def depth_on_even_paper(luminance: np.ndarray) -> np.ndarray:
    """How many grey levels each pixel (h, w) stands out from paper of one level; paper is at most 0.

    The edge of the picture tells the level of the paper and its noise; ink is on the side that reaches further.
    """
    edge = background.border(luminance)
    level = np.median(edge)
    noise = 3 * np.median(np.abs(edge - level))
    is_dark = level - luminance.min() >= luminance.max() - level
    depth = level - luminance if is_dark else luminance - level
    depth -= noise
    return depth
