"""How long requests take inside the process, and how long a process takes to be ready.

Run as `python -m benchmarks.serving`; the last line is one JSON object.
"""

import base64
import io
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "DJANGO_DEBUG": "0",
    "DJANGO_HTTPS": "0",
    "DJANGO_SECRET_KEY": "for-this-measurement-only",
    "DJANGO_ALLOWED_HOSTS": "testserver",
    "DJANGO_STATIC_ROOT": "static",
}
os.environ.update(ENVIRONMENT)

import django

django.setup()

import numpy as np
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.wsgi import get_wsgi_application
from django.test import RequestFactory
from PIL import Image

from digits import images
from digits.gallery import gallery
from digits.recognizer import classifier

REPEATS = 300
START_UPS = 5
CSRF_TOKEN = "a" * 32  # what a form sends, and the cookie beside it
READY = "import config.wsgi; from digits.gallery import gallery; from digits.recognizer import classifier; "
READY += "gallery().pixels(0); classifier()"


def microseconds(call: Callable[[], object]) -> float:
    """The median of many calls, after a few that warm up."""
    for _ in range(10):
        call()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e6


def asker(method: str, path: str, **fields: SimpleUploadedFile | str) -> Callable[[], bytes]:
    """A function that sends this request through the whole WSGI application and returns the body."""
    application = get_wsgi_application()
    environ = getattr(RequestFactory(HTTP_COOKIE=f"csrftoken={CSRF_TOKEN}"), method)(path, fields).environ
    body = environ["wsgi.input"].read()

    def ask() -> bytes:
        statuses = []
        start_response = lambda status, headers: statuses.append(status)  # noqa: E731
        parts = application({**environ, "wsgi.input": io.BytesIO(body)}, start_response)
        answer = b"".join(parts)
        parts.close()
        assert statuses == ["200 OK"], (statuses, answer[:200])
        return answer

    return ask


def start_up(cache: str) -> float:
    """Milliseconds until a new process could answer its first request, Python's own start included."""
    environment = {**os.environ, "MNIST_CACHE": cache}
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", READY], env=environment, check=True)
    return (time.perf_counter() - start) * 1e3


def main() -> None:
    store = gallery()
    tile = images.png(store.pixels(0))
    large = io.BytesIO()
    Image.fromarray(255 - store.pixels(0)).resize((280, 280), Image.Resampling.BICUBIC).save(large, "PNG")

    def upload(data: bytes) -> SimpleUploadedFile:
        return SimpleUploadedFile("digit.png", data, "image/png")

    figures = {
        "display_images_us": microseconds(asker("get", "/api/display-images/")),
        "tiles_fragment_us": microseconds(asker("get", "/tiles/")),
        "predict_tile_us": microseconds(asker("get", "/tiles/0/prediction/")),
        "predict_digit_28_us": microseconds(asker("post", "/api/predict-digit/", file=upload(tile))),
        "predict_digit_280_us": microseconds(asker("post", "/api/predict-digit/", file=upload(large.getvalue()))),
        "prepare_280_us": microseconds(lambda: images.prepare(large.getvalue())),
        "forward_us": microseconds(lambda: classifier().probabilities(store.pixels(0)[None])),
        "explain_280_us": microseconds(
            asker("post", "/draw/explain/", file=upload(large.getvalue()), csrfmiddlewaretoken=CSRF_TOKEN)
        ),
        "encode_png_us": microseconds(lambda: base64.b64encode(images.png(store.pixels(0)))),
    }
    with tempfile.TemporaryDirectory() as empty:
        # A folder that does not exist yet, each time.
        figures["start_up_parsing_ms"] = statistics.median(start_up(f"{empty}/{i}") for i in range(START_UPS))
        figures["start_up_cached_ms"] = statistics.median(start_up(f"{empty}/0") for _ in range(START_UPS))

    names = {
        "display_images_us": "GET  /api/display-images/, 20 tiles",
        "tiles_fragment_us": "GET  /tiles/, 20 tiles",
        "predict_tile_us": "GET  /tiles/0/prediction/",
        "predict_digit_28_us": "POST /api/predict-digit/, 28x28 PNG",
        "predict_digit_280_us": "POST /api/predict-digit/, 280x280 PNG",
        "prepare_280_us": "  of which decoding and preparing",
        "forward_us": "  of which the forward pass",
        "explain_280_us": "POST /draw/explain/, 280x280 PNG",
        "encode_png_us": "one tile as base64 PNG",
        "start_up_parsing_ms": "start of a process, parsing the CSV",
        "start_up_cached_ms": "start of a process, mapping the copy",
    }
    for key, name in names.items():
        print(f"{name:40} {figures[key]:8.0f} {key.rsplit('_', 1)[1].replace('us', 'µs')}")
    versions = {"python": platform.python_version(), "numpy": np.__version__, "django": django.get_version()}
    print(json.dumps({name: round(value, 1) for name, value in figures.items()} | versions))


if __name__ == "__main__":
    main()
