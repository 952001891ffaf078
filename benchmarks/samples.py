"""What the benchmarks of requests send: a tile of the gallery in every form, and the strokes of a digit."""

import io
import json

import numpy as np
from PIL import Image

from digits.canaries import PEN, STROKES, points
from digits.gallery import gallery

from .quality.photographs import BLACK, WHITE, Scene, expose

TILE = 0
SIDE = 280  # pixels
PHOTOGRAPH = 4000, 3000  # pixels along the longer and the shorter side
SEED = 7


def label() -> int:
    """The digit that all of these show."""
    return gallery().label(TILE)


def pixels() -> np.ndarray:
    """(28, 28) uint8, ink 255 on 0."""
    return gallery().pixels(TILE)


def picture() -> bytes:
    """A PNG of 280x280 pixels, dark on white."""
    file = io.BytesIO()
    Image.fromarray(255 - pixels()).resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(file, "PNG")
    return file.getvalue()


def photograph() -> bytes:
    """A JPEG of 12 megapixels, of a pen on paper in nearly even light."""
    scene = Scene(WHITE, BLACK, height=15, turn=0, tilt=0, darkest=0.9)
    exposed, _ = expose(scene, pixels(), np.random.default_rng(SEED))
    size = PHOTOGRAPH if exposed.width > exposed.height else PHOTOGRAPH[::-1]
    file = io.BytesIO()
    exposed.resize(size, Image.Resampling.BICUBIC).save(file, "JPEG", quality=90)
    return file.getvalue()


def strokes() -> str:
    """The digit as the drawing pad sends it."""
    return json.dumps([{"points": points(stroke), "width": PEN} for stroke in STROKES[label()]])
