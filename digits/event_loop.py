"""What may be answered on the event loop, where every other request waits meanwhile, and what is left to threads.

Handing a request to a thread costs about as much as recognising a digit. So quick requests are answered at once, and
who finds out that one is not quick says so: the server begins it anew in a thread.
"""

import contextlib
import contextvars
from collections.abc import Iterator

_is_current = contextvars.ContextVar("event_loop", default=False)


class TakesLong(BaseException):
    """What a request is left with for a thread; not an Exception, so that nobody answers it as an error."""


@contextlib.contextmanager
def on_event_loop() -> Iterator[None]:
    """Answer in this block on the event loop, as long as it does not raise TakesLong."""
    token = _is_current.set(True)
    try:
        yield
    finally:
        _is_current.reset(token)


def is_on_event_loop() -> bool:
    return _is_current.get()


def leave_if(takes_long: bool) -> None:
    """Leave the request to a thread if what comes next takes long; in a thread, nothing happens."""
    if takes_long and _is_current.get():
        raise TakesLong
