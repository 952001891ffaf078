"""What every request passes on its way in and out, beside Django's own middleware."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from .errors import FOR_PROGRAMS, refuse
from .refusals import TooLarge

GetResponse = Callable[[HttpRequest], HttpResponse]


def content_security_policy(get_response: GetResponse) -> GetResponse:
    """Tell browsers to run and load nothing but this site's own files."""
    policy = "; ".join(f"{directive} {sources}" for directive, sources in settings.CONTENT_SECURITY_POLICY.items())

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        # Under DEBUG, Django answers these itself, with pages that bring inline styles and scripts.
        if not (settings.DEBUG and response.status_code in (404, 500)):
            response.headers["Content-Security-Policy"] = policy
        return response

    return middleware


def request_size(get_response: GetResponse) -> GetResponse:
    """Refuse a request that is too large before anything, CSRF protection included, reads its body."""

    def middleware(request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        limit = settings.MAX_REQUEST_BYTES if request.path_info.startswith(FOR_PROGRAMS) else settings.MAX_FORM_BYTES
        # By its digits first: Python refuses to read a number of thousands of them.
        if length.isdecimal() and (len(length) > 15 or int(length) > limit):
            megabytes = settings.MAX_PICTURE_BYTES // 1024**2, limit // 1024**2
            detail = "This request is too large; a picture may have {} MB, a whole request {} MB.".format(*megabytes)
            return refuse(request, TooLarge(detail))
        return get_response(request)

    return middleware
