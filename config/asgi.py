"""The site for ASGI servers: a request is read whole, then the WSGI application answers it.

So a client that sends slowly holds the memory of what it has sent, but no thread, and not for ever. Quick requests are
answered on the event loop, all others in threads.
"""

import asyncio
import contextlib
import io
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from urllib.parse import unquote_to_bytes

from django.conf import settings

from digits.addresses import is_probe, is_quick
from digits.event_loop import TakesLong, on_event_loop
from digits.traffic.refused_connections import refuse_connection

from .wsgi import application as wsgi_application

Receive = Callable[[], Awaitable[dict]]
Send = Callable[[dict], Awaitable[None]]

QUICK_BYTES = 64 * 1024  # reading a larger body may take long
# More than the predictions at a time, so that something is left for pages.
THREADS = settings.MAX_PREDICTIONS_IN_FLIGHT + 4
threads = ThreadPoolExecutor(THREADS, "request")
# Health and metrics wait behind no page: where much is asked for, a process is slow, but need not be started again.
probe_threads = ThreadPoolExecutor(2, "probe")


class Unreadable(Exception):
    """A request whose body can't be read to its end."""

    def __init__(self, status: int, detail: str) -> None:
        self.status, self.detail = status, detail


OUT_OF_MEMORY = Unreadable(HTTPStatus.SERVICE_UNAVAILABLE, "This server is out of memory. Please try again.")


class Gone(Exception):
    """The client has closed the connection; nobody waits for an answer."""


class Body:
    """What has come of the body of a request. All bodies share what large ones may hold in memory."""

    waiting = 0  # bytes of all bodies in this process, beyond the first `FREE` of each
    FREE = 256 * 1024

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = 0
        self.is_complete = False

    def __enter__(self) -> "Body":
        return self

    def __exit__(self, *exception: object) -> None:
        Body.waiting -= self.excess
        self.parts.clear()

    def add(self, part: bytes) -> None:
        """Raises Unreadable where this one is large, and all together would hold too much."""
        before = self.excess
        self.parts.append(part)
        self.size += len(part)
        Body.waiting += self.excess - before
        if self.excess and Body.waiting > settings.MAX_WAITING_BYTES:
            detail = "Too many large requests are being sent to this server. Please try again."
            raise Unreadable(HTTPStatus.SERVICE_UNAVAILABLE, detail)

    @property
    def excess(self) -> int:
        return max(0, self.size - self.FREE)

    async def read(self, receive: Receive) -> None:
        """Read up to the end, or until it is too large; raises Unreadable where the client sends too slowly."""
        clock = asyncio.get_running_loop().time
        start = clock()
        while not self.is_complete and self.size <= settings.MAX_REQUEST_BYTES:
            seconds = settings.BODY_SECONDS
            deadline = min(start + seconds + self.size / settings.BODY_BYTES_PER_SECOND, clock() + seconds)
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise Unreadable(HTTPStatus.REQUEST_TIMEOUT, "The body of this request came too slowly.") from None
            if message["type"] == "http.disconnect":
                raise Gone
            self.add(message.get("body", b""))
            self.is_complete = not message.get("more_body", False)
        self.parts = [b"".join(self.parts)]


async def application(scope: dict, receive: Receive, send: Send) -> None:
    body = Body()
    try:
        status, headers, answer = await respond(scope, receive, body)
    except Gone:
        return
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer})
    if not body.is_complete and status != HTTPStatus.REQUEST_TIMEOUT:
        await discard(receive)


async def respond(scope: dict, receive: Receive, body: Body) -> tuple[int, list[tuple[str, str]], bytes]:
    """Read the body and answer with status, headers and body; what was sent is let go of. Raises Gone."""
    length = dict(scope["headers"]).get(b"content-length", b"0")
    is_too_large = length.isdigit() and (len(length) > 15 or int(length) > settings.MAX_REQUEST_BYTES)
    with body:
        try:
            if not is_too_large:
                await body.read(receive)
            environ = environment(scope, length.decode() if is_too_large else str(body.size))
            # A network cache may keep a request waiting.
            if body.size <= QUICK_BYTES and is_quick(environ["PATH_INFO"]) and not settings.CACHE_URL:
                with contextlib.suppress(TakesLong), on_event_loop():
                    return call(environ, body)
            environ["digits.ready_at"] = time.perf_counter()  # from when the request waits for a thread
            pool = probe_threads if is_probe(environ["PATH_INFO"]) else threads
            return await asyncio.get_running_loop().run_in_executor(pool, call, environ, body)
        except (Unreadable, MemoryError) as error:
            refusal = error if isinstance(error, Unreadable) else OUT_OF_MEMORY
            fields, answer = refuse_connection(refusal.status, refusal.detail)
            return refusal.status, list(fields.items()), answer


def environment(scope: dict, length: str) -> dict:
    """The request as PEP 3333 has it, without the body, which is there already and has this length."""
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": path_of(scope).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": scope["server"][0] if scope["server"] else "localhost",
        "SERVER_PORT": str(scope["server"][1] or 0) if scope["server"] else "0",
        "REMOTE_ADDR": scope["client"][0] if scope["client"] else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        if b"_" in name:  # it would be taken for the same name with a hyphen, which a proxy may set or remove
            continue
        key = "HTTP_" + name.decode("latin-1").upper().replace("-", "_")
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
    environ["CONTENT_LENGTH"] = length
    environ.pop("HTTP_CONTENT_LENGTH", None)
    environ.pop("HTTP_TRANSFER_ENCODING", None)  # the length is known by now
    return environ


def path_of(scope: dict) -> bytes:
    """The path that is asked for, also where the client sends a whole address, as to a proxy."""
    path = scope.get("raw_path")  # not every server has it
    if not path:
        return scope["path"].encode()
    if b"://" in path and not path.startswith(b"/"):
        path = b"/" + path.partition(b"://")[2].partition(b"/")[2]
    return unquote_to_bytes(path)


def call(environ: dict, body: Body) -> tuple[int, list[tuple[str, str]], bytes]:
    """Status, headers and body of the answer; every answer of this site fits into memory."""
    started: list[tuple[str, list[tuple[str, str]]]] = []
    # It is closed, as Django's request stays in memory until the garbage collector finds it.
    with io.BytesIO(b"".join(body.parts)) as environ["wsgi.input"]:
        parts = wsgi_application(environ, lambda status, headers, exception=None: started.append((status, headers)))
        try:
            answer = b"".join(parts)
        finally:
            parts.close()
    status, headers = started[-1]
    return int(status[:3]), headers, answer


async def discard(receive: Receive) -> None:
    """Take the rest of a body, for a while: many clients read their answer only after they have sent everything."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(settings.DISCARD_SECONDS):
            while (await receive()).get("more_body", False):
                pass
