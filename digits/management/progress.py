"""The bar that commands draw on a terminal while there is much to do, and how long it will take."""

import time
from collections.abc import Callable

ERASE_LINE = "\r\x1b[K"
REDRAWN, REPEATED = 0.2, 10  # seconds between two drawings on a terminal, and between two lines elsewhere


def bar(done: int, total: int) -> str:
    return f"[{'#' * (30 * done // total):30}] {done / total:4.0%}"


class Progress:
    """How many of so many rows are done, at what rate, and how long the others will take.

    write: what is drawn on a terminal, or written line by line elsewhere; clock: seconds.
    """

    def __init__(
        self,
        total: int,
        write: Callable[[str], object],
        is_terminal: bool,
        done: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.total, self.done, self.before = total, done, done
        self._write, self._is_terminal, self._clock = write, is_terminal, clock
        self._start = self._told = clock()

    @property
    def seconds(self) -> float:
        return self._clock() - self._start

    @property
    def rate(self) -> float:
        """Rows a second, without those that were done before."""
        return (self.done - self.before) / max(self.seconds, 1e-9)

    def started(self, seconds_ago: float) -> None:
        """Reckon the rate from so long ago, as what came before was no work on the rows."""
        self._start = max(self._start, self._clock() - seconds_ago)

    def add(self, rows: int) -> None:
        self.done += rows
        if self._clock() - self._told >= (REDRAWN if self._is_terminal else REPEATED):
            self._told = self._clock()
            self._write(f"{ERASE_LINE}{self.line}" if self._is_terminal else f"{self.line}\n")

    def erase(self) -> None:
        if self._is_terminal:
            self._write(ERASE_LINE)

    @property
    def line(self) -> str:
        left = f"{duration((self.total - self.done) / self.rate)} left" if self.rate else "starting"
        return f"{bar(self.done, self.total)}  {self.done:,} of {self.total:,}, {self.rate:,.0f} a second, {left}"


def duration(seconds: float) -> str:
    """In the two largest units."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
