"""MNIST as files: the CSV that this project reads and writes, and the IDX files that MNIST is published in."""

import gzip
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .frame import SIDE

PIXELS = SIDE * SIDE
DATA = Path(__file__).parent.parent / "data"
IDX_IMAGES_MAGIC = 2051
IDX_LABELS_MAGIC = 2049
IDX_HEADER = 16  # bytes before the images
# As a cell of a CSV file has them.
PIXEL_VALUES, LABEL_VALUES = frozenset(map(str, range(256))), frozenset(map(str, range(10)))


class MalformedDataset(ValueError):
    """A file that does not hold MNIST images in the expected form; the message names the file and the line."""


class Dataset(NamedTuple):
    """Images and their labels.

    pixels: (n, 28, 28) uint8, ink 255 on 0.
    labels: (n,) uint8, 0-9, or None where the file has none (Kaggle's test.csv).
    """

    pixels: np.ndarray
    labels: np.ndarray | None


def read_csv(path: Path) -> Dataset:
    """Read MNIST from CSV, plain or gzipped, with or without a header line and a label column.

    A line is `label,pixel0,...,pixel783` or `pixel0,...,pixel783`, integers from 0 to 255, row by row from the top
    left. Raises MalformedDataset for any other content, and FileNotFoundError where there is no file.
    """
    lines = _read_lines(path)
    first = 1 if lines and is_header(lines[0]) else 0
    rows = lines[first:]
    while rows and not rows[-1].strip():
        rows.pop()
    if not rows:
        raise MalformedDataset(f"{path}, line {first + 1}: no images, the file is empty")
    columns = lines[0].count(",") + 1
    dataset = parse_rows(rows, columns)
    if dataset is None:
        raise _first_fault(path, rows, first, columns)
    return dataset


def parse_rows(rows: list[str], columns: int) -> Dataset | None:
    """Rows of a CSV file of so many columns, one at least, as a dataset; None where any of them is malformed."""
    try:
        table = np.loadtxt(rows, delimiter=",", dtype=np.int16, comments=None, ndmin=2)  # (n, 784 or 785)
    except ValueError:
        return None
    if columns not in (PIXELS, PIXELS + 1) or table.shape != (len(rows), columns):
        return None
    labels, pixels = (table[:, 0], table[:, 1:]) if columns > PIXELS else (None, table)
    if pixels.min() < 0 or pixels.max() > 255 or (labels is not None and not set(np.unique(labels)) <= set(range(10))):
        return None
    return Dataset(
        pixels.astype(np.uint8).reshape(-1, SIDE, SIDE),
        None if labels is None else labels.astype(np.uint8),
    )


def write_csv(path: Path, dataset: Dataset) -> None:
    """Write labelled images as CSV with the header `label,pixel0,...,pixel783`."""
    table = np.column_stack([dataset.labels, dataset.pixels.reshape(-1, PIXELS)])  # (n, 785)
    header = ",".join(["label", *(f"pixel{i}" for i in range(PIXELS))])
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.write(header + "\n")
        file.writelines(",".join(map(str, row)) + "\n" for row in map(np.ndarray.tolist, table))


def read_idx(images: bytes, labels: bytes) -> Dataset:
    """Read the uncompressed contents of one pair of MNIST's IDX files.

    Source: the format as described at http://yann.lecun.com/exdb/mnist/ (big-endian 32-bit sizes, then bytes).
    Raises MalformedDataset where the sizes and the contents disagree.
    """
    count = images_declared(images[:IDX_HEADER])
    if count is None or len(images) != IDX_HEADER + count * PIXELS:
        raise MalformedDataset("not an IDX file of 28x28 images")
    magic, label_count = np.frombuffer(labels[:8].ljust(8, b"\0"), dtype=">u4").tolist()
    if magic != IDX_LABELS_MAGIC or label_count != count or len(labels) != 8 + count:
        raise MalformedDataset(f"not an IDX file of labels for {count} images")
    return Dataset(
        np.frombuffer(images, dtype=np.uint8, offset=IDX_HEADER).reshape(count, SIDE, SIDE),
        np.frombuffer(labels, dtype=np.uint8, offset=8),
    )


def images_declared(header: bytes) -> int | None:
    """How many images an IDX file says that it has; None if these are not the first bytes of one of 28x28 images."""
    magic, count, height, width = np.frombuffer(header.ljust(IDX_HEADER, b"\0"), dtype=">u4").tolist()
    return count if (magic, height, width) == (IDX_IMAGES_MAGIC, SIDE, SIDE) else None


def _read_lines(path: Path) -> list[str]:
    try:
        raw = path.read_bytes()
        if raw[:2] == b"\x1f\x8b":
            raw = gzip.decompress(raw)
        return raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise MalformedDataset(f"{path}, line {line}: not text, so not a CSV file") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise MalformedDataset(f"{path}, line 1: a damaged gzip file ({error})") from error


def is_header(line: str) -> bool:
    """Whether the first line of a CSV file names its columns."""
    names = line.split(",")
    return len(names) in (PIXELS, PIXELS + 1) and not any(_is_number(name) for name in names[:2])


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _first_fault(path: Path, rows: list[str], first: int, columns: int) -> MalformedDataset:
    """Read the lines that NumPy refused one by one; return an error that names the first bad one."""
    if columns not in (PIXELS, PIXELS + 1):
        return MalformedDataset(
            f"{path}, line 1: {columns} columns, expected {PIXELS} pixels, with or without a label before them"
        )
    for number, row in enumerate(rows, start=first + 1):
        if fault := row_fault(row, columns):
            return MalformedDataset(f"{path}, line {number}: {fault}")
    return MalformedDataset(f"{path}: cannot be read as numbers")


def row_fault(row: str, columns: int) -> str | None:
    """What is wrong with a row of a CSV file of 784 or 785 columns; None if nothing is."""
    cells = row.split(",")
    if len(cells) != columns:
        return f"{len(cells)} columns, expected {columns}"
    for pixel, cell in enumerate(cells, start=PIXELS - columns):  # a label is counted as pixel -1
        if cell.strip() not in (PIXEL_VALUES if pixel >= 0 else LABEL_VALUES):
            name, largest = (f"pixel{pixel}", 255) if pixel >= 0 else ("the label", 9)
            return f"{name} is {cell.strip()[:20]!r}, expected an integer from 0 to {largest}"
    return None
