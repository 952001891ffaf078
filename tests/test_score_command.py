"""`manage.py score --local`: every kind of input, the same answers as the API's, and jobs that go on."""

import csv
import gzip
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from digit_recognizer_dl_model.dataset import Dataset, read_csv, write_csv
from digits.gallery import gallery
from digits.management.commands import score as score_command
from digits.management.progress import duration
from digits.recognizer import recognize_batch
from digits.scoring import workers
from digits.scoring.job import Job, Mismatch

from .pictures import SEVEN, TWO, drawing, encoded

ROOT = Path(__file__).parents[1]
BLANK = encoded(drawing([]), "JPEG")
PICTURES = {
    "a/two.png": encoded(drawing([TWO])),
    "b.jpg": BLANK,
    "c/deep/cut-off.png": encoded(drawing())[:300],
    "c/empty.gif": b"",
    "c/seven.JPG": encoded(drawing([SEVEN]), "JPEG"),
    "c/text.png": b"no picture at all",
    "several.png": encoded(drawing([[(x / 2 + offset, y) for x, y in TWO] for offset in (0, 0.4)])),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to work in, with a folder of pictures."""
    monkeypatch.chdir(tmp_path)
    for name, content in PICTURES.items():
        path = tmp_path / "scans" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "scans" / "notes.txt").write_text("seven pictures")
    return tmp_path


@pytest.fixture(scope="module")
def pixels():
    """Four digits, and noise among them, which is doubted."""
    noise = np.random.default_rng(0).integers(0, 256, (2, 28, 28), np.uint8)
    return np.stack([gallery().pixels(0), gallery().pixels(1), *noise, gallery().pixels(4), gallery().pixels(5)])


@pytest.fixture
def score():
    """Run the command in this process; what it writes to standard error."""

    def score(*arguments, **options):
        stderr = io.StringIO()
        call_command("score", *map(str, arguments), local=True, stderr=stderr, **options)
        return stderr.getvalue()

    return score


def rows_of(path):
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


def answers(rows):
    """What rows say, without where they come from."""
    return [{name: value for name, value in row.items() if name not in ("path", "row")} for row in rows]


def expected_of(pixels):
    """What rows must say of pixels, by the recognizer of the site."""
    return [
        {
            "digit": str(prediction.digit),
            "confidence": str(prediction.confidence),
            "uncertain": str(prediction.uncertain).lower(),
            "reason": prediction.reason or "",
            "error": "",
        }
        for prediction in recognize_batch(pixels)
    ]


def test_the_answers_for_pictures_are_those_of_the_api(folder, score, client):
    told = score("scans", "out.csv")
    assert re.search(r"7 rows in \d+ s, \d+ a second: \d not sure, 4 not read\.\n", told)
    rows = rows_of("out.csv")
    assert [row["path"] for row in rows] == list(PICTURES)
    files = [SimpleUploadedFile("a.png", content) for content in PICTURES.values() if content]
    told = client.post("/api/predict-digit/", {"file": files}).json()["predictions"]
    asked = [row for row in rows if not row["path"].endswith("empty.gif")]
    for row, answer in zip(asked, told, strict=True):
        assert row["row"] == ""
        if "error" in answer:
            assert row["error"] == answer["error"]["detail"]
            assert [row[name] for name in ("digit", "confidence", "uncertain", "reason")] == [""] * 4
        else:
            assert (row["digit"], row["confidence"]) == (str(answer["prediction"]), str(answer["confidence"]))
            assert (row["uncertain"], row["reason"]) == (str(answer["uncertain"]).lower(), answer["reason"] or "")
            assert row["error"] == ""
    assert rows[3]["error"] == "This file is empty."


def zip_of(path, **options):
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, content in PICTURES.items():
            archive.writestr(name, content)
        archive.writestr("notes.txt", "seven pictures")


def tar_of(path, mode):
    with tarfile.open(path, mode) as archive:
        archive.add("scans/notes.txt", "notes.txt")
        for name in PICTURES:
            archive.add(f"scans/{name}", name)


@pytest.mark.parametrize("part_size", [None, 2])
@pytest.mark.parametrize("name", ["scans.zip", "stored.zip", "scans.tar", "scans.tgz", "scans.tar.xz"])
def test_an_archive_is_read_like_the_folder_it_was_made_of(folder, score, name, part_size):
    if name.endswith("zip"):
        zip_of(name, compression=zipfile.ZIP_STORED if name == "stored.zip" else zipfile.ZIP_DEFLATED)
    else:
        tar_of(name, {"scans.tar": "w", "scans.tgz": "w:gz", "scans.tar.xz": "w:xz"}[name])
    score("scans", "folder.csv")
    score(name, "archive.csv", part_size=part_size)
    assert Path("archive.csv").read_bytes() == Path("folder.csv").read_bytes()


def test_pictures_that_are_damaged_in_an_archive_are_marked(folder, score):
    zip_of("scans.zip", compression=zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile("scans.zip") as archive:
        member = archive.getinfo("a/two.png")
    data = bytearray(Path("scans.zip").read_bytes())
    data[member.header_offset + 30 + len("a/two.png") + member.compress_size // 2] ^= 255
    Path("scans.zip").write_bytes(data)
    score("scans.zip", "out.csv")
    [row] = [row for row in rows_of("out.csv") if row["path"] == "a/two.png"]
    assert row["error"] == "This picture is damaged in the archive."


def test_a_tar_archive_that_is_cut_off_is_refused(folder, score):
    tar_of("scans.tar", "w")
    Path("scans.tar").write_bytes(Path("scans.tar").read_bytes()[:3000])
    with pytest.raises(CommandError, match=r"scans\.tar is damaged, or no tar archive"):
        score("scans.tar", "out.csv")


def test_a_picture_that_is_too_large_is_marked_and_not_read_whole(folder, score, settings):
    settings.MAX_PICTURE_BYTES = 1000
    zip_of("scans.zip", compression=zipfile.ZIP_DEFLATED)
    for source in ("scans", "scans.zip"):
        score(source, f"{source}.csv")
        errors = {row["path"]: row["error"] for row in rows_of(f"{source}.csv")}
        assert errors["c/seven.JPG"].startswith("This picture is too large")
        assert "too large" not in errors["a/two.png"] or len(PICTURES["a/two.png"]) > 1000


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text elsewhere")
def test_names_that_are_no_text_are_written_as_python_would(folder, score):
    Path(os.fsdecode(b"scans/\xff\n.png")).write_bytes(PICTURES["a/two.png"])
    score("scans", "out.csv")
    assert {row["path"]: row["digit"] for row in rows_of("out.csv")}["\\udcff\n.png"] == "2"


def test_one_picture_is_an_input_too(folder, score):
    score("scans/a/two.png", "out.csv")
    assert [(row["path"], row["digit"]) for row in rows_of("out.csv")] == [("two.png", "2")]


def idx_of(pixels):
    return np.array([2051, len(pixels), 28, 28], ">u4").tobytes() + pixels.tobytes()


@pytest.fixture
def tables(folder, pixels):
    """The same images in every form that has rows."""
    write_csv(folder / "labelled.csv", Dataset(pixels, np.arange(6)))
    lines = (folder / "labelled.csv").read_text().splitlines()
    unlabelled = "\r\n".join(line.partition(",")[2] for line in lines[1:])
    (folder / "unlabelled.csv").write_text(f"\ufeff{unlabelled}\r\n\r\n", encoding="utf-8", newline="")
    (folder / "images-idx3-ubyte").write_bytes(idx_of(pixels))
    for name in ("labelled.csv", "images-idx3-ubyte"):
        (folder / f"{name}.gz").write_bytes(gzip.compress((folder / name).read_bytes()))
    return folder


@pytest.mark.parametrize("batch_size", [1, 4, 256])
@pytest.mark.parametrize("part_size", [None, 1, 4])
@pytest.mark.parametrize(
    "name", ["labelled.csv", "unlabelled.csv", "labelled.csv.gz", "images-idx3-ubyte", "images-idx3-ubyte.gz"]
)
def test_pixels_are_read_by_row(tables, score, pixels, name, part_size, batch_size):
    score(name, "out.csv", part_size=part_size, batch_size=batch_size)
    rows = rows_of("out.csv")
    assert [(row["path"], row["row"]) for row in rows] == [(name, str(row)) for row in range(6)]
    assert answers(rows) == expected_of(pixels)


def test_a_folder_without_pictures_is_read_as_tables_of_one_kind(tables, score, pixels):
    (tables / "data").mkdir()
    for name in ("b.csv", "a.csv"):
        (tables / "data" / name).write_bytes((tables / "labelled.csv").read_bytes())
    (tables / "data" / "images-idx3-ubyte").write_bytes(idx_of(pixels))
    score("data", "out.csv")
    rows = rows_of("out.csv")
    assert [row["path"] for row in rows] == ["a.csv"] * 6 + ["b.csv"] * 6
    assert answers(rows) == expected_of(pixels) * 2


def test_bad_rows_are_kept_and_marked(folder, score, pixels):
    write_csv(folder / "rows.csv", Dataset(pixels, np.arange(6)))
    lines = (folder / "rows.csv").read_text().splitlines()
    lines[2] = "1,2,3"
    lines[4] = ",".join(["7", "256", *lines[4].split(",")[2:]])
    lines[5] = "9" * 100_000
    (folder / "rows.csv").write_text("\n".join(lines))
    score("rows.csv", "out.csv", part_size=4)
    rows = rows_of("out.csv")
    assert [row["error"] for row in rows] == [
        "",
        "3 columns, expected 785.",
        "",
        "pixel0 is '256', expected an integer from 0 to 255.",
        "1 columns, expected 785.",
        "",
    ]
    assert [answers(rows)[place] for place in (0, 2, 5)] == [expected_of(pixels)[place] for place in (0, 2, 5)]


def test_the_images_that_an_idx_file_declares_and_lacks_are_marked(folder, score, pixels):
    Path("images.idx").write_bytes(idx_of(pixels)[:-800])
    score("images.idx", "out.csv", part_size=4)
    rows = rows_of("out.csv")
    assert [row["error"] for row in rows] == [""] * 4 + ["The file ends before this image."] * 2
    assert answers(rows)[:4] == expected_of(pixels)[:4]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("nothing", None, r"nothing does not exist\."),
        (
            "notes.txt",
            b"text",
            r"notes\.txt: this kind of file can't be read; expected a folder or an archive \(zip, tar\) of PNG",
        ),
        ("names.csv", b"name,digit\na.png,3\n", r"names\.csv has 2 columns, expected 784 pixels"),
        ("labels.idx", bytes(100), r"labels\.idx is not an IDX file of 28x28 images"),
        ("a.zip", b"PK", r"a\.zip is damaged, or no zip archive"),
        ("a.csv.gz", gzip.compress(b"1,2,3\n" * 1000)[:20], r"a\.csv\.gz can't be unpacked"),
        ("a.idx", idx_of(np.empty((0, 28, 28), np.uint8)), r"a\.idx has nothing to read"),
    ],
    ids=["nothing", "text", "names", "labels", "zip", "gzip", "no images"],
)
def test_what_cannot_be_read_at_all_is_refused_in_words(folder, score, name, content, words):
    if content is not None:
        Path(name).write_bytes(content)
    with pytest.raises(CommandError, match=words):
        score(name, "out.csv")


def test_a_fault_of_the_program_is_marked_in_its_row(folder, score, monkeypatch):
    def prepare_or_refuse(item):
        if isinstance(item, bytes) and item == PICTURES["a/two.png"]:
            raise ZeroDivisionError("division by zero")
        return gallery().pixels(0) if isinstance(item, bytes) else item

    monkeypatch.setattr(workers, "prepare_or_refuse", prepare_or_refuse)
    score("scans", "out.csv")
    errors = {row["path"]: row["error"] for row in rows_of("out.csv")}
    assert "by a fault of the program (ZeroDivisionError('division by zero'))" in errors["a/two.png"]
    assert errors["several.png"] == ""


def test_a_job_that_is_interrupted_goes_on_and_its_result_is_that_of_one_run(tables, score, monkeypatch):
    score("labelled.csv", "whole.csv", part_size=2)
    write = Job.write
    written = []

    def interrupt(job, number, columns):
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(number)
        write(job, number, columns)

    with monkeypatch.context() as patch:
        patch.setattr(Job, "write", interrupt)
        with pytest.raises(SystemExit) as stopped:
            score("labelled.csv", "out.csv", part_size=2)
    assert stopped.value.code == 130
    assert not Path("out.csv").exists()
    told = score("labelled.csv", "out.csv", part_size=2)
    assert "4 of 6 rows are done already.\n2 rows in " in told
    assert Path("out.csv").read_bytes() == Path("whole.csv").read_bytes()
    assert not Path("out.csv.parts").exists()


def test_a_job_that_is_killed_while_it_writes_goes_on(tables, score, monkeypatch):
    """The beginning of a file lies there under another name, and is gone in the end."""
    score("labelled.csv", "whole", part_size=2, form="csv")
    score("labelled.csv", "out", part_size=2, form="csv")
    last = Path("out/part-000002.csv")
    half = last.read_bytes()[:50]
    last.unlink()
    Path("out/_SUCCESS").unlink()
    Path(f"{last}.0123.tmp").write_bytes(half)
    score("labelled.csv", "out", part_size=2, form="csv")
    for name in ("part-000000.csv", "part-000001.csv", "part-000002.csv", "_SUCCESS", "_parts.jsonl"):
        assert Path("out", name).read_bytes() == Path("whole", name).read_bytes()
    assert {path.name for path in Path("out").iterdir()} == {path.name for path in Path("whole").iterdir()}


def test_a_job_that_is_killed_before_it_has_cleaned_up_is_complete(tables, score):
    score("labelled.csv", "out.csv")
    whole = Path("out.csv").read_bytes()
    Path("out.csv.parts").mkdir()
    Path("out.csv.parts/_SUCCESS").touch()
    assert score("labelled.csv", "out.csv") == "out.csv is complete.\n"
    assert Path("out.csv").read_bytes() == whole
    assert not Path("out.csv.parts").exists()


def test_a_job_that_is_done_is_not_done_again(tables, score):
    score("labelled.csv", "out", form="csv")
    assert score("labelled.csv", "out", form="csv") == "All 6 rows are done already.\n"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda folder: {"part_size": 3}, r"started with part_size None, not 3\."),
        (lambda folder: {"form": "training"}, r"started with format csv, not training\."),
        (lambda folder: os.utime(folder / "labelled.csv", (1, 1)) or {}, "files that have changed since"),
    ],
    ids=["part size", "form", "input"],
)
def test_a_job_only_goes_on_with_what_it_was_started_with(tables, score, change, words):
    score("labelled.csv", "out", form="csv")
    with pytest.raises(CommandError, match=words):
        score("labelled.csv", "out", **{"form": "csv"} | change(tables))


def test_a_job_does_not_go_on_with_other_weights_or_limits(tables, score, settings):
    score("labelled.csv", "out", form="csv")
    record = json.loads(Path("out/_job.json").read_text())
    Path("out/_job.json").write_text(json.dumps(record | {"weights": "0" * 64}))
    settings.MAX_PICTURE_SIDE = 100
    with pytest.raises(CommandError, match=r"with other weights, and with other limits in the settings\."):
        score("labelled.csv", "out", form="csv")


def test_a_worker_with_other_limits_does_not_take_part(tables, score, settings):
    score("labelled.csv", "out", form="csv")
    settings.MAX_PICTURE_SIDE = 100
    with pytest.raises(Mismatch, match="with other limits in the settings"):
        workers.PartScorer("out")


def test_nothing_is_written_over(tables, score):
    Path("kept.csv").write_text("kept")
    Path("kept").mkdir()
    Path("kept/notes.txt").write_text("kept")
    with pytest.raises(CommandError, match=r"kept\.csv exists already"):
        score("labelled.csv", "kept.csv")
    with pytest.raises(CommandError, match="kept holds something else"):
        score("labelled.csv", "kept", form="csv")
    assert Path("kept.csv").read_text() == Path("kept/notes.txt").read_text() == "kept"


def test_the_certain_digits_become_images_for_training(tables, score, pixels):
    score("labelled.csv", "train.csv", form="training")
    dataset = read_csv(Path("train.csv"))
    predictions = recognize_batch(pixels)
    certain = [place for place, prediction in enumerate(predictions) if not prediction.uncertain]
    assert 0 < len(certain) < 6
    assert (dataset.pixels == pixels[certain]).all()
    assert dataset.labels.tolist() == [predictions[place].digit for place in certain]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (59.6, "1 min 0 s"), (3599, "59 min 59 s"), (7380, "2 h 3 min")]
)
def test_durations_are_told_in_the_two_largest_units(seconds, words):
    assert duration(seconds) == words


def test_progress_tells_the_rate_and_the_time_left(tables, score, monkeypatch):
    monkeypatch.setattr("digits.management.progress.REPEATED", 0)
    told = score("labelled.csv", "out.csv", batch_size=3)
    assert re.search(r"\[#{15} {15}\]  50%  3 of 6, [\d,]+ a second, \d s left\n", told)


@pytest.mark.parametrize(
    ("arguments", "absent", "words"),
    [
        (["in.csv", "out.parquet", "--local"], {"pyarrow"}, "This needs pyarrow: "),
        (["in.parquet", "out.csv", "--local"], {"pyarrow"}, "This needs pyarrow: "),
        (["in.csv", "out.csv"], {"ray", "pyarrow"}, "This needs ray and pyarrow: "),
        (["s3://scans/in.csv", "out.csv", "--local"], {"fsspec"}, "This needs fsspec: "),
    ],
)
def test_what_is_missing_is_named_with_the_command_that_installs_it(monkeypatch, arguments, absent, words):
    monkeypatch.setattr(score_command, "find_spec", lambda name: None if name in absent else object())
    with pytest.raises(CommandError, match=f"{words}python -m pip install -r requirements-scale.txt"):
        call_command("score", *arguments)


def test_csv_is_scored_by_the_packages_of_the_site_alone(tables, pixels):
    absent = "import sys; sys.modules.update(dict.fromkeys(['ray', 'pyarrow', 'pandas', 'fsspec']))"
    command = "from django.core.management import execute_from_command_line as run; run(sys.argv)"
    arguments = ["score", tables / "labelled.csv", tables / "out.csv", "--local"]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    subprocess.run([sys.executable, "-c", f"{absent}; {command}", *arguments], cwd=ROOT, env=environment, check=True)
    assert answers(rows_of(tables / "out.csv")) == expected_of(pixels)
