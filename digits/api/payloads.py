"""What a request to the API carries: pictures or pixels, as multipart parts, as the body itself or in JSON.

A body is read no further than its limits allow, whether it announces its length or comes in chunks.
"""

import base64
import contextlib
import functools
import json
import re
from typing import NamedTuple, Protocol

import numpy as np
from django.conf import settings
from django.http import HttpRequest

from digit_recognizer_dl_model.frame import SIDE

from ..pictures.formats import READ
from ..pictures.ink import MIN_CONTRAST
from ..refusals import (
    Blank,
    MalformedBody,
    NoPicture,
    Refusal,
    TooLarge,
    UnsupportedType,
    UnusablePicture,
    UnusablePixels,
)
from ..stages import stage
from .multipart import parts

MISSING = f"Send a {READ} picture as the multipart field `file`, as the body itself, or as `image` in JSON."

DATA_URL = re.compile(r"\Adata:[^,]{0,100};base64,", re.IGNORECASE)

Item = bytes | np.ndarray | Refusal  # an encoded picture, prepared pixels (28, 28) uint8, or why there is neither


class Payload(NamedTuple):
    items: list[Item]
    is_batch: bool


@stage("receive")
def sent_payload(request: HttpRequest) -> Payload:
    """What a request asks to recognise; raises a Refusal where it can't be read at all."""
    body = sent_body(request)
    if request.content_type == "multipart/form-data":
        files = sent_files(body, request.content_params.get("boundary", ""))
        return Payload(files, len(files) > 1)
    if request.content_type.startswith("image/") or request.content_type == "application/octet-stream":
        return Payload([read(body, settings.MAX_PICTURE_BYTES)], False)
    if request.content_type == "application/json":
        return sent_json(read(body, settings.MAX_JSON_BYTES))
    if not read_some(body, 1):
        raise NoPicture(MISSING)
    detail = "Send multipart/form-data, application/json, an image type or application/octet-stream"
    raise UnsupportedType(f"{detail}; this content type is not read here.")


class Body(Protocol):
    """What can be read of a request, no further than it reaches."""

    def read(self, size: int) -> bytes: ...


class AnnouncedBody:
    """A body as long as its Content-Length says; Django would take one that ends sooner for the whole."""

    def __init__(self, request: HttpRequest) -> None:
        self._request, self._left = request, announced_length(request)

    def read(self, size: int) -> bytes:
        """Raises EOFError where the body ends too soon."""
        data = self._request.read(size)
        self._left -= len(data)
        if len(data) < size and self._left > 0:
            raise EOFError
        return data


def announced_length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:  # as Django has it
        return 0


def sent_body(request: HttpRequest) -> Body:
    """The body as a file that ends where the request does."""
    if request.META.get("HTTP_CONTENT_ENCODING", "identity") != "identity":
        raise UnsupportedType("Send the body as it is, without Content-Encoding.", {"Accept-Encoding": "identity"})
    if request.META.get("CONTENT_LENGTH") or "HTTP_TRANSFER_ENCODING" not in request.META:
        return AnnouncedBody(request)
    if not request.META.get("wsgi.input_terminated"):  # as runserver, which does not know the last chunk
        raise MalformedBody("This server does not accept chunked bodies; send the body with Content-Length.")
    return request.META["wsgi.input"]


def read(body: Body, limit: int, missing: str = MISSING) -> bytes:
    """The whole body, which may have so many bytes and must have one."""
    data = read_some(body, limit + 1)
    if not data:
        raise NoPicture(missing)
    if len(data) > limit:
        raise TooLarge.over("body", limit)
    return data


def read_some(body: Body, size: int) -> bytes:
    try:
        return body.read(size)
    except MemoryError:
        raise
    # The connection broke, or the chunks are malformed: each server has exceptions of its own.
    except Exception as error:
        raise MalformedBody("The body of this request breaks off.") from error


def sent_files(body: Body, boundary: str) -> list[Item]:
    """The contents of the parts named `file` of a multipart body."""
    if not re.fullmatch(r"[!-~ ]{1,70}", boundary):
        raise MalformedBody("The content type multipart/form-data needs a boundary of 1 to 70 characters.")
    found = parts(functools.partial(read_some, body), boundary.encode())
    files = [content for name, content in found if name == b"file"]
    if not any(files):
        raise NoPicture(MISSING)
    return [content or NoPicture("This part is empty.") for content in files]


def sent_json(data: bytes) -> Payload:
    """The picture or pixels in a JSON object, or a batch of them."""
    value = decoded_json(data)
    known = [name for name in ("image", "pixels", "images", "instances") if isinstance(value, dict) and name in value]
    if not known:
        raise NoPicture(MISSING)
    if len(known) > 1:
        raise MalformedBody("Send one of `image`, `pixels`, `images` and `instances`, not several.")
    if known[0] in ("image", "pixels"):
        return Payload([sent_item(value)], False)
    batch = value[known[0]]
    if not isinstance(batch, list) or not batch:
        raise UnusablePixels(f"`{known[0]}` must be a list with at least one item.")
    if len(batch) > settings.MAX_BATCH:
        raise TooLarge(f"This batch has {len(batch)} items; {settings.MAX_BATCH} are the most.")
    return Payload([sent_item_or_refusal(item) for item in batch], True)


def decoded_json(data: bytes) -> object:
    if sum(map(data.count, (b",", b"[", b"{"))) > settings.MAX_JSON_VALUES:
        raise TooLarge(f"This JSON has too many values; {settings.MAX_JSON_VALUES:,} are the most.")
    try:
        return json.loads(data.decode())
    except (ValueError, RecursionError) as error:  # no UTF-8, no JSON, a number of thousands of digits; too deep
        raise MalformedBody("This body can't be read as JSON in UTF-8.") from error


def sent_item_or_refusal(value: object) -> Item:
    try:
        return sent_item(value)
    except Refusal as refusal:
        return refusal.to_keep()


def sent_item(value: object) -> bytes | np.ndarray:
    """A picture in base64 or a list of pixels, in an object that says which or, in a batch, without."""
    match value:
        case str() | {"image": _}:
            return sent_base64(value if isinstance(value, str) else value["image"])
        case list() | {"pixels": _}:
            return sent_pixels(value if isinstance(value, list) else value["pixels"])
    raise NoPicture("An item is a picture in base64, a list of pixels, or an object with `image` or `pixels`.")


def sent_base64(value: object) -> bytes:
    """The picture in base64 as encoders give it, perhaps in lines, or as a data URL, as a canvas gives it."""
    try:
        encoded = DATA_URL.sub("", value).replace("\r", "").replace("\n", "")
        picture = base64.b64decode(encoded, validate=True)
    except (TypeError, ValueError) as error:
        detail = f"`image` must be a string: a {READ} file in base64 or as a data URL."
        raise UnusablePicture(detail) from error
    if not picture:
        raise NoPicture("`image` is empty.")
    if len(picture) > settings.MAX_PICTURE_BYTES:
        raise TooLarge.over("picture", settings.MAX_PICTURE_BYTES)
    return picture


def sent_pixels(value: object) -> np.ndarray:
    """784 numbers of 0-255, or 28 rows of 28, as pixels (28, 28) uint8."""
    rows = value if isinstance(value, list) else []
    if len(rows) == SIDE and all(isinstance(row, list) and len(row) == SIDE for row in rows):
        rows = [number for row in rows for number in row]
    if len(rows) != SIDE * SIDE:
        raise UnusablePixels(f"`pixels` must be a list of {SIDE * SIDE} numbers, or of {SIDE} rows of {SIDE}.")
    pixels = as_pixels(rows).reshape(SIDE, SIDE)
    check_ink(pixels, "these pixels")
    return pixels


def check_ink(pixels: np.ndarray, where: str) -> None:
    """Refuse what the network is never asked of: it would be sure of a 1 where nothing is, or next to nothing."""
    if np.ptp(pixels) < MIN_CONTRAST:
        raise Blank(f"There is no ink in {where}: pixels are numbers from 0 to 255, with ink 255 on 0.")


def as_pixels(numbers: list) -> np.ndarray:
    """Numbers of 0-255 as uint8."""
    # By their types first, as True is 1 to Python. All together, because one by one takes five times as long.
    if {int, float}.issuperset(map(type, numbers)):
        with contextlib.suppress(OverflowError):  # a number too large for any float
            pixels = np.array(numbers, np.float64)
            if pixels.min() >= 0 and pixels.max() <= 255:  # which is false where one is NaN
                return np.rint(pixels).astype(np.uint8)
    raise UnusablePixels(f"Pixel {first_that_is_none(numbers)} is not a number from 0 to 255.")


def first_that_is_none(numbers: list) -> int:
    return next(
        index for index, number in enumerate(numbers) if type(number) not in (int, float) or not 0 <= number <= 255
    )
