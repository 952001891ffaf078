"""A picture or a drawing becomes 28x28 pixels as MNIST prepares its digits; this is the only place that does it.

A picture: `formats` and `headers` (what a file is and what it will cost), `decode` (file to luminance), `ink`
(luminance to ink, with the help of `noise`, `thumbnails` and `background`), `centring` (ink to pixels). A drawing:
`drawing` (strokes to ink), `centring`.
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from ..stages import stage
from . import centring, decode, drawing, ink
from .decode import Budget
from .drawing import Stroke
from .formats import format_of
from .headers import read_header
from .sheets import DrawingSheet as DrawingSheet
from .sheets import PictureSheet, candidates_of


def prepare(data: bytes, budget: Budget | None = None) -> np.ndarray:
    """Prepare a picture file: (28, 28) uint8, ink 255 on 0; raises a Refusal.

    budget: what the pictures of a request may cost together, of which this one takes its part.
    """
    return candidates(data, budget)[0]


def candidates(data: bytes, budget: Budget | None = None) -> list[np.ndarray]:
    """Prepare a picture file in each way that may be right, the likeliest first; otherwise as `prepare`."""
    with stage("decode"):
        luminance = decode.decode(data, budget)
    with stage("prepare"):
        return candidates_of(luminance, ink.ink_of_picture(luminance))


def prepare_image(picture: Image.Image) -> np.ndarray:
    """Prepare a decoded picture: (28, 28) uint8, ink 255 on 0; raises Blank where there is no ink."""
    return centring.centre(ink.ink_of_picture(decode.luminance_of(picture)))


@stage("prepare")
def prepare_strokes(strokes: Sequence[Stroke]) -> np.ndarray:
    """Prepare the strokes of a drawing: (28, 28) uint8, ink 255 on 0; raises Blank where no ink is on the pad."""
    return centring.centre(drawing.ink_of_strokes(strokes))


@stage("decode")
def sheet_of_picture(data: bytes, budget: Budget | None = None) -> PictureSheet:
    """A picture file in which numbers are looked for, its boxes in the pixels of the file; raises a Refusal."""
    luminance = decode.decode(data, budget)
    header = read_header(data, format_of(data))
    return PictureSheet(luminance, max(header.width, header.height) / max(luminance.shape))
