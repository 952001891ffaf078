"""How long requests take inside the process, how much a first visit transfers, and how soon a process is ready.

Run as `python -m benchmarks.serving`; with `--peers`, it puts the whole service beside what people would use instead,
which needs `wrk`, requirements-production.txt and requirements-benchmarks.txt. The last line is one JSON object.
"""

import argparse
import base64
import functools
import gzip
import io
import json
import logging
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from .environment import configure_site, use_one_blas_thread

STATIC_ROOT = tempfile.TemporaryDirectory()
use_one_blas_thread()
configure_site(STATIC_ROOT.name)

import django

django.setup()

import numpy as np
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.test import RequestFactory

from digits import pictures
from digits.api.endpoints import answer_item
from digits.gallery import gallery
from digits.pictures import pngs
from digits.pictures.decode import decode
from digits.recognizer import Reading, classifier, recognize, recognize_batch

from . import samples

REPEATS = 300
START_UPS = 5
CSRF_TOKEN = "a" * 32  # in the form and in the cookie
PREDICT = "/api/predict-digit/"
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


@functools.cache
def application() -> Callable:
    """The site as a server runs it; its log is discarded."""
    handler = get_wsgi_application()
    logging.getLogger("digits.access").handlers[0].setStream(Path(os.devnull).open("w"))  # noqa: SIM115 - to the end
    return handler


def asker(method: str, path: str, sent: object = None, **options: str) -> Callable[[], bytes]:
    """A function that sends this request through the whole WSGI application and returns the body."""
    factory = RequestFactory(headers={"Accept-Encoding": "gzip", "Cookie": f"csrftoken={CSRF_TOKEN}"})
    environ = getattr(factory, method)(path, sent, **options).environ
    body = environ["wsgi.input"].read()

    def ask() -> bytes:
        statuses = []
        start_response = lambda status, headers: statuses.append(status)  # noqa: E731
        parts = application()({**environ, "wsgi.input": io.BytesIO(body)}, start_response)
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


def first_visit() -> dict[str, int]:
    """The bytes that each file of the gallery's page transfers, as it is encoded."""
    page = asker("get", "/")()
    files = sorted(set(re.findall(r'(?:href|src)="(/static/[^"]+)"', gzip.decompress(page).decode())))
    return {"/": len(page)} | {file: len(asker("get", file)()) for file in files}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    parser.add_argument("--peers", action="store_true", help="compare with FastAPI and LitServe, on one core in turns")
    parser.add_argument("--profile", action="store_true", help="tell where the time of a request goes")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each application (5)")
    parser.add_argument("--seconds", type=int, default=3, help="of load for each figure of a turn (3)")
    options = parser.parse_args()
    call_command("collectstatic", interactive=False, verbosity=0)
    if options.peers:
        from .peers.comparison import compare  # needs more packages than the rest

        print(json.dumps(compare(options.rounds, options.seconds)))
    elif options.profile:
        from . import stages  # needs gunicorn and wrk

        figures = stages.profile(samples.picture(), options.seconds)
        stages.print_profile(figures)
        print(json.dumps(figures))
    else:
        measure_in_process()


def measure_in_process() -> None:
    store = gallery()
    visit = first_visit()
    tile = pngs.png(store.pixels(0))
    large = samples.picture()

    def predict(*pictures: bytes) -> Callable[[], bytes]:
        files = [SimpleUploadedFile("digit.png", picture, "image/png") for picture in pictures]
        return asker("post", PREDICT, {"file": files})

    file = SimpleUploadedFile("drawing.png", large, "image/png")
    drawing = {"file": file, "csrfmiddlewaretoken": CSRF_TOKEN}
    pixels = json.dumps({"pixels": store.pixels(0).ravel().tolist()})
    hundred = np.stack([store.pixels(index) for index in range(100)])
    prediction = recognize(store.pixels(0))
    figures = {
        "display_images_us": microseconds(asker("get", "/api/display-images/")),
        "gallery_us": microseconds(asker("get", "/")),
        "tiles_fragment_us": microseconds(asker("get", "/tiles/")),
        "hard_tiles_fragment_us": microseconds(asker("get", "/tiles/?hard=1")),
        "predict_tile_us": microseconds(asker("get", "/tiles/0/prediction/")),
        "static_file_us": microseconds(asker("get", next(file for file in visit if file.endswith(".svg")))),
        "predict_digit_28_us": microseconds(predict(tile)),
        "predict_digit_280_us": microseconds(predict(large)),
        "decode_280_us": microseconds(lambda: decode(large)),
        "prepare_280_us": microseconds(lambda: pictures.prepare(large)),
        "forward_us": microseconds(lambda: classifier().probabilities(store.pixels(0)[None])),
        "render_us": microseconds(lambda: JsonResponse(answer_item(Reading(store.pixels(0), prediction), []))),
        "predict_digit_pixels_us": microseconds(asker("post", PREDICT, pixels, content_type="application/json")),
        "predict_digit_100_us": microseconds(predict(*map(pngs.png, hundred))),
        "forward_100_us": microseconds(lambda: recognize_batch(hundred)),
        "health_live_us": microseconds(asker("get", "/api/health/live")),
        "explain_280_us": microseconds(asker("post", "/draw/explain/", drawing)),
        "encode_png_us": microseconds(lambda: base64.b64encode(pngs.png(store.pixels(0)))),
    }
    with tempfile.TemporaryDirectory() as empty:
        # A folder that does not exist yet, each time.
        figures["start_up_parsing_ms"] = statistics.median(start_up(f"{empty}/{i}") for i in range(START_UPS))
        figures["start_up_cached_ms"] = statistics.median(start_up(f"{empty}/0") for _ in range(START_UPS))

    print("A first visit to the gallery, bytes:")
    for path, size in visit.items():
        print(f"{path:60} {size:8}")
    print(f"{'together':60} {sum(visit.values()):8}\n")
    names = {
        "display_images_us": "GET  /api/display-images/, 20 tiles",
        "gallery_us": "GET  /, 20 tiles",
        "tiles_fragment_us": "GET  /tiles/, 20 tiles",
        "hard_tiles_fragment_us": "GET  /tiles/?hard=1, 20 tiles",
        "predict_tile_us": "GET  /tiles/0/prediction/",
        "static_file_us": "GET  a file cached for ever",
        "predict_digit_28_us": "POST /api/predict-digit/, 28x28 PNG",
        "predict_digit_280_us": "POST /api/predict-digit/, 280x280 PNG",
        "decode_280_us": "  of which decoding",
        "prepare_280_us": "  of which decoding and preparing",
        "forward_us": "  of which the forward pass",
        "explain_280_us": "POST /draw/explain/, 280x280 PNG",
        "render_us": "  of which rendering the answer",
        "predict_digit_pixels_us": "POST /api/predict-digit/, pixels in JSON",
        "predict_digit_100_us": "POST /api/predict-digit/, 100 28x28 PNGs",
        "forward_100_us": "  of which the network, in one pass",
        "health_live_us": "GET  /api/health/live",
        "encode_png_us": "one tile as base64 PNG",
        "start_up_parsing_ms": "start of a process, parsing the CSV",
        "start_up_cached_ms": "start of a process, mapping the copy",
    }
    for key, name in names.items():
        print(f"{name:40} {figures[key]:8.0f} {key.rsplit('_', 1)[1].replace('us', 'µs')}")
    figures["requests_per_second"] = 1e6 / figures["predict_digit_280_us"]
    print(f"{'280x280 PNGs a second on one core':40} {figures['requests_per_second']:8.0f}")
    versions = {"python": platform.python_version(), "numpy": np.__version__, "django": django.get_version()}
    figures["first_visit_bytes"] = sum(visit.values())
    print(json.dumps({name: round(value, 1) for name, value in figures.items()} | versions))


if __name__ == "__main__":
    main()
