"""Grey-scale morphology with squares, on the last two axes of arrays."""

from collections.abc import Callable

import numpy as np


def dilate(values: np.ndarray, size: int) -> np.ndarray:
    """The largest value of each size x size square (.., h - size + 1, w - size + 1)."""
    return extremes(values, size, np.maximum)


def erode(values: np.ndarray, size: int) -> np.ndarray:
    """The smallest value of each size x size square (.., h - size + 1, w - size + 1)."""
    return extremes(values, size, np.minimum)


def extremes(values: np.ndarray, size: int, extreme: Callable) -> np.ndarray:
    for axis in (-2, -1):
        lines, reached = np.moveaxis(values, axis, 0), 1
        while reached < size:
            step = min(reached, size - reached)
            lines, reached = extreme(lines[:-step], lines[step:]), reached + step
        values = np.moveaxis(lines, 0, axis)
    return values


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


def components(mask: np.ndarray) -> np.ndarray:
    """A number for each True (h, w), the same for those that touch, if only by a corner, and 0 for each False."""
    numbers = mask * np.arange(1, mask.size + 1).reshape(mask.shape)
    while True:
        spread = dilate(np.pad(numbers, 1), 3) * mask
        if (spread == numbers).all():
            return numbers
        numbers = spread
