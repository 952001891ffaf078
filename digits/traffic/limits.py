"""What keeps the site answering when more is asked of it than it can do: busy is said at once, nobody waits in line."""

import contextlib
import functools
import ipaddress
import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

from ..refusals import Busy
from . import prometheus

RETRY_AFTER = 1  # seconds; a prediction takes a few milliseconds, the largest batch one or two seconds


@functools.cache
def slots() -> threading.BoundedSemaphore:
    """One for each prediction that this process makes at the same time."""
    return threading.BoundedSemaphore(settings.MAX_PREDICTIONS_IN_FLIGHT)


@contextlib.contextmanager
def prediction_slot() -> Iterator[None]:
    """Take a slot for what is decoded and recognised in this block; raises Busy where all are taken."""
    if not slots().acquire(blocking=False):
        detail = "More predictions are asked for than this server makes at once. Please try again."
        raise Busy(detail, {"Retry-After": str(RETRY_AFTER)})
    prometheus.PLACES_TAKEN.inc()
    try:
        yield
    finally:
        prometheus.PLACES_TAKEN.dec()
        slots().release()


class Quota(NamedTuple):
    """What a client may still ask for."""

    limit: int
    remaining: int  # negative where the limit is passed
    reset: int  # seconds until it may ask for `limit` again

    @property
    def headers(self) -> dict[str, str]:
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(max(0, self.remaining)),
            "RateLimit-Reset": str(self.reset),
        }


def count_request(request: HttpRequest) -> Quota:
    """Count a request against its client's limit, in windows of fixed length.

    Best effort: clients that share an address share a limit, and with the cache in local memory each process counts
    for itself.
    """
    limit, seconds = settings.RATE_LIMIT
    now = time.time()
    window = int(now // seconds)
    key = f"requests:{client_address(request)}:{window}"
    cache.add(key, 0, timeout=seconds)
    try:
        count = cache.incr(key)
    except ValueError:  # it has just been thrown out for others
        count = 1
    return Quota(limit, limit - count, int((window + 1) * seconds - now) + 1)


def client_address(request: HttpRequest) -> str:
    """The client's address: the connection's, or the one that the outermost of our own proxies saw."""
    address = request.META["REMOTE_ADDR"]
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    # Each proxy adds to the right; what is further left, clients may have made up.
    if 0 < settings.TRUSTED_PROXIES <= len(forwarded):
        with contextlib.suppress(ValueError):
            address = str(ipaddress.ip_address(without_port(forwarded[-settings.TRUSTED_PROXIES].strip())))
    return address


def without_port(address: str) -> str:
    """192.0.2.7:5555 and [2001:db8::1]:443, as some proxies write them, without their ports."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address
