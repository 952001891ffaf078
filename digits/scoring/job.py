"""A job: which parts an input has, fixed when it is started first, and which of them are done.

The folder of the output holds all of it, so a job that was interrupted in any way goes on from there:

    _job.json      what was asked for, and of what input; written last, so that the job is there whole or not at all
    _parts.jsonl   a line for each part: where a worker finds its rows
    _unpacked/     files that came compressed, while the job is running
    part-000000.…  the answers to a part; a part is done if this file is there
    _SUCCESS       an empty file, when all parts are done

Engines leave out files whose names begin with an underscore.
"""

import bz2
import gzip
import hashlib
import json
import lzma
import re
import shutil
import zlib
from collections.abc import Iterable, Iterator
from functools import partial
from typing import BinaryIO, NamedTuple, Self

from django.conf import settings

from digit_recognizer_dl_model.scorer import Scorer

from ..pictures.formats import READ
from .files import UNFINISHED, Entry, Files, files_at, joined, walk
from .forms import FORMS, Columns
from .pictures import ROWS, Folder, Tar, Zip, is_picture
from .rows import Place, Row, UnusableInput
from .tables import PIXEL_ROWS, Csv, Idx, Parquet

JOB, PARTS, UNPACKED, SUCCESS = "_job.json", "_parts.jsonl", "_unpacked", "_SUCCESS"
PART = "part-{:06}{}"
KINDS = {kind.kind: kind for kind in (Folder, Zip, Tar, Parquet, Csv, Idx)}
PATTERNS = {
    Parquet: r"\.parquet",
    Csv: r"\.csv",
    Idx: r"[-.]idx3-ubyte|\.idx",
    Zip: r"\.zip",
    Tar: r"\.tar|\.tgz",
}
UNPACKERS = {".gz": gzip.open, ".tgz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
DAMAGE = (EOFError, OSError, lzma.LZMAError, zlib.error)
# Settings of which an answer depends.
LIMITS = ("MAX_PICTURE_BYTES", "MAX_JPEG_PIXELS", "MAX_PICTURE_PIXELS", "MAX_PICTURE_SIDE", "MAX_PICTURE_SECONDS")
WHAT = f"a folder or an archive (zip, tar) of {READ} pictures, CSV, Parquet or IDX"


class Asked(NamedTuple):
    """What a job is asked for; a job that goes on must be asked for the same."""

    input: str  # a path or an address
    format: str  # of the output, a key of FORMS
    part_size: int | None = None  # rows
    column: str | None = None  # of Parquet files


class Mismatch(ValueError):
    """An output that belongs to another job; the message says in what they differ."""


class Job:
    """A job that has been started: what it was asked for, and its parts."""

    def __init__(self, files: Files, folder: str, record: dict) -> None:
        self.files, self.folder, self.record = files, folder, record
        self.form = FORMS[record["asked"]["format"]]
        self.input_files, _ = files_at(record["asked"]["input"])

    @classmethod
    def opened(cls, output: str) -> Self:
        """The job whose output is in this folder; raises OSError where there is none."""
        files, folder = files_at(output)
        with files.open(joined(folder, JOB)) as file:
            return cls(files, folder, json.load(file))

    @classmethod
    def started(cls, output: str, asked: Asked) -> Self:
        """Start a job, or go on with it where it has been started.

        Raises UnusableInput, and Mismatch where the folder holds another job or anything else.
        """
        files, folder = files_at(output)
        record = record_of(asked)
        if files.exists(joined(folder, JOB)):
            job = cls.opened(output)
            job.check(record)
            return job
        if files.exists(folder):
            found = {entry.name for entry in files.entries(folder) if not entry.name.endswith(UNFINISHED)}
            if found - {PARTS, UNPACKED}:
                raise Mismatch(f"{output} holds something else; name a folder that is empty or does not exist.")
        files.make_folder(folder)
        job = cls(files, folder, record)
        job.divide()
        return job

    def check(self, record: dict) -> None:
        """Raises Mismatch where a record, or as much of it as there is, says something else."""
        asked, before = record.get("asked", {}), self.record["asked"]
        differences = [f"{name} {before[name]}, not {asked[name]}" for name in asked if asked[name] != before[name]]
        differences += [
            words for name, words in CHANGES.items() if record.get(name, self.record[name]) != self.record[name]
        ]
        if differences:
            raise Mismatch(f"{self.folder} holds a job that was started with {', and with '.join(differences)}.")

    def divide(self) -> None:
        """Write down which parts there are, and then that there is a job."""
        counts = []

        def write(file: BinaryIO) -> None:
            for part in self.divided():
                counts.append(part["count"])
                file.write(json.dumps(part).encode() + b"\n")

        self.files.write(joined(self.folder, PARTS), write)
        if not counts:
            raise UnusableInput(f"{self.record['asked']['input']} has nothing to read; expected {WHAT}.")
        self.record |= {"parts": len(counts), "rows": sum(counts)}
        self.files.write(joined(self.folder, JOB), lambda file: file.write(json.dumps(self.record, indent=1).encode()))

    def divided(self) -> Iterator[dict]:
        asked = Asked(**self.record["asked"])
        kind = KINDS[self.record["kind"]]
        root, names = root_and_names(asked.input, kind)
        if kind is Folder:
            yield from Folder.parts((name for name, _ in names), asked.part_size or ROWS, path=root, kind=kind.kind)
            return
        for name, _ in names:
            files, place, is_unpacked = self.unpacked(root, name)
            if kind is Parquet:
                parts = Parquet.parts(files, place, asked.part_size, asked.column)
            elif kind in (Zip, Tar):
                parts = kind.parts(files, place.path, asked.part_size or ROWS)
            else:
                parts = kind.parts(files, place, asked.part_size or PIXEL_ROWS)
            yield from (part | {"kind": kind.kind, "is_unpacked": is_unpacked} for part in parts)

    def unpacked(self, root: str, name: str) -> tuple[Files, Place, bool]:
        """Where a file of the input can be read at any place: a compressed one is unpacked beside the parts."""
        path = joined(root, name)
        suffix = next((suffix for suffix in UNPACKERS if name.lower().endswith(suffix)), None)
        if not suffix:
            return self.input_files, Place(name, path), False
        digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        target = joined(joined(self.folder, UNPACKED), digest)
        self.files.make_folder(joined(self.folder, UNPACKED))

        def write(file: BinaryIO) -> None:
            with self.input_files.open(path) as packed, UNPACKERS[suffix](packed) as content:
                shutil.copyfileobj(content, file, 1024**2)

        try:
            self.files.write(target, write)
        except DAMAGE as error:
            raise UnusableInput(f"{name} can't be unpacked ({error}).") from error
        return self.files, Place(name, target), True

    @property
    def rows_in_all(self) -> int:
        return self.record["rows"]

    def pending(self) -> list[tuple[int, int, int]]:
        """The parts that are not done: their number, the byte at which their line begins, and their rows."""
        done = {entry.name for entry in self.files.entries(self.folder)}
        found, place = [], 0
        with self.files.open(joined(self.folder, PARTS)) as file:
            for number, line in enumerate(file):
                if self.part_name(number) not in done:
                    found.append((number, place, int(COUNT.match(line)[1])))
                place += len(line)
        return found

    def part(self, place: int) -> dict:
        """The part whose line begins at this byte."""
        with self.files.open(joined(self.folder, PARTS)) as file:
            file.seek(place)
            return json.loads(file.readline())

    def rows_of(self, part: dict, batch: int) -> Iterator[Row]:
        """The rows of a part, which are read a batch at a time."""
        files = self.files if part.get("is_unpacked") else self.input_files
        return KINDS[part["kind"]].read(files, part, batch)

    def part_name(self, number: int) -> str:
        return PART.format(number, self.form.suffix)

    def write(self, number: int, columns: Columns) -> None:
        """Write the file of a part; a worker that does the same at the same time does no harm."""
        self.files.write(joined(self.folder, self.part_name(number)), lambda file: self.form.write(file, columns))

    def finish(self) -> None:
        """Say that all parts are done, and remove what was needed to do them."""
        for entry in list(self.files.entries(self.folder)):
            if entry.name == UNPACKED or entry.name.endswith(UNFINISHED):
                self.files.remove(joined(self.folder, entry.name))
        self.files.write(joined(self.folder, SUCCESS), lambda file: None)

    def join(self, path: str) -> None:
        """Put all parts together in one file on the same file system, in the order of the input."""
        names = (joined(self.folder, self.part_name(number)) for number in range(self.record["parts"]))
        parts = (partial(self.files.open, name) for name in names)
        self.files.write(path, lambda file: self.form.join(parts, file))


COUNT = re.compile(rb'\{"count": ([0-9]+)')  # how the line of a part begins
# What else in a record must be the same, in words.
CHANGES = {
    "version": "files that have changed since",
    "weights": "other weights",
    "limits": "other limits in the settings",
}


def record_of(asked: Asked) -> dict:
    """What a job is: what is asked for, and on what its answers depend."""
    files, path = files_at(asked.input)
    if "://" not in asked.input:
        asked = asked._replace(input=path)
    kind = kind_of(files, path, asked.input)
    _, names = root_and_names(asked.input, kind)
    return {
        "asked": asked._asdict(),
        "kind": kind.kind,
        "version": version_of(names),
    } | here()


def here() -> dict:
    """On what the answers of this machine depend, beside the input."""
    return {"weights": Scorer().sha256, "limits": {name: getattr(settings, name) for name in LIMITS}}


def kind_of(files: Files, path: str, shown: str) -> type:
    """The kind of an input. A folder counts as pictures if it has any, else as Parquet, CSV or IDX, in this order."""
    if not files.exists(path):
        raise UnusableInput(f"{shown} does not exist.")
    if not files.is_folder(path):
        kind = kind_of_name(path)
        if kind is None:
            raise UnusableInput(f"{shown}: this kind of file can't be read; expected {WHAT}.")
        return kind
    found = set()
    for name, _ in walk(files, path):
        kind = kind_of_name(name)
        if kind is Folder:
            return Folder
        found.add(kind)
    for kind in (Parquet, Csv, Idx):
        if kind in found:
            return kind
    raise UnusableInput(f"{shown} has nothing to read; expected {WHAT}.")


def kind_of_name(name: str) -> type | None:
    if is_picture(name):
        return Folder
    packed = r"(\.gz|\.bz2|\.xz)?"
    return next((kind for kind, end in PATTERNS.items() if re.search(f"({end}){packed}$", name.lower())), None)


def root_and_names(address: str, kind: type) -> tuple[str, Iterator[tuple[str, Entry]]]:
    """A folder, and the paths in it of all files of an input."""
    files, path = files_at(address)
    if files.is_folder(path):
        return path, ((name, entry) for name, entry in walk(files, path) if kind_of_name(name) is kind)
    root, _, name = path.rpartition("/")
    return root, iter([(name, files.entry(path))])


def version_of(names: Iterable[tuple[str, Entry]]) -> str:
    """A checksum of the names, sizes and versions of all files of an input."""
    digest = hashlib.sha256()
    for name, entry in names:
        digest.update(json.dumps([name, entry.size, entry.version]).encode())
    return digest.hexdigest()
