"""The pages, and the fragments that htmx swaps into them."""

import base64
import functools
from collections.abc import Callable, Iterable
from urllib.parse import urlencode

import numpy as np
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from . import pictures
from .api.openapi import document
from .api.page import chapters
from .errors import refuse
from .forms import Score, sent_picture, sent_score, sent_selection, sent_strokes, sent_tiles
from .gallery import gallery as stored_tiles
from .gallery import sample
from .pictures import centring, pngs
from .recognizer import Prediction, classifier, count, explain, feature_maps, read, recognize
from .refusals import Busy, Refusal
from .report import report
from .traffic.limits import prediction_slot

NO_PERCENTAGES = [0.0] * 10
UNANSWERED = {"prediction": None, "right": None}  # named, as a lookup that fails takes a template longest
# Ask again each time, but unlike `no-store` let the Back button show the page as it was left.
fresh = cache_control(private=True, no_cache=True)


def refuse_when_busy(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A busy server is not the drawing's fault: show a notice with a retry button and keep the answer area as it is."""

    @functools.wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        try:
            return view(request)
        except Busy as refusal:
            return refuse(request, refusal)

    return answer


@require_safe
@fresh
def gallery(request: HttpRequest) -> HttpResponse:
    """Tiles to tap; the address may say which are shown, which are answered, from which to choose, and the score."""
    return render(request, "digits/gallery.html", shown_tiles(request.GET))


@require_safe
@fresh
def tiles(request: HttpRequest) -> HttpResponse:
    context = shown_tiles(request.GET) | {"announces": True}
    response = render(request, "digits/_tiles.html", context)
    # New tiles get a history entry; answering the tiles already shown only updates the current one.
    response["HX-Replace-Url" if context["asks_all"] else "HX-Push-Url"] = context["address"]
    return response


@require_safe
@fresh
def predict_tile(request: HttpRequest, index: int) -> HttpResponse:
    """Answer one tile; the address says how the others on the page were answered, for the score."""
    store = stored_tiles()
    if index >= len(store):
        raise Http404
    shown = existing(sent_tiles(request.GET, "tile"))
    answered = set(sent_tiles(request.GET, "answered")).intersection(shown)
    wrong = set(sent_tiles(request.GET, "wrong"))
    verdicts = {other: None if store.label(other) is None else other not in wrong for other in answered}
    answer = answer_tiles([index], {index})[index]
    context = state(request.GET, shown, verdicts | {index: answer["right"]}) | {"announces": True}
    context["tile"] = store.tile(index)._asdict() | answer
    response = render(request, "digits/_tile.html", context)
    if shown:
        response["HX-Replace-Url"] = context["address"]
    return response


@require_safe
@fresh
def tile(request: HttpRequest, index: int) -> HttpResponse:
    """A tile's own page."""
    store = stored_tiles()
    if index >= len(store):
        raise Http404
    context = answer_tiles([index], {index})[index] | {"tile": store.tile(index), "seen": seen(store.pixels(index))}
    context |= {"previous": index - 1, "next": index + 1, "last": len(store) - 1}
    return render(request, "digits/tile.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@fresh
@refuse_when_busy
def draw(request: HttpRequest) -> HttpResponse:
    """The drawing pad; a picture posted here, as browsers without JavaScript do, is answered on the same page."""
    context = {"percentages": NO_PERCENTAGES, "no_percentages": NO_PERCENTAGES}
    if request.method == "POST":
        parts = [prediction_of, explanation_of] if "explain" in request.POST else [prediction_of]
        context |= of_picture(request, *parts)
    if asked_for := existing(sent_tiles(request.GET, "tile")):
        context["tile"] = stored_tiles().tile(asked_for[0])
    return render(request, "digits/draw.html", context, status=context.get("status", 200))


@require_POST
@fresh
@refuse_when_busy
def predict_drawing(request: HttpRequest) -> HttpResponse:
    # While the pen moves there would be an announcement every moment.
    context = {"percentages": NO_PERCENTAGES, "announces": "live" not in request.POST}
    context |= of_picture(request, prediction_of)
    return render(request, "digits/_prediction.html", context, status=context.get("status", 200))


@require_POST
@fresh
@refuse_when_busy
def explain_drawing(request: HttpRequest) -> HttpResponse:
    context = of_picture(request, explanation_of) | {"announces": True}
    return render(request, "digits/_explanation.html", context, status=context.get("status", 200))


@require_safe
@fresh
def model(request: HttpRequest) -> HttpResponse:
    return render(request, "digits/model.html", report())


@require_safe
@fresh
def api(request: HttpRequest) -> HttpResponse:
    """What programs may ask, as the OpenAPI document has it."""
    return render(request, "digits/api.html", chapters(document(request.build_absolute_uri("/").rstrip("/"))))


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """For those that ask for the icon without looking at the page."""
    return redirect(static("digits/icon.svg"))


def shown_tiles(query: QueryDict) -> dict:
    """The tiles that the address names, or random ones of its selection, with the answers asked for and the score."""
    store = stored_tiles()
    asks_all = "all" in query.getlist("predict")
    selected = store.select(sent_selection(query))
    shown = existing(sent_tiles(query, "tile")) or sample(selected)
    answered = set(sent_tiles(query, "answered")).intersection(shown)
    asked = set(shown if asks_all else sent_tiles(query, "predict")).intersection(shown) - answered
    answers = answer_tiles(answered | asked, asked)
    tiles = [store.tile(index)._asdict() | answers.get(index, UNANSWERED) for index in shown]
    counts = {"selected": len(selected), "count": f"{len(selected):,}"}
    verdicts = {index: answer["right"] for index, answer in answers.items()}
    return state(query, shown, verdicts) | counts | {"tiles": tiles, "asks_all": asks_all}


def existing(indices: Iterable[int]) -> list[int]:
    """Those of the indices that the gallery has a tile for, in order."""
    return [index for index in indices if index < len(stored_tiles())]


def state(query: QueryDict, shown: list[int], verdicts: dict[int, bool | None]) -> dict:
    """The state of the gallery's page, all of it in its address: nothing is stored about anyone.

    verdicts: whether each answered tile on the page was read right, or None where it has no label.
    """
    selection, earlier = sent_selection(query), sent_score(query)
    scored = [right for right in verdicts.values() if right is not None]
    wrong = sorted(index for index, right in verdicts.items() if right is False)
    expected = classifier().weights.figures.expected
    fields = selection.fields | earlier.fields | {"tile": shown, "answered": sorted(verdicts), "wrong": wrong}
    return {
        "selection": selection,
        "earlier": earlier,  # the score of the tiles before these
        "score": Score(earlier.right + sum(scored), earlier.of + len(scored)),
        "expected": expected and 100 * expected.fraction,
        "address": f"{reverse('gallery')}?{urlencode(fields, doseq=True)}",
    }


def answer_tiles(indices: Iterable[int], asked: set[int]) -> dict[int, dict]:
    """The answers to these tiles, by their indices, from one pass through the network.

    asked: the tiles that somebody asks for now, which count in /metrics; the others were answered before.
    """
    store, indices = stored_tiles(), list(indices)
    if not indices:
        return {}
    predictions = read(np.stack([store.pixels(index) for index in indices]))
    answers = {}
    for index, prediction in zip(indices, predictions, strict=True):
        if index in asked:
            count(prediction)
        label = store.label(index)
        answers[index] = {"right": None if label is None else prediction.digit == label} | answer(prediction)
    return answers


def of_picture(request: HttpRequest, *parts: Callable[[np.ndarray], dict]) -> dict:
    """Prepare the sent picture and merge the context that each of `parts` makes of it; or the reason of a refusal."""
    try:
        with prediction_slot():
            pixels = sent_pixels(request)
            return {name: value for part in parts for name, value in part(pixels).items()}
    except Busy:
        raise
    except Refusal as refusal:
        return {"refusal": refusal, "status": refusal.status}


def sent_pixels(request: HttpRequest) -> np.ndarray:
    if strokes := sent_strokes(request):
        return pictures.prepare_strokes(strokes)
    return pictures.prepare(sent_picture(request, missing="Draw a digit, or choose a picture of one."))


def prediction_of(pixels: np.ndarray) -> dict:
    """All that `_prediction.html` shows of prepared pixels, but for `announces`."""
    return {"seen": seen(pixels)} | answer(recognize(pixels))


def explanation_of(pixels: np.ndarray) -> dict:
    """All that `_explanation.html` shows of prepared pixels, but for `announces`."""
    explanation = explain(pixels)
    return {
        "explanation": explanation,
        "percent": explanation.percentages[explanation.digit],
        "runner_up_percent": explanation.percentages[explanation.runner_up],
        "overlay": base64_of(pngs.overlay(pixels, explanation.relevance)),
        "sheets": [{"png": base64_of(pngs.sheet(maps)), "filters": maps.shape[2]} for maps in feature_maps(pixels)],
    }


def seen(pixels: np.ndarray) -> dict:
    """What the network sees, and where in it the digit lies."""
    return {
        "image": base64_of(pngs.png(pixels)),
        "box": centring.box(pixels),
        "centre": centring.centre_of_mass(pixels),
    }


def base64_of(png: bytes) -> str:
    return base64.b64encode(png).decode()


def answer(prediction: Prediction) -> dict:
    percentages = prediction.percentages
    return {"prediction": prediction, "percentages": percentages, "percent": percentages[prediction.digit]}
