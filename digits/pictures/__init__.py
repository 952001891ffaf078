"""A picture or a drawing becomes 28x28 pixels as MNIST prepares its digits; the only place where that happens."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from . import centring, decode, drawing, ink
from .drawing import Stroke


def prepare(data: bytes, batch: int = 1) -> np.ndarray:
    """An encoded picture, one of a batch of so many, as 28x28 uint8 pixels, ink 255 on 0; or raises a Refusal."""
    return centring.centre(ink.ink_of(decode.decode(data, batch)))


def prepare_image(picture: Image.Image) -> np.ndarray:
    """A decoded picture as 28x28 uint8 pixels, ink 255 on 0; raises Blank where there is no ink."""
    return centring.centre(ink.ink_of(decode.luminance_of(picture)))


def prepare_strokes(strokes: Sequence[Stroke]) -> np.ndarray:
    """Strokes of the drawing pad as 28x28 uint8 pixels, ink 255 on 0; raises Blank where none is on the pad."""
    return prepare_image(drawing.draw(strokes))
