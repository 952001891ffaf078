"""What a client may send: which field, and how large."""

import re
from collections.abc import Collection

from django.conf import settings
from django.http import HttpRequest, QueryDict

from .gallery import gallery
from .refusals import NoPicture, Refusal, TooLarge

MAX_TILES = 100


def sent_picture(request: HttpRequest, missing: str) -> bytes:
    """The encoded picture in the multipart field `file`; `missing` tells a client without one what to do."""
    file = request.FILES.get("file")
    if file is None or file.size == 0:
        raise NoPicture(missing)
    if file.size > settings.MAX_PICTURE_BYTES:
        limit = settings.MAX_PICTURE_BYTES // 1024**2
        raise TooLarge(f"This picture is {file.size} bytes; it may have {limit} MB.")
    return file.read()


def sent_tiles(query: QueryDict, field: str) -> list[int]:
    """The tile numbers in a field of the address, in order; what is no tile is left out."""
    numbers = (int(value) for value in query.getlist(field)[:MAX_TILES] if re.fullmatch("[0-9]{1,9}", value))
    return [number for number in numbers if number < len(gallery())]


def sent_names(query: QueryDict, field: str, known: Collection[str]) -> list[str]:
    """The names in a field of the address, separated by commas; raises a Refusal for one that is not known."""
    names = [name for name in query.get(field, "").split(",") if name]
    if not set(names) <= set(known):
        raise Refusal(f"`{field}` knows {', '.join(known)} and nothing else.")
    return names
