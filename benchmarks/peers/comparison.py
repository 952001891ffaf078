"""The shipped service beside its peers: in turns, on one core, with the same network and the same requests.

`python -m benchmarks.serving --peers` runs it. A peer writes no line a request, and answers with the digit, the
confidence and the probabilities alone.
"""

import json
import os
import platform
import re
import statistics
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx

from benchmarks import load, samples
from benchmarks.forward import onnx_model
from benchmarks.load import CONNECTIONS, PREDICT, SCRIPTS, Load, Request
from digit_recognizer_dl_model.weights import load_weights

TILES_CONNECTIONS = 8
SITE = "this site"
GUNICORN = f"{SCRIPTS}/gunicorn --config deploy/gunicorn.conf.py --bind {{address}} --workers "
UVICORN = (
    f"{SCRIPTS}/uvicorn benchmarks.peers.fastapi_app:app --host {{host}} --port {{port}} --loop uvloop --http httptools"
)
QUIET = " --no-access-log --log-level warning"
PACKAGES = (
    *("django", "numpy", "pillow", "gunicorn", "onnxruntime", "fastapi", "starlette", "pydantic", "python-multipart"),
    *("uvicorn", "uvloop", "httptools", "litserve"),
)
# What is measured, and how it is printed; of a load, at each number of connections.
LOAD_COLUMNS = {
    "requests a second at 1 / 8 / 64 connections": ".0f",
    "p50, ms": ".1f",
    "p99, ms": ".1f",
    "processor, ms a request": ".2f",
}
COLUMNS = LOAD_COLUMNS | {"MB": ".0f", "start, s": ".2f"}
OTHERS = dict.fromkeys(
    (
        "10 pictures",
        "100 pictures",
        "pixels as JSON",
        "photograph of 12 megapixels",
        "drawing, for the page",
    ),
    ".0f",
)

Figures = dict[str, list[float]]


class Application(NamedTuple):
    command: str
    picture: str  # where a file is posted
    pixels: str  # where pixels are posted as JSON


APPLICATIONS = {
    SITE: Application(f"{GUNICORN}1", PREDICT, PREDICT),
    "FastAPI": Application(UVICORN + QUIET, "/predict", "/predict-pixels"),
    "FastAPI, in threads": Application(UVICORN + QUIET, "/predict-in-thread", "/predict-pixels"),
    "LitServe": Application(f"{SCRIPTS}/python -m benchmarks.peers.litserve_app {{port}}", "/predict", "/predict"),
}
PEERS = [name for name in APPLICATIONS if name != SITE]


def compare(rounds: int, seconds: int) -> dict:
    """Measure all applications in turns, print tables of the medians, and return them."""
    turns: dict[str, list[Figures]] = {name: [] for name in APPLICATIONS}
    tiles: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder, "digits.onnx")
        save_model(model)
        environment = os.environ | {"ONNX_MODEL": str(model), "DJANGO_ALLOWED_HOSTS": load.HOST}
        for number in range(rounds):
            for name in APPLICATIONS:
                turns[name].append(measure_application(name, environment, seconds))
                print(f"turn {number + 1} of {rounds}: {name}", file=sys.stderr)
            tiles.append(measure_tiles(environment, seconds))
    figures = {name: medians(measured) for name, measured in turns.items()}
    ratios = {name: medians(divided(turns[SITE], turns[name])) for name in PEERS}
    versions = {package: metadata.version(package) for package in PACKAGES} | {"python": platform.python_version()}
    print_table("application", figures, COLUMNS)
    print_table("this site divided by", ratios, dict.fromkeys(COLUMNS, ".2f"))
    print_table("digits a second, to a client that waits for each answer", figures, OTHERS)
    print_table("this site divided by", ratios, dict.fromkeys(OTHERS, ".2f"))
    print(f"\n`GET /tiles/`, two workers, on two cores that wrk shares: {statistics.median(tiles):.0f} a second")
    print(f"\n{processor_name()}; {', '.join(f'{name} {version}' for name, version in versions.items())}")
    return {"applications": figures, "ratios": ratios, "tiles_per_second": statistics.median(tiles)} | versions


def save_model(path: Path) -> None:
    """The shipped network as ONNX, with the temperature that its confidence is calibrated with."""
    weights = load_weights()
    model = onnx.load_model_from_string(onnx_model(weights, onnx.TensorProto.UINT8))
    onnx.helper.set_model_props(model, {"temperature": str(weights.temperature)})
    onnx.save(model, path)


def other_requests(name: str) -> dict[str, tuple[Request, int]]:
    """The requests besides a picture, and how many digits each answers; peers answer pictures one by one."""
    application, token = APPLICATIONS[name], "a" * 32
    pixels = json.dumps({"pixels": samples.pixels().ravel().tolist()}).encode()
    requests = {
        "pixels as JSON": (Request(application.pixels, pixels, {"Content-Type": "application/json"}), 1),
        "photograph of 12 megapixels": (load.form(application.picture, samples.photograph()), 1),
    }
    for digits in (10, 100):
        at_once = digits if name == SITE else 1
        requests[f"{digits} pictures"] = (load.form(application.picture, *[samples.picture()] * at_once), at_once)
    if name == SITE:
        drawing = load.form("/draw/predict/", csrfmiddlewaretoken=token, strokes=samples.strokes())
        headers = drawing.headers | {"Cookie": f"csrftoken={token}", "HX-Request": "true"}
        requests["drawing, for the page"] = (drawing._replace(headers=headers), 1)
    return requests


def measure_application(name: str, environment: dict[str, str], seconds: int) -> Figures:
    """One turn of an application: what COLUMNS and OTHERS name."""
    application = APPLICATIONS[name]
    picture, others = load.form(application.picture, samples.picture()), other_requests(name)
    is_ready = lambda port: load.is_answered(port, picture)  # noqa: E731
    with load.running(application.command.split(), is_ready, load.SERVER_CORE, env=environment) as server:
        check(name, load.ask(server.port, picture))
        loads = [measure_all_answered(server, picture, number, seconds) for number in CONNECTIONS]
        figures = {"MB": [load.megabytes(server.process.pid)], "start, s": [server.start]}
        for what, (request, digits) in others.items():
            check(name, load.ask(server.port, request, timeout=30))
            figures[what] = [digits * measure_all_answered(server, request, 1, seconds).per_second]
    columns = zip(*((each.per_second, each.median, each.p99, each.processor) for each in loads), strict=True)
    return dict(zip(LOAD_COLUMNS, columns, strict=True)) | figures


def measure_tiles(environment: dict[str, str], seconds: int) -> float:
    """Requests a second of the gallery's fragment, as htmx asks for it, once the workers have rendered most tiles."""
    request = Request("/tiles/", headers={"HX-Request": "true", "Accept-Encoding": "gzip"})
    with load.running(f"{GUNICORN}2".split(), lambda port: load.is_answered(port, request), env=environment) as server:
        loads = [measure_all_answered(server, request, TILES_CONNECTIONS, seconds, core=None) for _ in range(2)]
        return loads[-1].per_second


def measure_all_answered(server: load.Server, request: Request, *arguments: int, **core: None) -> Load:
    """Raises RuntimeError where a request is refused or fails."""
    measured = load.measure(server, request, *arguments, **core)
    if measured.failed:
        raise RuntimeError(f"{measured.failed:.0f} requests to {request.path} failed")
    return measured


def check(name: str, answer: load.Answer | None) -> None:
    """Raises RuntimeError unless every digit in an answer is the one that was sent."""
    digit = samples.label()
    if answer and answer.body.startswith(b"{"):
        told = json.loads(answer.body)
        digits = {each.get("prediction") for each in told.get("predictions", [told])}
    else:
        digits = {int(found) for found in re.findall(rb"<strong>(\d)</strong>", answer.body if answer else b"")}
    if digits != {digit}:
        raise RuntimeError(f"{name} must answer {digit}, but answers {answer}")


def medians(turns: list[Figures]) -> Figures:
    return {name: np.median([turn[name] for turn in turns], axis=0).round(3).tolist() for name in turns[0]}


def divided(ours: list[Figures], theirs: list[Figures]) -> list[Figures]:
    """The ratios of each turn, as far as both were measured."""
    return [
        {name: (np.array(our[name]) / np.array(their[name])).tolist() for name in our if name in their}
        for our, their in zip(ours, theirs, strict=True)
    ]


def print_table(title: str, rows: dict[str, Figures], columns: dict[str, str]) -> None:
    """A table in Markdown of the figures that these columns name, each in its format."""
    print(f"\n| {title} | {' | '.join(columns)} |\n| --- |{' ---: |' * len(columns)}")
    for name, figures in rows.items():
        cells = [" / ".join(format(value, form) for value in figures.get(name, [])) for name, form in columns.items()]
        print(f"| {name} | {' | '.join(cells)} |")


def processor_name() -> str:
    return re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())[1]
