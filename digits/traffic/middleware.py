"""What every request passes on its way in and out, beside Django's own middleware."""

import logging
import os
import re
import time
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.gzip import GZipMiddleware
from django.urls import Resolver404, resolve
from django.utils.cache import patch_vary_headers

from ..addresses import Audience, audience_of, is_probe, predicts
from ..errors import not_found, refuse
from ..refusals import MEGABYTE, TooLarge, TooManyRequests
from . import limits, logs, prometheus

GetResponse = Callable[[HttpRequest], HttpResponse]

SIGN = "Digits-Answer"  # tells htmx's page that an answer is this site's, and not a proxy's or a network's sign-in page
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# Of a request and of an answer, for pages of other origins.
SENDABLE = "Content-Type, Inference-Header-Content-Length, X-Request-ID"
READABLE = f"{SENDABLE}, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After"
PREFLIGHT_SECONDS = 24 * 3600
COMPLAINT_SECONDS = 60  # between lines about a cache out of reach

logger = logging.getLogger("digits")
access_log = logging.getLogger("digits.access")


def account(get_response: GetResponse) -> GetResponse:
    """Give each request an id, count it and log it, by its route: addresses are a client's own words."""

    def middleware(request: HttpRequest) -> HttpResponse:
        start = time.perf_counter()
        # Django would parse all headers for `request.headers`, where most requests need none of them.
        sent_id = request.META.get("HTTP_X_REQUEST_ID", "")
        request.request_id = sent_id if re.fullmatch("[A-Za-z0-9._-]{1,64}", sent_id) else os.urandom(16).hex()
        prometheus.PLACES.set(settings.MAX_PREDICTIONS_IN_FLIGHT)
        prometheus.IN_FLIGHT.inc()
        if ready_at := request.META.get("digits.ready_at"):
            prometheus.observe_stage("queue", start - ready_at)
        try:
            response = get_response(request)
        finally:
            prometheus.IN_FLIGHT.dec()
        seconds = time.perf_counter() - start
        response.headers["X-Request-ID"] = request.request_id
        if request.method == "HEAD" and not response.streaming:
            # Servers drop this, too, but gunicorn warns of each.
            response.headers.setdefault("Content-Length", str(len(response.content)))
            response.content = b""
        method = request.method if request.method in METHODS else "other"
        route = route_of(request)
        prometheus.REQUESTS.labels(route, method, response.status_code).inc()
        prometheus.REQUEST_SECONDS.labels(route).observe(seconds)
        if reason := shed_reason(response):
            prometheus.SHEDS.labels(reason).inc()
        fields = {
            "method": method,
            "route": route,
            "status": response.status_code,
            "ms": round(1000 * seconds, 2),
            "bytes": int(response.headers.get("Content-Length", 0)) if response.streaming else len(response.content),
            "request_id": request.request_id,
        }
        if access_log.isEnabledFor(logging.INFO):
            # `access_log.info` does the same, and looks up which line of code has called it.
            record = access_log.makeRecord(access_log.name, logging.INFO, __file__, 0, "request", (fields,), None)
            access_log.handle(record)
        return response

    return middleware


def shed_reason(response: HttpResponse) -> str | None:
    """Why a request was refused that would have been answered at another time."""
    if response.status_code == 429:
        return "rate"
    return "busy" if response.status_code == 503 and response.has_header("Retry-After") else None


def route_of(request: HttpRequest) -> str:
    try:
        # What was refused before its view has no match yet.
        return f"/{(request.resolver_match or resolve(request.path_info)).route}"
    except Resolver404:
        return settings.STATIC_URL if request.path_info.startswith(settings.STATIC_URL) else "none"


def security_headers(get_response: GetResponse) -> GetResponse:
    """Tell browsers to run and load nothing but this site's own files, and to grant it nothing it needs not.

    Answers to htmx are signed: `failures.js` lets no other into the page.
    """

    headers, policy, is_debugged = settings.SECURITY_HEADERS, settings.CONTENT_SECURITY_POLICY, settings.DEBUG

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        # Under DEBUG, Django answers these itself, with a page that brings inline styles and scripts. No page of this
        # site may take it in.
        if not (is_debugged and response.status_code == 500):
            response.headers["Content-Security-Policy"] = policy
            if "HTTP_HX_REQUEST" in request.META:
                response.headers[SIGN] = "1"
        return response

    return middleware


class OwnNotFound:
    """Answers under DEBUG, as in production, for what is not there; Django's own page would have no way back."""

    def __init__(self, get_response: GetResponse) -> None:
        if not settings.DEBUG:
            raise MiddlewareNotUsed
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            resolve(request.path_info)
        except Resolver404 as exception:
            return not_found(request, exception)
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Called for what views raise."""
        return not_found(request, exception) if isinstance(exception, Http404) else None


def compression(get_response: GetResponse) -> GetResponse:
    """Compress pages and fragments for those who take that.

    What is secret in them, the CSRF token, is masked anew each time, so that their length tells nothing of it (BREACH).
    The answers to programs are so short that compressing them takes longer than sending them.
    """
    gzip = GZipMiddleware(get_response)

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        return gzip.process_response(request, response) if is_page else response

    return middleware


def cross_origin(get_response: GetResponse) -> GetResponse:
    """Let pages of the listed origins call the API; no answer depends on a cookie, so none is asked for."""
    if not settings.API_ALLOWED_ORIGINS:
        raise MiddlewareNotUsed

    def middleware(request: HttpRequest) -> HttpResponse:
        if audience_of(request.path_info) is Audience.PEOPLE:
            return get_response(request)
        asks_first = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        response = HttpResponse(status=204) if asks_first else get_response(request)
        patch_vary_headers(response, ["Origin"])
        if request.headers.get("Origin") in settings.API_ALLOWED_ORIGINS:
            response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
            response.headers["Access-Control-Expose-Headers"] = READABLE
            if asks_first:
                response.headers["Access-Control-Allow-Methods"] = "GET, POST"
                response.headers["Access-Control-Allow-Headers"] = SENDABLE
                response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
        return response

    return middleware


def is_limited(request: HttpRequest) -> bool:
    """Whether a request counts toward the rate limit."""
    if audience_of(request.path_info) is Audience.PEOPLE:
        return predicts(request.method, request.path_info, request.GET)
    return not is_probe(request.path_info)


def rate_limit(get_response: GetResponse) -> GetResponse:
    """Refuse requests to the API, and to pages that predict, of a client that asks too often; no body is read."""
    if settings.RATE_LIMIT is None:
        raise MiddlewareNotUsed
    may_complain = logs.Seldom(COMPLAINT_SECONDS)

    def middleware(request: HttpRequest) -> HttpResponse:
        if not is_limited(request):
            return get_response(request)
        try:
            # A request that is begun anew in a thread has been counted.
            quota = request.META.get("digits.quota") or limits.count_request(request)
            request.META["digits.quota"] = quota
        except Exception:  # the cache is out of reach, which is no reason to answer nobody
            if may_complain():
                logger.exception("requests can't be counted; said once a minute, while it lasts")
            return get_response(request)
        if quota.remaining < 0:
            detail = f"This client has asked {quota.limit} times already. Try again in {quota.reset} seconds."
            return refuse(request, TooManyRequests(detail, quota.headers | {"Retry-After": str(quota.reset)}))
        response = get_response(request)
        for name, value in quota.headers.items():
            response.headers[name] = value
        return response

    return middleware


def request_size(get_response: GetResponse) -> GetResponse:
    """Refuse a request that is too large before anything, CSRF protection included, reads its body."""

    def middleware(request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        is_page = audience_of(request.path_info) is Audience.PEOPLE
        limit = settings.MAX_FORM_BYTES if is_page else settings.MAX_REQUEST_BYTES
        # By its digits first: Python refuses to read a number of thousands of them.
        if length.isdecimal() and (len(length) > 15 or int(length) > limit):
            if is_page:  # where a picture is all that can be so large
                return refuse(request, TooLarge.over("picture", settings.MAX_PICTURE_BYTES))
            megabytes = settings.MAX_PICTURE_BYTES // MEGABYTE, limit // MEGABYTE
            detail = "This request is too large; a picture may have {} MB, a whole request {} MB.".format(*megabytes)
            return refuse(request, TooLarge(detail))
        return get_response(request)

    return middleware
