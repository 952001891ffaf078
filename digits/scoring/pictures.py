"""Pictures that are files: in folders, and in zip and tar archives.

A part of such an input is a list of pictures, each with its place in the archive, so that a worker reads it at once.
"""

import itertools
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from django.conf import settings

from ..pictures.formats import SUFFIXES
from ..refusals import NoPicture, Refusal, TooLarge, UnusablePicture
from .files import Files, joined
from .rows import Row, UnusableInput

ROWS = 1000  # pictures of a part, which take a second or two
ZIP_HEADER = 30  # bytes, of which the last four are the lengths of the name and of what follows it
ENCRYPTED = 1  # a flag in a zip archive


def is_picture(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def parts_of(pictures: Iterable[list], rows: int, **shared: str) -> Iterator[dict]:
    """Parts of so many pictures, each a list of its name and its place."""
    pictures = iter(pictures)
    while chosen := list(itertools.islice(pictures, rows)):
        yield {"count": len(chosen), "pictures": chosen} | shared


class Folder:
    """Pictures in a folder and in those below it; their place is their name."""

    kind = "folder"

    @staticmethod
    def parts(names: Iterable[str], rows: int, **shared: str) -> Iterator[dict]:
        return parts_of(([name] for name in names), rows, **shared)

    @staticmethod
    def read(files: Files, part: dict, batch: int) -> Iterator[Row]:
        for [name] in part["pictures"]:
            yield Row(name, None, content_or_refusal(files, joined(part["path"], name)))


class Tar:
    """Pictures in a tar archive; their place is where their bytes begin, and how many they are."""

    kind = "tar"

    @staticmethod
    def parts(files: Files, path: str, rows: int) -> Iterator[dict]:
        def members() -> Iterator[list]:
            with files.open(path) as file, tarfile.open(fileobj=file, mode="r:") as archive:
                while member := archive.next():
                    archive.members.clear()  # of which it keeps a list, however long it becomes
                    if member.isreg() and not member.sparse and is_picture(member.name):
                        yield [member.name, member.offset_data, member.size]

        try:
            yield from parts_of(members(), rows, path=path)
        except tarfile.TarError as error:
            raise UnusableInput(f"{path} is damaged, or no tar archive ({error}).") from error

    @staticmethod
    def read(files: Files, part: dict, batch: int) -> Iterator[Row]:
        with files.open(part["path"]) as archive:
            for name, start, size in part["pictures"]:
                archive.seek(start)
                yield Row(name, None, read_or_refuse(archive, size))


class Zip:
    """Pictures in a zip archive; their place is their header's, then their size, their method and their checksum."""

    kind = "zip"

    @staticmethod
    def parts(files: Files, path: str, rows: int) -> Iterator[dict]:
        try:
            with files.open(path) as file, zipfile.ZipFile(file) as archive:
                members = (
                    [
                        member.filename,
                        member.header_offset,
                        member.compress_size,
                        None if member.flag_bits & ENCRYPTED else member.compress_type,
                        member.CRC,
                    ]
                    for member in archive.infolist()
                    if is_picture(member.filename) and not member.is_dir()
                )
                yield from parts_of(members, rows, path=path)
        except zipfile.BadZipFile as error:
            raise UnusableInput(f"{path} is damaged, or no zip archive ({error}).") from error

    @staticmethod
    def read(files: Files, part: dict, batch: int) -> Iterator[Row]:
        """Without the archive's directory, which each worker would have to read and to keep."""
        with files.open(part["path"]) as archive:
            for name, header, size, method, checksum in part["pictures"]:
                archive.seek(header)
                lengths = archive.read(ZIP_HEADER)[-4:]
                archive.seek(int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little"), 1)
                data = read_or_refuse(archive, size)
                yield Row(name, None, data if isinstance(data, Refusal) else unzipped(data, method, checksum))


def content_or_refusal(files: Files, path: str) -> bytes | Refusal:
    """An encoded picture that is a file, or why there is none."""
    try:
        with files.open(path) as file:
            return read_or_refuse(file, settings.MAX_PICTURE_BYTES + 1, is_whole=False)
    except OSError as error:
        return NoPicture(f"{error.strerror or error}.")


def read_or_refuse(file: BinaryIO, size: int, is_whole: bool = True) -> bytes | Refusal:
    """The next bytes of a file, no more than a picture may have; a refusal where that many are not there."""
    data = file.read(min(size, settings.MAX_PICTURE_BYTES + 1))
    if len(data) > settings.MAX_PICTURE_BYTES:
        return TooLarge.over("picture", settings.MAX_PICTURE_BYTES)
    if not data:
        return NoPicture("This file is empty.")
    if is_whole and len(data) < size:
        return UnusablePicture("The archive ends in the middle of this picture.")
    return data


def unzipped(data: bytes, method: int | None, checksum: int) -> bytes | Refusal:
    """What a picture in a zip archive is when it is unpacked, no further than tells that it is too large."""
    if method is None:
        return UnusablePicture("This picture is encrypted.")
    if method == zipfile.ZIP_DEFLATED:
        try:
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, settings.MAX_PICTURE_BYTES + 1)
        except zlib.error:
            return UnusablePicture("This picture is damaged in the archive.")
    elif method != zipfile.ZIP_STORED:
        return UnusablePicture("This picture is compressed by a method that is not read; deflate is.")
    if len(data) > settings.MAX_PICTURE_BYTES:
        return TooLarge.over("picture", settings.MAX_PICTURE_BYTES)
    if not data:
        return NoPicture("This file is empty.")
    if zlib.crc32(data) != checksum:
        return UnusablePicture("This picture is damaged in the archive.")
    return data
