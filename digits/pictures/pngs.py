"""Pixels as PNG files: what the network sees, what speaks for its answer, its feature maps, and the map of tiles."""

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageDraw

from digit_recognizer_dl_model.frame import SIDE

from .formats import PNG_MAGIC

OVERLAY_SIDE = 4 * SIDE  # pixels: smooth colours over pixels that can still be counted
FOR, AGAINST = (20, 120, 255), (255, 130, 0)  # blue and orange, which colour-blind people can tell apart
SHEET_COLUMNS = 8
LIGHTS_COLUMNS = 32
SHEET_GAP = 64  # grey level between the tiles of a sheet
STAMP_LEVELS = 16  # of ink, which take half a byte a pixel


def png(pixels: np.ndarray) -> bytes:
    """Pixels uint8, (height, width) grey or (height, width, 3) coloured, as a PNG file.

    By hand, as Pillow takes twice as long for a tile, and its file is larger.
    """
    height, width, *channels = pixels.shape
    rows = np.zeros((height, 1 + pixels[0].size), np.uint8)  # each begins with its filter: none
    rows[:, 1:] = pixels.reshape(height, -1)
    colour_type = 2 if channels else 0
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows, 1)),
        (b"IEND", b""),
    ]
    chunks = [len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4) for kind, data in parts]
    return PNG_MAGIC + b"".join(chunks)


def overlay(pixels: np.ndarray, relevance: np.ndarray) -> bytes:
    """The pixels as a PNG of 112x112, coloured by how much they speak for (blue) or against (orange) the answer.

    Pixels (28, 28) uint8, relevance (28, 28) float32; the strongest mark has the full colour.
    """
    size = (OVERLAY_SIDE, OVERLAY_SIDE)
    marks = Image.fromarray(relevance).resize(size, Image.Resampling.BICUBIC)
    strength = np.asarray(marks)[..., None] / max(np.abs(relevance).max(), np.finfo(np.float32).tiny)
    alpha = np.abs(strength).clip(0, 1)
    grey = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.NEAREST))[..., None]
    colours = grey * (1 - alpha) + np.where(strength > 0, FOR, AGAINST) * alpha
    return png(np.rint(colours).astype(np.uint8))


def sheet(maps: np.ndarray) -> bytes:
    """Feature maps (height, width, channels), at least 0, as a PNG of tiles, eight a row, each up to white."""
    tiles = np.rint(255 * maps / np.maximum(maps.max(axis=(0, 1)), np.finfo(np.float32).tiny))
    gap = -(-maps.shape[1] // 16)  # so that sheets of small tiles have gaps as wide when enlarged to the same width
    return png(arranged(tiles.transpose(2, 0, 1), SHEET_COLUMNS, gap))


def lights(activations: np.ndarray) -> bytes:
    """Activations (neurons,), at least 0, as a PNG of squares, 32 a row, the strongest white."""
    values = np.rint(255 * activations / np.maximum(activations.max(), np.finfo(np.float32).tiny))
    squares = np.broadcast_to(values[:, None, None], (len(values), 4, 4))
    return png(arranged(squares, LIGHTS_COLUMNS, gap=1))


def arranged(tiles: np.ndarray, columns: int, gap: int) -> np.ndarray:
    """Tiles (n, height, width) in 0-255 as one picture, uint8, in rows of so many, with grey gaps between."""
    count, height, width = tiles.shape
    down = -(-count // columns)
    cells = np.full((down * columns, height + gap, width + gap), SHEET_GAP, np.uint8)
    cells[:count, :height, :width] = tiles
    rows = cells.reshape(down, columns, height + gap, width + gap).swapaxes(1, 2)
    return rows.reshape(down * (height + gap), -1)[:-gap, :-gap]


def stamps(pixels: np.ndarray, across: int) -> bytes:
    """Pictures of ink (n, side, side) uint8 beside each other as a PNG, so many in a row; the paper is transparent.

    A page can colour the ink. Its 16 levels are the opacities of a palette, which makes the file half as large.
    """
    n, side, _ = pixels.shape
    down = -(-n // across)
    cells = np.zeros((down * across, side, side), np.uint8)
    cells[:n] = np.rint(pixels * ((STAMP_LEVELS - 1) / 255))
    rows = cells.reshape(down, across, side, side).swapaxes(1, 2)
    picture = Image.fromarray(rows.reshape(down * side, across * side)).convert("P")
    picture.putpalette(bytes(3 * STAMP_LEVELS))
    opacities = bytes(255 * level // (STAMP_LEVELS - 1) for level in range(STAMP_LEVELS))
    file = io.BytesIO()
    picture.save(file, "PNG", bits=4, transparency=opacities, compress_level=6)
    return file.getvalue()


def dots(places: np.ndarray, kinds: np.ndarray, colours: np.ndarray, side: int, radius: float) -> bytes:
    """Places (n, 2), 0 to 1, as dots in a square PNG of so many pixels, transparent between them.

    kinds: (n,), the row of each dot's colour in colours, (m, 3) uint8.
    """
    fine = 4  # times the size, in which they are drawn, so that they are round
    picture = Image.new("P", (fine * side, fine * side), len(colours))
    picture.putpalette(bytes(colours.ravel()) + bytes(3))
    draw = ImageDraw.Draw(picture)
    for (x, y), kind in zip((places * fine * side).tolist(), kinds.tolist(), strict=True):
        reach = fine * radius
        draw.ellipse((x - reach, y - reach, x + reach, y + reach), fill=kind)
    picture.info["transparency"] = len(colours)
    smooth = picture.convert("RGBA").resize((side, side), Image.Resampling.BOX)
    file = io.BytesIO()
    smooth.quantize(128, Image.Quantize.FASTOCTREE).save(file, "PNG", optimize=True)
    return file.getvalue()
