"""Requests to the API to try to break it with: pictures good and bad in every form, and those that cost most; and what
has to be true of every answer.
"""

import io
import json
import time
import zlib
from collections.abc import Callable
from typing import NamedTuple

from django.test import RequestFactory
from PIL import ExifTags, Image, ImageCms, ImageDraw

from config.wsgi import application

from .bodies import EXIF, FORM, JPEG, PNG, URL, bmp, form, gif, part
from .pictures import SEVEN, chunk, drawing, encoded, png_header, with_chunk

MAX_SECONDS = 5  # of the processor, for one answer
LONGEST = 51 * 1024**2  # bytes of a body; longer ones would be refused as these are, but take long to make
PREDICTION = {"prediction", "confidence", "probabilities", "uncertain", "reason", "weights_version"}
PROBLEM = {"type", "title", "status", "detail"}
EXTRAS = {"hint", "prepared", "saliency"}


class Request(NamedTuple):
    body: bytes
    content_type: str
    length: str | None = None  # as announced; None: that of the body
    accept: str = "*/*"
    include: str = ""
    chunked: bool = False  # of no announced length, from a server that knows where it ends


class Reply(NamedTuple):
    status: int
    seconds: float  # of the processor
    wrong: str  # what is not as it has to be; nothing where all is well


def reply(request: Request) -> Reply:
    """Send a request through the whole site, in this process, and judge the answer."""
    environ = RequestFactory().post(URL, query_params={"include": request.include}).environ | {
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.input_terminated": request.chunked,
        "CONTENT_LENGTH": str(len(request.body)) if request.length is None else request.length,
        "CONTENT_TYPE": request.content_type,
        "HTTP_ACCEPT": request.accept,
    }
    if request.chunked:
        environ |= {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}
    begun = {}

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        begun.update(headers, status=int(status[:3]))

    start = time.thread_time()  # so that a busy machine takes no part in it
    response = application(environ, start_response)
    body = b"".join(response)
    response.close()
    seconds = time.thread_time() - start
    wrong = what_is_wrong(begun["status"], begun["Content-Type"], body)
    if seconds > MAX_SECONDS:
        wrong = f"took {seconds:.1f} s; {wrong}"
    return Reply(begun["status"], seconds, wrong)


def what_is_wrong(status: int, content_type: str, body: bytes) -> str:
    """Nothing, unless an answer is something else than predictions or a problem with the client's request."""
    try:
        answer = json.loads(body)
    except ValueError:
        return f"{status} without JSON: {body[:200]!r}"
    if status == 200:
        items = answer.get("predictions", [answer])
        alright = content_type == "application/json" and all(
            set(item) - EXTRAS == PREDICTION or (set(item) == {"error"} and set(item["error"]) == PROBLEM | {"index"})
            for item in items
        )
    else:
        alright = content_type == "application/problem+json" and set(answer) == PROBLEM and answer["status"] == status
        alright = alright and 400 <= status < 500
    return "" if alright else f"{status} {content_type}: {body[:200]!r}"


def interlaced_png() -> bytes:
    """Eight by eight pixels in the seven passes of Adam7, which Pillow reads but doesn't write."""
    sizes = [(1, 1), (1, 1), (2, 1), (2, 2), (4, 2), (4, 4), (8, 4)]
    rows = b"".join(bytes([0, *range(0, 30 * width, 30)]) * height for width, height in sizes)
    header = chunk(b"IHDR", png_header(8, 8, 8)[16:28] + b"\1")
    return png_header(8, 8, 8)[:8] + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def pictures() -> list[bytes]:
    """Files that are pictures, small so that many can be tried, in every form that clients have."""
    grey, colour = drawing(side=40, pen=4), drawing(side=40, pen=4, mode="RGB")
    seven = drawing([SEVEN], side=40, pen=4, mode="RGB")
    transparent = Image.new("RGBA", (40, 40))
    ImageDraw.Draw(transparent).line([(8, 8), (30, 8), (18, 34)], fill="teal", width=4)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation], exif[ExifTags.Base.Make] = 6, "camera"
    turned = {"exif": exif.tobytes()}
    profile = {"icc_profile": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()}
    deep = Image.new("I;16", grey.size)
    deep.putdata([257 * value for value in grey.tobytes()])
    pngs = [encoded(picture) for picture in (deep, *map(grey.convert, ["1", "L", "LA", "P", "RGB", "RGBA"]))]
    pngs += [
        encoded(transparent),
        encoded(transparent.quantize(16)),
        encoded(grey, transparency=255),
        encoded(colour, transparency=(255, 255, 255)),
        encoded(colour, **turned),
        encoded(colour, **profile),
        encoded(colour, save_all=True, append_images=[seven]),
        encoded(grey.resize((28, 28)).quantize(4), bits=2),
        encoded(grey, compress_level=0),
        encoded(Image.new("L", (1, 1))),
        encoded(Image.effect_noise((90, 90), 60)),
        encoded(Image.linear_gradient("L")),
        encoded(drawing(side=1500, pen=90)),
        interlaced_png(),
        with_chunk(encoded(grey), b"tEXt", b"Comment\0a digit"),
        with_chunk(encoded(grey), b"zTXt", b"Comment\0\0" + zlib.compress(bytes(500))),
        with_chunk(encoded(grey), b"iTXt", b"Comment\0\0\0en\0\0a digit"),
        with_chunk(encoded(grey), b"eXIf", EXIF[6:]),
        with_chunk(encoded(grey), b"gAMA", (45455).to_bytes(4)),
        with_chunk(encoded(grey), b"tRNS", b"\0\xff"),
        png_header(40, 40) + chunk(b"IDAT", b"") + chunk(b"IEND", b""),
    ]
    jpegs = [
        encoded(picture, "JPEG", **options)
        for picture, options in [
            (grey, {}),
            (grey, {"progressive": True}),
            (colour, {"progressive": True, "quality": 95, "subsampling": 0}),
            (colour, {"optimize": True, "subsampling": 2, "restart_marker_blocks": 2}),
            (colour, turned),
            (colour, profile),
            (colour, {"comment": b"a digit", "dpi": (72, 72)}),
            (colour.convert("CMYK"), {}),
            (colour.convert("YCbCr"), {"keep_rgb": False}),
            (colour, {"keep_rgb": True}),
            (drawing(side=700, pen=50), {"progressive": True}),
            (Image.new("L", (1, 1)), {}),
        ]
    ]
    jpegs += [encoded(colour, "MPO", save_all=True, append_images=[seven]), encoded(colour, "JPEG", exif=EXIF)]
    animation = {"save_all": True, "append_images": [seven, colour]}
    webps = [
        encoded(colour, "WEBP"),
        encoded(colour, "WEBP", lossless=True),
        encoded(transparent, "WEBP"),
        encoded(colour, "WEBP", **turned),
        encoded(colour, "WEBP", **animation),
    ]
    gifs = [
        encoded(grey, "GIF"),
        encoded(colour, "GIF", interlace=0, comment=b"a digit"),
        encoded(transparent, "GIF"),
        encoded(colour, "GIF", **animation),
    ]
    bmps = [encoded(grey.convert(mode), "BMP") for mode in ("1", "L", "P", "RGB", "RGBA")]
    bmps.append(bmp(40, 40, (b"\x14\x07\0\x03abc\0\x11\x09\0\0") * 40 + b"\0\1"))
    others = [encoded(colour, name) for name in ("TIFF", "ICO", "PPM", "PDF", "EPS", "TGA", "JPEG2000", "AVIF")]
    magic = [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"BM", b"RIFF\0\0\0\0WEBPVP8 "]
    return pngs + jpegs + webps + gifs + bmps + others + magic


def noise(side: int) -> Image.Image:
    return Image.effect_noise((side, side), 100)


def many_scans(side: int, scans: int) -> bytes:
    """A JPEG picture whose last scan comes again and again; the decoder passes over all pixels for each."""
    data = encoded(noise(side), "JPEG", progressive=True, quality=30)
    last = data.rindex(b"\xff\xda")
    scans -= data.count(b"\xff\xda")
    return data[:-2] + data[last:-2] * scans + data[-2:]


def many_chunks(chunks: int) -> bytes:
    return PNG[:-12] + chunk(b"teSt", b"") * chunks + PNG[-12:]


def several(picture: bytes, most: int = 100) -> Request:
    return Request(form(*[part(picture)] * min(most, LONGEST // len(picture))), FORM)


def in_json(data: bytes) -> Request:
    return Request(data, "application/json")


# Requests that are made to cost as much time as they can for their bytes; made when they are called, as they are long.
ATTACKS: dict[str, Callable[[], Request]] = {
    "PNGs of 174,000 empty chunks": lambda: several(many_chunks(174_000), 9),
    "PNGs of 24,900 empty chunks": lambda: several(many_chunks(24_900)),
    "JPEGs of 64 scans": lambda: several(many_scans(700, 64), 32),
    "JPEGs of 9,900 segments": lambda: several(JPEG[:2] + b"\xff\xe5\0\2" * 9_900 + JPEG[2:]),
    "GIFs of 199,000 blocks": lambda: several(gif(b"!\xfe" + b"\1x" * 199_000 + b"\0")),
    "JPEGs of noise": lambda: several(encoded(noise(800), "JPEG", quality=30)),
    "PNGs of noise": lambda: several(encoded(noise(640), compress_level=1)),
    "large WebPs of noise": lambda: several(encoded(noise(2400), "WEBP", quality=90, method=0)),
    "explanations of 100 pictures": lambda: several(PNG)._replace(include="saliency"),
    "explanations of 10 pictures": lambda: several(encoded(noise(28)), 10)._replace(include="saliency,prepared"),
    "JSON of long integers": lambda: in_json(b'{"pixels": [' + b",".join([b"9" * 4300] * 8000) + b"]}"),
    "JSON of long fractions": lambda: in_json(b'{"pixels": [' + b",".join([b"0." + b"3" * 140] * 249_000) + b"]}"),
    "JSON of escapes": lambda: in_json(b'{"image": "' + b"\\u0041" * 6_000_000 + b'"}'),
    "JSON of base64 in short lines": lambda: in_json(b'{"image": "' + b"A\\n" * 12_000_000 + b'"}'),
}
# Pictures for which the same is true, one in a request.
COSTLY_PICTURES: dict[str, Callable[[], bytes]] = {
    "PNG of 174,000 empty chunks": lambda: many_chunks(174_000),
    "PNG of 24,900 empty chunks": lambda: many_chunks(24_900),
    "JPEG of 64 scans": lambda: many_scans(1200, 64),
    "PNG of 16 megapixels of noise": lambda: encoded(noise(4000), compress_level=1),
    "WebP of 12 megapixels of noise": lambda: encoded(noise(3460), "WEBP", quality=100, method=0),
    "PNG of 3 megapixels of noise": lambda: encoded(noise(1700), compress_level=1),
    "BMP of 2 megapixels in runs": lambda: bmp(1400, 1400, bytes([2, 7]) * (1400 * 700) + b"\0\1"),
}
