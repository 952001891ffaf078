"""Every failure in one of these shapes: a problem for the API, a fragment for htmx, a page for everyone else."""

import logging
import sys
from collections.abc import Sequence

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import REASON_NO_CSRF_COOKIE
from django.shortcuts import render
from django.urls import get_resolver
from django.utils.cache import patch_vary_headers
from django.utils.text import slugify

from digit_recognizer_dl_model.dataset import MalformedDataset
from digit_recognizer_dl_model.weights import UnusableWeights

from . import static_files
from .addresses import Audience, audience_of
from .refusals import Busy, MethodNotAllowed, NotFound, Refusal, ServerError, TooLarge, Unavailable

BAD_HOST = "This site does not answer to that host name; its setting DJANGO_ALLOWED_HOSTS lists those it does."
# What whoever runs the site can do about forms that are refused.
TRUST_ORIGIN = (
    "Behind a proxy that ends HTTPS, set DJANGO_BEHIND_PROXY=1 and let it send X-Forwarded-Proto. Behind one that"
    " changes the host or the port, list the site's address as browsers show it, such as https://digits.example.org, in"
    " DJANGO_CSRF_TRUSTED_ORIGINS."
)
KEEP_COOKIE = (
    "Browsers keep the cookie csrftoken only over HTTPS, unless DJANGO_HTTPS=0 serves the site over plain HTTP; and a"
    " proxy must pass the cookie on."
)
KEEP_PAGES = "If new pages are refused, too, a proxy changes the cookie csrftoken, or a cache keeps pages with a token."
UNUSABLE = "The network's weights or the gallery's images can't be used."
logger = logging.getLogger("digits")

DOCUMENTATION = "/api/"  # the page that explains each type of problem, under an anchor made of its title


def refuse(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """The answer to a request that is refused."""
    response = failure(request, refusal.status, refusal.title, refusal.detail)
    for name, value in refusal.headers.items():
        response[name] = value
    return response


def failure(request: HttpRequest, status: int, title: str, detail: str) -> HttpResponse:
    audience = audience_of(request.path_info)
    if audience is Audience.INFERENCE_CLIENTS:
        return JsonResponse({"error": detail}, status=status)
    if audience is Audience.PROGRAMS:
        body = described(status, title, detail)
        return JsonResponse(body, status=status, content_type="application/problem+json")
    context = {"title": title, "detail": detail, "may_succeed_later": status != TooLarge.status}
    if request.htmx:
        response = render(request, "digits/_failure.html", context, status=status)
        # Not where the answer would have gone, which may hold something worth keeping.
        response["HX-Retarget"], response["HX-Reswap"] = "#notice", "innerHTML"
    else:
        response = failure_page(request, context, status)
    patch_vary_headers(response, ["HX-Request"])  # no cache may mix them up
    return response


def failure_page(request: HttpRequest, context: dict, status: int) -> HttpResponse:
    if settings.DEBUG and status == 404:
        context["routes"] = routes()
    try:
        return render(request, "digits/failure.html", context, status=status)
    except ValueError:  # a static file has no hashed name, because `collectstatic` has not been run
        return render(request, "digits/failure_bare.html", context, status=status)


def routes() -> list[str]:
    """The addresses of this site, each once."""
    included = [part for each in get_resolver().url_patterns for part in each.url_patterns]
    paths = {f"/{part.pattern}" for part in included}
    return sorted(path for path in paths if f"{path}/" not in paths and not path.endswith("<path:rest>"))


def described(status: int, title: str, detail: str) -> dict:
    """The members of a problem (RFC 9457)."""
    return {"type": f"{DOCUMENTATION}#{slugify(title)}", "title": title, "status": status, "detail": detail}


def wrong_method(request: HttpRequest, methods: Sequence[str]) -> MethodNotAllowed:
    allowed = ", ".join(methods)
    return MethodNotAllowed(f"{request.path} answers {allowed}, not {request.method}.", {"Allow": allowed})


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, DisallowedHost):
        return refuse(request, Refusal(BAD_HOST))
    return refuse(request, Refusal("The server could not make sense of this request."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Refuse a form for Django's reason, which is logged: a wrong setting would refuse the forms of everybody."""
    methods = getattr(request.resolver_match and request.resolver_match.func, "methods", [])
    if methods and request.method not in methods:  # which the view would have said, had it been asked
        return refuse(request, wrong_method(request, methods))
    title, detail, advice = why_refused(request, reason)
    # Escaped, because the reason quotes the client.
    escaped = reason.encode("unicode_escape").decode()
    logger.warning("A form was refused: %s %s", escaped, advice, extra={"request": request})
    return failure(request, 403, title, f"{detail} For whoever runs this site: {advice}")


def why_refused(request: HttpRequest, reason: str) -> tuple[str, str, str]:
    """A title for a reason of Django's CSRF protection, what to tell the sender, and what whoever runs the site."""
    if reason.startswith(("Origin checking", "Referer checking")):
        origin = request.headers.get("Origin", "null")
        sender = "a page whose address the browser withheld" if origin == "null" else origin
        detail = f"This form was sent from {sender}, which is not this site's own address."
        return "Form from elsewhere", detail, TRUST_ORIGIN
    if reason == REASON_NO_CSRF_COOKIE:
        detail = (
            "The browser sent no cookie with this form. Allow cookies for this site, reload the page and try again."
        )
        return "No cookie", detail, KEEP_COOKIE
    return "Form out of date", "This form is out of date. Reload the page and try again.", KEEP_PAGES


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return refuse(request, NotFound(f"There is nothing at {request.path}."))


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer for the exception that is being handled, which Django logs."""
    if isinstance(sys.exception(), MemoryError):
        return refuse(request, Busy("This server is out of memory. Please try again.", {"Retry-After": "1"}))
    if isinstance(sys.exception(), (FileNotFoundError, PermissionError, MalformedDataset, UnusableWeights)):
        return refuse(request, Unavailable(UNUSABLE))
    if not static_files.are_collected():
        logger.error("%s %s", static_files.UNCOLLECTED, static_files.HINT)
        return refuse(request, Unavailable(static_files.UNCOLLECTED))
    return refuse(request, ServerError("Something went wrong here, not with you. Please try again."))
