"""The JSON API: a picture in, a prediction out; no cookie and no token."""

import functools
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from . import images
from .errors import problem, refuse
from .forms import sent_picture
from .gallery import gallery
from .recognizer import recognize
from .refusals import Refusal


def endpoint(method: str) -> Callable:
    """A view that answers this method alone, needs no CSRF token, and turns refusals into problems."""

    def decorate(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
        @csrf_exempt
        @never_cache
        @functools.wraps(view)
        def answer(request: HttpRequest) -> HttpResponse:
            if request.method != method:
                detail = f"{request.path} answers {method}, not {request.method}."
                response = problem(405, "Method not allowed", detail)
                response["Allow"] = method
                return response
            try:
                return view(request)
            except Refusal as refusal:
                return refuse(request, refusal)
            except MultiPartParserError:
                return problem(400, "Bad request", "The multipart body can't be read.")

        return answer

    return decorate


@endpoint("GET")
def display_images(request: HttpRequest) -> HttpResponse:
    tiles = gallery().random_tiles()
    return JsonResponse({"images": [tile._asdict() for tile in tiles]})


@endpoint("POST")
def predict_digit(request: HttpRequest) -> HttpResponse:
    picture = sent_picture(request, missing="Send a PNG or JPEG picture as the multipart field `file`.")
    prediction = recognize(images.prepare(picture))
    return JsonResponse(
        {
            "prediction": prediction.digit,
            "confidence": prediction.confidence,
            "probabilities": prediction.probabilities,
            "uncertain": prediction.uncertain,
            "reason": prediction.reason,
        }
    )
