"""Get MNIST from its public mirrors or from a folder, and write it as the CSV files that this project reads."""

import gzip
import hashlib
import io
import tempfile
import zlib
from functools import partial
from pathlib import Path
from typing import NamedTuple

from django.core.management.base import CommandError

from digit_recognizer_dl_model.dataset import Dataset, read_idx, write_csv
from digits.management.download import FetchCommand, UnusableFile


class IdxFile(NamedTuple):
    """One of the four files in which MNIST is published; size and checksum are those of the uncompressed file."""

    name: str
    size: int
    sha256: str


# Each CSV file is made of one IDX file of images and one of labels.
SOURCES = {
    "mnist_train.csv": (
        IdxFile(
            "train-images-idx3-ubyte", 47040016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
        ),
        IdxFile("train-labels-idx1-ubyte", 60008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    ),
    "mnist_test.csv": (
        IdxFile("t10k-images-idx3-ubyte", 7840016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
        IdxFile("t10k-labels-idx1-ubyte", 10008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    ),
}
MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
GZIP_MAGIC = b"\x1f\x8b"


class Command(FetchCommand):
    """`python manage.py fetch_mnist`."""

    help = "Download MNIST, or take it from a folder, and write mnist_train.csv and mnist_test.csv."
    mirrors = MIRRORS
    folder_help = "read the four IDX files, as NAME.gz or NAME, from this folder instead of downloading them"
    way_out = (
        "Put the four files that data/README.md lists, obtained elsewhere, into one folder and run: "
        "python manage.py fetch_mnist --from FOLDER"
    )

    def fetch(self, folder: Path | None, mirrors: list[str], target: Path):
        """Get and check all four files first, so that a failed download changes nothing; then write."""
        read = partial(read_from, folder) if folder else partial(self.download_idx, mirrors)
        datasets = {name: read_idx(read(images), read(labels)) for name, (images, labels) in SOURCES.items()}
        for name, dataset in datasets.items():
            self.write(target / name, dataset)
        counts = " and ".join(f"{name} ({len(dataset.labels):,} images)" for name, dataset in datasets.items())
        self.stdout.write(f"Wrote {counts} to {target}.")

    def download_idx(self, mirrors: list[str], file: IdxFile) -> bytes:
        """Return the uncompressed content of one file from a mirror."""
        return self.download(mirrors, f"{file.name}.gz", partial(verified, file=file))

    def write(self, path: Path, dataset: Dataset):
        """Write one CSV file whole or not at all."""
        with (
            self.writing(path),
            # A folder inside the target, because a file can be replaced in one step only on the same disk.
            tempfile.TemporaryDirectory(dir=path.parent, prefix=".fetch_mnist-") as scratch,
        ):
            unfinished = Path(scratch, path.name)
            write_csv(unfinished, dataset)
            unfinished.replace(path)


def read_from(folder: Path, file: IdxFile) -> bytes:
    """Return the uncompressed content of one file in a folder, where it may be gzipped."""
    for path in (folder / f"{file.name}.gz", folder / file.name):
        try:
            return verified(path.read_bytes(), file)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror or error}") from error
        except UnusableFile as error:
            raise CommandError(f"{path}: {error}") from error
    raise CommandError(f"{folder} has neither {file.name}.gz nor {file.name}.")


def verified(content: bytes, file: IdxFile) -> bytes:
    """Return the uncompressed content if it is the published one; raises UnusableFile otherwise."""
    if content.startswith(GZIP_MAGIC):
        try:
            with gzip.open(io.BytesIO(content)) as stream:
                # Reading one byte too many shows that a file is too large without decompressing all of it.
                content = stream.read(file.size + 1)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise UnusableFile(f"a damaged gzip file ({error})") from error
    if len(content) > file.size:
        raise UnusableFile(f"larger than the {file.size:,} bytes that were published")
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != file.sha256:
        raise UnusableFile(f"not the published file: its SHA-256 is {sha256}, expected {file.sha256}")
    return content
