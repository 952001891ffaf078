"""A PNG or JPEG file becomes luminance; the only place where files of pictures are decoded."""

import io
import warnings
import zlib

import numpy as np
from django.conf import settings
from PIL import ExifTags, Image, PngImagePlugin

from ..refusals import Blank, NotAPicture, Refusal, UnusablePicture

FORMATS = {"PNG": b"\x89PNG\r\n\x1a\n", "JPEG": b"\xff\xd8\xff"}

MAX_SCANS = 64  # of a JPEG picture; cameras make ten, and each may take as long as decoding a picture
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # what EXIF's orientations ask for

# The limits below are checked before decoding and are far stricter than Pillow's, which only warns at first.
Image.MAX_IMAGE_PIXELS = None
# Of the compressed text beside a picture, which nobody reads here.
PngImagePlugin.MAX_TEXT_MEMORY = PngImagePlugin.MAX_TEXT_CHUNK
# Of odd pictures that it reads all the same, Pillow warns; of EXIF data, it takes some damage for a reason to fail and
# some for one to warn.
warnings.filterwarnings("ignore", module=r"PIL\.")
warnings.filterwarnings("error", "(?i)(possibly )?corrupt exif", module=r"PIL\.")


def decode(data: bytes, batch: int = 1) -> np.ndarray:
    """The luminance (h, w) float32 of a PNG or JPEG picture, the way up its EXIF data says."""
    if not data.startswith(tuple(FORMATS.values())):
        raise NotAPicture("This file is not a PNG or JPEG picture.")
    try:
        picture = Image.open(io.BytesIO(data), formats=list(FORMATS))
        check_size(picture, batch)
        if picture.format == "PNG" and not has_right_checksums(data):
            raise ValueError("a checksum is wrong")
        # In the compressed part, no other two bytes are these.
        if picture.format != "PNG" and data.count(b"\xff\xda") > MAX_SCANS:
            raise ValueError("too many scans")
        picture.load()
        turn = TURNS.get(picture.getexif().get(ExifTags.Base.Orientation))
        return luminance_of(picture if turn is None else picture.transpose(turn))
    except Refusal:
        raise
    except Exception as error:  # Pillow answers damage, to EXIF data above all, with a dozen kinds of exception
        raise UnusablePicture("This picture is damaged or cut off: it can't be decoded.") from error


def check_size(picture: Image.Image, batch: int) -> None:
    """Refuse by what the picture's header declares, before memory is taken for its pixels."""
    size = f"This picture has {picture.width} x {picture.height} pixels"
    limit = min(settings.MAX_PICTURE_PIXELS, settings.MAX_BATCH_PIXELS // batch)
    if picture.width * picture.height > limit:
        raise UnusablePicture(f"{size}; {limit / 1024**2:.2g} megapixels are the most, and in large batches less.")
    if max(picture.size) > settings.MAX_PICTURE_SIDE:
        raise UnusablePicture(f"{size}; {settings.MAX_PICTURE_SIDE} are the most along a side.")


def has_right_checksums(png: bytes) -> bool:
    """Whether every chunk of a PNG file is there and undamaged; Pillow skips the checksums of the pixels."""
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
    """Luminance (h, w) float32, 0-255; what is transparent becomes paper that the ink stands out from."""
    if picture.mode.startswith("I"):  # 16 bits a pixel, of which Pillow would cut off those above 255
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
