"""The JSON API: pictures in, predictions out; no cookie and no token."""

import base64
import functools
import logging
from collections.abc import Callable

import numpy as np
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import MediaType
from django.views.decorators.csrf import csrf_exempt

from digit_recognizer_dl_model.frame import SIDE

from . import images, metrics, pngs
from .errors import UNUSABLE, described, not_found, refuse
from .forms import MAX_TILES, sent_names, sent_number
from .gallery import TILES_AT_ONCE, gallery
from .payloads import Item, sent_payload
from .pressure import prediction_slot
from .recognizer import Prediction, classifier, explain, knows_a_one, recognize_batch, weights_sha256
from .refusals import MethodNotAllowed, NotAcceptable, Refusal, Unavailable

logger = logging.getLogger("digits")

MAX_SEED = 2**32 - 1
VERSION_LENGTH = 12  # hexadecimal digits of the weights' checksum that tell one version from another


def endpoint(*methods: str, answers: tuple[str, ...] = ("application/json",)) -> Callable:
    """A view that answers these methods alone, needs no CSRF token, and turns refusals into problems."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @csrf_exempt
        @functools.wraps(view)
        def answer(request: HttpRequest) -> HttpResponse:
            try:
                if request.method not in methods:
                    allowed = ", ".join(methods)
                    detail = f"{request.path} answers {allowed}, not {request.method}."
                    raise MethodNotAllowed(detail, {"Allow": allowed})
                if not any(is_accepted(request, content_type) for content_type in answers):
                    types = " or ".join(answers)
                    raise NotAcceptable(f"{request.path} answers with {types}, which the Accept header excludes.")
                response = view(request)
            except Refusal as refusal:
                response = refuse(request, refusal)
            response.headers["Cache-Control"] = "no-store"
            return response

        return answer

    return decorate


def is_accepted(request: HttpRequest, content_type: str) -> bool:
    """Whether the Accept header allows it, by the most specific range that it is in (RFC 9110); of any parameters.

    Django's `accepts` takes a type that is excluded for one that is not named, and parameters for another type.
    """
    sent = request.headers.get("Accept", "").strip() or "*/*"
    try:
        ranges = [MediaType(token) for token in sent.split(",")]
    except ValueError:  # it makes no sense, and excludes nothing
        return True
    matches = content_type, f"{content_type.partition('/')[0]}/*", "*/*"
    matching = [each for each in ranges if f"{each.main_type}/{each.sub_type}" in matches]
    return bool(matching) and max(matching, key=lambda each: each.specificity).quality > 0


@endpoint("GET", "HEAD")
def display_images(request: HttpRequest) -> HttpResponse:
    """Random tiles: `count` of them, of one `digit`, the same again for the same `seed`."""
    count = sent_number(request.GET, "count", 1, MAX_TILES)
    digit = sent_number(request.GET, "digit", 0, 9)
    seed = sent_number(request.GET, "seed", 0, MAX_SEED)
    tiles = gallery().random_tiles(count or TILES_AT_ONCE, digit, seed)
    return JsonResponse({"images": [tile._asdict() for tile in tiles]})


@endpoint("POST")
def predict_digit(request: HttpRequest) -> HttpResponse:
    """One picture or a batch; what is wrong with an item of a batch is said in its place."""
    extras = sent_names(request.GET, "include", EXTRAS)
    payload = sent_payload(request)
    with prediction_slot():
        prepared = [prepare(item, len(payload.items)) for item in payload.items]
        if not payload.is_batch and isinstance(prepared[0], Refusal):
            raise prepared[0]
        pixels = [item for item in prepared if not isinstance(item, Refusal)]
        predictions = iter(recognize_batch(np.array(pixels, np.uint8).reshape(-1, SIDE, SIDE)))
        answers = [
            {"error": described(item.status, item.title, item.detail) | {"index": index}}
            if isinstance(item, Refusal)
            else answer_item(item, next(predictions), extras)
            for index, item in enumerate(prepared)
        ]
    return JsonResponse({"predictions": answers} if payload.is_batch else answers[0])


@endpoint("GET", "HEAD")
def model(request: HttpRequest) -> HttpResponse:
    """What answers here: the network, how good it is, what it takes and what it gives."""
    weights = classifier().weights
    return JsonResponse(
        {
            "name": "digits",
            "weights_version": weights_sha256()[:VERSION_LENGTH],
            "weights_sha256": weights_sha256(),
            "architecture": weights.architecture,
            "input": {"shape": [SIDE, SIDE], "type": "uint8", "meaning": "ink 255 on 0, prepared as MNIST is"},
            "output": {"shape": [10], "type": "float32", "meaning": "the probabilities of 0 to 9"},
            "temperature": weights.temperature,
            "uncertain_below": weights.uncertain_below,
            "no_digit_above": weights.no_digit_above,
            "figures": weights.figures,
        }
    )


@endpoint("GET", "HEAD")
def health_live(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "live"})


@endpoint("GET", "HEAD")
def health_ready(request: HttpRequest) -> HttpResponse:
    check_ready()
    return JsonResponse({"status": "ready"})


def check_ready() -> None:
    """Raise Unavailable unless a picture would be answered: the network reads one now, and a tile can be shown."""
    try:
        gallery().tile(0)
        ready = knows_a_one()
    except Exception as error:  # files are missing or damaged in any way
        logger.exception("not ready")
        raise Unavailable(UNUSABLE) from error
    if not ready:
        raise Unavailable("The network does not recognise what it should.")


@csrf_exempt
def nothing(request: HttpRequest, rest: str) -> HttpResponse:
    return not_found(request)


@endpoint("GET", "HEAD", answers=("text/plain",))
def prometheus_metrics(request: HttpRequest) -> HttpResponse:
    return HttpResponse(metrics.exposition(), content_type=metrics.CONTENT_TYPE)


def prepare(item: Item, batch: int) -> np.ndarray | Refusal:
    try:
        return images.prepare(item, batch) if isinstance(item, bytes) else item
    except Refusal as refusal:
        return refusal


def answer_item(pixels: np.ndarray, prediction: Prediction, extras: list[str]) -> dict:
    return members(prediction) | {name: EXTRAS[name](pixels) for name in extras}


def members(prediction: Prediction) -> dict:
    """What a program is told of a picture."""
    return {
        "prediction": prediction.digit,
        "confidence": prediction.confidence,
        "probabilities": prediction.probabilities,
        "uncertain": prediction.uncertain,
        "reason": prediction.reason,
        "weights_version": weights_sha256()[:VERSION_LENGTH],
    }


def prepared_picture(pixels: np.ndarray) -> str:
    return base64.b64encode(pngs.png(pixels)).decode()


def saliency(pixels: np.ndarray) -> str:
    return base64.b64encode(pngs.overlay(pixels, explain(pixels).relevance)).decode()


# What ?include= may ask for, of the pixels that the network saw.
EXTRAS: dict[str, Callable[[np.ndarray], str]] = {"prepared": prepared_picture, "saliency": saliency}
