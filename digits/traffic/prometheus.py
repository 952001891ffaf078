"""What this process has done since it started, in Prometheus's text format.

Every process counts for itself, and a scrape is answered by one of them. So each sample has a `process` label: no
series ever runs backwards, and `sum without (process)` adds up the processes that were scraped.
"""

import bisect
import os
import threading
from collections import defaultdict
from collections.abc import Iterator

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metric:
    """Numbers by the values of labels. The values are few and our own, so they need no escaping."""

    kind: str

    def __init__(self, name: str, meaning: str, *labels: str) -> None:
        self.name, self.meaning, self.labels = name, meaning, labels
        self._numbers: dict[tuple, float] = defaultdict(float)
        self._lock = threading.Lock()

    def add(self, amount: float, *values: object) -> None:
        with self._lock:
            self._numbers[values] += amount

    def lines(self) -> Iterator[str]:
        yield f"# HELP {self.name} {self.meaning}, in this process"
        yield f"# TYPE {self.name} {self.kind}"
        with self._lock:
            numbers = sorted(self._numbers.items(), key=str)
        for values, number in numbers:
            yield f"{sample(self.name, self.labels, values)} {number:.10g}"


class Counter(Metric):
    kind = "counter"


class Gauge(Metric):
    kind = "gauge"


class Histogram(Metric):
    """The number of observations up to each bound, by one label."""

    kind = "histogram"
    BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)

    def __init__(self, name: str, meaning: str, label: str) -> None:
        super().__init__(name, meaning, label)
        self._counts: dict[str, list[int]] = defaultdict(lambda: [0] * (len(self.BOUNDS) + 1))

    def observe(self, amount: float, value: str) -> None:
        with self._lock:
            self._numbers[value] += amount
            self._counts[value][bisect.bisect_left(self.BOUNDS, amount)] += 1

    def lines(self) -> Iterator[str]:
        yield f"# HELP {self.name} {self.meaning}, in this process"
        yield f"# TYPE {self.name} {self.kind}"
        with self._lock:
            observed = sorted((value, list(counts), self._numbers[value]) for value, counts in self._counts.items())
        for value, counts, total in observed:
            for index, bound in enumerate((*self.BOUNDS, "+Inf"), start=1):
                yield f"{sample(f'{self.name}_bucket', (*self.labels, 'le'), (value, bound))} {sum(counts[:index])}"
            yield f"{sample(f'{self.name}_sum', self.labels, (value,))} {total:.10g}"
            yield f"{sample(f'{self.name}_count', self.labels, (value,))} {sum(counts)}"


def sample(name: str, labels: tuple, values: tuple) -> str:
    labelled = [*zip(labels, values, strict=True), ("process", os.getpid())]
    pairs = ",".join(f'{label}="{value}"' for label, value in labelled)
    return f"{name}{{{pairs}}}"


REQUESTS = Counter("digits_requests_total", "Requests answered", "route", "method", "status")
SECONDS = Histogram("digits_request_seconds", "Seconds from a request's head to the answer's", "route")
IN_FLIGHT = Gauge("digits_requests_in_flight", "Requests being answered now, this one included")
PREDICTIONS = Counter("digits_predictions_total", "Predictions made", "digit", "certainty")


def exposition() -> str:
    return "".join(f"{line}\n" for metric in (REQUESTS, SECONDS, IN_FLIGHT, PREDICTIONS) for line in metric.lines())
