"""Where the time of a request goes: each stage that a 280x280 PNG passes, from the socket to the answer.

`python -m benchmarks.serving --profile` prints it, in time of the processor. The stages inside the process are
differences between the medians of calls that begin further and further inside. What the server's processes take beyond
them goes to sockets, HTTP and config/asgi.py.
"""

import io
import logging
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from django.core.handlers.wsgi import WSGIRequest
from django.http import JsonResponse
from django.test import RequestFactory

from config import wsgi
from digits import pictures
from digits.api import endpoints
from digits.api.payloads import sent_payload
from digits.pictures.decode import decode
from digits.pictures.formats import format_of
from digits.pictures.headers import read_header
from digits.recognizer import Reading, classifier, recognize

from . import load

WARM_UP = 20
REPEATS = 500


def medians(calls: dict[str, Callable[[], object]], repeats: int = REPEATS) -> dict[str, float]:
    """The median microseconds of a processor that each call takes.

    They take turns, so that other work of the machine slows all of them.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(WARM_UP + repeats):
        for name, call in calls.items():
            start = time.process_time()
            call()
            times[name].append(time.process_time() - start)
    return {name: statistics.median(values[WARM_UP:]) * 1e6 for name, values in times.items()}


def profile(picture: bytes, seconds: int) -> dict[str, float]:
    """Microseconds of each stage, in the order of a request; the last figure is all of them."""
    request = load.form(load.PREDICT, picture)
    inner = medians(calls(request, picture))
    server = server_microseconds(request, seconds)
    view_parts = inner["payload"] + inner["prepare"] + inner["recognize"] + inner["answer"]
    return {
        "sockets, HTTP, config/asgi.py": server - inner["wsgi"],
        "middleware and routes": inner["unlogged"] - inner["view"],
        "line in the log": inner["wsgi"] - inner["unlogged"],
        "request object, multipart": inner["payload"],
        "header of the picture": inner["header"],
        "decoding": inner["decode"] - inner["header"],
        "preparation": inner["prepare"] - inner["decode"],
        "network": inner["network"],
        "doubt, counting": inner["recognize"] - inner["network"],
        "JSON": inner["answer"],
        "rest of the view": inner["view"] - view_parts,
        "together": server,
    }


def calls(request: load.Request, picture: bytes) -> dict[str, Callable[[], object]]:
    """Calls that answer a request, or do a part of what that takes."""
    access_log = logging.getLogger("digits.access")
    access_log.handlers[0].setStream(Path(os.devnull).open("w"))  # noqa: SIM115 - to the end
    pixels = pictures.prepare(picture)
    reading = Reading(pixels, recognize(pixels))
    content_type = request.headers["Content-Type"]
    template = RequestFactory().generic("POST", request.path, request.body, content_type).environ

    def environ() -> dict:
        return template | {"wsgi.input": io.BytesIO(request.body)}

    def answer_by_wsgi() -> None:
        statuses = []
        parts = wsgi.application(environ(), lambda status, headers: statuses.append(status))
        b"".join(parts)
        parts.close()
        assert statuses == ["200 OK"], statuses

    def answer_unlogged() -> None:
        access_log.disabled = True
        answer_by_wsgi()
        access_log.disabled = False

    return {
        "wsgi": answer_by_wsgi,
        "unlogged": answer_unlogged,
        "view": lambda: endpoints.predict_digit(WSGIRequest(environ())),
        "payload": lambda: sent_payload(WSGIRequest(environ())),
        "header": lambda: read_header(picture, format_of(picture)),
        "decode": lambda: decode(picture),
        "prepare": lambda: pictures.prepare(picture),
        "network": lambda: classifier().probabilities(pixels[None]),
        "recognize": lambda: recognize(pixels),
        "answer": lambda: JsonResponse(endpoints.answer_item(reading, [])),
    }


def server_microseconds(request: load.Request, seconds: int) -> float:
    """What the processes of the shipped server take of a core for a request, sent on one connection."""
    command = f"{load.SCRIPTS}/gunicorn --config deploy/gunicorn.conf.py --bind {{address}} --workers 1".split()
    environment = os.environ | {"DJANGO_ALLOWED_HOSTS": load.HOST}
    is_ready = lambda port: load.is_answered(port, request)  # noqa: E731
    with load.running(command, is_ready, load.SERVER_CORE, env=environment) as server:
        return 1000 * load.measure(server, request, 1, seconds).processor


def print_profile(figures: dict[str, float]) -> None:
    for name, value in figures.items():
        print(f"{name:40} {value:8.0f} µs {value / figures['together']:6.0%}")
