"""Bodies of requests to predict a digit: the parts of multipart forms, and everything that is refused."""

import base64
import json
import struct
import zlib

from PIL import Image

from .pictures import chunk, drawing, encoded, png_header, with_chunk

URL = "/api/predict-digit/"
PNG = encoded(drawing())
HUGE = png_header(20_000, 20_000) + chunk(b"IDAT", zlib.compress(bytes(1_900_000))) + chunk(b"IEND", b"")
JPEG = encoded(drawing(), "JPEG")
FORM = "multipart/form-data; boundary=frontier"
FILE = 'Content-Disposition: form-data; name="file"; filename="digit.png"'
ZEROS = [0] * 784
# What is not read but known by name, as it begins; what the name is, the refusal says.
FOREIGN = {
    "a HEIC picture": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40),
    "an AVIF picture": encoded(drawing(), "AVIF"),
    "a TIFF picture": encoded(drawing(), "TIFF"),
    "a camera's raw picture": b"II*\0\x10\0\0\0CR\2\0" + bytes(40),
    "a JPEG XL picture": b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40),
    "a JPEG 2000 picture": encoded(drawing(), "JPEG2000"),
    "a PDF document": encoded(drawing(), "PDF"),
    "a PostScript document": encoded(drawing(), "EPS"),
    "a PSD picture": b"8BPS\0\1" + bytes(40),
    "an icon": encoded(drawing(side=32), "ICO"),
    "an SVG picture": b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>",
}


def part(content: bytes, headers: str = FILE) -> bytes:
    return b"--frontier\r\n" + headers.encode() + b"\r\n\r\n" + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--frontier--\r\n"


def pixels(value: object) -> bytes:
    return json.dumps({"pixels": value}).encode()


def wrong_checksum(name: bytes) -> bytes:
    start = PNG.index(name)
    end = start + 4 + int.from_bytes(PNG[start - 4 : start])
    return PNG[:end] + bytes(4) + PNG[end + 4 :]


EXIF = b"Exif\0\0II*\0\x08\0\0\0\x02\0\x12\x01\x03"  # breaks off in the orientation
BOMB = b"name\0\0" + zlib.compress(bytes(50_000_000))
SCAN = b"\xff\xda\0\x08\1\1\0\0\x3f\0"
PROFILE = zlib.compress(bytes(1_000_000))
WEBP = encoded(drawing(mode="RGB"), "WEBP")
GIF_HEAD = b"GIF89a" + struct.pack("<HHBBB", 280, 280, 0, 0, 0)


def gif(extensions: bytes, side: int = 280) -> bytes:
    """A GIF file with what comes before its frame, and a frame that reaches as far."""
    return GIF_HEAD + extensions + b"," + struct.pack("<HHHHB", 0, 0, side, side, 0) + b"\2\2\x4c\1\0;"


def bmp(width: int, height: int, pixels: bytes, packing: int = 1) -> bytes:
    """A BMP file of 256 greys."""
    greys = bytes(value for grey in range(256) for value in (grey, grey, grey, 0))
    information = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, packing, len(pixels), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 0, 0, 0, 54 + len(greys)) + information + greys + pixels


def webp_header(width: int, height: int) -> bytes:
    """How a WebP file with extensions begins."""
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF\xff\0\0\0WEBPVP8X\x0a\0\0\0" + bytes(4) + sides


def jpeg_of(width: int, height: int) -> bytes:
    """A small JPEG file that says that it has so many pixels."""
    start = JPEG.index(b"\xff\xc0") + 5
    return JPEG[:start] + struct.pack(">HH", height, width) + JPEG[start + 4 :]


# For each kind: the body, its content type and the status of the refusal.
BAD = {
    "no body": (b"", "image/png", 400),
    "no content type and no body": (b"", "", 400),
    "form without the field": (form(part(PNG, "Content-Disposition: form-data; name=picture")), FORM, 400),
    "form without parts": (form(), FORM, 400),
    "form with an empty file": (form(part(b"")), FORM, 400),
    "form without boundary": (form(part(PNG)), "multipart/form-data", 400),
    "form whose boundary is none": (form(part(PNG)), "multipart/form-data; boundary=\u00e4", 400),
    "form that breaks off": (part(PNG), FORM, 400),
    "form that breaks off in the headers": (b"--frontier\r\nContent-Disp", FORM, 400),
    "part in base64": (
        form(
            part(
                base64.b64encode(PNG),
                'Content-Disposition: form-data; name="file"\r\nContent-Transfer-Encoding: BASE64',
            )
        ),
        FORM,
        415,
    ),
    "hundreds of files": (form(*[part(PNG)] * 300), FORM, 413),
    "hundreds of fields": (form(*[part(b"x", "Content-Disposition: form-data; name=x")] * 900), FORM, 413),
    "endless headers": (form(part(PNG, "X: " + "x" * 70_000)), FORM, 413),
    "picture of 25 MB and a byte": (form(part(bytes(25 * 1024**2 + 1))), FORM, 413),
    "raw picture of 25 MB and a byte": (bytes(25 * 1024**2 + 1), "image/png", 413),
    "picture of 25 MB and a byte in JSON": (
        json.dumps({"image": base64.b64encode(bytes(25 * 1024**2 + 1)).decode()}).encode(),
        "application/json",
        413,
    ),
    "request of 50 MB and more": (form(*[part(bytes(5 * 1024**2))] * 11), FORM, 413),
    "JSON of 36 MB and more": (b" " * (36 * 1024**2 + 1), "application/json", 413),
    "JSON of a million lists": (b"[" + b"[]," * 10**6 + b"[]]", "application/json", 413),
    "batch of 101": (json.dumps({"images": [""] * 101}).encode(), "application/json", 413),
    "malformed JSON": (b'{"image": ', "application/json", 400),
    "JSON in Latin-1": ('{"imäge": 1}'.encode("latin-1"), "application/json", 400),
    "JSON in UTF-16": ('{"image": ""}'.encode("utf-16"), "application/json", 400),
    "deeply nested JSON": (b'{"pixels": ' + b"[" * 100_000, "application/json", 400),
    "number of 5,000 digits": (b'{"pixels": [' + b"9" * 5000 + b"]}", "application/json", 400),
    "JSON without the field": (b'{"picture": ""}', "application/json", 400),
    "JSON that is no object": (b'"image"', "application/json", 400),
    "JSON with two fields": (json.dumps({"image": "", "pixels": []}).encode(), "application/json", 400),
    "NaN": (pixels([float("nan")] * 784), "application/json", 422),
    "Infinity": (pixels([float("inf"), *ZEROS[1:]]), "application/json", 422),
    "1e999": (pixels(ZEROS).replace(b"0", b"1e999", 1), "application/json", 422),
    "number of 400 digits": (pixels([10**400, *ZEROS[1:]]), "application/json", 422),
    "ragged rows": (pixels([[0] * 28] * 27 + [[0] * 27]), "application/json", 422),
    "783 pixels": (pixels(ZEROS[1:]), "application/json", 422),
    "no pixels": (pixels([]), "application/json", 422),
    "pixels that are null": (pixels(None), "application/json", 422),
    "pixels that are strings": (pixels(["0"] * 784), "application/json", 422),
    "pixels that are true or false": (pixels([True, *ZEROS[1:]]), "application/json", 422),
    "pixels over 255": (pixels([256, *ZEROS[1:]]), "application/json", 422),
    "pixels under 0": (pixels([-1, *ZEROS[1:]]), "application/json", 422),
    "pixels all alike": (pixels(ZEROS), "application/json", 422),
    "pixels from 0 to 1": (pixels([1, *ZEROS[1:]]), "application/json", 422),
    "image that is no string": (b'{"image": 7}', "application/json", 422),
    "image that is no base64": (b'{"image": "%%%"}', "application/json", 422),
    "data URL that is no base64": (b'{"image": "data:image/svg+xml,<svg/>"}', "application/json", 422),
    "data URL of nothing": (b'{"image": "data:image/png;base64,"}', "application/json", 400),
    "image that is not even ASCII": ('{"image": "äöü"}'.encode(), "application/json", 422),
    "batch that is no list": (b'{"images": 7}', "application/json", 422),
    "batch of none": (b'{"images": []}', "application/json", 422),
    "form of a page": (b"file=digit.png", "application/x-www-form-urlencoded", 415),
    "text": (PNG, "text/plain", 415),
    "no content type": (PNG, "", 415),
    **{f"{name} as PNG": (form(part(data)), FORM, 415) for name, data in FOREIGN.items()},
    "HTML as PNG": (form(part(b"<!doctype html><title>digit.png</title>")), FORM, 415),
    "text that begins with BM": (b"BMI tables for adults and children", "image/bmp", 415),
    "RIFF that is no WebP": (b"RIFF\x24\0\0\0WAVEfmt " + bytes(30), "image/webp", 415),
    "GIF of another version": (b"GIF88a" + encoded(drawing(), "GIF")[6:], "image/gif", 415),
    "wrong checksum of the header": (wrong_checksum(b"IHDR"), "image/png", 422),
    "wrong checksum of the pixels": (wrong_checksum(b"IDAT"), "image/png", 422),
    "magic and nothing else": (PNG[:8], "image/png", 422),
    "zero size": (png_header(0, 0) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""), "image/png", 422),
    "truncated PNG": (PNG[:-30], "image/png", 422),
    "truncated JPEG": (JPEG[: len(JPEG) // 2], "image/jpeg", 422),
    "zTXt bomb": (with_chunk(PNG, b"zTXt", BOMB), "image/png", 422),
    "iTXt bomb": (with_chunk(PNG, b"iTXt", b"name\0\1\0\0\0" + BOMB[6:]), "image/png", 422),
    "huge ICC profile": (with_chunk(PNG, b"iCCP", BOMB), "image/png", 422),
    "broken EXIF in a JPEG": (encoded(drawing(), "JPEG", exif=EXIF), "image/jpeg", 422),
    "broken EXIF in a PNG": (with_chunk(PNG, b"eXIf", EXIF[6:]), "image/png", 422),
    "JPEG of a thousand scans": (JPEG[:-2] + SCAN * 1000 + JPEG[-2:], "image/jpeg", 422),
    "JPEG of 100,000 segments": (JPEG[:2] + b"\xff\xe5\0\2" * 100_000 + JPEG[2:], "image/jpeg", 422),
    "PNG of 174,000 empty chunks": (PNG[:-12] + chunk(b"teSt", b"") * 174_000 + PNG[-12:], "image/png", 422),
    "PNG of a thousand profiles": (
        PNG[:33] + chunk(b"iCCP", b"name\0\0" + PROFILE) * 1000 + PNG[33:],
        "image/png",
        422,
    ),
    "GIF of a million blocks": (gif(b"!\xfe" + b"\1x" * 10**6 + b"\0"), "image/gif", 422),
    "GIF whose first frame is huge": (gif(b"", 60_000), "image/gif", 422),
    "BMP of 9 megapixels in runs of one": (bmp(3000, 3000, bytes([1, 7]) * 9_000_000), "image/bmp", 422),
    "JPEG of 51 megapixels": (jpeg_of(8500, 6000), "image/jpeg", 422),
    "WebP of 17 megapixels": (webp_header(4250, 4000) + bytes(40), "image/webp", 422),
    "BMP of 17 megapixels": (bmp(4250, 4000, b"", 0), "image/bmp", 422),
    "PNG of 17 megapixels": (encoded(Image.new("1", (4250, 4000))), "image/png", 422),
    "EXIF data of 200 KB in a PNG": (with_chunk(PNG, b"eXIf", b"II*\0\x08\0\0\0" + bytes(200_000)), "image/png", 422),
    "truncated WebP": (WEBP[: len(WEBP) // 2], "image/webp", 422),
    "truncated BMP": (encoded(drawing(), "BMP")[:-30], "image/bmp", 422),
    "truncated GIF": (encoded(drawing(), "GIF")[:60], "image/gif", 422),
    "GIF without a frame": (GIF_HEAD + b";", "image/gif", 422),
    "20000 x 20000 declared": (HUGE, "image/png", 422),
    "60000 x 1": (encoded(Image.new("1", (60_000, 1))), "image/png", 422),
    "blank": (encoded(Image.new("L", (280, 280), "white")), "image/png", 422),
    "one colour": (encoded(Image.new("RGB", (280, 280), "teal")), "image/png", 422),
    "fully transparent": (encoded(Image.new("RGBA", (280, 280), (0, 0, 0, 0))), "image/png", 422),
}
