"""What the beginning of a picture file tells before anything is decoded: its size, and what decoding it will cost.

By hand, because Pillow takes memory or seconds for some files as soon as it opens them. `decode` compares the size that
is found here with the one that Pillow finds.
"""

import re
import struct
from collections.abc import Callable
from typing import NamedTuple

from ..refusals import UnusablePicture
from .formats import PNG_MAGIC

# Seconds of a processor at 3 GHz, measured with Pillow 13: the least of several runs, one thread, on pictures of
# 2000x2000 of one colour (which gives the cost of a pixel) and of noise (which gives that of a byte of the file), at
# the settings of the encoder that took longest. Real pictures take a third to all of it.
PNG_BYTE = 7.5e-9  # of the decoded rows, with the filter that takes longest
PNG_PASS_PIXEL = 6e-9  # where the rows come in seven passes
PNG_CHUNK, PNG_PROFILE = 5e-6, 2.2e-3  # a profile may unpack to a megabyte
JPEG_PIXEL, JPEG_BYTE = 1.2e-9, 8e-9
JPEG_SCAN_PIXEL, JPEG_SCAN_BYTE = 0.7e-9, 30e-9  # where there are several scans; each passes over all pixels again
JPEG_ARITHMETIC_BYTE = 100e-9  # estimated, as no encoder was at hand
WEBP_PIXEL, WEBP_BYTE, WEBP_LOSSLESS_BYTE = 15e-9, 45e-9, 25e-9
GIF_PIXEL, GIF_BYTE = 4e-9, 8e-9
BMP_PIXEL, BMP_RUN_PIXEL, BMP_RUN_BYTE = 1.5e-9, 100e-9, 250e-9  # Pillow unpacks runs in Python
TRANSPARENT_PIXEL = 10e-9  # for laying it on paper and, before that, reducing it
EXIF = 0.04  # of the most that is read, in thousands of entries
KEPT_PIXEL = 10e-9  # what finding the ink takes, for each pixel that is left after reducing
PREPARING = 0.1  # what it may take beside that, in small pictures of noise or squares; an ordinary one takes a tenth

# What decoding takes no notice of in a plain PNG file, and the colours that it has.
PLAIN_CHUNKS = {b"IHDR", b"IDAT", b"IEND", b"bKGD", b"cHRM", b"gAMA", b"pHYs", b"sBIT", b"sRGB", b"tIME"}
PLAIN_MODES = {0: "L", 2: "RGB", 6: "RGBA"}

MAX_EXIF = 65_536  # bytes, as many as a JPEG file has room for
MAX_PNG_CHUNKS = 25_000  # which is a picture of the largest size in chunks of a kilobyte
MAX_JPEG_SEGMENTS = 10_000
MAX_JPEG_HEAD = 4 * 65_536  # bytes that are kept before the pixels; a segment has at most 65,537
MAX_SCANS = 64  # of a JPEG picture; cameras make ten
MAX_GIF_BLOCKS = 200_000  # before the first frame

REDUCED_SIDE = 1600  # pixels, which the longer side keeps, so that a digit on a fiftieth of it is still read
LARGEST_SIDE = 2 * REDUCED_SIDE  # pixels along the longer side of what is not reduced

START_OF_SCAN, END_OF_IMAGE = b"\xff\xda", b"\xff\xd9"  # neither stands in the compressed part of a JPEG file
# The segments that are read of a JPEG file; the others are for other programs, and Pillow would go through them all.
JPEG_TABLES = re.compile(rb"\xff[\xc0-\xc7\xc9-\xcf\xdb\xdd]")
JPEG_NOTES = (
    b"\xff\xe0JFIF\0",
    b"\xff\xe1Exif\0\0",
    b"\xff\xe1http://ns.adobe.com/xap/1.0/\0",
    b"\xff\xeeAdobe",
)
JPEG_MARKER = re.compile(rb"\xff[^\x00\xff]")


class Header(NamedTuple):
    width: int
    height: int
    seconds: float  # of a processor that decoding and preparing the picture takes, estimated
    data: bytes  # the file without what is not read of it
    plain: tuple[str, bytes] | None = None  # of a plain PNG file: Pillow's mode of its pixels, and what holds them

    @property
    def drafted(self) -> int:
        """By how much a JPEG picture is reduced while it is decoded: 1, 2, 4 or 8."""
        return next(by for by in (8, 4, 2, 1) if by == 1 or max(self.width, self.height) >= by * REDUCED_SIDE)


def read_header(data: bytes, form: str) -> Header:
    """The header of a file in the format that `format_of` gives; raises UnusablePicture."""
    try:
        header = READERS[form](data)
    except (IndexError, ValueError, struct.error) as error:
        raise damaged() from error
    if header.width < 1 or header.height < 1:
        raise damaged()
    return header


def damaged() -> UnusablePicture:
    return UnusablePicture("This picture is damaged or cut off: it can't be decoded.")


def too_many(what: str, most: int) -> UnusablePicture:
    return UnusablePicture(f"This picture has too many {what}; {most:,} are the most.")


def kept_pixels(width: int, height: int) -> float:
    """How many pixels are left of a picture after reducing."""
    longer = max(width, height)
    return width * height / (longer // REDUCED_SIDE if longer > LARGEST_SIDE else 1) ** 2


def png_chunks(png: bytes) -> list[tuple[bytes, int, int]]:
    """The name of each chunk, and where its content begins and ends; raises struct.error if the last one is missing."""
    chunks, start = [], len(PNG_MAGIC)
    while len(chunks) < MAX_PNG_CHUNKS:
        length, name = struct.unpack_from(">I4s", png, start)
        chunks.append((name, start + 8, start + 8 + length))
        if name == b"IEND":
            return chunks
        start += length + 12
    raise too_many("chunks", MAX_PNG_CHUNKS)


def exif_seconds(length: int) -> float:
    """What reading so many bytes of EXIF data may take; more than MAX_EXIF are not read."""
    return EXIF * min(1, length / MAX_EXIF)


def png_header(data: bytes) -> Header:
    chunks = png_chunks(data)
    names = [name for name, _, _ in chunks]
    if names[0] != b"IHDR" or names.count(b"IHDR") > 1:
        raise damaged()
    width, height, depth, colours, _, filters, interlaced = struct.unpack_from(">IIBBBBB", data, chunks[0][1])
    row = (width * depth * {2: 3, 4: 2, 6: 4}.get(colours, 1) + 7) // 8
    seconds = PNG_BYTE * row * height + PNG_PASS_PIXEL * width * height * bool(interlaced)
    seconds += PNG_CHUNK * len(chunks) + PNG_PROFILE * names.count(b"iCCP")
    seconds += TRANSPARENT_PIXEL * width * height * (colours in (4, 6) or b"tRNS" in names)
    # In text, it may be compressed.
    is_text = any(data.startswith(b"Raw profile type exif\0", start) for _, start, _ in chunks)
    lengths = [end - start for name, start, end in chunks if name == b"eXIf"]
    seconds += exif_seconds(max(lengths, default=0)) + EXIF * is_text
    plain = None
    if depth == 8 and colours in PLAIN_MODES and not (filters or interlaced) and PLAIN_CHUNKS.issuperset(names):
        first, last = names.index(b"IDAT"), len(names) - 1 - names[::-1].index(b"IDAT")
        if names.count(b"IDAT") == last + 1 - first:
            plain = PLAIN_MODES[colours], b"".join(data[start:end] for _, start, end in chunks[first : last + 1])
    return Header(width, height, seconds + KEPT_PIXEL * kept_pixels(width, height), data, plain)


def jpeg_header(data: bytes) -> Header:
    """What is kept is the first picture of the file with its size, its tables, its pixels and its orientation."""
    kept, notes, start, frame = [data[:2]], list(JPEG_NOTES), 2, None
    for _ in range(MAX_JPEG_SEGMENTS):
        found = JPEG_MARKER.search(data, start)  # Pillow passes over what is between segments, too
        if not found:
            raise damaged()
        start, marker = found.start(), found[0]
        if marker == START_OF_SCAN:
            break
        if marker == END_OF_IMAGE:
            raise damaged()
        if marker[1] in (0x01, *range(0xD0, 0xD9)):  # without content
            start += 2
            continue
        end = start + 2 + struct.unpack_from(">H", data, start + 2)[0]
        note = next((n for n in notes if n[:2] == marker and data.startswith(n[2:], start + 4)), None)
        if note:
            notes.remove(note)
        if note or JPEG_TABLES.match(marker):
            kept.append(data[start:end])
        if marker[1] in range(0xC0, 0xD0) and marker[1] not in (0xC4, 0xC8, 0xCC):
            frame = start
        start = end
    else:
        raise too_many("segments", MAX_JPEG_SEGMENTS)
    if frame is None or sum(map(len, kept)) > MAX_JPEG_HEAD:
        raise damaged()
    kind, _, _, height, width = struct.unpack_from(">BHBHH", data, frame + 1)
    end = data.find(END_OF_IMAGE, start)
    end = len(data) if end < 0 else end + 2
    scans = data.count(START_OF_SCAN, start, end)
    if scans > MAX_SCANS:
        raise too_many("scans", MAX_SCANS)
    pixels = width * height
    a_byte = JPEG_ARITHMETIC_BYTE if kind > 0xC7 else JPEG_SCAN_BYTE if scans > 1 else JPEG_BYTE
    seconds = JPEG_PIXEL * pixels + a_byte * (end - start) + JPEG_SCAN_PIXEL * pixels * (scans - 1)
    file = b"".join([*kept, data[start:end]])
    header = Header(width, height, seconds, file)
    left = kept_pixels(width // header.drafted, height // header.drafted)
    exif = max((len(segment) for segment in kept if segment.startswith(b"Exif", 4)), default=0)
    return header._replace(seconds=seconds + KEPT_PIXEL * left + exif_seconds(exif))


def webp_header(data: bytes) -> Header:
    match data[15:16]:
        case b"X":
            width, height = (1 + int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
        case b"L":
            bits = struct.unpack_from("<I", data, 21)[0]
            width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case _:
            width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    seconds = (WEBP_PIXEL + TRANSPARENT_PIXEL) * width * height
    seconds += (WEBP_LOSSLESS_BYTE if data[15:16] == b"L" else WEBP_BYTE) * len(data)
    seconds += EXIF * bool(data[15:16] == b"X" and data[20] & 0x08)
    return Header(width, height, seconds + KEPT_PIXEL * kept_pixels(width, height), data)


def bmp_header(data: bytes) -> Header:
    if data[14] == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        packing = 0
    else:
        width, height, _, bits, packing = struct.unpack_from("<iiHHI", data, 18)
    pixels = abs(width * height)
    seconds = BMP_RUN_PIXEL * pixels + BMP_RUN_BYTE * len(data) if packing in (1, 2) else BMP_PIXEL * pixels
    seconds += TRANSPARENT_PIXEL * pixels * (bits == 32) + KEPT_PIXEL * kept_pixels(abs(width), abs(height))
    return Header(width, abs(height), seconds, data)


def gif_header(data: bytes) -> Header:
    """What is kept is the palette, which colour is transparent, and the frames."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    start = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    head, transparency = data[:start], b""
    blocks = 0
    while data[start] != 0x2C:  # where a frame begins
        if data[start] != 0x21:  # an extension
            raise damaged()
        begin, start = start, start + 2
        while length := data[start]:
            start, blocks = start + 1 + length, blocks + 1
            if blocks > MAX_GIF_BLOCKS:
                raise too_many("blocks", MAX_GIF_BLOCKS)
        start, blocks = start + 1, blocks + 1
        if data[begin + 1 : begin + 3] == b"\xf9\4":
            transparency = data[begin:start]
    left, top, across, down = struct.unpack_from("<HHHH", data, start + 1)
    width, height = max(width, left + across), max(height, top + down)  # as Pillow has it
    seconds = GIF_PIXEL * width * height + GIF_BYTE * len(data)
    seconds += TRANSPARENT_PIXEL * width * height * bool(transparency)
    file = head + transparency + data[start:]
    return Header(width, height, seconds + KEPT_PIXEL * kept_pixels(width, height), file)


READERS: dict[str, Callable[[bytes], Header]] = {
    "PNG": png_header,
    "JPEG": jpeg_header,
    "WEBP": webp_header,
    "BMP": bmp_header,
    "GIF": gif_header,
}
