"""Digits recorded as the strokes of a pen: the file that this project reads and writes, and drawings to train on.

A file is JSON, gzipped or not: a list of objects with `label`, `writer` and `strokes`, each stroke a list of points
[x, y], y down.
"""

import gzip
import io
import json
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .dataset import Dataset
from .frame import BOX, SIDE
from .synthetic.handwriting import bend, render

# How people draw: in pixels of a square picture, and as shares of its side.
CANVAS = 280
PEN_WIDTHS = (8, 28)
SHARES = (0.3, 0.8)  # that the longer side of a digit fills
THIRDS = 3
LARGEST_HASTE = 0.5  # with which a drawing bends what was recorded

GZIP_MAGIC = b"\x1f\x8b"
LARGEST_FILE = 64 * 10**6  # bytes, unpacked; a small gzip file can hold more than memory does


class MalformedRecordings(ValueError):
    """A file that holds no recordings; the message names the file and the entry, counted from 1."""


class Recording(NamedTuple):
    """One digit, as it was written.

    label: 0-9.
    writer: a number for the person.
    strokes: arrays (n, 2) of x and y, y down; none is empty.
    """

    label: int
    writer: int
    strokes: list[np.ndarray]


def read_recordings(path: Path) -> list[Recording]:
    """Read a file of recordings; raises MalformedRecordings for anything else, FileNotFoundError for no file."""
    try:
        return parse_recordings(path.read_bytes())
    except MalformedRecordings as error:
        raise MalformedRecordings(f"{path}: {error}") from error


def parse_recordings(content: bytes) -> list[Recording]:
    """Return the recordings that a file's content holds."""
    if content.startswith(GZIP_MAGIC):
        try:
            with gzip.open(io.BytesIO(content)) as stream:
                content = stream.read(LARGEST_FILE + 1)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise MalformedRecordings(f"a damaged gzip file ({error})") from error
    if len(content) > LARGEST_FILE:
        raise MalformedRecordings(f"larger than {LARGEST_FILE:,} bytes")
    try:
        entries = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise MalformedRecordings(f"not JSON ({error})") from error
    if not isinstance(entries, list) or not entries:
        raise MalformedRecordings("not a list of recordings, or an empty one")
    return [_recording(number, entry) for number, entry in enumerate(entries, start=1)]


def write_recordings(path: Path, recordings: Iterable[Recording]) -> None:
    """Write the canonical form, gzipped; an interruption leaves the old file as it was."""
    unfinished = path.with_name(path.name + ".part")
    try:
        unfinished.write_bytes(gzip.compress(canonical_json(recordings), mtime=0))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def canonical_json(recordings: Iterable[Recording]) -> bytes:
    """Return the same bytes for the same digits, in whatever order and wherever on the sheet they come.

    Each digit is moved until it touches x = 0 and y = 0, in whole numbers. They are sorted by writer, label, strokes.
    """
    rows = []
    for label, writer, strokes in recordings:
        corner = np.concatenate(strokes).min(axis=0)
        rows.append((writer, label, [np.rint(stroke - corner).astype(int).tolist() for stroke in strokes]))
    entries = [{"label": label, "writer": writer, "strokes": strokes} for writer, label, strokes in sorted(rows)]
    return json.dumps(entries, separators=(",", ":")).encode()


def third_of_writers(recordings: list[Recording], third: int) -> set[int]:
    """The writers in one of three parts, 0-2, that they fall into at random but always alike."""
    writers = np.random.default_rng(0).permutation(sorted({recording.writer for recording in recordings}))
    return set(writers[third::THIRDS].tolist())


def draw(recordings: list[Recording], rng: np.random.Generator) -> Dataset:
    """Each recording drawn with a pen of its own, slightly bent, and prepared as MNIST is: (n, 28, 28) uint8."""
    pixels = np.zeros((len(recordings), SIDE, SIDE), np.uint8)
    for image, recording in zip(pixels, recordings, strict=True):
        points = np.concatenate(recording.strokes)
        bent = bend(points / max(np.ptp(points, axis=0).max(), 1), rng.uniform(0, LARGEST_HASTE), rng)
        ends = np.cumsum([len(stroke) for stroke in recording.strokes])[:-1]
        pen, side = rng.uniform(*PEN_WIDTHS), rng.uniform(*SHARES) * CANVAS
        image[:] = render(np.split(bent, ends), BOX * pen / (side + pen), rng)
    return Dataset(pixels, np.array([recording.label for recording in recordings], np.uint8))


def _recording(number: int, entry: object) -> Recording:
    """Return an entry's recording, or say what is wrong with it."""
    if not isinstance(entry, dict) or not {"label", "writer", "strokes"} <= entry.keys():
        raise MalformedRecordings(f"entry {number}: not an object with label, writer and strokes")
    label, writer, strokes = entry["label"], entry["writer"], entry["strokes"]
    if type(label) is not int or label not in range(10):
        raise MalformedRecordings(f"entry {number}: the label is {label!r:.20}, expected a whole number from 0 to 9")
    if type(writer) is not int:
        raise MalformedRecordings(f"entry {number}: the writer is {writer!r:.20}, expected a whole number")
    if not isinstance(strokes, list) or not strokes:
        raise MalformedRecordings(f"entry {number}: no strokes")
    return Recording(label, writer, [_points(number, stroke) for stroke in strokes])


def _points(number: int, stroke: object) -> np.ndarray:
    """Return a stroke as (n, 2)."""
    # NumPy alone would take "1" and true for numbers.
    if not isinstance(stroke, list) or not stroke or not all(map(_is_point, stroke)):
        raise MalformedRecordings(f"entry {number}: a stroke is not a list of points [x, y]")
    try:
        points = np.array(stroke, float)
    except OverflowError:  # a whole number of hundreds of digits
        points = np.array([np.inf])
    if not np.isfinite(points).all():
        raise MalformedRecordings(f"entry {number}: a coordinate is not finite")
    return points


def _is_point(point: object) -> bool:
    return isinstance(point, list) and len(point) == 2 and all(type(value) in (int, float) for value in point)
