"""`manage.py fetch_pen_digits` against a server and a folder, with five digits in place of the published ones."""

import errno
import gzip
import hashlib
import io
import json
import sys
import zipfile
from collections import Counter
from functools import partial
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
from django.core.management.base import CommandError

from digit_recognizer_dl_model import recordings
from digit_recognizer_dl_model.recordings import read_recordings
from digits.management import download
from digits.management.commands import fetch_pen_digits

from .mirrors import InterruptedTerminal, assert_unchanged, send, send_a_login_page, send_status

DATA = Path(__file__).parent.parent / "data"

# Laid out like the published file, y up. The writers' digits are mixed, and one of them lifted the pen.
UNIPEN = """\
 .INCLUDE dene.doc
.LEXICON "0" "1" "2" "3" "4" "5" "6" "7" "8" "9"
.HIERARCHY DIGIT

.SEGMENT DIGIT 0-1 ? "7"
.COMMENT 7 2 10
.PEN_DOWN
 105  420\x20
 109  420\x20
 106  409\x20
.PEN_UP
.DT 100
.PEN_DOWN
 104  415\x20
 108  415\x20
.PEN_UP
.DT 100

.SEGMENT DIGIT 2 ? "1"
.COMMENT 1 1 10
.PEN_DOWN
 250  500\x20
 250    0\x20
.PEN_UP
.DT 100
"""
for index in range(3):
    UNIPEN += f'\n.SEGMENT DIGIT {index + 3} ? "1"\n.COMMENT 1 2 {index + 11}\n.PEN_DOWN\n'
    UNIPEN += "".join(f" {200 + x * index:3}  {300 - 5 * x:3} \n" for x in range(20)) + ".PEN_UP\n.DT 100\n"


def compressed(content: bytes) -> bytes:
    """Compress as Unix's `compress` does; the content must be too short to fill its table of 65,536 codes."""
    table = {bytes([byte]): byte for byte in range(256)}
    codes, known = [], b""
    for byte in content:
        longer = known + bytes([byte])
        if longer in table:
            known = longer
        else:
            codes.append(table[known])
            table[longer] = len(table) + 1  # 256 is the code that clears the table
            known = bytes([byte])
    codes.append(table[known])
    bits = length = 0
    for place, code in enumerate(codes):
        bits |= code << length
        length += (256 + place).bit_length()  # codes grow with the table: 256 of 9 bits, 512 of 10 and so on
    return b"\x1f\x9d\x90" + bits.to_bytes((length + 7) // 8, "little")


def archive_of(member: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("pendigits-orig.tra.Z", member)
        archive.writestr("pendigits-orig.tes.Z", b"other writers, who are not read")
    return file.getvalue()


PACKED = compressed(UNIPEN.encode())
ARCHIVE = archive_of(PACKED)
# The same digits in another order and elsewhere in the box, y down.
JSON = json.dumps(
    [
        *(
            {"label": 1, "writer": 2, "strokes": [[[200 + x * index, 105 + 5 * x] for x in range(20)]]}
            for index in (2, 0, 1)
        ),
        {"label": 1, "writer": 1, "strokes": [[[3, 0], [3, 500]]]},
        {"label": 7, "writer": 2, "strokes": [[[6, 0], [10, 0], [7, 11]], [[5, 5], [9, 5]]]},
    ]
).encode()


@pytest.fixture(autouse=True)
def five_digits(monkeypatch):
    """The command takes the counts and checksums of the five digits for the published ones."""
    monkeypatch.setattr(fetch_pen_digits, "COUNTS", {1: 4, 7: 1})
    monkeypatch.setattr(fetch_pen_digits, "WRITERS", 2)
    monkeypatch.setattr(fetch_pen_digits, "ARCHIVE_SHA256", hashlib.sha256(ARCHIVE).hexdigest())
    canonical = recordings.canonical_json(recordings.parse_recordings(JSON))
    monkeypatch.setattr(fetch_pen_digits, "RECORDINGS_SHA256", hashlib.sha256(canonical).hexdigest())


@pytest.fixture
def target(folder_with_older_file):
    return folder_with_older_file("pen_digits.json.gz")


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "from elsewhere"
    folder.mkdir()
    return folder


@pytest.fixture
def fetch(call_fetch):
    return partial(call_fetch, "fetch_pen_digits")


def send_the_archive(handler, name):
    send(handler, ARCHIVE)


def test_the_archive_becomes_one_file(fetch, start_mirror, target, stdout, stderr):
    fetch("--mirror", start_mirror(send_the_archive))
    assert [path.name for path in target.iterdir()] == ["pen_digits.json.gz"]
    digits = read_recordings(target / "pen_digits.json.gz")
    assert [(digit.label, digit.writer) for digit in digits] == [(1, 1), (1, 2), (1, 2), (1, 2), (7, 2)]
    np.testing.assert_array_equal(digits[0].strokes, [[[0, 0], [0, 500]]])
    first, second = digits[-1].strokes
    np.testing.assert_array_equal(first, [[1, 0], [5, 0], [2, 11]])
    np.testing.assert_array_equal(second, [[0, 5], [4, 5]])
    assert stdout.getvalue().endswith(f"Wrote pen_digits.json.gz (5 digits by 2 writers) to {target}.\n")
    assert stderr.getvalue() == ""


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pen+based+recognition+of+handwritten+digits.zip", ARCHIVE),
        ("pen based recognition of handwritten digits.zip", ARCHIVE),
        ("pendigits-orig.tra.Z", PACKED),
        ("pendigits-orig.tra", UNIPEN.encode()),
        ("pendigits-orig.tra", UNIPEN.replace("\n", "\r\n").encode()),
        ("train-writers.json.gz", gzip.compress(JSON)),
        ("pen_digits.json.gz", gzip.compress(JSON)),
    ],
)
def test_every_form_in_a_folder_becomes_the_same_json(fetch, folder, target, stderr, name, content):
    (folder / name).write_bytes(content)
    fetch("--from", folder)
    written = gzip.decompress((target / "pen_digits.json.gz").read_bytes())
    assert hashlib.sha256(written).hexdigest() == fetch_pen_digits.RECORDINGS_SHA256
    assert stderr.getvalue() == ""


def test_without_a_mirror_named_the_public_home_is_asked(fetch, monkeypatch):
    asked = []

    def refuse(url, timeout):
        asked.append(url)
        raise URLError("no network in tests")

    monkeypatch.setattr(download, "urlopen", refuse)
    with pytest.raises(CommandError):
        fetch()
    assert asked == ["https://archive.ics.uci.edu/static/public/81/pen+based+recognition+of+handwritten+digits.zip"]


@pytest.mark.parametrize(
    ("bad_answer", "reason"),
    [
        (send_status(404), "HTTP status 404"),
        (send_a_login_page, "not the published archive"),
        (lambda handler, name: send(handler, ARCHIVE[:-1]), "not the published archive"),
        (lambda handler, name: send(handler, PACKED), "not the published archive"),
        (lambda handler, name: send(handler, ARCHIVE, length=10**6), "cut off after"),
    ],
)
def test_a_bad_mirror_is_explained_and_changes_nothing_and_the_next_one_is_asked(
    fetch, start_mirror, target, stderr, bad_answer, reason
):
    bad = start_mirror(bad_answer)
    with pytest.raises(CommandError, match=r"No mirror gave pen\+based.* as it was published\. .* --from FOLDER"):
        fetch("--mirror", bad)
    assert_unchanged(target)
    assert reason in stderr.getvalue()
    fetch("--mirror", bad, "--mirror", start_mirror(send_the_archive))
    assert len(read_recordings(target / "pen_digits.json.gz")) == 5


def test_ctrl_c_in_the_download_leaves_nothing(fetch, start_mirror, target):
    with pytest.raises(CommandError, match="Stopped") as stopped:
        fetch("--mirror", start_mirror(send_the_archive), stdout=InterruptedTerminal())
    assert stopped.value.returncode == 130
    assert_unchanged(target)


@pytest.mark.parametrize(
    ("accident", "message", "returncode"),
    [
        pytest.param(KeyboardInterrupt(), "Stopped", 130, id="ctrl-c"),
        pytest.param(
            OSError(errno.ENOSPC, "disk full"), r"digits\.json\.gz cannot be written: disk full", 1, id="full"
        ),
    ],
)
def test_an_accident_in_writing_leaves_nothing(fetch, folder, target, monkeypatch, accident, message, returncode):
    def write_half(path, content):
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise accident

    (folder / "pendigits-orig.tra").write_text(UNIPEN)
    monkeypatch.setattr(Path, "write_bytes", write_half)
    with pytest.raises(CommandError, match=message) as stopped:
        fetch("--from", folder)
    assert stopped.value.returncode == returncode
    assert_unchanged(target)


def test_a_target_that_is_no_folder_is_named(fetch, folder, target):
    (folder / "pendigits-orig.tra").write_text(UNIPEN)
    with pytest.raises(CommandError, match=r"pen_digits\.json\.gz/pen_digits\.json\.gz cannot be written"):
        fetch("--from", folder, "--to", target / "pen_digits.json.gz")
    assert_unchanged(target)


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("pen based recognition of handwritten digits.zip", archive_of(b"another"), "not the published archive"),
        ("pendigits-orig.tra.Z", b"", "a damaged .Z file"),
        ("pendigits-orig.tra.Z", b"\x1f\x9d", "a damaged .Z file"),
        ("pendigits-orig.tra.Z", gzip.compress(UNIPEN.encode()), "a damaged .Z file"),
        ("pendigits-orig.tra.Z", PACKED[:40] + b"\xff" * 9 + PACKED[49:], "a damaged .Z file"),
        ("pendigits-orig.tra.Z", PACKED[: len(PACKED) // 2], ""),
        ("pendigits-orig.tra.Z", compressed(bytes(20_000)), "larger than 10,000 bytes, unpacked"),
        ("pendigits-orig.tra", b"", "not the published recordings: none, by 0 writers"),
        ("pendigits-orig.tra", bytes(range(256)), "line "),
        ("train-writers.json.gz", b"[]", "not a list of recordings"),
        ("train-writers.json.gz", gzip.compress(JSON)[:50], "a damaged gzip file"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_file_in_the_folder_is_named(fetch, folder, target, monkeypatch, name, content, fault):
    monkeypatch.setattr(fetch_pen_digits, "LARGEST_MEMBER", 10_000)
    (folder / name).write_bytes(content)
    with pytest.raises(CommandError) as refused:
        fetch("--from", folder)
    assert str(refused.value).startswith(f"{folder / name}: {fault}")
    assert_unchanged(target)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        pytest.param(
            ".COMMENT 7 2 10", ".COMMENT seven 2 10", "line 6: '.COMMENT seven 2 10' is out of place", id="label"
        ),
        pytest.param(".COMMENT 7 2 10", "", "line 7: '.PEN_DOWN' is out of place", id="no label"),
        pytest.param(".PEN_DOWN\n 105", " 105", "line 7: ' 105  420 ' is out of place", id="a point in no stroke"),
        pytest.param("105  420", "105  42O", "line 8: ' 105  42O ' is out of place", id="a letter"),
        pytest.param("105  420", "105", "line 8: ' 105 ' is out of place", id="one coordinate"),
        pytest.param("105  420", "105  420  1", "line 8: ' 105  420  1 ' is out of place", id="three coordinates"),
        pytest.param(
            ".COMMENT 7", ".COMMENT 8", "not the published recordings: 4 of 1, 1 of 8, by 2 writers", id="digit"
        ),
        pytest.param("1 1 10", "1 2 10", "not the published recordings: 4 of 1, 1 of 7, by 1 writers", id="writer"),
        pytest.param(" 250  500 \n 250    0 \n", "", "there are digits without strokes or strokes", id="no points"),
        pytest.param("250    0", "250   -1", "points outside the box of 500 by 500", id="below the box"),
        pytest.param("250  500", "501  500", "points outside the box of 500 by 500", id="beside the box"),
    ],
)
def test_recordings_that_are_not_the_published_ones_are_refused(fetch, folder, target, old, new, fault):
    assert UNIPEN.count(old) == 1
    (folder / "pendigits-orig.tra").write_text(UNIPEN.replace(old, new))
    with pytest.raises(CommandError) as refused:
        fetch("--from", folder)
    assert fault in str(refused.value)
    assert_unchanged(target)


def test_a_digit_without_a_stroke_is_refused(fetch, folder):
    digit = UNIPEN[UNIPEN.index(".COMMENT 1 1 10") : UNIPEN.index(".SEGMENT DIGIT 3")]
    (folder / "pendigits-orig.tra").write_text(UNIPEN.replace(digit, ".COMMENT 1 1 10\n"))
    with pytest.raises(CommandError, match="there are digits without strokes"):
        fetch("--from", folder)


def test_digits_that_only_look_like_the_published_ones_are_written_with_a_warning(fetch, folder, target, stderr):
    (folder / "pendigits-orig.tra").write_text(UNIPEN.replace("105  420", "105  421"))
    fetch("--from", folder)
    written = gzip.decompress((target / "pen_digits.json.gz").read_bytes())
    assert (
        f"is {hashlib.sha256(written).hexdigest()}, expected {fetch_pen_digits.RECORDINGS_SHA256}." in stderr.getvalue()
    )


def test_a_folder_without_any_of_the_files_is_named_with_what_it_could_hold(fetch, folder, target):
    with pytest.raises(CommandError, match=r"from elsewhere has none of these files: pen\+.*pendigits-orig\.tra\.Z, "):
        fetch("--from", folder)
    assert_unchanged(target)


def test_an_unreadable_file_in_the_folder_is_named(fetch, folder):
    (folder / "pendigits-orig.tra").mkdir()
    with pytest.raises(CommandError, match=r"pendigits-orig\.tra cannot be read"):
        fetch("--from", folder)


def test_without_the_package_that_unpacks_the_file_the_way_to_get_it_is_told(fetch, start_mirror, target, monkeypatch):
    monkeypatch.setitem(sys.modules, "uncompresspy", None)
    with pytest.raises(CommandError, match=r"pip install -r requirements-training\.txt"):
        fetch("--mirror", start_mirror(send_the_archive))
    assert_unchanged(target)
    requirements = (DATA.parent / "requirements-training.txt").read_text()
    assert "\nuncompresspy>=" in requirements


def test_the_readme_gives_the_numbers_and_checksums_that_are_used(monkeypatch):
    monkeypatch.undo()  # the five digits give way to the true ones
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    assert f"<{fetch_pen_digits.MIRRORS[0]}{fetch_pen_digits.ARCHIVE}>" in readme
    assert f"{Counter(fetch_pen_digits.COUNTS).total():,} digits by {fetch_pen_digits.WRITERS} people" in readme
    assert fetch_pen_digits.ARCHIVE_SHA256 in readme
    assert fetch_pen_digits.RECORDINGS_SHA256 in readme
    for name in fetch_pen_digits.PARSERS:
        assert f"`{name}`" in readme
