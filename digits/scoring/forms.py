"""The files of an output: Parquet, CSV, and the CSV that training reads; each part is one, and they can be joined."""

import csv
import io
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO

import numpy as np

from digit_recognizer_dl_model.dataset import PIXELS

COLUMNS = ("path", "row", "digit", "confidence", "uncertain", "reason", "error")
ROW_GROUP = 100_000  # rows of a Parquet file that are read together
# What a part becomes: for each column, the values of its rows.
Columns = dict[str, list]


class CsvForm:
    """A line for each row; what a row does not have is empty."""

    name, suffix, needs = "csv", ".csv", ()
    keeps_pixels = False
    header = COLUMNS

    def lines(self, columns: Columns) -> Iterable[Iterable]:
        """What each row writes."""
        truths = ("" if value is None else str(value).lower() for value in columns["uncertain"])
        return zip(*((columns | {"uncertain": truths})[name] for name in COLUMNS), strict=True)

    def write(self, file: BinaryIO, columns: Columns) -> None:
        text = io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.header)
        writer.writerows(self.lines(columns))
        text.detach()  # flushes, and leaves the file open

    def join(self, parts: Iterable[Callable[[], BinaryIO]], file: BinaryIO) -> None:
        """All parts in one file, line by line."""
        for number, open_part in enumerate(parts):
            with open_part() as part:
                header = part.readline()
                file.write(header if number == 0 else b"")
                while block := part.read(1024**2):
                    file.write(block)


class TrainingForm(CsvForm):
    """The digits that are certain, as training reads its images: the label, then 784 pixels."""

    name = "training"
    keeps_pixels = True
    header = ("label", *(f"pixel{i}" for i in range(PIXELS)))

    def lines(self, columns: Columns) -> Iterable[Iterable]:
        for digit, uncertain, pixels in zip(columns["digit"], columns["uncertain"], columns["pixels"], strict=True):
            if uncertain is False:  # None where there is an error
                yield [digit, *np.ravel(pixels).tolist()]


class ParquetForm:
    name, suffix, needs = "parquet", ".parquet", ("pyarrow",)
    keeps_pixels = False

    @property
    def schema(self) -> Any:
        import pyarrow as pa

        kinds = pa.string(), pa.int64(), pa.int8(), pa.float32(), pa.bool_(), pa.string(), pa.string()
        return pa.schema(list(zip(COLUMNS, kinds, strict=True)))

    def write(self, file: BinaryIO, columns: Columns) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        printable = [path.encode("utf-8", "backslashreplace").decode() for path in columns["path"]]
        chosen = {name: columns[name] for name in COLUMNS} | {"path": printable}
        pq.write_table(pa.table(chosen, schema=self.schema), file)

    def join(self, parts: Iterable[Callable[[], BinaryIO]], file: BinaryIO) -> None:
        """All parts in one file, one in memory at a time; rows of small parts share a row group."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        with pq.ParquetWriter(file, self.schema) as writer:
            waiting = []
            for open_part in parts:
                with open_part() as part:
                    waiting.append(pq.read_table(part))
                if sum(map(len, waiting)) >= ROW_GROUP:
                    writer.write_table(pa.concat_tables(waiting))
                    waiting = []
            if waiting:
                writer.write_table(pa.concat_tables(waiting))


FORMS = {form.name: form for form in (ParquetForm(), CsvForm(), TrainingForm())}
