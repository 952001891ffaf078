"""How long each stage of an answer takes: who does the work names its stage, and who counts listens."""

import contextlib
import contextvars
import functools
import time
from collections.abc import Callable, Iterator

listeners: list[Callable[[str, float], None]] = []  # each is called with a stage and its seconds

is_untimed = contextvars.ContextVar("is_untimed", default=False)


class stage:  # noqa: N801 - it is used as a function; a generator would take three times as long
    """Time a block, or as a decorator a function, whether or not it fails."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        self.start = time.perf_counter()

    def __exit__(self, *exception: object) -> None:
        if not is_untimed.get():
            seconds = time.perf_counter() - self.start
            for listener in listeners:
                listener(self.name, seconds)

    def __call__(self, function: Callable) -> Callable:
        @functools.wraps(function)
        def timed(*arguments: object, **named: object) -> object:
            with stage(self.name):
                return function(*arguments, **named)

        return timed


@contextlib.contextmanager
def untimed() -> Iterator[None]:
    """Tell nobody of the stages in this block, or as a decorator in a function: they belong to no request."""
    token = is_untimed.set(True)
    try:
        yield
    finally:
        is_untimed.reset(token)
