"""Strokes of (n, 2) points x, y, y down, fitted to a size and drawn with a round pen."""

import numpy as np
from PIL import Image

from digits.pictures.drawing import draw_line

BLACK, WHITE = 0, 255


def fit(strokes: list[np.ndarray], length: float) -> list[np.ndarray]:
    """The strokes enlarged until their longer side is `length`, with the least x and y at 0; a dot stays a dot."""
    points = np.concatenate(strokes)
    scale = length / (np.ptp(points, axis=0).max() or 1)
    return [(stroke - points.min(axis=0)) * scale for stroke in strokes]


def extent(strokes: list[np.ndarray]) -> np.ndarray:
    """The width and the height of strokes, (2,)."""
    return np.ptp(np.concatenate(strokes), axis=0)


def draw_strokes(
    size: tuple[int, int],
    strokes: list[np.ndarray],
    pen: float,
    *,
    ink: int = BLACK,
    paper: int = WHITE,
    supersampling: int = 1,
) -> Image.Image:
    """A grey picture of strokes; size, points and the thickness of the pen in pixels.

    Pillow draws hard edges. With supersampling, the picture is drawn that much larger and averaged, so that its edges
    are as soft as those of a drawing program.
    """
    width, height = size
    sheet = Image.new("L", (width * supersampling, height * supersampling), paper)
    for stroke in strokes:
        draw_line(sheet, stroke * supersampling, pen * supersampling, ink)
    return sheet if supersampling == 1 else sheet.resize(size, Image.Resampling.BOX)
