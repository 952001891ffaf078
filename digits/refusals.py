"""Why a request is refused: one exception a reason, with the HTTP status and the words for it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Self

MEGABYTE = 1024**2  # bytes
MEGAPIXEL = 1_000_000  # pixels


class Refusal(Exception):
    """A request that is not answered, by the client's fault or the server's; `detail` says what would be right."""

    status = 400
    title = "Bad request"

    def __init__(self, detail: str, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__(detail)
        self.detail = detail
        self.headers = headers  # of the answer

    def to_keep(self) -> Self:
        """This refusal without its traceback, which would hold what was sent until the garbage is collected."""
        self.__cause__ = self.__context__ = None
        return self.with_traceback(None)


class BadParameter(Refusal):
    title = "Bad parameter"


class NoPicture(Refusal):
    title = "Nothing to read"


class MalformedBody(Refusal):
    """A body that its content type does not fit."""

    title = "Unreadable body"


class NotFound(Refusal):
    status = 404
    title = "Not found"


class MethodNotAllowed(Refusal):
    status = 405
    title = "Method not allowed"


class NotAcceptable(Refusal):
    status = 406
    title = "Not acceptable"


class TooLarge(Refusal):
    status = 413
    title = "Too large"

    @classmethod
    def over(cls, what: str, limit: int) -> Self:
        """Of bytes."""
        return cls(f"This {what} is too large; it may have {limit // MEGABYTE} MB.")


class NotAPicture(Refusal):
    status = 415
    title = "Not a picture"


class UnsupportedType(Refusal):
    status = 415
    title = "Unsupported content type"


class UnusablePicture(Refusal):
    """A picture in a known format that can't be decoded, or is too big to be."""

    status = 422
    title = "Unusable picture"


class UnusablePixels(Refusal):
    status = 422
    title = "Unusable pixels"


class Blank(Refusal):
    status = 422
    title = "No ink"


class TooManyRequests(Refusal):
    status = 429
    title = "Too many requests"


class ServerError(Refusal):
    """A fault of the server."""

    status = 500
    title = "Server error"


class Unavailable(Refusal):
    """The weights or the gallery's images can't be used."""

    status = 503
    title = "Not ready"


class Busy(Refusal):
    status = 503
    title = "Busy"
