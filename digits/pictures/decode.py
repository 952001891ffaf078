"""A PNG or JPEG file becomes luminance; the only place where files of pictures are decoded."""

import io
import struct
import warnings
import zlib

import numpy as np
from django.conf import settings
from PIL import Image, ImageOps, PngImagePlugin

from ..refusals import MEGAPIXEL, Blank, NotAPicture, UnusablePicture

FORMATS = {"PNG": b"\x89PNG\r\n\x1a\n", "JPEG": b"\xff\xd8\xff"}
MAX_SCANS = 64  # of a JPEG picture; cameras make ten, and each may take as long as decoding a picture
START_OF_SCAN = b"\xff\xda"  # these two bytes stand nowhere in the compressed part of a JPEG file
# The exceptions by which Pillow reports damage, found with mutated files. About some corrupt EXIF data it only warns,
# which `set_up_pillow` turns into an exception, too.
DAMAGE = (IndexError, OSError, SyntaxError, UserWarning, ValueError, struct.error)


def set_up_pillow() -> None:
    """Set Pillow's limits and warnings, once for the process: `warnings.catch_warnings` is not safe under threads."""
    # Pillow's own limits only warn at first; `check_size` has stricter ones, and the text beside a picture is not read.
    Image.MAX_IMAGE_PIXELS = None
    PngImagePlugin.MAX_TEXT_MEMORY = PngImagePlugin.MAX_TEXT_CHUNK
    warnings.filterwarnings("ignore", module=r"PIL\.")  # oddities that Pillow can read
    warnings.filterwarnings("error", "(?i)(possibly )?corrupt exif", module=r"PIL\.")


def decode(data: bytes, batch: int = 1) -> np.ndarray:
    """The luminance (h, w) float32, 0-255, of a PNG or JPEG picture, turned as its EXIF orientation says.

    Raises NotAPicture for another format and UnusablePicture for a picture that is damaged or too large for one of
    `batch` pictures in a request.
    """
    if not data.startswith(tuple(FORMATS.values())):
        raise NotAPicture("This file is not a PNG or JPEG picture.")
    damaged = UnusablePicture("This picture is damaged or cut off: it can't be decoded.")
    try:
        picture = Image.open(io.BytesIO(data), formats=list(FORMATS))
    except DAMAGE as error:
        raise damaged from error
    check_size(picture, batch)
    if picture.format == "PNG" and not has_right_checksums(data):
        raise damaged
    if picture.format != "PNG" and data.count(START_OF_SCAN) > MAX_SCANS:
        raise damaged
    try:
        picture.load()
        picture.getexif()  # Pillow keeps the orientation from here on
        # `exif_transpose` would write the rest anew, which takes time and fails on damage beside the orientation.
        picture.info = {name: value for name, value in picture.info.items() if name == "transparency"}
        ImageOps.exif_transpose(picture, in_place=True)
    except DAMAGE as error:
        raise damaged from error
    if picture.mode == "P" and picture.palette is None:  # Pillow reads it, but can't tell its colours
        raise damaged
    return luminance_of(picture)


def check_size(picture: Image.Image, batch: int) -> None:
    """Refuse by what the picture's header declares, before memory is taken for its pixels."""
    size = f"This picture has {picture.width} x {picture.height} pixels"
    limit = min(settings.MAX_PICTURE_PIXELS, settings.MAX_BATCH_PIXELS // batch)
    if picture.width * picture.height > limit:
        raise UnusablePicture(f"{size}; {limit / MEGAPIXEL:.2g} megapixels are the most, and in large batches less.")
    if max(picture.size) > settings.MAX_PICTURE_SIDE:
        raise UnusablePicture(f"{size}; {settings.MAX_PICTURE_SIDE} are the most along a side.")


def has_right_checksums(png: bytes) -> bool:
    """Whether every chunk of a PNG file is there and undamaged.

    By hand, because Pillow's decoder skips the checksums of the pixels, and `Image.verify` skips the last chunk, takes
    nine times as long and needs the file opened a second time.
    """
    view, start = memoryview(png), len(FORMATS["PNG"])
    while start < len(png):
        end = start + 8 + int.from_bytes(view[start : start + 4])
        if zlib.crc32(view[start + 4 : end]) != int.from_bytes(view[end : end + 4]):
            return False
        if view[start + 4 : end] == b"IEND":
            return True
        start = end + 4
    return False


def luminance_of(picture: Image.Image) -> np.ndarray:
    """Luminance (h, w) float32, 0-255; transparent pixels become paper that the ink stands out from.

    Raises Blank for a picture that is transparent everywhere.
    """
    if picture.mode.startswith("I"):  # 16 bits a pixel; Pillow would clip values above 255
        luminance = np.asarray(picture, np.float32) / 257
        if "transparency" not in picture.info:
            return luminance
        alpha = (luminance != np.float32(picture.info["transparency"]) / 257).astype(np.float32)
    elif picture.has_transparency_data:
        colours = picture.convert("RGBA")
        alpha = np.asarray(colours.getchannel("A"), np.float32) / 255
        luminance = np.asarray(colours.convert("RGB").convert("L"), np.float32)
    else:
        return np.asarray(picture.convert("L"), np.float32)
    if not alpha.any():
        raise Blank("This picture is fully transparent.")
    beneath = 255 if np.average(luminance, weights=alpha) < 128 else 0
    return luminance * alpha + beneath * (1 - alpha)
