"""Mutated requests to the API for some minutes: none may fail, hang or leak memory.

Run as `python -m benchmarks.fuzz`; `--minutes` sets how long, and `--seed` draws other requests, in the same way as
`tests/test_fuzz.py`. The site answers in its own process, so that its memory is measured without that of Hypothesis,
and a request that hangs can be given up. First come the requests that are made to cost much time; all times are of the
processor. Requests with a wrong answer are printed, so that they can become examples in the tests; if there are any,
the exit code is 1. The last line is one JSON object.
"""

import argparse
import contextlib
import ctypes
import gc
import json
import logging
import multiprocessing
import platform
import resource
import sys
import time
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path

from .environment import configure_site

configure_site(static_root="static")

import hypothesis
import numpy as np
import PIL
from hypothesis import HealthCheck, Phase, given

from tests.corpus import ATTACKS, Reply, Request, reply
from tests.mutations import requests

ROUND = 500  # requests; then Hypothesis forgets what it has drawn
HANGS = 60  # seconds on the clock of the wall, which a busy machine may need
WARM = 10  # rounds, after which all that is loaded once or cached is in memory
SPAWN = multiprocessing.get_context("spawn")
SETTINGS = hypothesis.settings(
    max_examples=ROUND,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class Site:
    """The site in its own process, which is restarted when it hangs."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.connection, other_end = SPAWN.Pipe()
        self.process = SPAWN.Process(target=answer_requests, args=(other_end,), daemon=True)
        self.process.start()
        other_end.close()  # so that the end of the process is the end of the connection
        self.megabytes()  # once this is answered, it is ready

    def reply(self, request: Request) -> Reply:
        start = time.monotonic()
        self.connection.send(request)
        wrong = f"nothing after {HANGS} s"
        try:
            if self.connection.poll(HANGS):
                return self.connection.recv()
        except EOFError:
            wrong = "the process ended"
        self.process.kill()
        self.process.join()
        self.start()
        return Reply(0, time.monotonic() - start, wrong)

    def megabytes(self) -> float:
        """The memory of the process now, or its peak where the system does not tell the present one."""
        self.connection.send(None)
        return self.connection.recv()


def answer_requests(connection: Connection) -> None:
    """Run in the site's process: answer each request, and answer None with the memory of the process."""
    logging.disable(logging.INFO)  # a line for each request would hide those about wrong answers
    while True:
        request = connection.recv()
        if request is None:
            connection.send(megabytes())
            continue
        try:
            connection.send(reply(request))
        except Exception as error:  # reported as a wrong answer, so that the run goes on
            connection.send(Reply(500, 0, f"raised {error!r}"))


def megabytes() -> float:
    gc.collect()
    with contextlib.suppress(AttributeError):  # only glibc has this; without it, glibc keeps much free memory
        ctypes.CDLL(None).malloc_trim(0)
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1024**2
    except FileNotFoundError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Tally:
    """The counts of all rounds."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.seconds: list[float] = []
        self.wrong = 0

    def add(self, request: Request, answer: Reply) -> None:
        self.statuses[answer.status] += 1
        self.seconds.append(answer.seconds)
        if answer.wrong:
            self.wrong += 1
            print(f"\n{answer.wrong}\n    {request!s:.1000}", file=sys.stderr)

    @property
    def tried(self) -> int:
        return len(self.seconds)


def try_round(site: Site, tally: Tally, seed: int) -> None:
    @hypothesis.seed(seed)
    @SETTINGS
    @given(requests())
    def ask(request: Request) -> None:
        tally.add(request, site.reply(request))

    ask()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    site, tally, memory, rounds = Site(), Tally(), [], 0
    start = time.monotonic()
    for make in ATTACKS.values():
        request = make()
        tally.add(request, site.reply(request))
    while time.monotonic() - start < 60 * options.minutes:
        try_round(site, tally, options.seed * 1_000_000 + rounds)
        rounds += 1
        if rounds % WARM == 0:
            memory.append(site.megabytes())
        if sys.stdout.isatty():
            line = f"{tally.tried:,} requests, {(time.monotonic() - start) / 60:.1f} of {options.minutes:g} minutes"
            print(f"\r{line}", end="", flush=True)
    memory = memory or [site.megabytes()]

    minutes = (time.monotonic() - start) / 60
    print(f"{'status':8} {'answers':>9}  share" if not sys.stdout.isatty() else f"\r{'status':8} {'answers':>9}  share")
    for status, count in sorted(tally.statuses.items()):
        print(f"{status:<8} {count:9,}  {count / tally.tried:6.2%}")
    print(f"{'all':8} {tally.tried:9,}  in {minutes:.1f} minutes; wrong: {tally.wrong}")
    milliseconds = [1e3 * quantile for quantile in np.quantile(tally.seconds, [0.5, 0.999, 1])]
    print("half of them took {:.1f} ms at most, 99.9 % {:.0f} ms, the slowest {:.0f} ms".format(*milliseconds))
    print(f"memory after {WARM * ROUND:,} requests {memory[0]:.0f} MB, at the end {memory[-1]:.0f} MB")
    figures = {
        "requests": tally.tried,
        "statuses": dict(sorted(tally.statuses.items())),
        "wrong": tally.wrong,
        "milliseconds": dict(zip(["median", "p99.9", "slowest"], np.round(milliseconds, 2).tolist(), strict=True)),
        "memory_mb": [round(value, 1) for value in memory],
        "minutes": round(minutes, 1),
        "seed": options.seed,
    }
    versions = {"python": platform.python_version(), "pillow": PIL.__version__, "hypothesis": hypothesis.__version__}
    print(json.dumps(figures | versions))
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
