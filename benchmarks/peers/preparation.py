"""The usual preparation of a picture of a digit, as peers of this site do it.

What Pillow's C code can do is left to it, which is faster than NumPy at this size.
"""

import io

import numpy as np
from PIL import Image, ImageOps

SIDE, BOX = 28, 20  # pixels of MNIST's pictures, and of the digit in them along its longer side
MIDDLE = SIDE / 2  # where its centre of mass is
LIGHT = 128  # grey level from which paper is light
INKED = 100  # level of ink that says how far the digit reaches
DRAFT = 4 * BOX, 4 * BOX  # size below which the decoder of JPEG files must not reduce a picture
IS_INKED = [255 * (level >= INKED) for level in range(256)]
PLACES = np.arange(BOX) + 0.5


def prepare(file: bytes) -> np.ndarray:
    """A picture file as MNIST's digits are, (28, 28) uint8: cropped to the ink, reduced and centred by its mass.

    Raises ValueError where there is no ink.
    """
    picture = Image.open(io.BytesIO(file))
    picture.draft("L", DRAFT)
    ink = picture.convert("L")
    if np.asarray(ink).mean() >= LIGHT:
        ink = ImageOps.invert(ink)
    box = ink.point(IS_INKED).getbbox()
    if box is None:
        raise ValueError("there is no ink in this picture")
    width, height = box[2] - box[0], box[3] - box[1]
    scale = BOX / max(width, height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    digit = np.asarray(ink.resize(size, Image.Resampling.BOX, box))
    pixels = np.zeros((SIDE, SIDE), np.uint8)
    top, left = place(digit.sum(axis=1)), place(digit.sum(axis=0))
    pixels[top : top + digit.shape[0], left : left + digit.shape[1]] = digit
    return pixels


def place(sums: np.ndarray) -> int:
    """Where rows or columns with these sums of ink begin, so that their centre of mass is in the middle."""
    centre = PLACES[: len(sums)] @ sums / sums.sum()
    return min(max(0, round(MIDDLE - centre)), SIDE - len(sums))
