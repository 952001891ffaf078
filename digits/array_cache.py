"""Arrays that take long to make: made once, then memory-mapped from a copy in a cache folder."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np


def map_or_make(copy: Path, columns: int, make: Callable[[], np.ndarray]) -> np.ndarray:
    """Map the copy of an array, (n, columns) uint8; make the array and its copy first if there is no usable copy.

    If the folder can't be written, the array is kept in memory and made again by every process.
    """
    try:
        return map_copy(copy, columns)
    except (OSError, ValueError, EOFError):
        array = make()
    try:
        write_copy(copy, array)
        return map_copy(copy, columns)
    except (OSError, ValueError):
        return array


def map_copy(copy: Path, columns: int) -> np.ndarray:
    """Map a copy that was written before; raises ValueError, OSError or EOFError if it is missing or damaged."""
    array = np.load(copy, mmap_mode="r", allow_pickle=False)
    if array.dtype != np.uint8 or array.ndim != 2 or array.shape[1] != columns:
        raise ValueError(f"{copy} must hold an array of {columns} columns of uint8")
    return array


def write_copy(copy: Path, array: np.ndarray) -> None:
    """Write the whole copy or nothing, because other processes may open it at the same time."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(dir=copy.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.save(file, array)
        Path(unfinished).replace(copy)
    finally:
        Path(unfinished).unlink(missing_ok=True)
