"""What counting costs a request: not counted, counted by each process alone, and counted together by all.

Run as `python -m benchmarks.metrics`; needs requirements-production.txt. The last line is one JSON object.
"""

import importlib.util
import io
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

from .environment import configure_site, use_one_blas_thread

FOLDER = tempfile.TemporaryDirectory()
use_one_blas_thread()
configure_site(FOLDER.name)
os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)

import django

django.setup()

from django.core.wsgi import get_wsgi_application
from django.test import RequestFactory

from digits import recognizer, stages
from digits.gallery import gallery
from digits.pictures import pngs
from digits.traffic import limits, middleware, prometheus

ROUNDS = 1000  # in each of which every way answers a request, in turns
WAYS = "not counted", "each alone", "together"


def counting_nothing() -> SimpleNamespace:
    """What looks like the module `prometheus` and counts nothing."""
    number = SimpleNamespace(**dict.fromkeys(["inc", "dec", "set", "observe"], lambda *amount: None))
    number.labels = lambda *values: number
    names = (name for name in vars(prometheus) if name.isupper())
    return SimpleNamespace(observe_stage=lambda stage, seconds: None, **dict.fromkeys(names, number))


def counting_together() -> ModuleType:
    """Another copy of the module `prometheus` that uses prometheus_client."""
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = FOLDER.name
    spec = importlib.util.spec_from_file_location("digits.traffic.prometheus_together", prometheus.__file__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def use(metrics: ModuleType | SimpleNamespace) -> None:
    """Have everything that counts count in this module."""
    for user in (middleware, limits, recognizer):
        user.prometheus = metrics
    stages.listeners[:] = [metrics.observe_stage]


def asker(application: Callable, environ: dict, body: bytes) -> Callable[[], None]:
    def ask() -> None:
        answer = application({**environ, "wsgi.input": io.BytesIO(body)}, lambda status, headers: None)
        b"".join(answer)
        answer.close()

    return ask


def main() -> None:
    application = get_wsgi_application()
    middleware.access_log.handlers[0].setStream(Path(os.devnull).open("w"))  # noqa: SIM115 - to the end
    modules = dict(zip(WAYS, (counting_nothing(), prometheus, counting_together()), strict=True))
    picture = pngs.png(gallery().pixels(0))
    factory = RequestFactory()
    requests = {
        "GET /api/health/live": asker(application, factory.get("/api/health/live").environ, b""),
        "POST /api/predict-digit/": asker(
            application, factory.post("/api/predict-digit/", picture, content_type="image/png").environ, picture
        ),
    }
    figures = {}
    for request, ask in requests.items():
        times: dict[str, list[float]] = {way: [] for way in WAYS}
        for _ in range(ROUNDS):
            for way, module in modules.items():
                use(module)
                start = time.thread_time()  # of the processor: other programs may be running
                ask()
                times[way].append(time.thread_time() - start)
        base = statistics.median(times[WAYS[0]])
        print(f"{request:26} {1e6 * base:7.0f} µs not counted")
        for way in WAYS[1:]:
            ratio = figures[f"{request}, {way}"] = round(statistics.median(times[way]) / base, 4)
            print(f"{way:>26} {ratio:7.3f} times that")
    start = time.perf_counter()
    modules["together"].exposition()
    figures["exposition_ms"] = round(1e3 * (time.perf_counter() - start), 2)
    print(f"{'/metrics of one process':26} {figures['exposition_ms']:7.2f} ms")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
