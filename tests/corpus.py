"""Requests to the API to try to break it with: pictures good and bad in every form, mutated, in bodies and headers that
are mutated too, as Hypothesis draws them; and what has to be true of every answer.
"""

import base64
import io
import json
import time
import zlib
from collections.abc import Callable
from typing import NamedTuple

from django.test import RequestFactory
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms, ImageDraw

from config.wsgi import application

from .bodies import BAD, EXIF, FILE, FORM, JPEG, PNG, URL, bmp, form, gif, part
from .pictures import SEVEN, chunk, drawing, encoded, png_header, with_chunk

MAX_SECONDS = 5  # of the processor, for one answer
LONG = 100_000  # bytes; longer bodies of the corpus are left to the tests they come from, as they take longest
LONGEST = 51 * 1024**2  # bytes of a body; longer ones would be refused as these are, but take long to make
BATCHES = [1] * 12 + [2, 3, 40, 101]  # items; the last are too many
PREDICTION = {"prediction", "confidence", "probabilities", "uncertain", "reason", "weights_version"}
PROBLEM = {"type", "title", "status", "detail"}
EXTRAS = {"prepared", "saliency"}

Draw = Callable  # what Hypothesis hands to a composite strategy


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


SHORT_BAD = [(body, content_type) for body, content_type, _ in BAD.values() if len(body) < LONG]

FILES = pictures() + [body for body, content_type in SHORT_BAD if content_type.startswith("image/")]
TEXTS = [body for body, content_type in SHORT_BAD if content_type == "application/json"]
TEXTS += [b"{}", b"[]", b"null", b'{"image": "iVBORw0KGgo="}', b'{"instances": [{"pixels": []}, "", 7]}']
FORMS = [body for body, content_type in SHORT_BAD if content_type.startswith("multipart/")]
# What breaks parsers: the ends of their numbers, and what separates one thing from the next.
TELLING = [
    b"\0",
    b"\xff",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\x80\0\0\0",
    b"\0\0\0\0",
    b"\0\1",
    b"\xff\xda",
    b"!\xf9\4",
    b",",
]
TELLING += [b"IDAT", b"IEND", b"fdAT", b"\xff\xd9", b"\r\n", b"\r\n\r\n", b"--", b'"', b"{", b"[", b"1e999", b"\\ud800"]


def position(draw: Draw, data: bytes) -> int:
    return draw(st.integers(0, len(data)))


def flip(draw: Draw, data: bytes) -> bytes:
    changed = bytearray(data)
    for place in draw(st.lists(st.integers(0, max(0, len(data) * 8 - 1)), max_size=8)) if data else []:
        changed[place // 8] ^= 1 << place % 8
    return bytes(changed)


def insert(draw: Draw, data: bytes) -> bytes:
    place = position(draw, data)
    return data[:place] + draw(st.sampled_from(TELLING) | st.binary(max_size=20)) + data[place:]


def overwrite(draw: Draw, data: bytes) -> bytes:
    place, bytes_ = position(draw, data), draw(st.sampled_from(TELLING))
    return data[:place] + bytes_ + data[place + len(bytes_) :]


def delete(draw: Draw, data: bytes) -> bytes:
    start, end = sorted((position(draw, data), position(draw, data)))
    return data[:start] + data[end:]


def duplicate(draw: Draw, data: bytes) -> bytes:
    start, end = sorted((position(draw, data), position(draw, data)))
    copies = min(draw(st.sampled_from([1, 2, 70])), LONGEST // max(1, end - start))
    return data[:end] + data[start:end] * copies + data[end:]


def truncate(draw: Draw, data: bytes) -> bytes:
    return data[: position(draw, data)]


def splice(draw: Draw, data: bytes) -> bytes:
    other = draw(st.sampled_from(FILES))
    return data[: position(draw, data)] + other[position(draw, other) :]


def lengthen(draw: Draw, data: bytes) -> bytes:
    """As a whole or by zeros, up to more than a picture may have."""
    return draw(st.sampled_from([data * 2, data + bytes(3000), data + bytes(25 * 1024**2)]))


BYTEWISE = [flip, insert, overwrite, delete, duplicate, truncate, splice]


def rearrange(draw: Draw, parts: list) -> list:
    """Parts of a file, some of them dropped, doubled or moved."""
    for _ in range(draw(st.integers(0, 3))):
        if not parts:
            break
        index, place = (draw(st.integers(0, len(parts) - 1)) for _ in range(2))
        copies = draw(st.sampled_from([0, 1, 2, 70]))
        taken = parts[index]
        parts = parts[:index] + parts[index + 1 :]
        parts = parts[:place] + [taken] * copies + parts[place:]
    return parts


def remake_png(draw: Draw, data: bytes) -> bytes:
    """A PNG file with other chunks or other contents in them, whose checksums are right again."""
    chunks, start = [], 8
    while start + 12 <= len(data):
        end = start + 8 + int.from_bytes(data[start : start + 4])
        chunks.append((data[start + 4 : start + 8], data[start + 8 : end]))
        start = end + 4
    chunks = rearrange(draw, chunks)
    if chunks and draw(st.booleans()):
        index = draw(st.integers(0, len(chunks) - 1))
        name, content = chunks[index]
        if name == b"IDAT" and draw(st.booleans()):
            try:
                rows = zlib.decompressobj().decompress(content, LONG)
            except zlib.error:
                rows = content
            content = zlib.compress(draw(st.sampled_from(BYTEWISE))(draw, rows), 1)
        elif name == b"IHDR" and len(content) == 13 and draw(st.booleans()):
            # All combinations that there are and some that there aren't, and sizes up to a bit over the limit.
            sides = (draw(st.sampled_from([0, 1, 7, 39, 41, 3000, 10_001, 2**31])).to_bytes(4) for _ in range(2))
            kind = (draw(st.sampled_from(kinds)) for kinds in ([1, 2, 4, 8, 16, 3], range(8), [0, 1], [0], [0, 1]))
            content = b"".join(sides) + bytes(kind) if draw(st.booleans()) else content[:8] + bytes(kind)
        else:
            content = draw(st.sampled_from(BYTEWISE))(draw, content)
        chunks[index] = (name, content)
    return data[:8] + b"".join(chunk(name, content) for name, content in chunks)


def remake_jpeg(draw: Draw, data: bytes) -> bytes:
    """A JPEG file with other segments or other contents in them, whose lengths are right again."""
    segments, start = [], 2
    while data[start : start + 1] == b"\xff" and start + 4 <= len(data):
        scan = data[start + 1] == 0xDA
        end = start + 2 + int.from_bytes(data[start + 2 : start + 4])
        after = data.find(b"\xff\xc4", end) if scan else end  # where the next tables of a progressive one begin
        after = len(data) if after < 0 else after
        segments.append((data[start : start + 2], data[start + 4 : end], data[end:after]))
        start = after
    segments = rearrange(draw, segments)
    if segments and draw(st.booleans()):
        index = draw(st.integers(0, len(segments) - 1))
        marker, content, pixels = segments[index]
        segments[index] = (marker, draw(st.sampled_from(BYTEWISE))(draw, content)[:65_000], pixels)
    return data[:2] + b"".join(
        marker + (len(content) + 2).to_bytes(2) + content + pixels for marker, content, pixels in segments
    )


def remake(draw: Draw, data: bytes) -> bytes:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return remake_png(draw, data)
    return remake_jpeg(draw, data) if data.startswith(b"\xff\xd8") else flip(draw, data)


@st.composite
def files(draw: Draw) -> bytes:
    """A file of the corpus, as it is or after a few mutations, of which half keep its structure."""
    data = draw(st.sampled_from(FILES))
    for _ in range(draw(st.integers(0, 3))):
        mutate = draw(st.sampled_from([*BYTEWISE, *[remake] * len(BYTEWISE)]))
        data = mutate(draw, data)[:LONG]
    return lengthen(draw, data) if draw(st.integers(0, 50)) == 50 else data


@st.composite
def mutated(draw: Draw, corpus: list[bytes]) -> bytes:
    data = draw(st.sampled_from(corpus))
    for mutate in draw(st.lists(st.sampled_from(BYTEWISE), max_size=2)):
        data = mutate(draw, data)
    return data


numbers = st.integers() | st.floats() | st.sampled_from([0, 255, 256, -1, 1.5, True, None, "1", 10**400])
scalars = st.none() | st.booleans() | numbers | st.text(max_size=10)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.sampled_from(["image", "pixels", "images", "instances", "x"]), inner, max_size=3)
    ),
    max_leaves=10,
)
beginnings = st.sampled_from(["", "data:image/png;base64,"])
encoded_files = st.builds(lambda beginning, data: beginning + base64.b64encode(data).decode(), beginnings, files())


def batches(draw: Draw, size: int) -> int:
    """How many times to send what takes so many bytes."""
    return min(draw(st.sampled_from(BATCHES)), max(1, LONGEST // size))


@st.composite
def pixel_lists(draw: Draw) -> list:
    """Numbers in the right number or nearly, flat or in rows, most of them alike."""
    pixels: list = [draw(numbers)] * draw(st.sampled_from([784, 784, 783, 785, 0]))
    for index in draw(st.lists(st.integers(0, 783), max_size=5)):
        pixels[index : index + 1] = [draw(numbers)]
    return [pixels[start : start + 28] for start in range(0, len(pixels), 28)] if draw(st.booleans()) else pixels


items = encoded_files | pixel_lists() | values
named_items = (
    items | st.fixed_dictionaries({"image": encoded_files | values}) | st.fixed_dictionaries({"pixels": items})
)


@st.composite
def json_bodies(draw: Draw) -> bytes:
    name = draw(st.sampled_from(["image", "pixels", "images", "instances"]))
    if name in ("image", "pixels"):
        value = draw(encoded_files if name == "image" else pixel_lists())
    else:
        batch = draw(st.lists(named_items, min_size=1, max_size=3))
        value = batch * batches(draw, len(json.dumps(batch)))
    data = json.dumps({name: value}, ensure_ascii=draw(st.booleans())).encode(errors="surrogatepass")
    return draw(st.sampled_from(BYTEWISE))(draw, data) if draw(st.integers(0, 4)) == 4 else data


HEADERS = [
    FILE,
    "Content-Disposition: form-data; name=file",
    "content-disposition:form-data;name=file;filename*=UTF-8''%ff",
    'Content-Disposition: form-data; filename="a\\".png"; name="file"',
    'Content-Disposition: form-data; name="file',
    'Content-Disposition: attachment; name="file"',
    f"{FILE}\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: binary",
    f"{FILE}\r\nContent-Transfer-Encoding: base64",
    f"{FILE}\r\n{FILE}",
    "X-Nothing: " + "x" * 9000,
    "",
]


@st.composite
def forms(draw: Draw) -> bytes:
    headers = st.sampled_from(HEADERS) | st.text(st.characters(codec="utf-8"), max_size=40)
    parts = [part(draw(files()), draw(headers)) for _ in range(draw(st.integers(0, 3)))]
    data = form(*parts * batches(draw, len(form(*parts))))
    return draw(st.sampled_from(BYTEWISE))(draw, data) if draw(st.integers(0, 2)) == 2 else data


TYPES = [
    "image/png",
    "image/jpeg",
    "image/webp",
    "image/*",
    "application/octet-stream",
    "application/json",
    FORM,
    "text/plain",
    "",
]
ODD_TYPES = [
    "multipart/form-data",
    "multipart/form-data; boundary=",
    'multipart/form-data; boundary="frontier"',
    "multipart/form-data; boundary=-",
    "multipart/form-data; boundary=frontie",
    "multipart/form-data; boundary=" + "f" * 71,
    "multipart/form-data; boundary*=UTF-8''frontier",
    "multipart/form-data; boundary*=nothing''frontier",
    "Multipart/Form-Data; Boundary=frontier; boundary=other",
    "multipart/mixed; boundary=frontier",
    "application/json; charset=utf-16",
    "application/json; charset=nothing",
    "image/png; charset=hex",
    "image/png; charset=idna",
    "image/png; charset*=undefined''hex",
    "multipart/form-data; charset*0=undefined; boundary*=idna''frontier",
    "application/x-www-form-urlencoded",
    "image/png; " + "; ".join(["x=y"] * 500),
    ";;;=",
]
header_texts = st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=40)  # as WSGI has them
odd_types = st.sampled_from([*TYPES, *ODD_TYPES]) | header_texts
LENGTHS = ["", "0", "1", "-1", "+5", " 7 ", "1_0", "0x10", "1e3", "\u00b2", "none", "99999", "9" * 20, "9" * 5000]
ACCEPTS = [
    "",
    "*/*",
    "application/*",
    "application/json;q=0.1",
    "text/html",
    "application/json;q=x",
    ",;q=,/",
    "*/*; x*=nothing''%41",
]


@st.composite
def requests(draw: Draw) -> Request:
    """A request to read a digit. Most have the right headers, as little of the rest is read with wrong ones."""
    kind = draw(st.sampled_from(["raw", "raw", "raw", "form", "form", "json", "json", "mutated"]))
    match kind:
        case "raw":
            request = Request(draw(files()), "image/png")
        case "form":
            request = Request(draw(forms()), FORM)
        case "json":
            request = Request(draw(json_bodies()), "application/json")
        case "mutated":
            body = draw(mutated(FORMS) | mutated(TEXTS))
            is_json = body[:1] in (b"{", b"[")
            request = Request(body, "application/json" if is_json else FORM)
    odd = draw(st.sampled_from([*[""] * 8, "content_type", "length", "accept", "include", "chunked"]))
    match odd:
        case "content_type":
            return request._replace(content_type=draw(odd_types))
        case "length":
            return request._replace(length=draw(st.sampled_from(LENGTHS) | header_texts))
        case "accept":
            return request._replace(accept=draw(st.sampled_from(ACCEPTS) | header_texts))
        case "include":
            names = st.sampled_from(["prepared", "prepared,saliency", "prepared,,", "everything"])
            return request._replace(include=draw(names | st.text(max_size=10)))
        case "chunked":
            return request._replace(chunked=True)
    return request
