"""What a request costs as the gallery grows, as workers are added, and as more pictures come in one request.

Run as `python -m benchmarks.growth`, with `wrk`, requirements-production.txt and two cores; a million rows take 3 GB of
the temporary folder and 10 GB of memory while they are parsed. The rows are those of the gallery, repeated. The figures
are medians of turns, and `--plot` draws them. The last line is one JSON object.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .environment import configure_site, use_one_blas_thread

STATIC_ROOT = tempfile.TemporaryDirectory()
use_one_blas_thread()
configure_site(STATIC_ROOT.name)

import django

django.setup()

from django.conf import settings
from django.core.management import call_command

from . import load, samples
from .load import PREDICT, SCRIPTS, Request
from .plots import Line, Panel, draw

ROWS = (10_000, 100_000, 1_000_000)
WORKERS = (1, 2, 3, 4)
BATCHES = (1, 2, 5, 10, 20, 50, 100)
WORKERS_CONNECTIONS = 16
GUNICORN = f"{SCRIPTS}/gunicorn --config deploy/gunicorn.conf.py --bind {{address}} --workers "
OPEN = "from digits.gallery import gallery; gallery().pixels(0)"
ANSWER_ALL = "from digits.gallery import gallery; gallery().select(hard=True)"
SET_UP = "import django, resource; django.setup(); {}; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"

Figures = dict[str, dict[int, float]]  # of each kind, by rows, workers or pictures


def requests() -> dict[str, Request]:
    return {
        "20 tiles": Request("/tiles/"),
        "20 tiles of one digit": Request("/tiles/?digit=3"),
        "20 hard tiles": Request("/tiles/?hard=1"),
        "a tile's answer": Request("/tiles/500/prediction/"),
        "a picture": load.form(PREDICT, samples.picture()),
    }


def running(workers: int, core: int | None, **variables: str) -> contextlib.AbstractContextManager[load.Server]:
    """The shipped server."""
    hosts = {"DJANGO_ALLOWED_HOSTS": load.HOST, "DIGITS_MAX_PREDICTIONS_IN_FLIGHT": str(load.PLACES)}
    is_ready = lambda port: load.is_answered(port, Request(load.LIVE))  # noqa: E731
    command = f"{GUNICORN}{workers}".split()
    return load.running(command, is_ready, core, env=os.environ | hosts | variables)


def repeat_rows(csv: Path, rows: int) -> None:
    """A CSV file of so many rows, which are those of the gallery again and again."""
    header, _, lines = settings.MNIST_CSV.read_bytes().partition(b"\n")
    times, rest = divmod(rows, lines.count(b"\n"))
    with csv.open("wb") as file:
        file.write(header + b"\n")
        for _ in range(times):
            file.write(lines)
        file.writelines(lines.splitlines(keepends=True)[:rest])


def timed(code: str, variables: dict[str, str]) -> tuple[float, float]:
    """Seconds and peak megabytes of a process of its own that runs this."""
    start = time.perf_counter()
    command = ["taskset", "--cpu-list", str(load.SERVER_CORE), sys.executable, "-c", SET_UP.format(code)]
    done = subprocess.run(
        command, env=os.environ | variables, cwd=load.ROOT, check=True, capture_output=True, text=True
    )
    return time.perf_counter() - start, float(done.stdout)


def measure_rows(sizes: list[int], rounds: int, seconds: int) -> Figures:
    """Milliseconds of a processor for each kind of request, and what a process needs, by the rows of the gallery."""
    figures: dict[str, dict[int, list[float]]] = {}

    def note(kind: str, rows: int, value: float) -> None:
        figures.setdefault(kind, {}).setdefault(rows, []).append(value)

    with tempfile.TemporaryDirectory() as folder:
        variables = {rows: {"MNIST_CSV": f"{folder}/{rows}.csv", "MNIST_CACHE": f"{folder}/{rows}"} for rows in sizes}
        for rows in sizes:
            repeat_rows(Path(variables[rows]["MNIST_CSV"]), rows)
            for kind, code in (("first start", OPEN), ("all answers, once", ANSWER_ALL)):
                taken, memory = timed(code, variables[rows])
                note(f"{kind}, s", rows, taken)
                note(f"{kind}, peak MB", rows, memory)
                print(f"{rows} rows, {kind}: {taken:.1f} s", file=sys.stderr)
        for _ in range(rounds):
            for rows in sizes:
                with running(1, load.SERVER_CORE, **variables[rows]) as server:
                    note("start, s", rows, server.start)
                    for kind, request in requests().items():
                        assert load.is_answered(server.port, request, timeout=60), kind
                        note(f"{kind}, ms", rows, load.measure(server, request, 1, seconds).processor)
                    note("memory, MB", rows, load.megabytes(server.process.pid))
    return medians(figures)


def measure_workers(rounds: int, seconds: int) -> Figures:
    """Pictures a second, one a request, and memory, by the number of workers, on all cores, which wrk shares."""
    figures: dict[str, dict[int, list[float]]] = {
        kind: {workers: [] for workers in WORKERS} for kind in ("pictures a second", "memory, MB")
    }
    request = load.form(PREDICT, samples.picture())
    for _ in range(rounds):
        for workers in WORKERS:
            with running(workers, core=None) as server:
                load.measure(server, request, WORKERS_CONNECTIONS, 1, core=None)  # until all workers are there
                measured = load.measure(server, request, WORKERS_CONNECTIONS, seconds, core=None)
                assert not measured.failed
                figures["pictures a second"][workers].append(measured.per_second)
                figures["memory, MB"][workers].append(load.megabytes(server.process.pid))
    return medians(figures)


def measure_batches(rounds: int, seconds: int) -> Figures:
    """Milliseconds of a processor for a picture, by how many come in one request."""
    times: dict[int, list[float]] = {batch: [] for batch in BATCHES}
    with running(1, load.SERVER_CORE) as server:
        for _ in range(rounds):
            for batch in BATCHES:
                request = load.form(PREDICT, *[samples.picture()] * batch)
                times[batch].append(load.measure(server, request, 1, seconds).processor / batch)
    return medians({"a picture, ms": times})


def medians(figures: dict[str, dict[int, list[float]]]) -> Figures:
    return {
        kind: {number: round(statistics.median(values), 3) for number, values in by_number.items()}
        for kind, by_number in figures.items()
    }


def print_table(title: str, figures: Figures) -> None:
    """A table in Markdown, with three digits of each figure."""
    numbers = list(next(iter(figures.values())))
    print(f"\n| {title} | {' | '.join(f'{number:,}' for number in numbers)} |\n| --- |{' ---: |' * len(numbers)}")
    for kind, by_number in figures.items():
        print(f"| {kind} | {' | '.join(three_digits(by_number[number]) for number in numbers)} |")


def three_digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS, help="of the gallery (10000 100000 1000000)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each measurement (3)")
    parser.add_argument("--seconds", type=int, default=2, help="of load for each figure of a turn (2)")
    parser.add_argument("--plot", type=Path, help="an SVG file to draw the figures to")
    options = parser.parse_args()
    call_command("collectstatic", interactive=False, verbosity=0)
    load_options = options.rounds, options.seconds
    figures = {
        "rows": measure_rows(list(options.rows), *load_options),
        "workers": measure_workers(*load_options),
        "pictures in a request": measure_batches(*load_options),
    }
    for title, measured in figures.items():
        print_table(title, measured)
    if options.plot:
        options.plot.write_text(draw(panels(figures)), encoding="utf-8")
    print(json.dumps(figures))


def panels(figures: dict[str, Figures]) -> list[Panel]:
    """What is drawn of the figures."""
    by_rows = [Line(kind, figures["rows"][f"{kind}, ms"]) for kind in requests()]
    by_workers = [Line("", figures["workers"]["pictures a second"])]
    by_batch = [Line("", figures["pictures in a request"]["a picture, ms"])]
    return [
        Panel("Processor, ms a request", "rows of the gallery", by_rows, is_logarithmic=True),
        Panel("Pictures a second", "workers on two cores", by_workers),
        Panel("Processor, ms a picture", "pictures in one request", by_batch, is_logarithmic=True),
    ]


if __name__ == "__main__":
    main()
