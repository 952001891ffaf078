"""What the pages and fragments have in common."""

import functools
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from .errors import refuse, wrong_method


def page(*methods: str) -> Callable:
    """Make a view answer only these methods, which it carries along: CSRF protection comes first and asks for them."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @functools.wraps(view)
        def answer(request: HttpRequest, **parameters: object) -> HttpResponse:
            if request.method not in methods:
                return refuse(request, wrong_method(request, methods))
            return view(request, **parameters)

        answer.methods = methods
        return answer

    return decorate
