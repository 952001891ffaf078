"""The page of the map, what it loads, and where a drawing falls on it."""

import base64

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import cache_control
from django.views.decorators.http import etag

from ..answers import base64_of
from ..decorators import page
from ..gallery import UNLABELLED, gallery
from ..pictures import pngs
from ..recognizer import likeliest, recognize
from ..refusals import NotFound, Refusal
from ..traffic.limits import prediction_place
from ..views import fresh, refuse_drawing, sent_sheet
from .layout import NoLayout
from .pictures import SCHEMES, picture_of
from .placing import place
from .tile_map import ACROSS, HARD, SIZES, TileMap, confusions, tile_map

PAIRS = 10  # of digits that are confused, which the page lists; the most frequent ones
TILES_OF_PAIR = 6  # that it leads to
NO_MAP = "The map of these tiles has not been computed: `python manage.py lay_out_map` does that."

# What an address with a version answers never changes.
kept = cache_control(public=True, max_age=365 * 24 * 3600, immutable=True)


def tag(request: HttpRequest, version: str, **parts: object) -> str | None:
    """The ETag of an answer of this version; None if the map has another."""
    try:
        is_current = tile_map().version == version
    except NoLayout:
        is_current = False
    return f'"{"-".join([version, *map(str, parts.values())])}"' if is_current else None


def of_version(version: str) -> TileMap:
    """The map, if it has this version; raises Http404 otherwise: older pages would get other tiles than they show."""
    try:
        if tile_map().version == version:
            return tile_map()
    except NoLayout:
        pass
    raise Http404


@page("GET", "HEAD")
@fresh
def page_of_map(request: HttpRequest) -> HttpResponse:
    context = list_context()
    try:
        context |= map_context(tile_map())
    except NoLayout:
        context["no_map"] = True
    return render(request, "digits/map.html", context)


@page("GET", "HEAD")
@kept
@etag(tag)
def tiles(request: HttpRequest, version: str) -> HttpResponse:
    """All tiles with their places, digits and answers, as `map-tiles.js` reads them."""
    records = base64.b64encode(of_version(version).records).decode()
    response = render(request, "digits/_map_tiles.html", {"records": records})
    # Only answers to htmx are signed, so a cache must not give it another.
    patch_vary_headers(response, ["HX-Request"])
    return response


@page("GET", "HEAD")
@kept
@etag(tag)
def sheet(request: HttpRequest, version: str, size: int, number: int) -> HttpResponse:
    """The pictures of the tiles of a region, as one PNG."""
    try:
        return HttpResponse(of_version(version).sheet(size, number), content_type="image/png")
    except IndexError as error:
        raise Http404 from error


@page("GET", "HEAD")
@kept
@etag(tag)
def picture(request: HttpRequest, version: str, scheme: str) -> HttpResponse:
    """The whole map as a PNG, for browsers without JavaScript."""
    if scheme not in SCHEMES:
        raise Http404
    return HttpResponse(picture_of(of_version(version), scheme), content_type="image/png")


@page("POST")
@fresh
def place_drawing(request: HttpRequest) -> HttpResponse:
    """Say where a drawing of a digit lies on the map, and which tiles are most like it; nothing is stored."""
    context: dict = {"announces": True}
    try:
        with prediction_place(request):
            drawn_on = tile_map()
            pixels = likeliest(sent_sheet(request).candidates())
            prediction = recognize(pixels)
            if prediction.is_refused:
                return render(request, "digits/_placed.html", context | {"unread": prediction})
            placed = place(pixels, drawn_on)
    except NoLayout:
        return refuse_drawing(request, NotFound(NO_MAP), "digits/_placed.html", context)
    except Refusal as refusal:
        return refuse_drawing(request, refusal, "digits/_placed.html", context)
    alike = [drawn_on.gallery.tile(index) for index in placed.alike]
    image = base64_of(pngs.png(pixels))
    context |= {"placed": placed, "prediction": prediction, "alike": alike, "image": image}
    return render(request, "digits/_placed.html", context)


def map_context(shown: TileMap) -> dict:
    """What the page needs to draw the map."""
    return {
        "version": shown.version,
        "names": [{"digit": name.digit, "x": round(1000 * name.x), "y": round(1000 * name.y)} for name in shown.names],
        "across": ACROSS,
        "hard": HARD,
        "small": SIZES[0],
        "large": SIZES[1],
    }


def list_context() -> dict:
    """The tiles by digit, and which digits are confused, as the page tells them without a map."""
    stored = gallery()
    is_labelled = bool((stored.labels != UNLABELLED).any())
    kinds = stored.labels if is_labelled else stored.answers[:, 0]
    wrong, unsure = stored.are_wrong, stored.are_unsure
    rows = [
        {"digit": digit, "tiles": int(of.sum()), "wrong": int(wrong[of].sum()), "unsure": int(unsure[of].sum())}
        for digit in range(10)
        if (of := kinds == digit).any()
    ]
    pairs = [
        {"digit": digit, "read": read, "count": len(found), "tiles": found[:TILES_OF_PAIR]}
        for digit, read, found in confusions(stored)[:PAIRS]
    ]
    return {
        "rows": rows,
        "pairs": pairs,
        "is_labelled": is_labelled,
        "count": f"{len(stored):,}",
        "wrong": int(wrong.sum()),
        "unsure": int(unsure.sum()),
    }
