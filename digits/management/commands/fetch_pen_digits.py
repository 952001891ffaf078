"""Get recordings of digits written with a pen from their public home or from a folder, as one file for training.

They are the training file of "Pen-Based Recognition of Handwritten Digits" (Alpaydin & Alimoglu 1998) in the recorded
form, before normalisation: digits by 30 people.
"""

import hashlib
import io
import warnings
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
from django.core.management.base import CommandError

from digit_recognizer_dl_model.recordings import (
    MalformedRecordings,
    Recording,
    canonical_json,
    parse_recordings,
    write_recordings,
)
from digits.management.download import FetchCommand, UnusableFile

MIRRORS = ("https://archive.ics.uci.edu/static/public/81/",)
ARCHIVE = "pen+based+recognition+of+handwritten+digits.zip"
ARCHIVE_SHA256 = "1e02bea023613c2b11c9492f6f34caf975420455934f3527d270cee9a1f03b64"
MEMBER = "pendigits-orig.tra.Z"
LARGEST_MEMBER = 16 * 10**6  # bytes, uncompressed; the published one has about 4 MB
BOX = 500  # units of the tablet: the side of the box in which a digit was written

WRITERS = 30
COUNTS = {0: 780, 1: 779, 2: 780, 3: 719, 4: 780, 5: 720, 6: 720, 7: 778, 8: 719, 9: 719}
RECORDINGS_SHA256 = "039b7b522cbc82c0e47c179c6972b6be843d233cc6f57b4cefdbac626ad00a7d"  # of their canonical JSON

FILE = "pen_digits.json.gz"


class Command(FetchCommand):
    """`python manage.py fetch_pen_digits`."""

    help = f"Download digits recorded with a pen, or take them from a folder, and write {FILE}."
    mirrors = MIRRORS
    folder_help = "read one of the files that data/README.md lists from this folder instead of downloading it"
    way_out = (
        "Put one of the files that data/README.md lists, obtained elsewhere, into a folder and run: "
        "python manage.py fetch_pen_digits --from FOLDER"
    )

    def fetch(self, folder: Path | None, mirrors: list[str], target: Path):
        """Get and check the recordings, then write them."""
        recordings = read_from(folder) if folder else self.download(mirrors, ARCHIVE, parse_archive)
        sha256 = hashlib.sha256(canonical_json(recordings)).hexdigest()
        if sha256 != RECORDINGS_SHA256:
            # This is only a warning, because this checksum was not published but computed from one copy.
            self.stderr.write(
                "The number of recordings is right, but their checksum is not the one in data/README.md: "
                f"the SHA-256 of their JSON is {sha256}, expected {RECORDINGS_SHA256}."
            )
        with self.writing(target / FILE):
            write_recordings(target / FILE, recordings)
        self.stdout.write(f"Wrote {FILE} ({len(recordings):,} digits by {WRITERS} writers) to {target}.")


def read_from(folder: Path) -> list[Recording]:
    """Return the recordings from the first of the known files that the folder has."""
    for name, parse in PARSERS.items():
        path = folder / name
        try:
            return parse(path.read_bytes())
        except FileNotFoundError:
            continue
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror or error}") from error
        except (UnusableFile, MalformedRecordings) as error:
            raise CommandError(f"{path}: {error}") from error
    raise CommandError(f"{folder} has none of these files: {', '.join(PARSERS)}.")


def parse_archive(content: bytes) -> list[Recording]:
    """Return the recordings in the published zip archive; another archive is refused before it is unpacked."""
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != ARCHIVE_SHA256:
        raise UnusableFile(f"not the published archive: its SHA-256 is {sha256}, expected {ARCHIVE_SHA256}")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return parse_packed(archive.read(MEMBER))


def parse_packed(content: bytes) -> list[Recording]:
    """Return the recordings in a file that was compressed with Unix's `compress`."""
    try:
        # Imported here, because nothing else needs it.
        from uncompresspy import LZWFile
    except ImportError as error:
        raise CommandError(f"{MEMBER} is unpacked by uncompresspy: pip install -r requirements-training.txt") from error
    try:
        with warnings.catch_warnings(action="error"), LZWFile(io.BytesIO(content)) as stream:
            # Reading one byte too many shows that a file is too large without decompressing all of it.
            text = stream.read(LARGEST_MEMBER + 1)
    except (ValueError, RuntimeWarning) as error:
        raise UnusableFile(f"a damaged .Z file ({error})") from error
    if len(text) > LARGEST_MEMBER:
        raise UnusableFile(f"larger than {LARGEST_MEMBER:,} bytes, unpacked")
    return parse_unipen(text)


def parse_unipen(content: bytes) -> list[Recording]:
    """Return the recordings in the unpacked file, y turned to point down.

    `.COMMENT label writer index` begins a digit, `.PEN_DOWN` begins a stroke, and a line of two numbers is a point of
    the stroke. Other lines that begin with a dot are skipped. Source: the data set's files pendigits-orig.names and
    .tra.
    """
    recordings = []
    for number, line in enumerate(content.decode("ascii", "replace").splitlines(), start=1):
        try:
            match line.split():
                case [".COMMENT", label, writer, _]:
                    recordings.append(Recording(int(label), int(writer), []))
                case [".PEN_DOWN"]:
                    recordings[-1].strokes.append([])
                case [keyword, *_] if keyword.startswith("."):
                    pass
                case [x, y]:
                    recordings[-1].strokes[-1].append((int(x), BOX - int(y)))
                case [_, *_]:
                    raise ValueError
        except (ValueError, IndexError) as error:
            raise UnusableFile(f"line {number}: {line[:40]!r} is out of place in UNIPEN text") from error
    return checked([Recording(label, writer, list(map(np.array, strokes))) for label, writer, strokes in recordings])


def checked(recordings: list[Recording]) -> list[Recording]:
    """Return the recordings if their counts are the published ones and all points lie in the box."""
    counts = Counter(recording.label for recording in recordings)
    writers = len({recording.writer for recording in recordings})
    if counts != COUNTS or writers != WRITERS:
        found = ", ".join(f"{count} of {label}" for label, count in sorted(counts.items()))
        raise UnusableFile(f"not the published recordings: {found or 'none'}, by {writers} writers")
    strokes = [stroke for recording in recordings for stroke in recording.strokes]
    if not all(recording.strokes for recording in recordings) or not all(map(len, strokes)):
        raise UnusableFile("not the published recordings: there are digits without strokes or strokes without points")
    points = np.concatenate(strokes)
    if points.min() < 0 or points.max() > BOX:
        raise UnusableFile(f"not the published recordings: there are points outside the box of {BOX} by {BOX}")
    return recordings


def parse_json(content: bytes) -> list[Recording]:
    """Return the recordings in a file that is already in this project's format."""
    return checked(parse_recordings(content))


# The files that --from looks for, in this order. Browsers save the archive under either of its names.
PARSERS = {
    ARCHIVE: parse_archive,
    ARCHIVE.replace("+", " "): parse_archive,
    MEMBER: parse_packed,
    "pendigits-orig.tra": parse_unipen,
    FILE: parse_json,
    "train-writers.json.gz": parse_json,
}
