"""`manage.py score --local` with the packages of requirements-scale.txt: Parquet, and files at addresses."""

import io
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from digits.gallery import gallery
from digits.pictures import pngs
from digits.recognizer import read_all, recognize_batch
from digits.scoring.tables import row_ranges

from .pictures import TWO, drawing, encoded

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
fsspec = pytest.importorskip("fsspec")

PICTURES = [encoded(drawing([TWO])), b"no picture at all", None, encoded(drawing([]), "JPEG"), b""]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def pixels():
    return np.stack([gallery().pixels(index) for index in range(7)])


@pytest.fixture
def score():
    def score(*arguments, **options):
        call_command("score", *map(str, arguments), local=True, stderr=io.StringIO(), **options)

    return score


def scored(path="out.parquet"):
    return pq.read_table(path).to_pylist()


def test_the_columns_of_the_output_have_plain_types(score):
    pq.write_table(pa.table({"image": PICTURES}), "in.parquet")
    score("in.parquet", "out.parquet")
    kinds = {field.name: str(field.type) for field in pq.read_schema("out.parquet")}
    assert kinds == {
        "path": "string",
        "row": "int64",
        "digit": "int8",
        "confidence": "float",
        "uncertain": "bool",
        "reason": "string",
        "error": "string",
    }


@pytest.mark.parametrize(
    "column",
    [
        pa.array(PICTURES),
        pa.array(PICTURES, pa.large_binary()),
        pa.array([{"bytes": data, "path": f"{row}.png"} for row, data in enumerate(PICTURES)]),
        pa.array([None if data is None else {"path": None, "bytes": data} for data in PICTURES]),
    ],
    ids=["binary", "large binary", "as the Hugging Face hub has them", "null structs"],
)
@pytest.mark.parametrize("part_size", [None, 2])
def test_encoded_pictures_are_read(score, column, part_size):
    pq.write_table(pa.table({"number": range(5), "image": column}), "in.parquet", row_group_size=3)
    score("in.parquet", "out.parquet", part_size=part_size)
    rows = scored()
    assert [(row["path"], row["row"]) for row in rows] == [("in.parquet", row) for row in range(5)]
    [reading, text, blank] = read_all([PICTURES[place] for place in (0, 1, 3)])
    assert (rows[0]["digit"], rows[0]["confidence"]) == (reading.prediction.digit, reading.prediction.confidence)
    assert rows[0]["error"] is None
    nothing = "There is no picture in this row."
    assert [row["error"] for row in rows[1:]] == [text.detail, nothing, blank.detail, nothing]
    assert all(row[name] is None for row in rows[1:] for name in ("digit", "confidence", "uncertain", "reason"))


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.uint8()), pa.list_(pa.int64()), pa.list_(pa.float32()), pa.list_(pa.uint8(), 784)], ids=str
)
@pytest.mark.parametrize("part_size", [None, 3])
def test_lists_of_pixels_are_read(score, pixels, kind, part_size):
    pq.write_table(pa.table({"pixels": pa.array(pixels.reshape(-1, 784).tolist(), kind)}), "in.parquet")
    score("in.parquet", "out.parquet", part_size=part_size, batch_size=2)
    expected = [(prediction.digit, prediction.confidence) for prediction in recognize_batch(pixels)]
    assert [(row["digit"], row["confidence"]) for row in scored()] == expected


def test_rows_that_are_not_pixels_are_marked(score, pixels):
    good = pixels[0].ravel().astype(float).tolist()
    rows = [good, good[:-1], None, [0.5, *good[1:]], [256, *good[1:]], [None, *good[1:]], [-1, *good[1:]], good]
    expected = "784 whole numbers from 0 to 255 are expected."
    for part_size in (None, 1):  # rows by themselves take the short way where they can
        Path("out.parquet").unlink(missing_ok=True)
        pq.write_table(pa.table({"pixels": pa.array(rows)}), "in.parquet")
        score("in.parquet", "out.parquet", part_size=part_size)
        errors = [None, expected, "There are no pixels in this row.", *[expected] * 4, None]
        assert [row["error"] for row in scored()] == errors


def test_the_rows_of_a_row_group_that_is_damaged_are_marked(score, pixels):
    rows = np.tile(pixels, (100, 1, 1)).reshape(-1, 784)
    pq.write_table(pa.table({"pixels": list(rows)}), "in.parquet", row_group_size=100)
    start = pq.read_metadata("in.parquet").row_group(4).column(0).data_page_offset
    data = bytearray(Path("in.parquet").read_bytes())
    data[start : start + 40] = b"\xff" * 40
    Path("in.parquet").write_bytes(data)
    score("in.parquet", "out.parquet", part_size=300)
    rows = scored()
    assert [row["row"] for row in rows] == list(range(700))
    assert [place for place, row in enumerate(rows) if row["error"]] == list(range(400, 500))
    assert rows[400]["error"].startswith("The file is damaged here (")


@pytest.mark.parametrize(
    ("columns", "options", "words"),
    [
        ({"name": ["a"]}, {}, "no column of encoded pictures"),
        ({"a": [b"1"], "b": [b"2"]}, {}, "several columns that could be read; name one by --column: a, b"),
        ({"a": [b"1"], "b": [b"2"]}, {"column": "c"}, "no column named c of encoded pictures"),
    ],
)
def test_columns_that_cannot_be_told_are_refused_in_words(score, columns, options, words):
    pq.write_table(pa.table(columns), "in.parquet")
    with pytest.raises(CommandError, match=words):
        score("in.parquet", "out.parquet", **options)


def test_a_column_is_chosen_by_its_name(score):
    pq.write_table(pa.table({"a": PICTURES[:1], "b": [b"text"]}), "in.parquet")
    score("in.parquet", "out.parquet", column="a")
    assert [row["digit"] for row in scored()] == [2]


def test_what_is_no_parquet_file_is_refused(score):
    Path("in.parquet").write_bytes(b"PAR1")
    with pytest.raises(CommandError, match=r"in\.parquet is damaged, or no Parquet file"):
        score("in.parquet", "out.parquet")


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ([10], [(0, 4), (4, 8), (8, 10)]),
        ([2, 2, 2], [(0, 4), (4, 6)]),
        ([3, 3], [(0, 3), (3, 6)]),
        ([3, 9], [(0, 3), (3, 7), (7, 11), (11, 12)]),
        ([0, 1, 0], [(0, 1)]),
        ([], []),
    ],
)
def test_parts_end_where_row_groups_end(groups, expected):
    assert list(row_ranges(groups, 4)) == expected


def test_parquet_and_csv_say_the_same(score, pixels):
    pq.write_table(pa.table({"pixels": list(pixels.reshape(-1, 784))}), "in.parquet")
    score("in.parquet", "out.parquet")
    score("in.parquet", "folder", part_size=3)
    score("in.parquet", "out.csv", part_size=2)
    table = pq.read_table("out.parquet")
    assert pq.read_table("folder").equals(table)  # what begins with an underscore is left out
    from pyarrow import csv

    told = csv.read_csv(
        "out.csv", convert_options=csv.ConvertOptions(column_types=table.schema, strings_can_be_null=True)
    )
    assert told.equals(table)


def test_inputs_and_outputs_may_be_at_addresses(score, pixels):
    files = fsspec.filesystem("memory")
    try:
        for place in range(3):
            files.pipe(f"/bucket/scans/{place % 2}/{place}.png", pngs.png(pixels[place]))
        score("memory://bucket/scans", "memory://bucket/scored", part_size=2)
        score("memory://bucket/scans", "memory://bucket/scored.parquet", part_size=2)
        names = sorted(path.rpartition("/")[2] for path in files.ls("/bucket/scored", detail=False))
        assert names == ["_SUCCESS", "_job.json", "_parts.jsonl", "part-000000.parquet", "part-000001.parquet"]
        with files.open("/bucket/scored.parquet") as file:
            rows = pq.read_table(file).to_pylist()
        assert [row["path"] for row in rows] == ["0/0.png", "0/2.png", "1/1.png"]
        digits = [prediction.digit for prediction in recognize_batch(pixels)]
        assert [row["digit"] for row in rows] == [digits[place] for place in (0, 2, 1)]
        assert set(files.ls("/bucket", detail=False)) == {"/bucket/scored.parquet", "/bucket/scans", "/bucket/scored"}
    finally:
        files.store.clear()
        files.pseudo_dirs[:] = [""]
