"""What becomes of a client's predictions while another sends costly requests on many connections.

Run as `python -m benchmarks.overload`, where gunicorn is installed. It starts the site as docs/operating.md does, in
the settings of production, and both clients ask it over loopback, each from an address of its own. The last line is
one JSON object.
"""

import argparse
import contextlib
import http.client
import json
import math
import os
import platform
import secrets
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .environment import configure_site

if "DJANGO_SETTINGS_MODULE" not in os.environ:  # which the tests have set
    configure_site(static_root="static")

import django

django.setup()

from tests.bodies import PNG, URL
from tests.corpus import ATTACKS, Request

from .load import HOST, ROOT, running

ATTACKER, OTHER, PROXY = HOST, "127.0.0.2", "127.0.0.3"
SERVER = ["-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", "--bind", "{address}"]
PATIENCE = 10  # seconds that the other client waits for an answer
PAUSE = 0.1  # seconds between its requests


class Answer(NamedTuple):
    status: int  # 0: none
    seconds: float
    retry_after: int | None


class Result(NamedTuple):
    """What both clients saw while the attack went on."""

    other: list[Answer]
    attacker: list[Answer]

    @property
    def answered(self) -> float:
        """The fraction of the other client's requests that were answered with a prediction."""
        return sum(answer.status == 200 for answer in self.other) / len(self.other)


@contextlib.contextmanager
def serving(log: Path, **variables: str) -> Iterator[int]:
    """Start the site; gives its port, and ends it afterwards."""
    production = {"DJANGO_SETTINGS_MODULE": "config.settings", "DJANGO_DEBUG": "0", "DJANGO_HTTPS": "0"}
    hosts = {"DJANGO_ALLOWED_HOSTS": ATTACKER, "DJANGO_SECRET_KEY": secrets.token_urlsafe(50)}
    environment = os.environ | production | hosts | variables
    is_ready = lambda port: ask(port, OTHER, Request(PNG, "image/png"), PATIENCE).status == 200  # noqa: E731
    with log.open("w") as output, tempfile.TemporaryDirectory() as static_root:
        environment["DJANGO_STATIC_ROOT"] = static_root
        options = {"env": environment, "stdout": output, "stderr": output}
        subprocess.run([sys.executable, "manage.py", "collectstatic", "--no-input"], check=True, cwd=ROOT, **options)
        with running([sys.executable, *SERVER], is_ready, **options) as server:
            yield server.port


def ask(port: int, source: str, request: Request, patience: float, proxied: bool = False) -> Answer:
    """Send a request from an address of loopback, or from the proxy that tells it."""
    start = time.monotonic()
    address, headers = (PROXY, {"X-Forwarded-For": source}) if proxied else (source, {})
    connection = http.client.HTTPConnection(ATTACKER, port, timeout=patience, source_address=(address, 0))
    with contextlib.closing(connection):
        try:
            path = f"{URL}?include={request.include}"
            connection.request("POST", path, request.body, {"Content-Type": request.content_type} | headers)
            answer = connection.getresponse()
            answer.read()
        except OSError:
            return Answer(0, time.monotonic() - start, None)
        retry_after = answer.headers["Retry-After"]
        return Answer(answer.status, time.monotonic() - start, retry_after and int(retry_after))


def attack(port: int, requests: list[Request], connections: int, seconds: float, proxied: bool = False) -> Result:
    """One client sends these in turns, on so many connections and without a pause; another wants predictions."""
    end = time.monotonic() + seconds
    result = Result([], [])

    def insist(number: int) -> None:
        while time.monotonic() < end:
            left = end - time.monotonic() + 1
            result.attacker.append(ask(port, ATTACKER, requests[number % len(requests)], left, proxied))
            number += 1

    threads = [threading.Thread(target=insist, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    while time.monotonic() < end:
        result.other.append(ask(port, OTHER, Request(PNG, "image/png"), PATIENCE, proxied))
        time.sleep(PAUSE)
    for thread in threads:
        thread.join()
    return result


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overload", description=__doc__)
    parser.add_argument("--connections", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=30)
    options = parser.parse_args()
    requests = [make() for make in ATTACKS.values()]
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder, "log.txt")) as port:
        calm = [ask(port, OTHER, Request(PNG, "image/png"), PATIENCE).seconds for _ in range(50)]
        result = attack(port, requests, options.connections, options.seconds)
    times = sorted(answer.seconds for answer in result.other)
    figures = {
        "answered": round(result.answered, 4),
        "asked": len(times),
        "statuses": dict(Counter(answer.status for answer in result.other)),
        "calm_ms": round(1e3 * statistics.median(calm), 1),
        "median_ms": round(1e3 * statistics.median(times), 1),
        "p95_ms": round(1e3 * times[math.ceil(0.95 * len(times)) - 1], 1),
        "attacker": dict(Counter(answer.status for answer in result.attacker)),
        "retry_after": dict(sorted(Counter(each.retry_after for each in result.attacker if each.retry_after).items())),
        "longest_s": round(max(answer.seconds for answer in result.attacker), 1),
        "python": platform.python_version(),
    }
    print(f"{figures['answered']:.1%} of {figures['asked']} predictions answered: {figures['statuses']}")
    print("median {median_ms} ms, 95 % within {p95_ms} ms; at rest {calm_ms} ms".format(**figures))
    print(f"the attacker got {figures['attacker']}; its longest request took {figures['longest_s']} s")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
