"""Bars, plots, pictures and their texts for the page `/model/`.

Coordinates are percent of a drawing's width or height, so that drawings stretch and their text keeps its size.
"""

import base64
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self

import numpy as np

from digit_recognizer_dl_model.counts import Count
from digit_recognizer_dl_model.figures import Row, flawed

from .pictures import pngs

# Where a scale up to 100 % may begin, and the distance of its marks.
SCALES = {0.99: 0.002, 0.98: 0.005, 0.95: 0.01, 0.9: 0.02, 0.75: 0.05, 0.5: 0.1, 0.0: 0.2}
SMALLEST_FULL_BAR = 0.01  # fraction misread: bars of smaller fractions are shorter, so that few mistakes look like few
DOT = 10  # pixels from one dot to the next above it


class Scale(NamedTuple):
    """A scale of fractions from `low` to 1 with a mark at every `step`."""

    low: float
    step: float

    @classmethod
    def of(cls, fractions: Iterable[float]) -> Self:
        """The narrowest scale that has room for all of them."""
        least = min(fractions)
        return cls(*next((low, step) for low, step in SCALES.items() if low <= least))

    def place(self, fraction: float) -> str:
        return coordinate((fraction - self.low) / (1 - self.low))

    @property
    def marks(self) -> list[dict]:
        values = [self.low + number * self.step for number in range(round((1 - self.low) / self.step) + 1)]
        return [{"x": self.place(value), "text": f"{100 * value:.4g}"} for value in values]


def bars(counts: dict[str, int], full: int) -> list[dict]:
    """A row with a bar for each count; `full` is the count of a full bar."""
    return [{"name": name, "value": f"{count:,}", "bar": coordinate(count / full)} for name, count in counts.items()]


def intervals(measured: dict[str, Count]) -> dict:
    """A plot of fractions with their 95 % intervals, one below the other on one scale."""
    scale = Scale.of(count.interval[0] for count in measured.values())
    rows = [
        {
            "name": name,
            "value": percent(count.fraction),
            "interval": interval_text(count.interval),
            "x": scale.place(count.fraction),
            "low": scale.place(count.interval[0]),
            "high": scale.place(count.interval[1]),
        }
        for name, count in measured.items()
    ]
    return {"rows": rows, "marks": scale.marks}


def stacked(places: Iterable[str]) -> dict:
    """A dot for each place, above the dots that are there already; `y` and `height` in pixels."""
    heights: Counter[str] = Counter()
    dots = []
    for x in places:
        heights[x] += 1
        dots.append({"x": x, "up": heights[x]})
    height = DOT * max(heights.values())
    return {"dots": [{"x": dot["x"], "y": height - DOT * (dot["up"] - 0.5)} for dot in dots], "height": height}


def rows_of_mistakes(rows: Sequence[Row], decimals: int = 2) -> list[dict]:
    """The rows with a bar for the fraction that is misread; the lowest row has the longest bar."""
    full = full_bar(row.count for row in rows)
    lowest = {row.count.fraction for row in flawed(rows)[:1]}
    return [
        {
            "name": row.name,
            "value": percent(row.count.fraction, decimals),
            "bar": coordinate(row.count.wrong_fraction / full),
            "lowest": row.count.fraction in lowest,
        }
        for row in rows
    ]


def full_bar(counts: Iterable[Count]) -> float:
    """The fraction of wrong answers for which a bar is full."""
    return max(SMALLEST_FULL_BAR, *(count.wrong_fraction for count in counts))


def row_of_refusals(row: Row) -> dict:
    return {"name": row.name, "value": percent(row.count.fraction, 1), "bar": coordinate(row.count.fraction)}


def coordinate(part: float) -> str:
    """Percent as text, because templates format numbers much more slowly."""
    return f"{100 * part:.2f}"


def percent(fraction: float, decimals: int = 2) -> str:
    return f"{100 * fraction:.{decimals}f}\u00a0%"


def points(fraction: float) -> str:
    return f"{100 * fraction:.2f}"


def interval_text(interval: Iterable[float]) -> str:
    low, high = interval
    return f"{100 * low:.2f} to {percent(high)}"


def misread(pixels: np.ndarray, alt: str, shown: str, answer: str, is_uncertain: bool) -> dict:
    """A picture (h, w) uint8 that is read wrong, as `_misread.html` shows it."""
    height, width = pixels.shape
    picture = {"image": image_of(pixels), "alt": alt, "width": width, "height": height}
    return picture | {"shown": shown, "answer": answer, "is_uncertain": is_uncertain}


def image_of(pixels: np.ndarray) -> str:
    """A picture (h, w) uint8 as PNG in base64."""
    return base64.b64encode(pngs.png(pixels)).decode()
