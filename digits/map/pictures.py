"""The whole map as one picture, for browsers without JavaScript."""

import functools
import re

import numpy as np
from django.conf import settings

from ..pictures import pngs
from .layout import SCALE
from .tile_map import TileMap

SIDE = 1000  # pixels
RADIUS = 2.4  # pixels of a dot
SCHEMES = ("light", "dark")


@functools.lru_cache(len(SCHEMES))
def picture_of(tile_map: TileMap, scheme: str) -> bytes:
    """All tiles as dots in the colours of the map's style sheet: a PNG file, transparent between them."""
    return pngs.dots(tile_map.places / SCALE, tile_map.digits, colours(scheme), SIDE, RADIUS)


@functools.cache
def colours(scheme: str) -> np.ndarray:
    """The colours of the ten digits, (10, 3) uint8, as map.css has them: for light screens, then for dark."""
    styles = (settings.BASE_DIR / "static/digits/map.css").read_text(encoding="utf-8")
    found = re.findall(r"--digit-\d: #([0-9a-f]{6});", styles)
    rows = np.frombuffer(bytes.fromhex("".join(found)), np.uint8).reshape(len(SCHEMES), 10, 3)
    return rows[SCHEMES.index(scheme)]
