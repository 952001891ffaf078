"""How long each stage of an answer takes: who does the work names its stage, and who counts listens."""

import contextlib
import contextvars
import time
from collections.abc import Callable, Iterator

listeners: list[Callable[[str, float], None]] = []  # each is called with a stage and its seconds

is_untimed = contextvars.ContextVar("is_untimed", default=False)


@contextlib.contextmanager
def stage(name: str) -> Iterator[None]:
    """Time a block, or as a decorator a function, whether or not it fails."""
    start = time.perf_counter()
    try:
        yield
    finally:
        seconds = time.perf_counter() - start
        for listener in () if is_untimed.get() else listeners:
            listener(name, seconds)


@contextlib.contextmanager
def untimed() -> Iterator[None]:
    """Tell nobody of the stages in this block, or as a decorator in a function: they belong to no request."""
    token = is_untimed.set(True)
    try:
        yield
    finally:
        is_untimed.reset(token)
