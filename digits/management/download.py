"""The base of the commands that fetch published data: it downloads from mirrors and explains failures."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import TypeVar
from urllib.error import HTTPError
from urllib.request import urlopen

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from digits.management.progress import bar

SILENCE_SECONDS = 30  # a mirror that sends nothing for this long is given up
LARGEST_DOWNLOAD = 64 * 10**6  # bytes; the largest file, MNIST's training images, has 10 MB, 47 MB uncompressed
CHUNK = 64 * 1024  # bytes between two redraws of the progress bar
INTERRUPTED = 130  # the exit code by which shells know Ctrl-C

Content = TypeVar("Content")


class UnusableFile(Exception):
    """The content is not the published file; the message says why."""


class FetchCommand(BaseCommand):
    """Get published files from mirrors or from a folder.

    A command sets the four attributes and defines `fetch(folder, mirrors, target)`, which gets and writes its files.
    """

    mirrors: tuple[str, ...]
    folder_help: str  # the help text of --from
    way_out: str  # the advice when no mirror has the file
    # These commands also run in a checkout that is not complete yet.
    requires_system_checks = ()

    def add_arguments(self, parser):
        """Define --from or --mirror, and --to."""
        origin = parser.add_mutually_exclusive_group()
        origin.add_argument("--from", dest="folder", metavar="DIR", type=Path, help=self.folder_help)
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
            help="where to write (default: %(default)s)",
        )

    def handle(self, *args, folder, mirrors, target, **options):
        """Refuse mirrors that are not web addresses, and stop with a message on Ctrl-C."""
        mirrors = list(mirrors or self.mirrors)
        for mirror in mirrors:
            if not mirror.lower().startswith(("http://", "https://")):
                raise CommandError(f"{mirror}: a mirror must be an http:// or https:// address")
        try:
            self.fetch(folder, mirrors, target)
        except KeyboardInterrupt:
            raise CommandError("Stopped. No unfinished file is left behind.", returncode=INTERRUPTED) from None

    def download(self, mirrors: list[str], name: str, accept: Callable[[bytes], Content]) -> Content:
        """Return `accept(content)` of a file from the first mirror whose content `accept` does not refuse."""
        for mirror in mirrors.copy():
            url = f"{mirror.rstrip('/')}/{name}"
            self.stdout.write(f"Fetching {url}")
            try:
                return accept(self.receive(url))
            except (OSError, HTTPException, ValueError, UnusableFile) as error:
                self.stderr.write(f"{url}: {getattr(error, 'reason', error)}")
                # The mirror becomes the last choice for the next file, so that a dead one is waited for only once.
                mirrors.append(mirrors.pop(0))
        raise CommandError(f"No mirror gave {name} as it was published. {self.way_out}")

    def receive(self, url: str) -> bytes:
        """Return the content of an address, and draw a progress bar on a terminal."""
        received = bytearray()
        try:
            with urlopen(url, timeout=SILENCE_SECONDS) as response:  # noqa: S310 -- handle() has checked the scheme
                total = response.length  # None where the server does not tell it
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
        """Redraw the progress bar on a terminal."""
        if self.stdout.isatty():
            filled = f"{bar(received, total)}  " if total else ""
            self.stdout.write(f"\r  {filled}{received / 1e6:.1f} MB", ending="")
            self.stdout.flush()

    @contextmanager
    def writing(self, path: Path) -> Iterator[None]:
        """Make the folder of a file that is about to be written, and explain errors of the file system."""
        self.stdout.write(f"Writing {path} ...")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            yield
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror or error}") from error
