"""Pixels as PNG files: what the network sees, what speaks for its answer, and its feature maps."""

import struct
import zlib

import numpy as np
from PIL import Image

from digit_recognizer_dl_model.frame import SIDE

from .formats import PNG_MAGIC

OVERLAY_SIDE = 4 * SIDE  # pixels: smooth colours over pixels that can still be counted
FOR, AGAINST = (20, 120, 255), (255, 130, 0)  # blue and orange, which colour-blind people can tell apart
SHEET_COLUMNS = 8
LIGHTS_COLUMNS = 32
SHEET_GAP = 64  # grey level between the tiles of a sheet


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
