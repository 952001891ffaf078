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
# Fractions of mistakes at which the scale of bars may end. It ends at 1 % at least, so that few mistakes look like few.
ENDS = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
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


def intervals(measured: dict[str, Count], scale: Scale) -> dict:
    """A plot of fractions with their 95 % intervals, one below the other, each where its label says."""
    rows = [
        {
            "name": name,
            "value": percent(count.fraction),
            "interval": interval_text(count.interval),
            "x": scale.place(told(count.fraction)),
            "low": scale.place(told(count.interval[0])),
            "high": scale.place(told(count.interval[1])),
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


def rows_of_mistakes(rows: Sequence[Row], end: float, decimals: int = 2) -> list[dict]:
    """The rows with the fraction that is answered wrong, on a scale that ends at `end`, and the worst row marked."""
    worst = {row.count.fraction for row in flawed(rows)[:1]}
    return [
        {"name": row.name, "worst": row.count.fraction in worst} | mistakes(row.count, end, decimals) for row in rows
    ]


def mistakes(count: Count, end: float, decimals: int) -> dict:
    """The fraction of wrong answers as text, and a bar of the length that the text says."""
    wrong = count.wrong_fraction
    return {"value": percent(wrong, decimals), "bar": coordinate(told(wrong, decimals) / end)}


def end_of_scale(counts: Iterable[Count]) -> float:
    """The fraction at which a scale ends that has room for the mistakes of all of these."""
    most = max((count.wrong_fraction for count in counts), default=0)
    return next(end for end in ENDS if end >= most)


def coordinate(part: float) -> str:
    """Percent as text, because templates format numbers much more slowly."""
    return f"{100 * part:.2f}"


def told(fraction: float, decimals: int = 2) -> float:
    """The fraction that `percent` tells, rounded as its text is."""
    return float(f"{100 * fraction:.{decimals}f}") / 100


def percent(fraction: float, decimals: int = 2) -> str:
    return f"{100 * fraction:.{decimals}f}\u00a0%"


def points(fraction: float) -> str:
    return f"{100 * fraction:.2f}"


def interval_text(interval: Iterable[float]) -> str:
    low, high = interval
    return f"{100 * low:.2f} to {percent(high)}"


def misread(pixels: np.ndarray, alt: str, shown: str, answer: str, is_uncertain: bool, sure: int | None = None) -> dict:
    """A picture (h, w) uint8 that is read wrong, as `_picture.html` shows it; `sure` is its confidence in percent."""
    height, width = pixels.shape
    picture = {"image": image_of(pixels), "alt": alt, "width": width, "height": height}
    return picture | {"shown": shown, "answer": answer, "is_uncertain": is_uncertain, "sure": sure}


def image_of(pixels: np.ndarray) -> str:
    """A picture (h, w) uint8 as PNG in base64."""
    return base64.b64encode(pngs.png(pixels)).decode()
