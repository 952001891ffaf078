"""What the site has done, for Prometheus: every metric, and the text that `/metrics` answers.

Where PROMETHEUS_MULTIPROC_DIR names a folder, prometheus_client, which reads that variable itself, keeps the numbers of
all processes in files there, and whichever process is asked adds them up. Without it, each process counts for itself.
"""

import contextlib
import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

FOLDER = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")  # no setting: the server counts before Django is set up
if FOLDER:
    try:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess
    except ModuleNotFoundError as error:
        reason = "PROMETHEUS_MULTIPROC_DIR needs the package prometheus-client, of requirements-production.txt"
        raise ImproperlyConfigured(reason) from error
    if not (Path(FOLDER).is_dir() and os.access(FOLDER, os.W_OK)):
        raise ImproperlyConfigured(f"PROMETHEUS_MULTIPROC_DIR: {FOLDER} is no folder to write to")
    # What an earlier process of this number was doing when it ended is no longer being done. In a container that was
    # started again, the numbers are the same, those of the processes that are forked later included.
    multiprocess.mark_process_dead(os.getpid())
    os.register_at_fork(after_in_child=lambda: multiprocess.mark_process_dead(os.getpid()))
else:
    from .exposition import Counter, Gauge, Histogram

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

LIVE = {"multiprocess_mode": "livesum"}  # of gauges: added up over the processes that are running
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

REQUESTS = Counter("digits_requests_total", "Requests answered", ["route", "method", "status"])
REQUEST_SECONDS = Histogram(
    "digits_request_seconds", "Seconds from a request's head to the answer's", ["route"], buckets=SECONDS
)
IN_FLIGHT = Gauge("digits_requests_in_flight", "Requests being answered now, this one included", **LIVE)
SHEDS = Counter("digits_sheds_total", "Requests refused because of what else is asked for", ["reason"])
PLACES = Gauge("digits_places", "Requests that may be recognised at the same time", **LIVE)
PLACES_TAKEN = Gauge("digits_places_taken", "Requests being recognised now", **LIVE)
PREDICTIONS = Counter("digits_predictions_total", "Predictions made", ["digit", "certainty"])
NUMBERS = Counter("digits_numbers_total", "Numbers read", ["certainty"])
BATCH_SIZE = Histogram(
    "digits_batch_size", "Pictures that went through the network together", buckets=(1, 2, 5, 10, 20, 50, 100)
)
STAGE_SECONDS = Histogram("digits_stage_seconds", "Seconds that a stage of an answer took", ["stage"], buckets=SECONDS)
METRICS = (
    REQUESTS,
    REQUEST_SECONDS,
    IN_FLIGHT,
    SHEDS,
    PLACES,
    PLACES_TAKEN,
    PREDICTIONS,
    NUMBERS,
    BATCH_SIZE,
    STAGE_SECONDS,
)


def observe_stage(stage: str, seconds: float) -> None:
    STAGE_SECONDS.labels(stage).observe(seconds)


def exposition() -> str:
    if not FOLDER:
        return "".join(f"{line}\n" for metric in METRICS for line in metric.lines())
    forget_dead_processes()
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, FOLDER)
    return generate_latest(registry).decode()


def forget_dead_processes() -> None:
    """Drop the gauges of processes that have ended, killed ones included; their counters stay."""
    pids = {int(path.stem.rpartition("_")[2]) for path in Path(FOLDER).glob("gauge_live*.db")}
    for pid in pids:
        if not is_running(pid):
            with contextlib.suppress(FileNotFoundError):  # another process is doing the same
                multiprocess.mark_process_dead(pid, FOLDER)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
