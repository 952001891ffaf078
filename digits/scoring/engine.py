"""Workers on Ray: Ray Data gives the parts of a job to actors, starts those again that die, and repeats their parts.

What flows through Ray is the number of each part and what became of it. The actors read the rows and write the answers
themselves, so no row is in the driver's memory or in Ray's, and a part that is repeated is the same file once more.
"""

import logging
import math
import os
from collections.abc import Iterator
from typing import NamedTuple

from django.conf import settings

from .workers import PartScorer

OBJECT_STORE = 80 * 1024**2  # bytes, of which the numbers of parts need next to nothing; Ray asks for 75 MB
UNSHIPPED = [".git", ".venv", "data", "docs", "tests", "benchmarks", "staticfiles"]  # what workers do not need


class Failed(Exception):
    """Ray can't be reached, or gives up; the message says why."""


class Resources(NamedTuple):
    """What is asked of Ray.

    address: of a running cluster; without it, one is started on this machine and ends with the job.
    workers: how many at most; all processors where it is None.
    """

    address: str | None = None
    workers: int | None = None
    processors: float = 1  # of a worker
    memory: int = 600  # megabytes that are set aside for a worker


def run(output: str, pending: list[tuple[int, int, int]], batch: int, resources: Resources) -> Iterator[dict]:
    """Score these parts of the job in `output`; yields what `PartScorer` tells of each, in the order they are done.

    Raises ModuleNotFoundError without Ray, and Failed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told about anyone
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # Ray warns of each pool of actors that may start again
    import ray.data

    is_own = not ray.is_initialized()
    try:
        if is_own:
            start(ray, resources)
        workers = min(resources.workers or int(ray.cluster_resources().get("CPU", 1)), len(pending))
        quiet(ray)
        parts = [{"part": number, "place": place} for number, place, _ in pending]
        told = ray.data.from_items(parts, override_num_blocks=len(parts)).map_batches(
            PartScorer,
            fn_constructor_args=(output, batch),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=workers, initial_size=workers),
            num_cpus=resources.processors,
            memory=resources.memory * 1024**2,
        )
        yield from told.iter_rows()
    except (ConnectionError, ray.exceptions.RayError) as error:
        raise Failed(f"Ray: {error}") from error
    finally:
        if is_own:
            ray.shutdown()


def start(ray, resources: Resources) -> None:
    """Connect to the cluster at the address, and ship this project to it; or start one here."""
    common = {"include_dashboard": False, "log_to_driver": False, "logging_level": logging.ERROR}
    own = {name: os.environ[name] for name in ("DJANGO_SETTINGS_MODULE", "OPENBLAS_NUM_THREADS") if name in os.environ}
    address = resources.address or os.environ.get("RAY_ADDRESS")  # which jobs have that are sent to a cluster
    if address:
        environment = {"working_dir": str(settings.BASE_DIR), "excludes": UNSHIPPED, "env_vars": own}
        del common["include_dashboard"]
        ray.init(address=address, runtime_env=environment, **common)
        return
    paths = [str(settings.BASE_DIR), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)  # which the workers inherit
    needed = math.ceil((resources.workers or 0) * resources.processors)
    # Ray counts the processors by itself, in containers too, unless workers are to share them.
    ray.init(address="local", num_cpus=needed or None, object_store_memory=OBJECT_STORE, **common)


def quiet(ray) -> None:
    """The command has its own progress, and says itself what went wrong."""
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
