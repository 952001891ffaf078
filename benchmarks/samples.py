"""What the benchmarks of requests send: a tile of the gallery in every form, and the strokes of a digit.

Run as `python -m benchmarks.samples` to make the two pictures that the site serves for the examples of its API.
"""

import io
import json
import os
from pathlib import Path

import numpy as np
from PIL import Image

from digits.canaries import PEN, STROKES, points
from digits.gallery import gallery

from .quality.photographs import BLACK, WHITE, Scene, expose

TILE = 0
SIDE = 280  # pixels
PHOTOGRAPH = 4000, 3000  # pixels along the longer and the shorter side
SEED = 7

SERVED = Path(__file__).parents[1] / "static" / "digits"
TILES = range(5)  # of the gallery, side by side as a number
ENLARGED = 3
MARGIN = 8  # pixels of a tile, beside the number


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


def number() -> str:
    """The number that `number_picture` shows."""
    return "".join(str(gallery().label(tile)) for tile in TILES)


def number_picture() -> bytes:
    """A PNG of 468x132 pixels: five tiles side by side, dark on white."""
    line = np.pad(np.hstack([gallery().pixels(tile) for tile in TILES]), MARGIN)
    height, width = line.shape
    file = io.BytesIO()
    enlarged = Image.fromarray(255 - line).resize((ENLARGED * width, ENLARGED * height), Image.Resampling.BICUBIC)
    enlarged.save(file, "PNG")
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


# The pictures in `SERVED` and what makes each.
PICTURES = {"digit.png": picture, "number.png": number_picture}


def main() -> None:
    os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", "DJANGO_DEBUG": "1"}
    for name, make in PICTURES.items():
        (SERVED / name).write_bytes(make())
        print(f"wrote {SERVED / name}")


if __name__ == "__main__":
    main()
