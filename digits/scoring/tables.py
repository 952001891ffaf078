"""Files with many pictures: CSV in the gallery's forms, MNIST's IDX files and Parquet.

A part of such an input is a range of rows of one file, with what a worker needs to begin there.
"""

import itertools
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from digit_recognizer_dl_model.dataset import (
    IDX_HEADER,
    PIXELS,
    images_declared,
    is_header,
    parse_rows,
    row_fault,
)
from digit_recognizer_dl_model.frame import SIDE

from ..refusals import NoPicture, Refusal, UnusablePicture, UnusablePixels
from .files import Files
from .pictures import ROWS
from .rows import Place, Row, UnusableInput

PIXEL_ROWS = 10_000  # of a part, which take about a second
PICTURES = 16  # encoded pictures that are read together, which may have 25 MB each
LONGEST_LINE = 64 * 1024  # bytes; one with all its pixels at 255 has 3,140
PIXEL_RANGE = "784 whole numbers from 0 to 255 are expected."


def range_of(first: int, end: int, place: Place) -> dict:
    """What all parts of files with rows say."""
    return {"count": end - first, "first": first, "path": place.path, "name": place.name}


class Csv:
    """Lines of pixels, with or without labels and a header; a part begins at a byte."""

    kind = "csv"

    @staticmethod
    def parts(files: Files, place: Place, rows: int) -> Iterator[dict]:
        with files.open(place.path) as file:
            line = file.readline(LONGEST_LINE)
            text = line.decode("utf-8-sig", errors="replace")
            columns = text.count(",") + 1
            if columns not in (PIXELS, PIXELS + 1):
                raise UnusableInput(
                    f"{place.name} has {columns} columns,"
                    f" expected {PIXELS} pixels, with or without a label before them."
                )
            start = len(line) if is_header(text) else len(byte_order_mark(line))
            file.seek(start)
            for first, end, offset in ranges(file, start, rows):
                yield range_of(first, end, place) | {"offset": offset, "columns": columns}

    @staticmethod
    def read(files: Files, part: dict, batch: int) -> Iterator[Row]:
        first, end, columns = part["first"], part["first"] + part["count"], part["columns"]
        with files.open(part["path"]) as file:
            file.seek(part["offset"])
            lines = (line.rstrip().decode("utf-8", errors="replace") for line, _ in lines_of(file) if line.strip())
            for start in range(first, end, batch):
                chosen = list(itertools.islice(lines, min(batch, end - start)))
                for row, item in enumerate(pixels_of_lines(chosen, columns), start):
                    yield Row(part["name"], row, item)


def byte_order_mark(line: bytes) -> bytes:
    """The bytes by which some programs begin a text in UTF-8."""
    return line[:3] if line.startswith(b"\xef\xbb\xbf") else b""


def ranges(file: BinaryIO, start: int, rows: int) -> Iterator[tuple[int, int, int]]:
    """The first row, the end and the first byte of each so many lines; blank lines are no rows."""
    first, count, offset, here = 0, 0, start, start
    for line, size in lines_of(file):
        if line.strip():
            if count == rows:
                yield first, first + rows, offset
                first, count, offset = first + rows, 0, here
            count += 1
        here += size
    if count:
        yield first, first + count, offset


def lines_of(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Each line, of a long one only the beginning, and how many bytes it has."""
    while line := file.readline(LONGEST_LINE):
        size, rest = len(line), line
        while len(rest) == LONGEST_LINE and not rest.endswith(b"\n"):
            rest = file.readline(LONGEST_LINE)
            size += len(rest)
        yield line, size


def pixels_of_lines(lines: list[str], columns: int) -> Iterator[np.ndarray | UnusablePixels]:
    """The pixels of each line, or what is wrong with it."""
    dataset = parse_rows(lines, columns)
    if dataset is not None:
        yield from dataset.pixels
        return
    for line in lines:
        fault = row_fault(line, columns)
        yield UnusablePixels(f"{fault}.") if fault else parse_rows([line], columns).pixels[0]


class Idx:
    """MNIST's own form: a header, then the pixels of one image after the other."""

    kind = "idx"

    @staticmethod
    def parts(files: Files, place: Place, rows: int) -> Iterator[dict]:
        with files.open(place.path) as file:
            declared = images_declared(file.read(IDX_HEADER))
        if declared is None:
            raise UnusableInput(f"{place.name} is not an IDX file of 28x28 images.")
        for first in range(0, declared, rows):
            yield range_of(first, min(first + rows, declared), place)

    @staticmethod
    def read(files: Files, part: dict, batch: int) -> Iterator[Row]:
        first, end = part["first"], part["first"] + part["count"]
        with files.open(part["path"]) as file:
            file.seek(IDX_HEADER + first * PIXELS)
            for start in range(first, end, batch):
                data = file.read(min(batch, end - start) * PIXELS)
                whole = len(data) // PIXELS
                images = np.frombuffer(data, np.uint8, whole * PIXELS).reshape(whole, SIDE, SIDE)
                missing = itertools.repeat(UnusablePixels("The file ends before this image."))
                items = itertools.chain(images, missing)
                for row, item in zip(range(start, min(start + batch, end)), items, strict=False):
                    yield Row(part["name"], row, item)


class Parquet:
    """A column of encoded pictures, as they are or as the Hugging Face hub keeps them, or of lists of pixels."""

    kind = "parquet"

    @staticmethod
    def parts(files: Files, place: Place, rows: int | None, column: str | None) -> Iterator[dict]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with files.open(place.path) as file, pq.ParquetFile(file) as table:
                name, holds = column_of(table.schema_arrow, column, place.name)
                groups = [table.metadata.row_group(group).num_rows for group in range(table.num_row_groups)]
        except (pa.ArrowException, OSError) as error:
            raise UnusableInput(f"{place.name} is damaged, or no Parquet file ({error}).") from error
        most = rows or (ROWS if holds == "pictures" else PIXEL_ROWS)
        for first, end in row_ranges(groups, most):
            yield range_of(first, end, place) | {"column": name, "holds": holds}

    @staticmethod
    def read(files: Files, part: dict, batch: int) -> Iterator[Row]:
        import pyarrow.parquet as pq

        # Not all of a row group at once, which may be the whole file.
        with files.open(part["path"]) as file, pq.ParquetFile(file, buffer_size=1024**2, pre_buffer=False) as table:
            first, end = part["first"], part["first"] + part["count"]
            start = 0
            for group in range(table.num_row_groups):
                stop = start + table.metadata.row_group(group).num_rows
                if stop > first and start < end:
                    wanted = range(max(start, first), min(stop, end))
                    items = items_of_group(table, group, part, wanted.start - start, wanted.stop - start, batch)
                    for row, item in zip(wanted, items, strict=False):
                        yield Row(part["name"], row, item)
                start = stop


def items_of_group(table, group: int, part: dict, first: int, end: int, batch: int) -> Iterator[np.ndarray | Refusal]:
    """What these rows of a row group hold; once the file is damaged, refusals without end."""
    import pyarrow as pa

    holds_pictures = part["holds"] == "pictures"
    size, start = min(batch, PICTURES) if holds_pictures else batch, 0
    try:
        for found in table.iter_batches(size, [group], [part["column"]], use_threads=False):
            column = found.column(0).slice(max(first - start, 0), max(end - max(first, start), 0))
            yield from pictures_of(column) if holds_pictures else pixels_of(column)
            start += len(found)
    except (pa.ArrowException, OSError) as error:
        yield from itertools.repeat(UnusablePicture(f"The file is damaged here ({str(error).splitlines()[0]})."))


def column_of(schema, chosen: str | None, file: str) -> tuple[str, str]:
    """The column that is read, and whether it holds pictures or pixels."""
    found = {field.name: holds for field in schema if (holds := holds_what(field.type))}
    if chosen:
        found = {name: holds for name, holds in found.items() if name == chosen}
    if len(found) == 1:
        return next(iter(found.items()))
    if not found:
        wanted = f"named {chosen} " if chosen else ""
        raise UnusableInput(
            f"{file} has no column {wanted}of encoded pictures (binary, or a struct with bytes)"
            " or of lists of 784 pixels."
        )
    raise UnusableInput(f"{file} has several columns that could be read; name one by --column: {', '.join(found)}.")


def holds_what(kind) -> str | None:
    """Whether a column of this type may hold pictures or pixels."""
    from pyarrow import types

    if types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
        kind = kind.field("bytes").type
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind):
        return "pictures"
    is_list = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    if is_list and (types.is_integer(kind.value_type) or types.is_floating(kind.value_type)):
        return "pixels"
    return None


def row_ranges(groups: list[int], most: int) -> Iterator[tuple[int, int]]:
    """Ranges of at most so many rows; they end where row groups end, unless a group is larger."""
    first = end = 0
    for rows in groups:
        if end > first and end - first + rows > most:
            yield first, end
            first = end
        end += rows
        while end - first > most:
            yield first, first + most
            first += most
    if end > first:
        yield first, end


def pictures_of(column) -> Iterator[bytes | NoPicture]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_struct(column.type):
        column = pc.struct_field(column, "bytes")
    for value in column:
        yield value.as_py() or NoPicture("There is no picture in this row.")


def pixels_of(column) -> Iterator[np.ndarray | UnusablePixels]:
    """The pixels of each row of a column of lists, or what is wrong with it."""
    import pyarrow as pa

    values = column.flatten()  # without what null rows may have
    is_even = pa.types.is_fixed_size_list(column.type) and column.type.list_size == PIXELS
    if column.null_count or values.null_count or not (is_even or set(column.value_lengths().to_pylist()) == {PIXELS}):
        yield from (pixels_of_values(value.as_py()) for value in column)
        return
    table = values.to_numpy(zero_copy_only=False).reshape(-1, PIXELS)
    with np.errstate(invalid="ignore"):  # of numbers that uint8 does not hold, which the comparison finds
        pixels = table.astype(np.uint8)
    is_right = (pixels == table).all(axis=1)
    for row, right in zip(pixels.reshape(-1, SIDE, SIDE), is_right.tolist(), strict=True):
        yield row if right else UnusablePixels(PIXEL_RANGE)


def pixels_of_values(values: list | None) -> np.ndarray | UnusablePixels:
    if values is None:
        return UnusablePixels("There are no pixels in this row.")
    if len(values) != PIXELS or not all(value in range(256) for value in values):
        return UnusablePixels(PIXEL_RANGE)
    return np.array(values, np.uint8).reshape(SIDE, SIDE)
