"""The JSON API: pictures in, predictions out; no cookie and no token."""

import base64
import functools
from collections.abc import Callable

import numpy as np
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from digit_recognizer_dl_model.frame import SIDE

from . import images
from .errors import described, refuse
from .forms import sent_names
from .gallery import gallery
from .payloads import Item, sent_payload
from .recognizer import Prediction, explain, recognize_batch, weights_sha256
from .refusals import MethodNotAllowed, NotAcceptable, Refusal

VERSION_LENGTH = 12  # hexadecimal digits of the weights' checksum that tell one version from another


def endpoint(*methods: str, answers: str = "application/json") -> Callable:
    """A view that answers these methods alone, needs no CSRF token, and turns refusals into problems."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @csrf_exempt
        @never_cache
        @functools.wraps(view)
        def answer(request: HttpRequest) -> HttpResponse:
            try:
                if request.method not in methods:
                    allowed = ", ".join(methods)
                    detail = f"{request.path} answers {allowed}, not {request.method}."
                    raise MethodNotAllowed(detail, {"Allow": allowed})
                if not request.accepts(answers):
                    raise NotAcceptable(f"{request.path} answers with {answers}, which the Accept header excludes.")
                return view(request)
            except Refusal as refusal:
                return refuse(request, refusal)

        return answer

    return decorate


@endpoint("GET", "HEAD")
def display_images(request: HttpRequest) -> HttpResponse:
    tiles = gallery().random_tiles()
    return JsonResponse({"images": [tile._asdict() for tile in tiles]})


@endpoint("POST")
def predict_digit(request: HttpRequest) -> HttpResponse:
    """One picture or a batch; what is wrong with an item of a batch is said in its place."""
    extras = sent_names(request.GET, "include", EXTRAS)
    payload = sent_payload(request)
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


def prepare(item: Item, batch: int) -> np.ndarray | Refusal:
    try:
        return images.prepare(item, batch) if isinstance(item, bytes) else item
    except Refusal as refusal:
        return refusal


def answer_item(pixels: np.ndarray, prediction: Prediction, extras: list[str]) -> dict:
    return {
        "prediction": prediction.digit,
        "confidence": prediction.confidence,
        "probabilities": prediction.probabilities,
        "uncertain": prediction.uncertain,
        "reason": prediction.reason,
        "weights_version": weights_sha256()[:VERSION_LENGTH],
    } | {name: EXTRAS[name](pixels) for name in extras}


def prepared_picture(pixels: np.ndarray) -> str:
    return base64.b64encode(images.png(pixels)).decode()


def saliency(pixels: np.ndarray) -> str:
    return base64.b64encode(images.overlay(pixels, explain(pixels).relevance)).decode()


# What ?include= may ask for, of the pixels that the network saw.
EXTRAS: dict[str, Callable[[np.ndarray], str]] = {"prepared": prepared_picture, "saliency": saliency}
