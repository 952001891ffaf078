"""The fields that the pages send: how each is parsed, and its limits."""

import json
import re

import numpy as np
from django.conf import settings
from django.http import HttpRequest, QueryDict

from .gallery_page import Score, Selection
from .pictures.drawing import Stroke
from .refusals import NoPicture, Refusal, TooLarge

MAX_TILES = 100
MAX_POINTS = 20_000
MAX_STROKES = 2_000  # a round end of a thick pen takes as long as dozens of points
OFF_PAD = 4  # units, from a corner of its middle square; the pad sends no points beyond, and long lines take time
WIDEST_PAD = 4  # units that a pad is wide or high at most


def sent_picture(request: HttpRequest, missing: str) -> bytes:
    """The encoded picture in the multipart field `file`; raises TooLarge, or NoPicture, with the words `missing`."""
    file = request.FILES.get("file")
    if file is None:
        raise NoPicture(missing)
    if file.size == 0:
        raise NoPicture("This file is empty.")
    if file.size > settings.MAX_PICTURE_BYTES:
        raise TooLarge.over("picture", settings.MAX_PICTURE_BYTES)
    return file.read()


def sent_strokes(request: HttpRequest) -> list[Stroke]:
    """The strokes in the field `strokes`, as the drawing pad sends them; an empty list without the field.

    Their points are in units from the left upper corner of the pad's middle square.

    Raises a Refusal if the field is malformed, TooLarge if it has more than MAX_STROKES or MAX_POINTS.
    """
    sent = request.POST.get("strokes", "")
    if not sent:
        return []
    malformed = Refusal("`strokes` must be a list of strokes, each with `points` and `width` in fractions of the pad.")
    try:
        strokes = [Stroke(np.array(each["points"], np.float64), float(each["width"])) for each in json.loads(sent)]
    except (KeyError, OverflowError, RecursionError, TypeError, ValueError) as error:
        raise malformed from error
    if sum(stroke.points.size for stroke in strokes) > 2 * MAX_POINTS:
        raise TooLarge(f"These strokes have too many points; {MAX_POINTS:,} are the most.")
    if len(strokes) > MAX_STROKES:
        raise TooLarge(f"These are too many strokes; {MAX_STROKES:,} are the most.")
    for points, width in strokes:
        if points.ndim != 2 or points.shape[1] != 2 or not (np.abs(points) <= OFF_PAD).all() or not 0 < width <= 1:
            raise malformed
    return strokes


def sent_pad(request: HttpRequest) -> tuple[float, float]:
    """The width and the height of the pad in its units, from the field `pad`; 1 and 1 without it.

    Raises a Refusal for what is no such pair.
    """
    width, height = sent_lengths(request, "pad", 2) or (1.0, 1.0)
    if not (0 < width <= WIDEST_PAD and 0 < height <= WIDEST_PAD):
        raise Refusal(f"`pad` must be the width and the height of the pad, up to {WIDEST_PAD}.")
    return width, height


def sent_frame(request: HttpRequest) -> tuple[float, float, float, float] | None:
    """Where on the pad the picture lies: left, top, width and height in its units, from the field `frame`.

    It is None without the field and for strokes, which lie on the pad itself.
    """
    return None if request.POST.get("strokes") else sent_lengths(request, "frame", 4) or None


def sent_lengths(request: HttpRequest, field: str, count: int) -> tuple[float, ...]:
    """The numbers in a field, nothing where it is empty; raises a Refusal where they are not so many."""
    sent = request.POST.get(field, "")
    if not sent:
        return ()
    try:
        lengths = tuple(float(length) for length in json.loads(sent))
    except (OverflowError, RecursionError, TypeError, ValueError):
        lengths = ()
    if len(lengths) != count or not all(abs(length) <= OFF_PAD for length in lengths):
        raise Refusal(f"`{field}` must be a list of {count} numbers.")
    return lengths


def sent_tiles(query: QueryDict, field: str) -> list[int]:
    """The tile numbers in a field of the address, in order; values that are not numbers are left out."""
    return [int(value) for value in query.getlist(field)[:MAX_TILES] if re.fullmatch("[0-9]{1,9}", value)]


def sent_selection(query: QueryDict) -> Selection:
    """The filter in the address; a value that is not a digit sets no condition."""
    digit, read = (number_or_none(query, field, most=9) for field in ("digit", "read"))
    return Selection(digit, read, query.get("hard") == "1")


def sent_score(query: QueryDict) -> Score:
    """The score in the address; an empty one if the address has none, or none that makes sense.

    The form that chooses a filter says of which one its score is; another filter begins another score.
    """
    right, of, not_sure = (number_or_none(query, field, most=999_999) for field in Score._fields)
    selection = sent_selection(query).query
    is_of_another = query.get("scored", selection) != selection
    if right is None or of is None or right + (not_sure or 0) > of or is_of_another:
        return Score()
    return Score(right, of, not_sure or 0)


def sent_place(request: HttpRequest) -> int | None:
    """The place of a digit in a number, from 0; None where none is sent."""
    return number_or_none(request.POST, "place", most=999_999)


def sent_meant(request: HttpRequest) -> int | None:
    """The digit that a drawing is meant to be, where someone said so."""
    return number_or_none(request.POST, "meant", most=9)


def number_or_none(query: QueryDict, field: str, most: int) -> int | None:
    """The whole number from 0 to `most` in a field of the address; None for anything else."""
    value = query.get(field, "")
    return int(value) if re.fullmatch("[0-9]{1,6}", value) and int(value) <= most else None
