"""Digits recorded as the strokes of a pen: the file that this project reads and writes, and folds of the writers.

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

FOLDS = 3  # of the writers, for cross-validation

GZIP_MAGIC = b"\x1f\x8b"
LARGEST_FILE = 64 * 10**6  # bytes, unpacked; a small gzip file can unpack to more than the memory


class MalformedRecordings(ValueError):
    """A file that does not hold recordings; the message names the file and the entry, counted from 1."""


class Recording(NamedTuple):
    """One digit as a person wrote it.

    label: 0-9.
    writer: the number of the person.
    strokes: arrays (n, 2) of x and y, y down, each with at least one point.
    """

    label: int
    writer: int
    strokes: list[np.ndarray]


def read_recordings(path: Path) -> list[Recording]:
    """Read a file of recordings.

    Raises MalformedRecordings for any other content, and FileNotFoundError where there is no file.
    """
    try:
        return parse_recordings(path.read_bytes())
    except MalformedRecordings as error:
        raise MalformedRecordings(f"{path}: {error}") from error


def parse_recordings(content: bytes) -> list[Recording]:
    """Return the recordings in the content of a file; raises MalformedRecordings for any other content."""
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
    """Write the canonical form, gzipped; an interruption leaves the old file unchanged."""
    unfinished = path.with_name(path.name + ".part")
    try:
        unfinished.write_bytes(gzip.compress(canonical_json(recordings), mtime=0))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def canonical_json(recordings: Iterable[Recording]) -> bytes:
    """Return the same bytes for the same digits, independent of their order and of their place on the sheet.

    Each digit is moved until it touches x = 0 and y = 0, and rounded to integers. The digits are sorted by writer, then
    by label, then by strokes.
    """
    rows = []
    for label, writer, strokes in recordings:
        corner = np.concatenate(strokes).min(axis=0)
        rows.append((writer, label, [np.rint(stroke - corner).astype(int).tolist() for stroke in strokes]))
    entries = [{"label": label, "writer": writer, "strokes": strokes} for writer, label, strokes in sorted(rows)]
    return json.dumps(entries, separators=(",", ":")).encode()


def fold_of_writers(recordings: list[Recording], fold: int) -> set[int]:
    """The writers in a fold for cross-validation, 0 to FOLDS - 1; the same ones for the same set of writers."""
    writers = np.random.default_rng(0).permutation(sorted({recording.writer for recording in recordings}))
    return set(writers[fold::FOLDS].tolist())


def _recording(number: int, entry: object) -> Recording:
    """Return the recording in an entry; raises MalformedRecordings where the entry does not hold one."""
    if not isinstance(entry, dict) or not {"label", "writer", "strokes"} <= entry.keys():
        raise MalformedRecordings(f"entry {number}: not an object with label, writer and strokes")
    label, writer, strokes = entry["label"], entry["writer"], entry["strokes"]
    if type(label) is not int or label not in range(10):
        raise MalformedRecordings(f"entry {number}: the label is {label!r:.20}, expected an integer from 0 to 9")
    if type(writer) is not int:
        raise MalformedRecordings(f"entry {number}: the writer is {writer!r:.20}, expected an integer")
    if not isinstance(strokes, list) or not strokes:
        raise MalformedRecordings(f"entry {number}: no strokes")
    return Recording(label, writer, [_points(number, stroke) for stroke in strokes])


def _points(number: int, stroke: object) -> np.ndarray:
    """Return a stroke as (n, 2); raises MalformedRecordings where it is not a list of points."""
    # NumPy would accept "1" and true as numbers.
    if not isinstance(stroke, list) or not stroke or not all(map(_is_point, stroke)):
        raise MalformedRecordings(f"entry {number}: a stroke is not a list of points [x, y]")
    try:
        points = np.array(stroke, float)
    except OverflowError:  # an integer of hundreds of digits
        points = np.array([np.inf])
    if not np.isfinite(points).all():
        raise MalformedRecordings(f"entry {number}: a coordinate is not finite")
    return points


def _is_point(point: object) -> bool:
    return isinstance(point, list) and len(point) == 2 and all(type(value) in (int, float) for value in point)
