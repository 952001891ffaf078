"""The JSON API: pictures in, predictions out; no cookie and no token."""

import base64
from collections.abc import Callable
from dataclasses import replace

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from digit_recognizer_dl_model.frame import SIDE

from ..errors import described, not_found
from ..forms import MAX_TILES
from ..gallery import TILES_AT_ONCE, gallery
from ..health import check_ready
from ..numbers import read_all as read_numbers
from ..pictures import Budget, pngs
from ..recognizer import Reading, classifier, explain, read_all, weights_sha256, weights_version
from ..refusals import Refusal, TooLarge
from ..traffic import prometheus
from ..traffic.limits import prediction_place
from .decorators import endpoint
from .parameters import sent_names, sent_number
from .payloads import sent_payload

MAX_SEED = 2**32 - 1
# Seconds of a request that its pictures may not use: the network takes 0.02 for a hundred, explanations 0.3 for ten.
ANSWERING = 0.4


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
    budget = Budget(settings.MAX_REQUEST_SECONDS - ANSWERING)  # what reading the body takes is part of it
    extras = sent_names(request.GET, "include", EXTRAS)
    payload = sent_payload(request)
    if "saliency" in extras and len(payload.items) > settings.MAX_EXPLAINED:
        detail = f"`include=saliency` explains up to {settings.MAX_EXPLAINED} pictures; this request has"
        raise TooLarge(f"{detail} {len(payload.items)}. Send fewer at a time, or leave it out.")
    with prediction_place(request, len(payload.items)) as place:
        readings = read_all(payload.items, budget, place.tell_prepared)
        if not payload.is_batch and isinstance(readings[0], Refusal):
            raise readings.pop()  # no local variable has it then, which would hold what was sent in the same way
        answers = [answer_or_error(index, reading, extras) for index, reading in enumerate(readings)]
    return JsonResponse({"predictions": answers} if payload.is_batch else answers[0])


@endpoint("POST")
def read_number(request: HttpRequest) -> HttpResponse:
    """The number in one picture, or in each of a batch."""
    budget = Budget(settings.MAX_REQUEST_SECONDS - ANSWERING)
    payload = sent_payload(request)
    with prediction_place(request, len(payload.items)) as place:
        numbers = read_numbers(payload.items, budget, place.tell_prepared)
        if not payload.is_batch and isinstance(numbers[0], Refusal):
            raise numbers.pop()
        answers = [
            item_error(index, number) if isinstance(number, Refusal) else number.members
            for index, number in enumerate(numbers)
        ]
    return JsonResponse({"numbers": answers} if payload.is_batch else answers[0])


@endpoint("GET", "HEAD")
def model(request: HttpRequest) -> HttpResponse:
    """What answers here: the network, how good it is, what it takes and what it gives."""
    weights = classifier().weights
    return JsonResponse(
        {
            "name": "digits",
            "weights_version": weights_version(),
            "weights_sha256": weights_sha256(),
            "architecture": weights.architecture,
            "input": {"shape": [SIDE, SIDE], "type": "uint8", "meaning": "ink 255 on 0, prepared as MNIST is"},
            "output": {"shape": [10], "type": "float32", "meaning": "the probabilities of 0 to 9"},
            "temperature": weights.temperature,
            "uncertain_below": weights.uncertain_below,
            "no_digit_above": weights.no_digit_above,
            "figures": replace(weights.figures, failures=()).to_json(),  # those are pictures, for the page
        }
    )


@endpoint("GET", "HEAD")
def health_live(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "live"})


@endpoint("GET", "HEAD")
def health_ready(request: HttpRequest) -> HttpResponse:
    check_ready()
    return JsonResponse({"status": "ready"})


@csrf_exempt
def nothing(request: HttpRequest, rest: str) -> HttpResponse:
    return not_found(request)


@endpoint("GET", "HEAD", answers=("text/plain",))
def prometheus_metrics(request: HttpRequest) -> HttpResponse:
    return HttpResponse(prometheus.exposition(), content_type=prometheus.CONTENT_TYPE)


def answer_or_error(index: int, reading: Reading | Refusal, extras: list[str]) -> dict:
    if isinstance(reading, Refusal):
        return item_error(index, reading)
    return reading.prediction.members | {name: EXTRAS[name](reading) for name in extras}


def item_error(index: int, refusal: Refusal) -> dict:
    """What stands in a batch in the place of the answer to an item."""
    return {"error": described(refusal.status, refusal.title, refusal.detail) | {"index": index}}


def prepared_picture(reading: Reading) -> str:
    return base64.b64encode(pngs.png(reading.pixels)).decode()


def saliency(reading: Reading) -> str:
    pixels, prediction = reading
    return base64.b64encode(pngs.overlay(pixels, explain(pixels, prediction).relevance)).decode()


# The names that ?include= accepts, and what each adds to the answer.
EXTRAS: dict[str, Callable[[Reading], str]] = {"prepared": prepared_picture, "saliency": saliency}
