"""Health and metrics, which machines ask: they answer to any host, and can be hidden from the public."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from django.middleware.common import CommonMiddleware

from ..addresses import is_probe
from ..errors import not_found

FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Proto")  # what proxies add


class HostsMiddleware(CommonMiddleware):
    """Refuses foreign hosts, except to probes: Kubernetes and Prometheus ask by the address of a machine."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        return None if is_probe(request.path_info) else super().process_request(request)


def private_probes(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Hide health and metrics from those who ask through a proxy, as the public does."""
    if not settings.PRIVATE_PROBES:
        raise MiddlewareNotUsed

    def middleware(request: HttpRequest) -> HttpResponse:
        if is_probe(request.path_info) and any(name in request.headers for name in FORWARDED):
            return not_found(request)
        return get_response(request)

    return middleware
