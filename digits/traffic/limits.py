"""What keeps the site answering when more is asked of it than it can do: busy is said at once, nobody waits in line."""

import contextlib
import functools
import ipaddress
import logging
import math
import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

from ..event_loop import is_on_event_loop
from ..refusals import Busy
from . import prometheus

PROXY_HEADERS = {"HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED"}
IPV6_CLIENT = 64  # bits of the address; providers give a customer at least so large a network

logger = logging.getLogger("digits")


class Place:
    """One of the places in which this process recognises; a request holds it from the decoding to the answer."""

    def __init__(self, client: str, items: int) -> None:
        self.client = client
        self._items, self._prepared = items, 0
        self._start, self._processor_start = time.monotonic(), time.thread_time()
        self._processor = 0.0  # seconds, so far

    def tell_prepared(self, count: int) -> None:
        """Called by the thread that holds the place, after each item."""
        self._prepared, self._processor = count, time.thread_time() - self._processor_start

    def seconds_left(self) -> float:
        """How long the place will be taken still, if it goes on as it has until now."""
        elapsed = time.monotonic() - self._start
        # Until the first item tells more, the work counts as half done: what has taken long will take as long again.
        by_items = self._prepared / self._items if self._prepared else 0.5
        share = max(by_items, min(1, self._processor / settings.MAX_REQUEST_SECONDS))
        return elapsed * (1 - share) / share


class Places:
    """The places of this process. Nobody waits for one, and one client gets at most half of them."""

    def __init__(self) -> None:
        self._taken: list[Place] = []
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def take(self, client: str, items: int) -> Iterator[Place]:
        place = Place(client, items)
        with self._lock:
            self._check(client)
            self._taken.append(place)
        prometheus.PLACES_TAKEN.inc()
        try:
            yield place
        finally:
            prometheus.PLACES_TAKEN.dec()
            with self._lock:
                self._taken.remove(place)

    def _check(self, client: str) -> None:
        """Raise Busy unless this client gets a place."""
        most = max(1, settings.MAX_PREDICTIONS_IN_FLIGHT // 2)
        own = [place for place in self._taken if place.client == client]
        if len(own) >= most:  # only one of these leaves room for it
            taken, detail = own, f"This client has {len(own)} requests being answered; {most} are the most at once."
        elif len(self._taken) >= settings.MAX_PREDICTIONS_IN_FLIGHT:
            taken, detail = self._taken, "More predictions are asked for than this server makes at once."
        else:
            return
        seconds = max(1, math.ceil(min(place.seconds_left() for place in taken)))
        raise Busy(f"{detail} Please try again.", {"Retry-After": str(seconds)})


places = Places()


def prediction_place(request: HttpRequest, items: int = 1) -> contextlib.AbstractContextManager[Place]:
    """Take a place for what is decoded and recognised in this block; raises Busy where the client gets none.

    What is answered on the event loop needs none: there is one at a time, and it is quick.
    """
    if is_on_event_loop():
        return contextlib.nullcontext(Place("", items))
    return places.take(client_of(request), items)


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
    key = f"requests:{client_of(request)}:{window}"
    cache.add(key, 0, timeout=seconds)
    try:
        count = cache.incr(key)
    except ValueError:  # it has just been thrown out for others
        count = 1
    return Quota(limit, limit - count, int((window + 1) * seconds - now) + 1)


def client_of(request: HttpRequest) -> str:
    """Who asks: an IPv4 address, or the /64 network of an IPv6 address, any address of which its owner may use."""
    address = client_address(request)
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:  # a Unix socket has none
        return address
    if parsed.version == 4:
        return str(parsed)
    if parsed.ipv4_mapped:  # as a socket of both versions sees a client of the old one
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, IPV6_CLIENT), strict=False))


def client_address(request: HttpRequest) -> str:
    """The client's address: the connection's, or the one that the outermost of our own proxies saw."""
    address = request.META.get("REMOTE_ADDR", "")
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    # Each proxy adds to the right; what is further left, clients may have made up.
    if 0 < settings.TRUSTED_PROXIES <= len(forwarded):
        with contextlib.suppress(ValueError):
            address = str(ipaddress.ip_address(without_port(forwarded[-settings.TRUSTED_PROXIES].strip())))
    elif not settings.TRUSTED_PROXIES and (request.META.keys() & PROXY_HEADERS):
        warn_of_proxy()
    return address


@functools.cache  # which says it once a process
def warn_of_proxy() -> None:
    logger.warning(
        "A proxy seems to be in front of this site, but DIGITS_TRUSTED_PROXIES is 0: limits take all of its clients for"
        " one."
    )


def without_port(address: str) -> str:
    """192.0.2.7:5555 and [2001:db8::1]:443, as some proxies write them, without their ports."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address
