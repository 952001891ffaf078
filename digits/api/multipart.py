"""Multipart bodies (RFC 7578), read part by part and no further than they may be long.

Django's parser takes a body in chunks, which announces no length, for an empty one, and it decodes parts in base64,
which RFC 7578 forbids.
"""

import re
from collections.abc import Callable, Iterator

from django.conf import settings

from ..refusals import MEGABYTE, MalformedBody, TooLarge, UnsupportedType

CHUNK = 64 * 1024  # bytes read at once
MAX_HEADERS = 8 * 1024  # bytes, of a part

# A parameter of a header; what stands in quotes, such as the name of a file, may look like another one.
PARAMETER = re.compile(
    rb';[ \t]*(?P<key>[^=;\s"]*)[ \t]*(?:=[ \t]*(?P<value>"(?:[^"\\]|\\.)*"|[^;\r]*))?[^;\r]*', re.DOTALL
)


def parts(read: Callable[[int], bytes], boundary: bytes) -> Iterator[tuple[bytes | None, bytes]]:
    """Name and content of each part of the body that `read` gives so many bytes of."""
    reader = Reader(read)
    delimiter = b"\r\n--" + boundary
    reader.until(delimiter, CHUNK, "What comes before the first boundary is too large.")
    for _ in range(settings.MAX_BATCH):
        if reader.peek(2) == b"--":
            return
        headers = reader.until(b"\r\n\r\n", MAX_HEADERS, "The headers of a part of this request are too large.")
        encoding = re.search(rb"(?i)\r\ncontent-transfer-encoding:\s*(\S*)", headers)
        if encoding and encoding[1].lower() not in (b"binary", b"8bit", b"7bit"):
            raise UnsupportedType("A part of this request has a transfer encoding; send its bytes as they are.")
        megabytes = settings.MAX_PICTURE_BYTES // MEGABYTE
        too_large = f"A part of this request is too large; a picture may have {megabytes} MB."
        yield field_name(headers), reader.until(delimiter, settings.MAX_PICTURE_BYTES, too_large)
    if reader.peek(2) != b"--":
        raise TooLarge(f"This request has too many parts; {settings.MAX_BATCH} are the most.")


def field_name(headers: bytes) -> bytes | None:
    """The name of the field that a part is; None if its headers give none."""
    form_data = re.search(rb"(?i)\r\ncontent-disposition:\s*form-data\s*(?=;)", headers)
    found = form_data and PARAMETER.match(headers, form_data.end())
    while found and found["key"].lower() != b"name":
        found = PARAMETER.match(headers, found.end())
    return found and (found["value"] or b"").strip(b'" \t')


class Reader:
    """A body, read from mark to mark and hardly further."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read, self._total = read, 0
        self._ahead = bytearray(b"\r\n")  # so that the first delimiter is like the others

    def until(self, mark: bytes, limit: int, too_large: str) -> bytes:
        """The bytes before the next mark, which is passed over; there may be so many, or this is what to say."""
        start = 0
        while (end := self._ahead.find(mark, start)) < 0 and len(self._ahead) <= limit + len(mark):
            start = max(0, len(self._ahead) - len(mark) + 1)
            self._read_on()
        if not 0 <= end <= limit:
            raise TooLarge(too_large)
        found = bytes(self._ahead[:end])
        del self._ahead[: end + len(mark)]
        return found

    def peek(self, size: int) -> bytes:
        while len(self._ahead) < size:
            self._read_on()
        return bytes(self._ahead[:size])

    def _read_on(self) -> None:
        chunk = self._read(CHUNK)
        if not chunk:
            raise MalformedBody("This multipart body breaks off before its last boundary.")
        self._total += len(chunk)
        if self._total > settings.MAX_REQUEST_BYTES:
            raise TooLarge.over("request", settings.MAX_REQUEST_BYTES)
        self._ahead += chunk
