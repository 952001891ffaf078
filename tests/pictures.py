"""Pictures that tests send: digits drawn with lines, in every form a client may encode them."""

import io

from PIL import Image, ImageDraw

TWO = [(0.3, 0.36), (0.34, 0.26), (0.5, 0.2), (0.66, 0.28), (0.66, 0.42), (0.5, 0.6), (0.3, 0.8), (0.72, 0.8)]
SEVEN = [(0.28, 0.22), (0.72, 0.22), (0.45, 0.82)]


def drawing(strokes=(TWO,), side: int = 280, pen: int = 22, ink="black", paper="white", mode: str = "L") -> Image.Image:
    """Lines through points given in shares of the side."""
    picture = Image.new(mode, (side, side), paper)
    draw = ImageDraw.Draw(picture)
    for stroke in strokes:
        points = [(x * side, y * side) for x, y in stroke]
        draw.line(points, fill=ink, width=pen, joint="curve")
    return picture


def encoded(picture: Image.Image, form: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()
