"""Recorded digits as files: they are read and written, and errors name the file and the entry; folds of the writers."""

import gzip
import json
import re

import numpy as np
import pytest

from digit_recognizer_dl_model import recordings
from digit_recognizer_dl_model.recordings import (
    MalformedRecordings,
    Recording,
    canonical_json,
    fold_of_writers,
    read_recordings,
    write_recordings,
)

ENTRIES = [
    {"label": 7, "writer": 3, "strokes": [[[5, 20], [9, 20], [6, 31]], [[4, 25], [8, 25]]]},
    {"label": 1, "writer": 2, "strokes": [[[0, 0.5], [1, 9.5]]]},
]
CANONICAL = (
    b'[{"label":1,"writer":2,"strokes":[[[0,0],[1,9]]]},'
    b'{"label":7,"writer":3,"strokes":[[[1,0],[5,0],[2,11]],[[0,5],[4,5]]]}]'
)


@pytest.fixture
def digits():
    return [
        Recording(entry["label"], entry["writer"], [np.array(stroke, float) for stroke in entry["strokes"]])
        for entry in ENTRIES
    ]


def assert_same(found, expected):
    assert [(digit.label, digit.writer, len(digit.strokes)) for digit in found] == [
        (digit.label, digit.writer, len(digit.strokes)) for digit in expected
    ]
    for digit, other in zip(found, expected, strict=True):
        for stroke, points in zip(digit.strokes, other.strokes, strict=True):
            np.testing.assert_array_equal(stroke, points)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzipped"])
def test_a_file_is_read_by_its_content_not_its_name(tmp_path, digits, pack):
    for name in ("digits.json", "digits.json.gz"):
        (tmp_path / name).write_bytes(pack(json.dumps(ENTRIES).encode()))
        assert_same(read_recordings(tmp_path / name), digits)


def test_a_written_file_is_sorted_compact_and_moved_to_the_corner(tmp_path, digits):
    path = tmp_path / "digits.json.gz"
    write_recordings(path, digits)
    assert gzip.decompress(path.read_bytes()) == CANONICAL


def test_a_file_that_was_read_is_written_again_byte_for_byte(tmp_path, digits):
    first, second = tmp_path / "first.json.gz", tmp_path / "second.json.gz"
    write_recordings(first, digits)
    write_recordings(second, read_recordings(first))
    assert first.read_bytes() == second.read_bytes()


def test_neither_the_order_nor_the_place_on_the_sheet_changes_the_canonical_form(digits):
    moved = [
        digit._replace(strokes=[stroke + np.array([40, -7]) for stroke in digit.strokes]) for digit in reversed(digits)
    ]
    assert canonical_json(moved) == canonical_json(digits) == CANONICAL


def test_an_interruption_leaves_the_old_file_as_it_was(tmp_path, digits, monkeypatch):
    def interrupt(content, mtime):
        raise KeyboardInterrupt

    path = tmp_path / "digits.json.gz"
    path.write_bytes(b"an older file")
    monkeypatch.setattr(recordings.gzip, "compress", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_recordings(path, digits)
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("digits.json.gz", b"an older file")]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        pytest.param(b"", "not JSON", id="empty"),
        pytest.param(b"label,pixel0\n", "not JSON", id="text"),
        pytest.param(b"\xff\xfe\x00", "not JSON", id="not text"),
        pytest.param(b"[" * 100_000, "not JSON", id="too deep"),
        pytest.param(b"[" + b"9" * 5000 + b"]", "not JSON", id="an endless number"),
        pytest.param(b'{"label": 1}', "not a list of recordings", id="no list"),
        pytest.param(b"[]", "not a list of recordings, or an empty one", id="empty list"),
        pytest.param(b"\x1f\x8b\x08 broken", "a damaged gzip file", id="no gzip"),
        pytest.param(gzip.compress(b"[]")[:12], "a damaged gzip file", id="half a gzip"),
        pytest.param(gzip.compress(bytes(5000)), "larger than 4,000 bytes", id="a gzip bomb"),
        pytest.param(bytes(5000), "larger than 4,000 bytes", id="too large"),
    ],
)
def test_a_file_that_holds_no_recordings_is_named(tmp_path, monkeypatch, content, fault):
    if fault.startswith("larger"):
        monkeypatch.setattr(recordings, "LARGEST_FILE", 4000)
    path = tmp_path / "digits.json"
    path.write_bytes(content)
    with pytest.raises(MalformedRecordings, match=re.escape(f"{path}: {fault}")):
        read_recordings(path)


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        pytest.param([7, 3], "not an object with label, writer and strokes", id="no object"),
        pytest.param({"label": 7, "strokes": [[[1, 2]]]}, "not an object with label", id="no writer"),
        pytest.param(ENTRIES[0] | {"label": 10}, "the label is 10", id="label 10"),
        pytest.param(ENTRIES[0] | {"label": -1}, "the label is -1", id="label -1"),
        pytest.param(ENTRIES[0] | {"label": "7"}, "the label is '7'", id="label as text"),
        pytest.param(ENTRIES[0] | {"label": True}, "the label is True", id="label true"),
        pytest.param(ENTRIES[0] | {"label": 7.0}, "the label is 7.0", id="label 7.0"),
        pytest.param(ENTRIES[0] | {"label": {}}, "the label is {}", id="label an object"),
        pytest.param(ENTRIES[0] | {"writer": None}, "the writer is None", id="writer null"),
        pytest.param(ENTRIES[0] | {"strokes": []}, "no strokes", id="no strokes"),
        pytest.param(ENTRIES[0] | {"strokes": 3}, "no strokes", id="strokes a number"),
        pytest.param(ENTRIES[0] | {"strokes": [[]]}, "not a list of points", id="empty stroke"),
        pytest.param(ENTRIES[0] | {"strokes": [[1, 2]]}, "not a list of points", id="a point for a stroke"),
        pytest.param(ENTRIES[0] | {"strokes": [[[1, 2, 3]]]}, "not a list of points", id="three coordinates"),
        pytest.param(ENTRIES[0] | {"strokes": [[["1", "2"]]]}, "not a list of points", id="coordinates as text"),
        pytest.param(ENTRIES[0] | {"strokes": [[[True, 2]]]}, "not a list of points", id="coordinate true"),
        pytest.param(ENTRIES[0] | {"strokes": [[[float("nan"), 2]]]}, "a coordinate is not finite", id="nan"),
        pytest.param(ENTRIES[0] | {"strokes": [[[1, float("-inf")]]]}, "a coordinate is not finite", id="infinity"),
        pytest.param(ENTRIES[0] | {"strokes": [[[1, 10**400]]]}, "a coordinate is not finite", id="too large a number"),
    ],
)
def test_a_malformed_entry_is_numbered(tmp_path, entry, fault):
    path = tmp_path / "digits.json"
    path.write_text(json.dumps([ENTRIES[1], entry]))
    with pytest.raises(MalformedRecordings, match=re.escape(f"{path}: entry 2: ") + ".*" + re.escape(fault)):
        read_recordings(path)


def test_a_missing_file_is_not_a_malformed_one(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_recordings(tmp_path / "digits.json")


def test_writers_fall_into_three_folds_that_stay_the_same():
    recordings = [Recording(0, writer, [np.zeros((2, 2))]) for writer in [5, 1, 9, 9, 4, 2, 7]]
    folds = [fold_of_writers(recordings, fold) for fold in range(3)]
    assert sorted(writer for fold in folds for writer in fold) == [1, 2, 4, 5, 7, 9]
    assert [len(fold) for fold in folds] == [2, 2, 2]
    assert folds == [fold_of_writers(recordings[::-1], fold) for fold in range(3)]
