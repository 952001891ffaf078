"""What the API says to mutated requests, as many as there is time for: none may fail, take long or leave memory behind.

Run as `python -m benchmarks.fuzz`, with `--minutes` for longer and `--seed` for others; requests are drawn as in
`tests/test_fuzz.py`. Those with a wrong answer are printed, so that they can become examples there, and the exit code
is 1 if there are any. The last line is one JSON object.
"""

import argparse
import gc
import json
import os
import platform
import resource
import sys
import time
from collections import Counter
from pathlib import Path

ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "DJANGO_DEBUG": "0",
    "DJANGO_HTTPS": "0",
    "DJANGO_SECRET_KEY": "for-this-measurement-only",
    "DJANGO_ALLOWED_HOSTS": "testserver",
    "DJANGO_STATIC_ROOT": "static",
}
os.environ.update(ENVIRONMENT)

import hypothesis
import PIL
from hypothesis import HealthCheck, Phase, given

from tests.corpus import Reply, Request, reply, requests

ROUND = 500  # requests; then Hypothesis forgets what it has drawn
WARM = 10  # rounds, until whatever is loaded once or cached is there
SETTINGS = hypothesis.settings(
    max_examples=ROUND,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class Tally:
    """What is counted, over all rounds."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.slowest = 0.0
        self.wrong = 0

    def add(self, request: Request, answer: Reply) -> None:
        self.statuses[answer.status] += 1
        self.slowest = max(self.slowest, answer.seconds)
        if answer.wrong:
            self.wrong += 1
            print(f"\n{answer.wrong}\n    {request!r}", file=sys.stderr)

    @property
    def tried(self) -> int:
        return self.statuses.total()


def try_round(tally: Tally, seed: int) -> None:
    @hypothesis.seed(seed)
    @SETTINGS
    @given(requests())
    def ask(request: Request) -> None:
        try:
            answer = reply(request)
        except Exception as error:  # whatever it is: it goes on with the next
            answer = Reply(500, 0, f"raised {error!r}")
        tally.add(request, answer)

    ask()


def megabytes() -> float:
    """The memory that this process holds now; where the system doesn't tell, the most that it held so far."""
    gc.collect()
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1024**2
    except FileNotFoundError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    tally, memory, rounds = Tally(), [], 0
    start = time.monotonic()
    while time.monotonic() - start < 60 * options.minutes:
        try_round(tally, options.seed * 1_000_000 + rounds)
        rounds += 1
        if rounds % WARM == 0:
            memory.append(megabytes())
        if sys.stdout.isatty():
            line = f"{tally.tried:,} requests, {(time.monotonic() - start) / 60:.1f} of {options.minutes:g} minutes"
            print(f"\r{line}", end="", flush=True)
    memory = memory or [megabytes()]

    minutes = (time.monotonic() - start) / 60
    print(f"{'status':8} {'answers':>9}  share" if not sys.stdout.isatty() else f"\r{'status':8} {'answers':>9}  share")
    for status, count in sorted(tally.statuses.items()):
        print(f"{status:<8} {count:9,}  {count / tally.tried:6.2%}")
    print(f"{'all':8} {tally.tried:9,}  in {minutes:.1f} minutes; wrong: {tally.wrong}")
    print(f"the slowest took {tally.slowest * 1e3:.0f} ms of the processor")
    print(f"memory after {WARM * ROUND:,} requests {memory[0]:.0f} MB, at the end {memory[-1]:.0f} MB")
    figures = {
        "requests": tally.tried,
        "statuses": dict(sorted(tally.statuses.items())),
        "wrong": tally.wrong,
        "slowest_ms": round(tally.slowest * 1e3),
        "memory_mb": [round(value, 1) for value in memory],
        "minutes": round(minutes, 1),
        "seed": options.seed,
    }
    versions = {"python": platform.python_version(), "pillow": PIL.__version__, "hypothesis": hypothesis.__version__}
    print(json.dumps(figures | versions))
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
