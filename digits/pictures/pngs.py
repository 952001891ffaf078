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
    height, width, channels = maps.shape
    tiles = np.rint(255 * maps / np.maximum(maps.max(axis=(0, 1)), np.finfo(np.float32).tiny))
    gap = -(-width // 16)  # so that sheets of small tiles have gaps as wide when enlarged to the same width
    down = -(-channels // SHEET_COLUMNS)
    cells = np.full((down * SHEET_COLUMNS, height + gap, width + gap), SHEET_GAP, np.uint8)
    cells[:channels, :height, :width] = tiles.transpose(2, 0, 1)
    rows = cells.reshape(down, SHEET_COLUMNS, height + gap, width + gap).swapaxes(1, 2)
    return png(rows.reshape(down * (height + gap), -1)[:-gap, :-gap])
