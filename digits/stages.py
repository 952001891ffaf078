"""How long each stage of an answer takes: who does the work names its stage, and who counts listens."""

import contextlib
import time
from collections.abc import Callable, Iterator

listeners: list[Callable[[str, float], None]] = []  # each is called with a stage and its seconds


@contextlib.contextmanager
def stage(name: str) -> Iterator[None]:
    """Time a block, or as a decorator a function, whether or not it fails."""
    start = time.perf_counter()
    try:
        yield
    finally:
        seconds = time.perf_counter() - start
        for listener in listeners:
            listener(name, seconds)
