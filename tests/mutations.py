"""The requests of the corpus, mutated as Hypothesis draws them: pictures, bodies and headers."""

import base64
import json
import zlib
from collections.abc import Callable

from hypothesis import strategies as st

from .bodies import BAD, FILE, FORM, form, part
from .corpus import LONGEST, Request, pictures
from .pictures import chunk

LONG = 100_000  # bytes; longer bodies of the corpus are left to the tests they come from, as they take longest
BATCHES = [1] * 12 + [2, 3, 40, 101]  # items; the last are too many
Draw = Callable  # what Hypothesis hands to a composite strategy
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
