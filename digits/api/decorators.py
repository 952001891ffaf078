"""What every address of the API has in common: its methods, the types it answers with, and how it fails."""

import functools
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.request import MediaType
from django.views.decorators.csrf import csrf_exempt

from ..errors import refuse, wrong_method
from ..refusals import NotAcceptable, Refusal


def endpoint(*methods: str, answers: tuple[str, ...] = ("application/json",)) -> Callable:
    """Make a view answer only these methods, without a CSRF token, and turn refusals into problems."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @csrf_exempt
        @functools.wraps(view)
        def answer(request: HttpRequest) -> HttpResponse:
            try:
                if request.method not in methods:
                    raise wrong_method(request, methods)
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
    """Whether the Accept header allows a content type, by the most specific range that names it (RFC 9110).

    By hand, because Django's `get_preferred_type` fails on an encoding that it does not know, refuses
    `application/json;charset=utf-8`, and does not see that `application/json;q=0, */*` excludes JSON.
    """
    sent = request.META.get("HTTP_ACCEPT", "").strip() or "*/*"
    if sent in ("*/*", content_type):
        return True
    try:
        ranges = [MediaType(token) for token in sent.split(",")]
    except ValueError:  # a malformed header excludes nothing
        return True
    matches = content_type, f"{content_type.partition('/')[0]}/*", "*/*"
    matching = [each for each in ranges if f"{each.main_type}/{each.sub_type}" in matches]
    return bool(matching) and max(matching, key=lambda each: each.specificity).quality > 0
