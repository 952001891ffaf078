"""Pictures that tests send: digits drawn with lines, in every form a client may encode them."""

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageDraw

from digits.canaries import STROKES, points

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


def number_strokes(number: str, gap: float = 0.12, corner: tuple[float, float] = (0.1, 0.3)) -> list[list]:
    """Digits beside each other from that corner on, as lines of points in heights of a digit."""
    placed, x = [], corner[0]
    for digit in number:
        lines = [np.array(points(line)) for line in STROKES[int(digit)]]
        together = np.concatenate(lines)
        low, high = together.min(axis=0), together.max(axis=0)
        scale = 1 / (high - low)[1]
        placed += [((line - low) * scale + [x, corner[1]]).tolist() for line in lines]
        x += (high - low)[0] * scale + gap
    return placed


def number_picture(*lines: str, height: int = 60, pen: int = 7, ink="black", paper="white", gap: float = 0.12):
    """Numbers one below the other, in digits of that height in pixels."""
    width = round(height * (max(map(len, lines)) * 0.9 + 0.8))
    picture = Image.new("L", (width, round(height * (1.5 * len(lines) + 0.3))), paper)
    draw = ImageDraw.Draw(picture)
    for row, number in enumerate(lines):
        for stroke in number_strokes(number, gap, (0.4, 0.3 + 1.5 * row)):
            draw.line([(x * height, y * height) for x, y in stroke], fill=ink, width=pen, joint="curve")
    return picture


def encoded(picture: Image.Image, form: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of a PNG file."""
    return len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)


def png_header(width: int, height: int, depth: int = 1, colours: int = 0) -> bytes:
    """How a PNG file begins."""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, 0))


def with_chunk(png: bytes, name: bytes, data: bytes) -> bytes:
    """A PNG file with one more chunk behind its header."""
    return png[:33] + chunk(name, data) + png[33:]


def exif_with(*entries: bytes, count: int | None = None) -> bytes:
    """EXIF data: a little-endian TIFF directory with entries of 12 bytes; `count` is the number it declares."""
    declared = len(entries) if count is None else count
    return b"II*\0" + struct.pack("<IH", 8, declared) + b"".join(entries) + bytes(4)


TURNED = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)  # the orientation of a camera held upright
