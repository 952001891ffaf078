"""The pages, and the fragments that htmx swaps into them."""

import base64

import numpy as np
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from . import images
from .forms import sent_picture, sent_tiles
from .gallery import Tile
from .gallery import gallery as stored_tiles
from .recognizer import Prediction, explain, feature_maps, recognize
from .refusals import Refusal
from .report import report

NO_PERCENTAGES = [0.0] * 10
# Ask again each time, but unlike `no-store` let the Back button show the page as it was left.
fresh = cache_control(private=True, no_cache=True)


@require_GET
@fresh
def gallery(request: HttpRequest) -> HttpResponse:
    """Random tiles; without JavaScript, the address says which tiles are shown and which are answered."""
    store = stored_tiles()
    shown = [store.tile(index) for index in sent_tiles(request.GET, "tile")] or store.random_tiles()
    answered = sent_tiles(request.GET, "predict")
    context = {"tiles": [answer_tile(tile) if tile.index in answered else {"tile": tile} for tile in shown]}
    return render(request, "digits/gallery.html", context)


@require_GET
@fresh
def tiles(request: HttpRequest) -> HttpResponse:
    context = {"tiles": [{"tile": tile} for tile in stored_tiles().random_tiles()], "announces": True}
    return render(request, "digits/_tiles.html", context)


@require_GET
@fresh
def predict_tile(request: HttpRequest, index: int) -> HttpResponse:
    store = stored_tiles()
    if index >= len(store):
        raise Http404
    context = {"entry": answer_tile(store.tile(index)), "announces": True}
    return render(request, "digits/_tile.html", context)


@require_http_methods(["GET", "POST"])
@fresh
def draw(request: HttpRequest) -> HttpResponse:
    """The drawing pad; a picture posted here, as browsers without JavaScript do, is answered on the same page."""
    context = answer_picture(request) if request.method == "POST" else {"percentages": NO_PERCENTAGES}
    if "explain" in request.POST and "pixels" in context:
        context |= explanation_of(context["pixels"])
    context["no_percentages"] = NO_PERCENTAGES
    if asked_for := sent_tiles(request.GET, "tile"):
        context["tile"] = stored_tiles().tile(asked_for[0])
    return render(request, "digits/draw.html", context, status=context.get("status", 200))


@require_POST
@fresh
def predict_drawing(request: HttpRequest) -> HttpResponse:
    # While the pen moves there would be an announcement every moment.
    context = answer_picture(request) | {"announces": "live" not in request.POST}
    return render(request, "digits/_prediction.html", context, status=context.get("status", 200))


@require_POST
@fresh
def explain_drawing(request: HttpRequest) -> HttpResponse:
    context = explain_picture(request) | {"announces": True}
    return render(request, "digits/_explanation.html", context, status=context.get("status", 200))


@require_GET
@fresh
def model(request: HttpRequest) -> HttpResponse:
    return render(request, "digits/model.html", report())


@require_GET
def favicon(request: HttpRequest) -> HttpResponse:
    """For those that ask for the icon without looking at the page."""
    return redirect(static("digits/icon.svg"))


def answer_tile(tile: Tile) -> dict:
    prediction = recognize(stored_tiles().pixels(tile.index))
    return {"tile": tile, "right": prediction.digit == tile.label} | answer(prediction)


def answer_picture(request: HttpRequest) -> dict:
    try:
        pixels = sent_pixels(request)
    except Refusal as refusal:
        return {"refusal": refusal, "status": refusal.status, "percentages": NO_PERCENTAGES}
    return {"pixels": pixels, "seen": seen(pixels)} | answer(recognize(pixels))


def explain_picture(request: HttpRequest) -> dict:
    try:
        pixels = sent_pixels(request)
    except Refusal as refusal:
        return {"refusal": refusal, "status": refusal.status}
    return explanation_of(pixels)


def sent_pixels(request: HttpRequest) -> np.ndarray:
    return images.prepare(sent_picture(request, missing="Draw a digit, or choose a picture of one."))


def explanation_of(pixels: np.ndarray) -> dict:
    """All that `_explanation.html` shows of prepared pixels, but for `announces`."""
    explanation = explain(pixels)
    percentages = answer(recognize(pixels))["percentages"]
    return {
        "explanation": explanation,
        "percent": percentages[explanation.digit],
        "runner_up_percent": percentages[explanation.runner_up],
        "overlay": base64_of(images.overlay(pixels, explanation.relevance)),
        "sheets": [{"png": base64_of(images.sheet(maps)), "filters": maps.shape[2]} for maps in feature_maps(pixels)],
    }


def seen(pixels: np.ndarray) -> dict:
    """What the network sees, and where in it the digit lies."""
    return {"image": base64_of(images.png(pixels)), "box": images.box(pixels), "centre": images.centre_of_mass(pixels)}


def base64_of(png: bytes) -> str:
    return base64.b64encode(png).decode()


def answer(prediction: Prediction) -> dict:
    # Rounded down, so that nothing but certainty reads 100 %.
    percentages = [int(1000 * probability) / 10 for probability in prediction.probabilities]
    return {"prediction": prediction, "percentages": percentages, "percent": percentages[prediction.digit]}
