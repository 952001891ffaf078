"""The pages, and the fragments that htmx swaps into them."""

import functools
from collections.abc import Callable, Iterable

import numpy as np
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.cache import get_conditional_response, set_response_etag
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import cache_control

from . import pictures
from .answers import explained_digit, explanation_context, number_context, prepared_context
from .api.openapi import document
from .api.page import chapters, readable
from .api.sample import sample_answer
from .decorators import page
from .errors import refuse
from .forms import sent_meant, sent_pad, sent_picture, sent_place, sent_score, sent_selection, sent_strokes, sent_tiles
from .gallery import choose_at_random
from .gallery import gallery as stored_tiles
from .gallery_page import GalleryPage, Verdict
from .look_alikes import look_alikes_context
from .network_panel import activations_context, panel_context
from .numbers import read_number, read_uncounted
from .pictures import DrawingSheet, PictureSheet
from .pictures.drawing import Stroke
from .pictures.formats import READ, TYPES
from .recognizer import (
    Prediction,
    classifier,
    recognize,
    recognize_batch,
    recognize_uncounted,
)
from .refusals import MEGABYTE, Busy, Refusal
from .report import report
from .traffic.limits import prediction_place

# What stands in a rendered template for the index and the image of a tile; neither occurs in it otherwise.
AN_INDEX, AN_IMAGE = "1000000000000000", "{image}"

# Ask again each time, but unlike `no-store` let the Back button show the page as it was left.
fresh = cache_control(private=True, no_cache=True)


@page("GET", "HEAD")
@fresh
def gallery(request: HttpRequest) -> HttpResponse:
    """The pad, and tiles to tap; the address may name the tiles shown and answered, a filter and the score."""
    return render(request, "digits/gallery.html", gallery_context(request.GET) | reader_context())


@page("GET", "HEAD")
@fresh
def tiles(request: HttpRequest) -> HttpResponse:
    context = gallery_context(request.GET) | {"announces": True}
    response = render(request, "digits/_tiles.html", context)
    # New tiles get a history entry; answering the tiles already shown only updates the current one.
    response["HX-Replace-Url" if context["asks_all"] else "HX-Push-Url"] = context["page"].address
    return response


@page("GET", "HEAD")
@fresh
def predict_tile(request: HttpRequest, index: int) -> HttpResponse:
    """Answer one tile; the address says how the others on the page were answered, for the score."""
    pixels = stored_pixels(index)
    tile = tile_context(index, recognize(pixels))
    page = sent_page(request.GET)
    page.verdicts[index] = tile["verdict"]
    context = {"tile": tile, "page": page, "accuracy": accuracy_in_percent(), "announces": True}
    response = render(request, "digits/_tile.html", context)
    if page.shown:
        response["HX-Replace-Url"] = page.address
    return response


@page("GET", "HEAD")
@fresh
def tile(request: HttpRequest, index: int) -> HttpResponse:
    """A tile's own page; the address may hold the state of the gallery, to which it leads back, and ask to explain."""
    pixels = stored_pixels(index)
    prediction = recognize(pixels)
    page = sent_page(request.GET)
    if "explain" in request.GET and not prediction.is_refused:
        try:
            with prediction_place(request):
                context = explanation_context(pixels, prediction, index)
        except Refusal as refusal:
            return refuse(request, refusal)
    else:
        context = look_alikes_context(pixels, prediction.runner_up, index)
    context |= {
        "gallery": f"{page.address}#tile-{index}" if page.shown else reverse("gallery"),
        "state": page.query if page.shown else "",
        "tile": tile_context(index, prediction),
        "answer": prediction,
        "prediction": prediction,
        "prepared": prepared_context(pixels),
        "previous": index - 1,
        "next": index + 1,
        "last": len(stored_tiles()) - 1,
    }
    return render(request, "digits/tile.html", context)


@page("GET", "HEAD", "POST")
@fresh
def draw(request: HttpRequest) -> HttpResponse:
    """The drawing pad; a picture posted here, as browsers without JavaScript do, is answered on the same page."""
    named = shown_tiles(request.GET)
    context = reader_context()
    if named:
        context["tile"] = stored_tiles().tile(named[0])
    if request.method != "POST":
        return render(request, "digits/draw.html", context)
    try:
        with prediction_place(request):
            number = read_number(sent_sheet(request))
            context |= number_context(request, number)
            if "explain" in request.POST and not number.is_refused:
                context |= explained_digit(number)
    except Refusal as refusal:
        return refuse_drawing(request, refusal, "digits/draw.html", context)
    return render(request, "digits/draw.html", context)


@page("POST")
@fresh
def predict_drawing(request: HttpRequest) -> HttpResponse:
    # While the pen moves, an unfinished digit is neither announced nor called unclear.
    is_live = "live" in request.POST
    context = {"is_live": is_live, "announces": not is_live, "swaps_boxes": True}
    context["swaps_activations"] = "network" in request.POST  # the panel is open
    try:
        with prediction_place(request):
            number = read_number(sent_sheet(request))
            context |= number_context(request, number)
            if context["swaps_activations"] and (number.single or context["digits"]):
                context["activations"] = activations_context(number.pixels(len(number.digits) - 1))
    except Refusal as refusal:
        is_beside = request.htmx.target == "notice"  # the file is not on the pad, whose answer stays
        template = "digits/_refused_file.html" if is_beside else "digits/_prediction.html"
        return refuse_drawing(request, refusal, template, context)
    return render(request, "digits/_prediction.html", context)


@page("POST")
@fresh
def explain_drawing(request: HttpRequest) -> HttpResponse:
    context = {"announces": True}
    try:
        with prediction_place(request):
            number = read_uncounted(sent_sheet(request))  # counted when it was answered
            if not number.is_refused:
                context |= explained_digit(number, sent_place(request), sent_meant(request))
    except Refusal as refusal:
        return refuse_drawing(request, refusal, "digits/_explanation.html", context)
    return render(request, "digits/_explanation.html", context)


@page("GET", "HEAD")
@fresh
def challenge(request: HttpRequest) -> HttpResponse:
    """The ten-digit challenge, which is played in the browser; its drawings are read as those of any pad."""
    return render(request, "digits/challenge.html")


@page("GET", "HEAD")
@fresh
def network(request: HttpRequest) -> HttpResponse:
    """The panel that shows the network at work; browsers keep it, and ask whether it is still the same."""
    panel = render_panel.__wrapped__() if settings.DEBUG else render_panel()
    response = HttpResponse(panel)
    set_response_etag(response)
    return get_conditional_response(request, response["ETag"], response=response)


@page("GET", "HEAD")
@fresh
def model(request: HttpRequest) -> HttpResponse:
    return render(request, "digits/model.html", report())


@page("GET", "HEAD")
@fresh
def api(request: HttpRequest) -> HttpResponse:
    """The documentation of the API, made from its OpenAPI document."""
    context = chapters(document(request.build_absolute_uri("/").rstrip("/")))
    if answer := sample_answer():
        context["answer"] = readable(answer)
    return render(request, "digits/api.html", context)


@page("GET", "HEAD")
def favicon(request: HttpRequest) -> HttpResponse:
    """The icon for clients that ask for it without reading the page."""
    return redirect(static("digits/icon.svg"))


def gallery_context(query: QueryDict) -> dict:
    """The tiles that the address names, or random ones that its filter selects, with the answers and the score."""
    selection = sent_selection(query)
    selected = stored_tiles().select(*selection)
    shown = shown_tiles(query) or choose_at_random(selected)
    asks_all = "all" in query.getlist("predict")
    answered = set(sent_tiles(query, "answered")).intersection(shown)
    asked = set(shown if asks_all else sent_tiles(query, "predict")).intersection(shown) - answered
    predictions = predict_tiles(answered, recognize_uncounted) | predict_tiles(asked, recognize_batch)
    verdicts = {index: verdict_of(index, predictions[index]) for index in shown if index in predictions}
    return {
        "page": GalleryPage(selection, sent_score(query), shown, verdicts),
        "tiles": rendered_tiles(shown, predictions),
        "selected": len(selected),
        "count": f"{len(selected):,}",
        "asks_all": asks_all,
        "accuracy": accuracy_in_percent(),
    }


def reader_context() -> dict:
    """What the pad and the form for pictures say of the pictures that are read."""
    return {"formats": READ, "types": TYPES, "megabytes": settings.MAX_PICTURE_BYTES // MEGABYTE}


def shown_tiles(query: QueryDict) -> list[int]:
    """The tiles that the address names, in order; numbers of tiles that do not exist are left out."""
    return [index for index in sent_tiles(query, "tile") if index in stored_tiles()]


def sent_page(query: QueryDict) -> GalleryPage:
    """The gallery's page as the address describes it, which also says what answers were wrong."""
    shown = shown_tiles(query)
    answered = set(sent_tiles(query, "answered")).intersection(shown)
    labelled = {index for index in answered if stored_tiles().label(index) is not None}
    verdicts = dict.fromkeys(answered) | dict.fromkeys(labelled, Verdict.RIGHT)
    for kind in (Verdict.WRONG, Verdict.UNSURE):
        verdicts |= dict.fromkeys(labelled.intersection(sent_tiles(query, kind)), kind)
    return GalleryPage(sent_selection(query), sent_score(query), shown, verdicts)


def stored_pixels(index: int) -> np.ndarray:
    """The pixels of a tile, (28, 28) uint8; raises Http404 if there is no such tile."""
    if index not in stored_tiles():
        raise Http404
    return stored_tiles().pixels(index)


def predict_tiles(
    indices: Iterable[int], recognizer: Callable[[np.ndarray], list[Prediction]]
) -> dict[int, Prediction]:
    """The predictions of tiles, by their indices, from one pass through the network."""
    if not (indices := list(indices)):
        return {}
    pixels = np.stack([stored_tiles().pixels(index) for index in indices])
    return dict(zip(indices, recognizer(pixels), strict=True))


def tile_context(index: int, prediction: Prediction) -> dict:
    """An answered tile as `_tile.html` shows it."""
    tile = stored_tiles().tile(index)
    note = "no digit?" if prediction.is_refused else prediction.verdict
    return tile._asdict() | {"prediction": prediction, "verdict": verdict_of(index, prediction), "note": note}


def verdict_of(index: int, prediction: Prediction) -> Verdict | None:
    """How the network did on a tile; None without a label."""
    label = stored_tiles().label(index)
    if label is None:
        return None
    if prediction.uncertain:
        return Verdict.UNSURE
    return Verdict.RIGHT if prediction.digit == label else Verdict.WRONG


def rendered_tiles(shown: list[int], predictions: dict[int, Prediction]) -> SafeString:
    """`_tile.html` for each tile. Those that are not answered differ in two places from one that is rendered once."""
    blank = unanswered_tile.__wrapped__() if settings.DEBUG else unanswered_tile()
    parts = [
        render_to_string("digits/_tile.html", {"tile": tile_context(index, predictions[index])})
        if index in predictions
        else blank.replace(AN_INDEX, str(index)).replace(AN_IMAGE, stored_tiles().tile(index).image)
        for index in shown
    ]
    return mark_safe("".join(parts))  # noqa: S308 - from templates, numbers and base64


@functools.cache
def unanswered_tile() -> str:
    return render_to_string("digits/_tile.html", {"tile": {"index": int(AN_INDEX), "image": AN_IMAGE}})


@functools.cache
def render_panel() -> str:
    return render_to_string("digits/_network.html", panel_context())


def accuracy_in_percent() -> float | None:
    """How many of 100 random tiles the network is expected to read right; None if that was not measured."""
    expected = classifier().weights.figures.expected
    return expected and 100 * expected.fraction


def sent_sheet(request: HttpRequest) -> DrawingSheet | PictureSheet:
    """The drawing or the picture that was sent; raises a Refusal."""
    if strokes := sent_strokes(request):
        width, height = sent_pad(request)
        corner = np.array([width - 1, height - 1]) / 2  # of the middle square
        return DrawingSheet([Stroke(points + corner, pen) for points, pen in strokes], (width, height))
    return pictures.sheet_of_picture(sent_picture(request, missing="Draw a number, or choose a picture of one."))


def refuse_drawing(request: HttpRequest, refusal: Refusal, template: str, context: dict) -> HttpResponse:
    """Show a refusal in place of the answer; a busy server's is a notice, and the page asks again."""
    if isinstance(refusal, Busy):
        return refuse(request, refusal)
    return render(request, template, context | {"refusal": refusal}, status=refusal.status)
