"""Counters, gauges and histograms of one process in Prometheus's text format, where prometheus_client is not in use.

They have the part of its interface that `prometheus.py` needs. Each sample has a `process` label: a scrape is answered
by one of several processes, and without the label Prometheus would take the next one's counters for a reset.
"""

import bisect
import os
import threading
from collections.abc import Iterator, Sequence
from typing import Self


class Metric:
    """A number for each combination of labels' values. The values are few and our own, so they need no escaping."""

    kind: str

    def __init__(self, name: str, documentation: str, labelnames: Sequence[str] = (), **_: object) -> None:
        self.name, self.documentation, self.labelnames = name, documentation, labelnames
        self._lock = threading.Lock()
        self._children: dict[tuple, Self] = {}
        self._number = 0.0

    def labels(self, *values: object) -> Self:
        child = self._children.get(values)
        if child is None:
            child = self._children.setdefault(values, self._child())
        return child

    def _child(self) -> Self:
        return type(self)(self.name, self.documentation)

    def inc(self, amount: float = 1) -> None:
        with self._lock:
            self._number += amount

    def lines(self) -> Iterator[str]:
        yield f"# HELP {self.name} {self.documentation}"
        yield f"# TYPE {self.name} {self.kind}"
        children = sorted(self._children.items(), key=str) if self.labelnames else [((), self)]
        for values, child in children:
            labels = dict(zip(self.labelnames, values, strict=True))
            for suffix, more, number in child.samples():
                yield f"{sample(self.name + suffix, labels | more)} {number:.10g}"

    def samples(self) -> Iterator[tuple[str, dict, float]]:
        """What is appended to the name, the labels beside those of `labels`, and the number."""
        yield "", {}, self._number


class Counter(Metric):
    kind = "counter"


class Gauge(Metric):
    kind = "gauge"

    def dec(self) -> None:
        self.inc(-1)

    def set(self, number: float) -> None:
        self._number = number


class Histogram(Metric):
    """The number of observations up to each bound."""

    kind = "histogram"

    def __init__(self, name: str, documentation: str, labelnames: Sequence[str] = (), *, buckets: Sequence) -> None:
        super().__init__(name, documentation, labelnames)
        self._bounds = buckets
        self._counts = [0] * (len(buckets) + 1)

    def _child(self) -> Self:
        return type(self)(self.name, self.documentation, buckets=self._bounds)

    def observe(self, amount: float) -> None:
        with self._lock:
            self._number += amount
            self._counts[bisect.bisect_left(self._bounds, amount)] += 1

    def samples(self) -> Iterator[tuple[str, dict, float]]:
        with self._lock:
            counts, total = list(self._counts), self._number
        for index, bound in enumerate((*self._bounds, "+Inf"), start=1):
            yield "_bucket", {"le": bound}, sum(counts[:index])
        yield "_sum", {}, total
        yield "_count", {}, sum(counts)


def sample(name: str, labels: dict) -> str:
    pairs = ",".join(f'{label}="{value}"' for label, value in (labels | {"process": os.getpid()}).items())
    return f"{name}{{{pairs}}}"
