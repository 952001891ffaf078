"""Get MNIST from its public mirrors, or from a folder, and write it as the CSV files that this project reads."""

import gzip
import hashlib
import io
import tempfile
import zlib
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.request import urlopen

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from digit_recognizer_dl_model.dataset import Dataset, read_idx, write_csv


class IdxFile(NamedTuple):
    """One of the four files MNIST is published in; size and checksum are of the uncompressed payload."""

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
SILENCE_SECONDS = 30  # a mirror that sends nothing for so long is given up
LARGEST_DOWNLOAD = 64 * 10**6  # bytes; the largest of the four files has 10 MB packed and 47 MB unpacked
CHUNK = 64 * 1024  # bytes between two redraws of the progress bar
GZIP_MAGIC = b"\x1f\x8b"
INTERRUPTED = 130  # the exit code by which shells know Ctrl-C


class UnusableFile(Exception):
    """What arrived is not the file that was asked for; the message says why."""


class Command(BaseCommand):
    """`python manage.py fetch_mnist`."""

    help = "Download MNIST, or take it from a folder, and write mnist_train.csv and mnist_test.csv."
    # It fills a checkout that may not be complete yet.
    requires_system_checks = ()

    def add_arguments(self, parser):
        """Define --from or --mirror, and --to."""
        origin = parser.add_mutually_exclusive_group()
        origin.add_argument(
            "--from",
            dest="folder",
            metavar="DIR",
            type=Path,
            help="read the four IDX files, as NAME.gz or NAME, from this folder instead of downloading them",
        )
        origin.add_argument(
            "--mirror",
            dest="mirrors",
            metavar="URL",
            action="append",
            help="download from this address instead of the public mirrors; repeat it to name several",
        )
        parser.add_argument(
            "--to",
            dest="target",
            metavar="DIR",
            type=Path,
            default=settings.BASE_DIR / "data",
            help="where to write the CSV files (default: %(default)s)",
        )

    def handle(self, *args, folder, mirrors, target, **options):
        """Get and check all four files first, so that a failed download changes nothing; then write."""
        mirrors = list(mirrors or MIRRORS)
        for mirror in mirrors:
            if not mirror.lower().startswith(("http://", "https://")):
                raise CommandError(f"{mirror}: a mirror is an http:// or https:// address")
        read = partial(read_from, folder) if folder else partial(self.download, mirrors)
        try:
            datasets = {name: read_idx(read(images), read(labels)) for name, (images, labels) in SOURCES.items()}
            for name, dataset in datasets.items():
                self.write(target / name, dataset)
        except KeyboardInterrupt:
            raise CommandError("Stopped. No unfinished file is left behind.", returncode=INTERRUPTED) from None
        counts = " and ".join(f"{name} ({len(dataset.labels):,} images)" for name, dataset in datasets.items())
        self.stdout.write(f"Wrote {counts} to {target}.")

    def download(self, mirrors: list[str], file: IdxFile) -> bytes:
        """Return the payload of one file from the first mirror that has it right."""
        for mirror in mirrors.copy():
            url = f"{mirror.rstrip('/')}/{file.name}.gz"
            self.stdout.write(f"Fetching {url}")
            try:
                return verified(self.receive(url), file)
            except (OSError, HTTPException, ValueError, UnusableFile) as error:
                self.stderr.write(f"{url}: {getattr(error, 'reason', error)}")
                # The next file begins with another mirror, so that a dead one is waited for only once.
                mirrors.append(mirrors.pop(0))
        raise CommandError(
            f"No mirror gave {file.name}.gz as it was published. Put the four files that data/README.md lists, "
            "obtained elsewhere, into one folder and run: python manage.py fetch_mnist --from FOLDER"
        )

    def receive(self, url: str) -> bytes:
        """Return what the address sends, and draw a progress bar on a terminal."""
        received = bytearray()
        try:
            with urlopen(url, timeout=SILENCE_SECONDS) as response:  # noqa: S310 -- handle() has checked the scheme
                total = response.length  # None where the server does not say
                while chunk := response.read(CHUNK):
                    received += chunk
                    if len(received) > LARGEST_DOWNLOAD:
                        raise UnusableFile(f"more than {LARGEST_DOWNLOAD:,} bytes")
                    self.show_progress(len(received), total)
        except HTTPError as error:
            error.close()
            raise UnusableFile(f"HTTP status {error.code}") from error
        finally:
            if received and self.stdout.isatty():
                self.stdout.write("")
        if total and len(received) < total:
            raise UnusableFile(f"cut off after {len(received):,} of {total:,} bytes")
        return bytes(received)

    def show_progress(self, received: int, total: int | None):
        """Redraw the bar, only where redrawing works."""
        if self.stdout.isatty():
            bar = f"[{'#' * (30 * received // total):30}] {received / total:4.0%}  " if total else ""
            self.stdout.write(f"\r  {bar}{received / 1e6:.1f} MB", ending="")
            self.stdout.flush()

    def write(self, path: Path, dataset: Dataset):
        """Write one CSV file whole or not at all."""
        self.stdout.write(f"Writing {path} ...")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Inside the target folder, because a file is replaced in one step only on its own disk.
            with tempfile.TemporaryDirectory(dir=path.parent, prefix=".fetch_mnist-") as scratch:
                unfinished = Path(scratch, path.name)
                write_csv(unfinished, dataset)
                unfinished.replace(path)
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror or error}") from error


def read_from(folder: Path, file: IdxFile) -> bytes:
    """Return the payload of one file that lies in a folder, packed or not."""
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
    """Return the payload, unpacked, if it is the published one."""
    if content.startswith(GZIP_MAGIC):
        try:
            with gzip.open(io.BytesIO(content)) as stream:
                # One byte more than is right tells a payload that is too large without unpacking all of it.
                content = stream.read(file.size + 1)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise UnusableFile(f"a damaged gzip file ({error})") from error
    if len(content) > file.size:
        raise UnusableFile(f"larger than the {file.size:,} bytes that were published")
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != file.sha256:
        raise UnusableFile(f"not the published file: its SHA-256 is {sha256}, expected {file.sha256}")
    return content
