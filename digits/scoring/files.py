"""Files on this machine and at addresses that fsspec knows, such as s3://bucket/scans; written whole or not at all."""

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

UNFINISHED = ".tmp"


class Entry(NamedTuple):
    """A file or folder in a folder."""

    name: str
    is_folder: bool
    size: int  # bytes
    version: str  # changes with the content: a time or a checksum, as far as the file system tells


class Files(Protocol):
    """A file system; paths are strings that it knows."""

    def is_folder(self, path: str) -> bool: ...

    def exists(self, path: str) -> bool: ...

    def entry(self, path: str) -> Entry:
        """Raises OSError where there is none."""

    def entries(self, folder: str) -> Iterator[Entry]: ...

    def open(self, path: str) -> BinaryIO:
        """For reading, at any place."""

    def write(self, path: str, write: Callable[[BinaryIO], None]) -> None:
        """Write a file by calling `write`; it appears under its name when it is complete."""

    def remove(self, path: str) -> None:
        """A file, or a folder with all that is in it."""

    def make_folder(self, path: str) -> None: ...


class LocalFiles:
    """Files of this machine, by the standard library alone."""

    def is_folder(self, path: str) -> bool:
        return Path(path).is_dir()

    def exists(self, path: str) -> bool:
        return Path(path).exists()

    def entry(self, path: str) -> Entry:
        status = Path(path).stat()
        return Entry(Path(path).name, Path(path).is_dir(), status.st_size, str(status.st_mtime_ns))

    def entries(self, folder: str) -> Iterator[Entry]:
        with os.scandir(folder) as found:
            for each in found:
                is_folder = each.is_dir(follow_symlinks=False)
                if is_folder or each.is_file():  # neither pipes nor links to folders, which may lead in circles
                    status = each.stat()
                    yield Entry(each.name, is_folder, status.st_size, str(status.st_mtime_ns))

    def open(self, path: str) -> BinaryIO:
        return Path(path).open("rb")

    def write(self, path: str, write: Callable[[BinaryIO], None]) -> None:
        unfinished = Path(unfinished_name(path))
        try:
            with unfinished.open("wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())  # the name may outlive the content where the machine stops
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)

    def remove(self, path: str) -> None:
        if self.is_folder(path):
            for each in list(self.entries(path)):
                self.remove(joined(path, each.name))
            Path(path).rmdir()
        else:
            Path(path).unlink(missing_ok=True)

    def make_folder(self, path: str) -> None:
        Path(path).mkdir(parents=True, exist_ok=True)


class RemoteFiles:
    """Files of a file system of fsspec."""

    def __init__(self, filesystem) -> None:
        self.filesystem = filesystem

    def is_folder(self, path: str) -> bool:
        return self.filesystem.isdir(path)

    def exists(self, path: str) -> bool:
        return self.filesystem.exists(path)

    def entry(self, path: str) -> Entry:
        return entry_of(self.filesystem.info(path))

    def entries(self, folder: str) -> Iterator[Entry]:
        yield from map(entry_of, self.filesystem.ls(folder, detail=True, refresh=True))

    def open(self, path: str) -> BinaryIO:
        return self.filesystem.open(path, "rb")

    def write(self, path: str, write: Callable[[BinaryIO], None]) -> None:
        unfinished = unfinished_name(path)  # what fails is uploaded all the same when it is closed
        try:
            with self.filesystem.open(unfinished, "wb") as file:
                write(file)
            self.filesystem.mv(unfinished, path)
        finally:
            with suppress(FileNotFoundError):
                self.filesystem.rm(unfinished)

    def remove(self, path: str) -> None:
        with suppress(FileNotFoundError):
            self.filesystem.rm(path, recursive=True)

    def make_folder(self, path: str) -> None:
        self.filesystem.makedirs(path, exist_ok=True)


def entry_of(information: dict) -> Entry:
    """What fsspec tells of a file; its systems have several names for the version."""
    versions = (information.get(name) for name in ("ETag", "etag", "mtime", "LastModified", "last_modified", "created"))
    version = next((str(each) for each in versions if each), "")
    name = information["name"].rstrip("/").rpartition("/")[2]
    return Entry(name, information["type"] == "directory", information.get("size") or 0, version)


def files_at(address: str) -> tuple[Files, str]:
    """The file system of an address, and the path in it; raises ModuleNotFoundError without fsspec."""
    if "://" not in address:
        return LocalFiles(), Path(address).absolute().as_posix()
    import fsspec  # which small jobs on this machine do without

    filesystem, path = fsspec.url_to_fs(address)
    return RemoteFiles(filesystem), path


def joined(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}"


def unfinished_name(path: str) -> str:
    """Another one each time, as two workers may write the same file."""
    return f"{path}.{uuid.uuid4().hex}{UNFINISHED}"


def walk(files: Files, folder: str, below: str = "") -> Iterator[tuple[str, Entry]]:
    """All files in a folder and in the folders below it, with their paths in it, sorted by name."""
    for each in sorted(files.entries(joined(folder, below) if below else folder)):
        path = joined(below, each.name) if below else each.name
        if each.is_folder:
            yield from walk(files, folder, path)
        else:
            yield path, each
