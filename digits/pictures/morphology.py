"""Filters with squares, those of grey-scale morphology on the last two axes of arrays; connected components."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter


def dilate(values: np.ndarray, size: int) -> np.ndarray:
    """The largest value of each size x size square (.., h - size + 1, w - size + 1)."""
    return extremes(values, size, np.maximum)


def erode(values: np.ndarray, size: int) -> np.ndarray:
    """The smallest value of each size x size square (.., h - size + 1, w - size + 1)."""
    return extremes(values, size, np.minimum)


def extremes(values: np.ndarray, size: int, extreme: Callable) -> np.ndarray:
    for axis in (-2, -1):
        values = extremes_along(axis, values, size, extreme)
    return values


def extremes_along(axis: int, values: np.ndarray, size: int, extreme: Callable) -> np.ndarray:
    lines, reached = np.moveaxis(values, axis, 0), 1
    while reached < size:
        step = min(reached, size - reached)
        lines, reached = extreme(lines[:-step], lines[step:]), reached + step
    return np.moveaxis(lines, 0, axis)


def opening(values: np.ndarray, size: int, across_border: bool) -> np.ndarray:
    """Remove peaks narrower than squares of an odd size from values (.., h, w).

    With `across_border`, squares may lie nearly outside, so that even a narrow peak along the border stays.
    """
    half = size // 2
    if across_border:
        return dilate(erode(framed(values, 2 * half, constant_values=np.inf), size), size)
    eroded = erode(framed(values, half, mode="edge"), size)
    return dilate(framed(eroded, half, mode="edge"), size)


def framed(values: np.ndarray, width: int, **kind: str | float) -> np.ndarray:
    return np.pad(values, [(0, 0)] * (values.ndim - 2) + [(width, width)] * 2, **kind)


def median(values: np.ndarray) -> np.ndarray:
    """The median of the 3x3 values around each (h, w), uint8 or float32."""
    return np.asarray(Image.fromarray(values).filter(ImageFilter.MedianFilter(3)))


def box_sum(values: np.ndarray) -> np.ndarray:
    """The sum of 3x3 values around each (h, w)."""
    padded = np.pad(values, 1)
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    return rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]


def opening_of_rows(mask: np.ndarray, length: int) -> np.ndarray:
    """The True (h, w) that lie in runs of at least that length along their rows."""
    if length > mask.shape[1]:
        return np.zeros_like(mask)
    starts = extremes_along(-1, mask, length, np.minimum)
    if not starts.any():
        return np.zeros_like(mask)
    around = np.pad(starts, [(0, 0), (length - 1, length - 1)])
    return extremes_along(-1, around, length, np.maximum)


def closing_of_rows(mask: np.ndarray, length: int) -> np.ndarray:
    """The True (h, w), and what lies between them in runs along their rows of at most that length."""
    around = length + 1
    gaps = np.pad(~mask, [(0, 0), (around, around)], constant_values=True)
    return ~opening_of_rows(gaps, around)[:, around:-around]


def components(mask: np.ndarray) -> np.ndarray:
    """A number for each True (h, w), the same for those that touch, if only by a corner, and 0 for each False."""
    width = mask.shape[1] + 2  # with an empty column on each side, so that no run of True goes on in the next row
    steps = np.flatnonzero(np.diff(np.pad(mask, 1).ravel()))
    starts, ends = steps[::2] + 1, steps[1::2] + 1
    # The runs of the next row that each run touches: from the first that ends beyond its start, corners included.
    first = np.searchsorted(ends, starts + width)
    touched = np.searchsorted(starts, ends + width, side="right") - first
    above = np.repeat(np.arange(len(starts)), touched)
    below = np.arange(len(above)) + np.repeat(first - np.cumsum(touched) + touched, touched)
    # Each run takes the last run that it is connected to, in steps that double, as a run takes what its own one has.
    last = np.arange(len(starts))
    while (last[above] != last[below]).any():
        later = np.maximum(last[above], last[below])
        for runs in (above, below, last[above], last[below]):
            np.maximum.at(last, runs, later)
        last = last[last]
    numbers = np.zeros(mask.shape, np.int64)
    numbers[mask] = np.repeat(last + 1, ends - starts)
    return numbers
