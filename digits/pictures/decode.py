"""A picture file becomes luminance; the only place where files of pictures are decoded."""

import io
import struct
import time
import warnings
import zlib

import numpy as np
from django.conf import settings
from PIL import BmpImagePlugin, Image, ImageOps, PngImagePlugin

from ..event_loop import leave_if
from ..refusals import MEGAPIXEL, Blank, TooLarge, UnusablePicture
from .formats import MAGIC, format_of
from .headers import LARGEST_SIDE, MAX_EXIF, PREPARING, REDUCED_SIDE, Header, damaged, png_chunks, read_header, too_many

# The exceptions by which Pillow reports damage, found with mutated files. About some corrupt EXIF data it only warns,
# which `set_up_pillow` turns into an exception, too.
DAMAGE = (IndexError, OSError, SyntaxError, UserWarning, ValueError, struct.error)
QUICK = 0.02  # seconds, by the estimate, within which a picture may be decoded on the event loop
GREY_FIRST = 0.1  # seconds, by the estimate; a JPEG picture that takes longer is not decoded twice
FLAT = 80  # grey levels of luminance; where there are more, it tells ink from paper
COLOURFUL = 2  # times the levels of luminance that a colour has to have in order to be looked at instead
# Bytes a pixel that a decoder may need: two for each coefficient of a JPEG picture of four channels, and more for WebP.
DECODER_BYTES = 12
# How much EXIF data is read, by Pillow's names: as it is, and in lines of hexadecimal digits as in PNG files.
EXIF_LIMITS = {"exif": MAX_EXIF, "Raw profile type exif": 2.1 * MAX_EXIF}


class Budget:
    """The seconds of a processor that the pictures of one request share, as estimated and as measured.

    The estimates refuse before the work begins. The clock, which is that of the thread, catches what they leave out.
    """

    def __init__(self, seconds: float) -> None:
        self.left = seconds  # by the estimates
        self._end = time.thread_time() + seconds

    def spend(self, seconds: float) -> None:
        """Raises TooLarge for a picture that costs more than is left; a cheaper one may still be read."""
        if seconds > self.left or seconds + PREPARING > self._end - time.thread_time():
            raise TooLarge("The pictures before this one cost all the time that a request has; send it in another one.")
        self.left -= seconds


def set_up_pillow() -> None:
    """Set Pillow's limits and warnings, once for the process: `warnings.catch_warnings` is not safe under threads."""
    # Pillow's own limits only warn at first; `check_size` has stricter ones, and the text beside a picture is not read.
    Image.MAX_IMAGE_PIXELS = None
    PngImagePlugin.MAX_TEXT_MEMORY = PngImagePlugin.MAX_TEXT_CHUNK
    BmpImagePlugin.USE_RAW_ALPHA = True  # many programs write alpha where the format has a byte in reserve
    warnings.filterwarnings("ignore", module=r"PIL\.")  # oddities that Pillow can read
    warnings.filterwarnings("error", "(?i)(possibly )?corrupt exif", module=r"PIL\.")


def decode(data: bytes, budget: Budget | None = None) -> np.ndarray:
    """The luminance (h, w), 0-255, of the first frame of a picture file, turned as its EXIF orientation says.

    It is uint8, or float32 where it has fractions: from 16 bits a pixel, or half transparent. A large picture is
    reduced; its longer side keeps at least REDUCED_SIDE pixels. Raises NotAPicture for a format that is not read,
    UnusablePicture for a picture that is damaged or would cost too much, TooLarge where `budget` is spent.
    """
    form = format_of(data)
    if budget:
        budget.spend(0)  # reading a header takes time, too
    header = read_header(data, form)
    check_size(header, form)
    check_cost(header)
    leave_if(header.seconds > QUICK)
    if budget:
        budget.spend(header.seconds)
    if form == "PNG" and not has_right_checksums(data):
        raise damaged()
    if form == "JPEG" and header.seconds < GREY_FIRST:
        # Few pictures need their colours, which take memory and a quarter of the time.
        grey = reduced(opened(header, form, mode="L"))
        if grey.mode != "L" or max(spans_of(grey)) > FLAT:
            return luminance_of(grey)
    return luminance_of(reduced(plain_png(header) if header.plain else opened(header, form)))


def plain_png(header: Header) -> Image.Image:
    """The picture in a plain PNG file, without Pillow's reader, which looks at every chunk again."""
    mode, pixels = header.plain
    try:
        return Image.frombytes(mode, (header.width, header.height), pixels, "zip", mode, 0)
    except DAMAGE as error:
        raise damaged_unless_short_of_memory(error, header) from error


def opened(header: Header, form: str, mode: str | None = None) -> Image.Image:
    """The picture in a file, as Pillow reads it, turned as its EXIF orientation says.

    mode: "L" leaves out the colours of a JPEG picture, where it holds them apart from its luminance.
    """
    try:
        picture = Image.open(io.BytesIO(header.data), formats=list(MAGIC))
    except DAMAGE as error:
        raise damaged_unless_short_of_memory(error, header) from error
    if picture.size != (header.width, header.height):
        raise damaged()
    try:
        if form == "JPEG":
            picture.draft(mode, tuple(max(1, side // header.drafted) for side in picture.size))
        picture.load()
        if any(len(picture.info.get(name, "")) > most for name, most in EXIF_LIMITS.items()):
            raise too_many("bytes of EXIF data", MAX_EXIF)
        picture.getexif()  # Pillow keeps the orientation from here on
        # `exif_transpose` would write the rest anew, which takes time and fails on damage beside the orientation.
        picture.info = {name: value for name, value in picture.info.items() if name == "transparency"}
        ImageOps.exif_transpose(picture, in_place=True)
    except DAMAGE as error:
        raise damaged_unless_short_of_memory(error, header) from error
    if picture.mode == "P" and picture.palette is None:  # Pillow reads it, but can't tell its colours
        raise damaged()
    if form == "BMP" and picture.mode == "RGBA" and not picture.getchannel("A").getbbox():
        picture = picture.convert("RGB")  # the byte in reserve is nothing but that
    return picture


def damaged_unless_short_of_memory(error: Exception, header: Header) -> UnusablePicture:
    """The refusal for what Pillow reports as damage; raises MemoryError where that may be what was missing.

    Not all decoders tell the one from the other: JPEG's breaks off, and WebP's can't be created.
    """
    if "out of memory" in str(error):
        raise MemoryError from error
    np.empty((header.height, header.width, DECODER_BYTES), np.uint8)
    return damaged()


def check_size(header: Header, form: str) -> None:
    """Refuse by what the picture's header declares, before memory is taken for its pixels."""
    size = f"This picture has {header.width} x {header.height} pixels"
    most = settings.MAX_JPEG_PIXELS if form == "JPEG" else settings.MAX_PICTURE_PIXELS
    # Rounded, as cameras count: those of 50 megapixels have up to 50.3.
    if round(header.width * header.height / MEGAPIXEL) * MEGAPIXEL > most:
        jpeg = settings.MAX_JPEG_PIXELS // MEGAPIXEL
        other = settings.MAX_PICTURE_PIXELS // MEGAPIXEL
        raise UnusablePicture(f"{size}; {jpeg} megapixels are the most for JPEG, {other} megapixels for the others.")
    if max(header.width, header.height) > settings.MAX_PICTURE_SIDE:
        raise UnusablePicture(f"{size}; {settings.MAX_PICTURE_SIDE} are the most along a side.")


def check_cost(header: Header) -> None:
    seconds = header.seconds + PREPARING
    if seconds > settings.MAX_PICTURE_SECONDS:
        raise UnusablePicture(
            f"This picture would take about {seconds:.1f} seconds to decode;"
            f" {settings.MAX_PICTURE_SECONDS} is the most. Save it smaller, or as a plain JPEG."
        )


def has_right_checksums(png: bytes) -> bool:
    """Whether every chunk of a PNG file is there and undamaged.

    By hand, because Pillow's decoder skips the checksums of the pixels, and `Image.verify` skips the last chunk, takes
    nine times as long and needs the file opened a second time.
    """
    view = memoryview(png)
    return all(
        zlib.crc32(view[start - 4 : end]) == int.from_bytes(view[end : end + 4]) for _, start, end in png_chunks(png)
    )


def reduced(picture: Image.Image) -> Image.Image:
    """A picture with a side over LARGEST_SIDE reduced by a whole factor, before it takes four bytes a pixel."""
    longer = max(picture.size)
    if longer <= LARGEST_SIDE:
        return picture
    if picture.mode.startswith("I") and "transparency" in picture.info:
        grey = np.asarray(picture)
        opaque = np.where(grey == picture.info["transparency"], 0, 255)
        picture = Image.fromarray(np.stack([grey >> 8, opaque], axis=2).astype(np.uint8), "LA")
    elif picture.mode.startswith("I"):
        picture = picture.convert("I")
    else:
        is_grey = picture.mode in ("1", "L")
        picture = picture.convert("RGBA" if picture.has_transparency_data else "L" if is_grey else "RGB")
    return picture.reduce(longer // REDUCED_SIDE)


def luminance_of(picture: Image.Image) -> np.ndarray:
    """Luminance (h, w) uint8 or float32, 0-255; transparent pixels become paper that the ink stands out from.

    Raises Blank for a picture that is transparent everywhere.
    """
    if picture.mode.startswith("I"):  # 16 bits a pixel; Pillow would clip values above 255
        luminance = np.asarray(picture, np.float32) / 257
        if "transparency" not in picture.info:
            return luminance
        alpha = (luminance != np.float32(picture.info["transparency"]) / 257).astype(np.float32)
    elif picture.has_transparency_data:
        colours = picture.convert("RGBA")
        opacity = colours.getchannel("A")
        grey = colours.convert("RGB").convert("L")
        if opacity.getextrema() == (255, 255):  # as a canvas gives it
            return np.asarray(grey)
        alpha, luminance = np.asarray(opacity, np.float32) / 255, np.asarray(grey, np.float32)
    else:
        return np.asarray(channel_of(picture))
    if not alpha.any():
        raise Blank("This picture is fully transparent.")
    beneath = 255 if np.average(luminance, weights=alpha) < 128 else 0
    return luminance * alpha + beneath * (1 - alpha)


def channel_of(picture: Image.Image) -> Image.Image:
    """Luminance, or the colour in which paper and ink differ where their luminance is nearly the same."""
    luminance = picture if picture.mode == "L" else picture.convert("L")
    if picture.mode in ("1", "L"):
        return luminance
    [levels] = spans_of(luminance)
    if levels > FLAT:
        return luminance
    colours = picture.convert("RGB")
    spans = spans_of(colours)
    return colours.getchannel(spans.index(max(spans))) if max(spans) >= COLOURFUL * levels else luminance


def spans_of(picture: Image.Image) -> list[int]:
    """How many levels apart the lightest and the darkest place of each channel are."""
    channels = picture.reduce(1 + max(picture.size) // 200).split()
    return [most - least for least, most in (channel.getextrema() for channel in channels)]
