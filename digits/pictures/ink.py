"""How much ink is at each pixel of a picture, whatever its paper and whichever of the two is darker."""

import numpy as np

from digit_recognizer_dl_model.frame import SIDE

from ..refusals import Blank
from . import background

MIN_CONTRAST = 20  # grey levels of 255 between paper and ink; fainter is paper


def ink_of(luminance: np.ndarray) -> np.ndarray:
    """How much ink is at each pixel, (h, w) float32 in 0-1, whether dark on light or light on dark."""
    if max(luminance.shape) > 2 * SIDE and background.is_suspect(luminance):
        luminance = background.even_out(luminance)
    edge = background.rim(luminance)
    level = np.median(edge)
    grain = 3 * np.median(np.abs(edge - level))
    darker, lighter = level - luminance.min(), luminance.max() - level
    depth = level - luminance if darker >= lighter else luminance - level
    depth -= grain  # in place, as fresh memory for a large picture takes longer than the arithmetic
    strongest = depth.max()
    if strongest < MIN_CONTRAST:
        raise Blank("There is no ink in this picture.")
    np.maximum(depth, 0, out=depth)
    depth /= strongest
    return depth
