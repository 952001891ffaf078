"""How `manage.py score` scales: speed, memory, damaged pictures, killed processes, and the same by HTTP.

Run as `python -m benchmarks.scaling`, with requirements-scale.txt and requirements-production.txt and two cores that
are idle; it takes about twenty minutes. Names after the command choose figures, and `--fraction 0.01` makes all of them
smaller, to try it out. What is compared takes turns, and medians are printed. The last line is one JSON object.
"""

import argparse
import contextlib
import http.client
import io
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .environment import configure_site, use_one_blas_thread

use_one_blas_thread()
STATIC_ROOT = tempfile.TemporaryDirectory()
configure_site(STATIC_ROOT.name)

import django

django.setup()

import numpy as np
from django.core.management import call_command
from PIL import Image

from digit_recognizer_dl_model.dataset import DATA, read_csv
from digit_recognizer_dl_model.inference import Classifier
from digit_recognizer_dl_model.scorer import Scorer
from digit_recognizer_dl_model.weights import load_weights
from digits.scoring.workers import BATCH

from . import load

ROOT = Path(__file__).parents[1]
TURNS = 3
BATCHES = (4, 16, 64, 256, 1024, 4096)
TOLD = re.compile(r"([\d,]+) rows in (.+), ([\d,]+) a second: ([\d,]+) not sure, ([\d,]+) not read\.")


class Told(NamedTuple):
    """What the command says at the end."""

    rows: int
    seconds: float  # of the whole command, with the start of Ray
    rate: float  # rows a second while workers work
    unsure: int
    errors: int
    driver: float  # MB, the peak of its resident memory
    workers: float  # the same of the largest worker
    others: float  # the same of all processes of Ray together


class Command:
    """`manage.py score` in a process of its own, with its memory watched."""

    def __init__(self, source: Path, output: Path, *options: object) -> None:
        self.peaks: dict[int, tuple[str, float]] = {}
        self.start = time.perf_counter()
        words = [sys.executable, "manage.py", "score", source, output, *options]
        pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen([str(word) for word in words], cwd=ROOT, **pipes)
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self) -> None:
        while self.process.poll() is None:
            for pid in load.family(self.process.pid):
                with contextlib.suppress(OSError, ValueError):
                    self.peaks[pid] = name_and_peak(pid)
            time.sleep(0.5)

    def actors(self) -> list[int]:
        return [pid for pid in load.family(self.process.pid) if "PartScorer" in name_and_peak(pid)[0]]

    def told(self) -> Told:
        _, said = self.process.communicate()
        match = TOLD.search(said)
        if self.process.returncode or not match:
            raise RuntimeError(said)
        rows, rate, unsure, errors = (int(match[place].replace(",", "")) for place in (1, 3, 4, 5))
        driver = self.peaks.pop(self.process.pid, ("", 0))[1]
        actors = [peak for name, peak in self.peaks.values() if "PartScorer" in name]
        others = sum(peak for name, peak in self.peaks.values() if "PartScorer" not in name)
        seconds = time.perf_counter() - self.start
        return Told(rows, seconds, rate, unsure, errors, driver, max(actors, default=0), others)


def name_and_peak(pid: int) -> tuple[str, float]:
    """The command line of a process, and the peak of its resident memory in MB; Ray names its workers there."""
    with contextlib.suppress(OSError):
        peak = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
        return Path(f"/proc/{pid}/cmdline").read_text(), int(peak[1]) / 1024 if peak else 0
    return "", 0


class Inputs:
    """Files to score, made once in a folder that is removed in the end."""

    def __init__(self, folder: Path, fraction: float) -> None:
        self.folder, self.fraction = folder, fraction
        self.pixels = read_csv(DATA / "mnist_test.csv").pixels
        self.outputs = 0

    def count(self, full: int) -> int:
        return max(int(full * self.fraction), 200)

    def output(self, suffix: str = ".parquet") -> Path:
        self.outputs += 1
        return self.folder / f"output{self.outputs}{suffix}"

    def images(self, count: int) -> Iterator[np.ndarray]:
        """MNIST's test images again and again, moved by a pixel or two each time; some thousands at once."""
        for first in range(0, count, len(self.pixels)):
            turn = first // len(self.pixels)
            yield np.roll(self.pixels, (turn % 5 - 2, turn // 5 % 5 - 2), (1, 2))[: count - first]

    def idx(self, count: int) -> Path:
        path = self.folder / f"{count}.idx"
        if not path.exists():
            header = np.array([2051, count, 28, 28], ">u4").tobytes()
            path.write_bytes(header + b"".join(each.tobytes() for each in self.images(count)))
        return path

    def parquet(self, count: int) -> Path:
        """Lists of pixels, in row groups of ten thousand."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self.folder / f"{count}.parquet"
        schema = pa.schema([("pixels", pa.list_(pa.uint8(), 784))])
        with pq.ParquetWriter(path, schema) as writer:
            for images in self.images(count):
                column = pa.FixedSizeListArray.from_arrays(pa.array(images.ravel()), 784)
                writer.write_table(pa.table([column], schema=schema))
        return path

    def png(self, index: int, side: int) -> bytes:
        file = io.BytesIO()
        picture = Image.fromarray(255 - self.pixels[index % len(self.pixels)])
        picture.resize((side, side), Image.Resampling.BICUBIC).save(file, "PNG")
        return file.getvalue()


def measure_batches(inputs: Inputs) -> dict:
    """Microseconds an image, by the number of rows in a batch."""
    scorer, pixels = Scorer(), next(inputs.images(inputs.count(8192)))
    times: dict[int, list[float]] = {size: [] for size in BATCHES}
    for _ in range(TURNS):
        for size, taken in times.items():
            start = time.perf_counter()
            for first in range(0, len(pixels), size):
                scorer({"pixels": pixels[first : first + size]})
            taken.append((time.perf_counter() - start) / len(pixels) * 1e6)
    medians = {size: round(statistics.median(taken), 1) for size, taken in times.items()}
    print("µs an image in batches of " + ", ".join(f"{size}: {taken}" for size, taken in medians.items()))
    return {f"batch_{size}_us": taken for size, taken in medians.items()}


def measure_equality(inputs: Inputs) -> dict:
    """Whether any number of workers writes the same file as one process."""
    source = inputs.idx(inputs.count(20_000))
    part = ["--part-size", inputs.count(20_000) // 20]
    expected = inputs.output()
    Command(source, expected, "--local", *part).told()
    differing = []
    for workers in (1, 2, 4):
        output = inputs.output()
        Command(source, output, "--workers", workers, *part).told()
        if output.read_bytes() != expected.read_bytes():
            differing.append(workers)
    print(f"1, 2 and 4 workers against one process: {f'{differing} differ' if differing else 'the same bytes'}")
    return {"workers_that_differ": differing}


def measure_million(inputs: Inputs) -> dict:
    """A million images from Parquet, with two workers."""
    told = Command(inputs.parquet(inputs.count(1_000_000)), inputs.output(), "--workers", 2).told()
    print(
        f"{told.rows:,} images in {told.seconds:.0f} s, {told.rate:,.0f} a second while workers work; peak memory:"
        f" driver {told.driver:.0f} MB, largest worker {told.workers:.0f} MB, the rest of Ray {told.others:.0f} MB"
    )
    return {
        "million_rows": told.rows,
        "million_seconds": round(told.seconds),
        "million_a_second": told.rate,
        "driver_mb": round(told.driver),
        "worker_mb": round(told.workers),
        "ray_mb": round(told.others),
    }


def bare_loop(source: Path) -> float:
    """Images a second of nothing but the network, in a process of its own."""
    code = "from benchmarks.scaling import bare_rate; import sys; print(bare_rate(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", code, source], cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def bare_rate(path: str) -> float:
    network = Classifier(load_weights())
    pixels = np.fromfile(path, np.uint8)[16:].reshape(-1, 28, 28)
    start = time.perf_counter()
    for first in range(0, len(pixels), BATCH):
        network.probabilities(pixels[first : first + BATCH])
    return len(pixels) / (time.perf_counter() - start)


def measure_bare(inputs: Inputs) -> dict:
    """The rate of one worker by that of the bare loop, in turns."""
    count = inputs.count(100_000)
    source, part = inputs.idx(count), ["--part-size", max(count // 10, 50)]
    bare, engine = [], []
    for _ in range(TURNS):
        bare.append(bare_loop(source))
        engine.append(Command(source, inputs.output(), "--workers", 1, *part).told().rate)
    return compared("the bare loop", bare, "one worker", engine, "engine_by_bare")


def measure_workers(inputs: Inputs) -> dict:
    """The rate of two workers by that of one, in turns; long, as helpers of Ray start beside the first parts."""
    count = inputs.count(1_000_000)
    source, part = inputs.idx(count), ["--part-size", max(count // 100, 50)]
    one, two = [], []
    for _ in range(TURNS):
        for workers, rates in ((1, one), (2, two)):
            rates.append(Command(source, inputs.output(), "--workers", workers, *part).told().rate)
    return compared("one worker", one, "two", two, "two_by_one")


def compared(name: str, rates: list[float], other_name: str, others: list[float], key: str) -> dict:
    """Print two rates and the median of their ratios."""
    rate, other = statistics.median(rates), statistics.median(others)
    ratio = statistics.median(b / a for a, b in zip(rates, others, strict=True))
    print(f"images a second: {name} {rate:,.0f}, {other_name} {other:,.0f}; ratio {ratio:.2f}")
    return {key: round(ratio, 2), f"{key}_a_second": [round(rate), round(other)]}


def measure_damaged(inputs: Inputs) -> dict:
    """20,000 PNG files of mixed sizes, each hundredth damaged."""
    import pyarrow.parquet as pq

    count, rng = inputs.count(20_000), random.Random(0)
    folder = inputs.folder / "pictures"
    damaged = set()
    for index in range(count):
        data = bytearray(inputs.png(index, rng.choice((28, 56, 100, 280, 400))))
        if index % 100 == 7:
            damaged.add(f"{index % 50}/{index}.png")
            data = data[: len(data) // 2]
        path = folder / str(index % 50) / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    output = inputs.output()
    told = Command(folder, output, "--workers", 2).told()
    rows = pq.read_table(output).to_pylist()
    marked = {row["path"] for row in rows if row["error"]}
    missing = count - len({row["path"] for row in rows})
    print(
        f"{count:,} PNG files of mixed sizes: {len(rows):,} rows, {missing} missing, {told.rate:,.0f} a second;"
        f" {len(damaged)} damaged, of which {len(damaged & marked)} are marked; {len(marked - damaged)} others refused"
    )
    return {
        "pictures": count,
        "picture_rows": len(rows),
        "pictures_missing": missing,
        "pictures_a_second": told.rate,
        "damaged": len(damaged),
        "damaged_marked": len(damaged & marked),
        "others_refused": len(marked - damaged),
    }


def measure_kills(inputs: Inputs) -> dict:
    """Whether a job that loses a worker, then its driver, and is started again, writes the same file as one run."""
    count = inputs.count(100_000)
    source, part = inputs.idx(count), ["--part-size", max(count // 100, 20)]
    expected, output = inputs.output(), inputs.output()
    Command(source, expected, "--local", *part).told()
    parts = Path(f"{output}.parts")

    def wait_for(more: int) -> int:
        most = len(list(parts.glob("part-*.parquet"))) + more
        while len(list(parts.glob("part-*.parquet"))) < most:
            if job.process.poll() is not None:
                raise RuntimeError(job.process.communicate()[1])
            time.sleep(0.05)
        return most

    job = Command(source, output, "--workers", 2, *part)
    wait_for(10)
    os.kill(job.actors()[0], signal.SIGKILL)
    wait_for(10)
    job.process.kill()
    job.process.communicate()
    done = len(list(parts.glob("part-*.parquet")))
    job = Command(source, output, "--workers", 2, *part)
    wait_for(10)
    os.kill(job.actors()[0], signal.SIGKILL)
    told = job.told()
    same = output.read_bytes() == expected.read_bytes()
    print(
        f"a worker killed, then the driver after {done} of 100 parts, started again ({told.rows:,} rows were left) and"
        f" a worker killed: {'the same bytes as in one run' if same else 'ANOTHER RESULT'}"
    )
    return {"same_after_kills": same}


class Way:
    """What reading pictures in one way takes: medians of its turns."""

    def __init__(self) -> None:
        self._rates: list[float] = []
        self._costs: list[float] = []
        self.transferred = 0.0  # bytes a picture, both ways
        self.memory = 0.0  # MB of a process

    def add(self, pictures: int, seconds: float, processor: float) -> None:
        self._rates.append(pictures / seconds)
        self._costs.append(processor / pictures)

    @property
    def rate(self) -> float:
        """Pictures a second, one after the other."""
        return statistics.median(self._rates)

    @property
    def cost(self) -> float:
        """Seconds of a core that a picture takes."""
        return statistics.median(self._costs)


def measure_http(inputs: Inputs) -> dict:
    """Pictures a second of one client, one at a time and in hundreds, and of one worker of the engine."""
    pictures = [inputs.png(index, 280) for index in range(inputs.count(10_000) // 100 * 100)]
    folder = inputs.folder / "drawn"
    folder.mkdir()
    for index, picture in enumerate(pictures):
        (folder / f"{index:05}.png").write_bytes(picture)
    singly, by_hundreds, engine = Way(), Way(), Way()

    def ask(server: load.Server, size: int, way: Way) -> None:
        connection = http.client.HTTPConnection(load.HOST, server.port)
        requests = [load.form(load.PREDICT, *pictures[first : first + size]) for first in range(0, len(pictures), size)]
        pid, answered = server.process.pid, 0
        start, before = time.perf_counter(), load.processor_seconds(pid)
        for request in requests:
            connection.request(request.method, request.path, request.body, request.headers)
            response = connection.getresponse()
            answered += len(response.read())
            assert response.status == 200, response.status
        way.add(len(pictures), time.perf_counter() - start, load.processor_seconds(pid) - before)
        way.transferred = (sum(len(request.body) for request in requests) + answered) / len(pictures)

    call_command("collectstatic", interactive=False, verbosity=0, stdout=io.StringIO())
    command = f"{sys.executable} -m gunicorn --config deploy/gunicorn.conf.py --workers 1 --bind {{address}}".split()
    environment = os.environ | {"DJANGO_ALLOWED_HOSTS": load.HOST}
    is_ready = lambda port: load.is_answered(port, load.Request(load.LIVE))  # noqa: E731
    with load.running(command, is_ready, env=environment) as server:
        for _ in range(TURNS):
            ask(server, 1, singly)
            ask(server, 100, by_hundreds)
            output = inputs.output()
            told = Command(folder, output, "--workers", 1).told()
            engine.add(told.rows, told.rows / told.rate, told.rows / told.rate)  # a worker does nothing but work
        peaks = (name_and_peak(each)[1] for each in load.family(server.process.pid))
        singly.memory = by_hundreds.memory = max(peaks)
    engine.memory = told.workers
    engine.transferred = (sum(map(len, pictures)) + output.stat().st_size) / len(pictures)
    ways = {"HTTP, a picture a request": singly, "HTTP, 100 pictures a request": by_hundreds, "score on Ray": engine}
    print("280x280 PNG files, one process each:\n")
    print("| way | pictures a second | ms of a core | bytes a picture | MB a process |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, way in ways.items():
        print(f"| {name} | {way.rate:,.0f} | {way.cost * 1000:.2f} | {way.transferred:,.0f} | {way.memory:.0f} |")
    print("\n| pictures a second | way | cores | memory, GB | network, MB a second |")
    print("| ---: | --- | ---: | ---: | ---: |")
    for wanted in (10, 1000, 100_000):
        for name, way in ways.items():
            cores = wanted * way.cost
            memory, network = -(-cores // 1) * way.memory / 1000, wanted * way.transferred / 1e6
            print(f"| {wanted:,} | {name} | {cores:,.2f} | {memory:,.1f} | {network:,.1f} |")
    names = {"singly": singly, "hundreds": by_hundreds, "engine": engine}
    return {f"{name}_pictures_a_second": round(way.rate) for name, way in names.items()}


FIGURES = {
    "batches": measure_batches,
    "equality": measure_equality,
    "million": measure_million,
    "bare": measure_bare,
    "workers": measure_workers,
    "damaged": measure_damaged,
    "kills": measure_kills,
    "http": measure_http,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=f"of {', '.join(FIGURES)} (default: all)")
    parser.add_argument("--fraction", type=float, default=1, help="of all numbers of pictures")
    options = parser.parse_args()
    figures: dict = {}
    for name in options.figures or FIGURES:
        with tempfile.TemporaryDirectory(prefix="scaling-") as folder:
            figures |= FIGURES[name](Inputs(Path(folder), options.fraction))
        sys.stdout.flush()
    print(json.dumps(figures | {"python": sys.version.split()[0], "numpy": np.__version__}))


if __name__ == "__main__":
    main()
