"""`manage.py predict`: files, folders and standard input get the API's answers, line by line."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from digit_recognizer_dl_model.weights import UnusableWeights
from digits import recognizer
from digits.management.commands import predict as predict_command

from .mirrors import InterruptedTerminal, Terminal
from .pictures import SEVEN, TWO, drawing, encoded, number_picture

ROOT = Path(__file__).parents[1]
COMMAND = [sys.executable, "manage.py", "predict"]
REFUSED = {
    "text.png": b"no picture at all",
    "cut-off.png": encoded(drawing())[:300],
    "blank.jpg": encoded(drawing([]), "JPEG"),
    "large.png": encoded(drawing()) + bytes(25 * 1024 * 1024),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to work in that holds a drawn two and a drawn seven, and more further down."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scans" / "more").mkdir(parents=True)
    (tmp_path / "scans" / "two.PNG").write_bytes(encoded(drawing([TWO])))
    (tmp_path / "scans" / "seven.jpg").write_bytes(encoded(drawing([SEVEN]), "JPEG"))
    (tmp_path / "scans" / "more" / "two.jpeg").write_bytes(encoded(drawing([TWO]), "JPEG"))
    (tmp_path / "scans" / "notes.txt").write_text("three pictures")
    return tmp_path


@pytest.fixture
def refused(folder):
    for name, content in REFUSED.items():
        (folder / name).write_bytes(content)
    return list(REFUSED)


@pytest.fixture
def predict():
    """Run the command; its exit status, and what it wrote."""

    def predict(*arguments, stderr=None, **options):
        stdout, stderr = io.StringIO(), stderr or io.StringIO()
        try:
            call_command("predict", *arguments, stdout=stdout, stderr=stderr, **options)
        except SystemExit as stopped:
            return stopped.code, stdout.getvalue(), stderr.getvalue()
        return 0, stdout.getvalue(), stderr.getvalue()

    return predict


def test_a_picture_is_answered_in_words_and_percent(folder, predict):
    status, answers, errors = predict("scans/two.PNG")
    assert status == 0
    assert re.fullmatch(r"scans/two\.PNG  2  \d\d\.\d %\n", answers)
    assert errors == ""


def test_whole_numbers_are_read_on_request(folder, predict):
    (folder / "number.png").write_bytes(encoded(number_picture("1984")))
    (folder / "text.png").write_bytes(b"no picture at all")
    status, answers, errors = predict("number.png", "text.png", "--number")
    assert status == 1
    assert re.fullmatch(r"number\.png  1984  [\d.]+ %\n", answers)
    assert errors.startswith("text.png: ")
    _, answers, _ = predict("number.png", "--number", "--json")
    assert json.loads(answers)["number"] == "1984"


def test_the_pictures_in_a_folder_are_read_in_the_order_of_their_names(folder, predict):
    status, answers, _ = predict("scans", "scans/two.PNG")
    assert status == 0
    assert [line.split("  ")[:2] for line in answers.splitlines()] == [
        ["scans/more/two.jpeg", "2"],
        ["scans/seven.jpg", "7"],
        ["scans/two.PNG", "2"],
        ["scans/two.PNG", "2"],
    ]


def test_pictures_of_every_format_in_a_folder_are_read(folder, predict):
    (folder / "more").mkdir()
    names = {"a.bmp": "BMP", "b.GIF": "GIF", "c.jfif": "JPEG", "d.webp": "WEBP", "e.png": "GIF"}
    for name, form in names.items():
        (folder / "more" / name).write_bytes(encoded(drawing([SEVEN]), form))
    status, answers, _ = predict("more")
    assert status == 0
    assert [line.split("  ")[:2] for line in answers.splitlines()] == [[f"more/{name}", "7"] for name in names]


def test_the_command_reads_more_than_a_request_may_cost(folder, predict, settings):
    settings.MAX_REQUEST_SECONDS = 0
    assert predict("scans")[0] == 0


def test_standard_input_is_a_picture(predict, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(encoded(drawing([SEVEN])))))
    status, answers, _ = predict("-")
    assert status == 0
    assert answers.startswith("-  7  ")


def test_what_cannot_be_read_is_explained_and_stops_no_other(folder, refused, predict):
    (folder / "empty").mkdir()
    (folder / "nothing.png").touch()
    status, answers, errors = predict(*refused, "absent.png", "empty", "nothing.png", "scans/two.PNG")
    assert status == 1
    assert answers.startswith("scans/two.PNG  2  ")
    assert errors.splitlines() == [
        "text.png: This file is not a PNG, JPEG, WebP, BMP or GIF picture.",
        "cut-off.png: This picture is damaged or cut off: it can't be decoded.",
        "blank.jpg: There is no ink in this picture.",
        "large.png: This picture is too large; it may have 25 MB.",
        "absent.png: No such file or directory.",
        "empty: There is no PNG, JPEG, WebP, BMP or GIF picture in this folder.",
        "nothing.png: This file is empty.",
    ]


def test_json_says_what_the_api_says(folder, refused, predict, client):
    names = [*refused, "scans/seven.jpg", "scans/two.PNG"]
    status, lines, errors = predict("--json", *names)
    assert status == 1
    assert errors == ""
    for name, line in zip(names, lines.splitlines(), strict=True):
        file = SimpleUploadedFile("digit.png", Path(name).read_bytes())
        expected = client.post("/api/predict-digit/", {"file": file}).json()
        answer = json.loads(line)
        assert answer.pop("file") == name
        if error := answer.pop("error", None):
            assert set(error) == {"status", "title", "detail"}
            assert [error["status"], error["title"]] == [expected["status"], expected["title"]]
        else:
            assert answer.pop("confidence") == pytest.approx(expected.pop("confidence"), abs=1e-5)
            assert answer.pop("probabilities") == pytest.approx(expected.pop("probabilities"), abs=1e-5)
            assert answer == {name: expected[name] for name in ("prediction", "uncertain", "reason", "weights_version")}


def test_a_picture_that_is_too_large_is_not_read_to_its_end(predict, monkeypatch, settings):
    picture = io.BytesIO(REFUSED["large.png"])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(picture))
    assert predict("-") == (1, "", "-: This picture is too large; it may have 25 MB.\n")
    assert picture.tell() == settings.MAX_PICTURE_BYTES + 1


@pytest.mark.parametrize(
    ("name", "shown"),
    [("neuf \u00e9.png", "neuf \u00e9.png"), ("a\nb\x1b.png", r"a\nb\x1b.png"), ("\udcff.png", r"\udcff.png")],
)
def test_any_file_name_stays_on_its_line(folder, predict, name, shown):
    (folder / name).write_bytes(encoded(drawing([TWO])))
    assert predict(name)[1].startswith(f"{shown}  2  ")
    assert predict(name + ".absent")[2].startswith(f"{shown}.absent: ")
    assert json.loads(predict("--json", name)[1])["file"] == name


def test_many_pictures_are_answered_in_batches(folder, predict, monkeypatch):
    sizes = []
    monkeypatch.setattr(predict_command, "BATCH", 2)
    recognize_batch = recognizer.recognize_batch
    monkeypatch.setattr(
        recognizer, "recognize_batch", lambda pixels: sizes.append(len(pixels)) or recognize_batch(pixels)
    )
    status, answers, _ = predict("scans", "absent.png", "absent.png", "absent.png", "scans/seven.jpg")
    assert status == 1
    assert sizes == [2, 1, 0, 1]
    assert [line.split("  ")[1] for line in answers.splitlines()] == ["2", "7", "2", "7"]


def test_a_terminal_sees_a_bar_while_there_is_much_to_do(folder, predict, monkeypatch):
    assert "#" not in predict("scans", "scans", stderr=Terminal())[2]
    monkeypatch.setattr(predict_command, "BATCH", 2)
    status, answers, drawn = predict("scans", "scans", stderr=Terminal())
    assert status == 0
    assert "\r\x1b[K[###############               ]  50%  3 of 6" in drawn
    assert drawn.endswith("\r\x1b[K")
    assert len(answers.splitlines()) == 6
    assert predict("scans", "scans")[2] == ""


@pytest.mark.skipif(os.name != "posix", reason="there are no such files")
def test_a_pipe_in_a_folder_is_not_waited_for(folder, predict):
    os.mkfifo(folder / "scans" / "pipe.png")
    assert len(predict("scans")[1].splitlines()) == 3


@pytest.mark.skipif(os.name != "posix", reason="there are no such files")
def test_a_pipe_that_nothing_writes_to_is_not_waited_for(folder, predict):
    os.mkfifo("pipe.png")
    status, answers, errors = predict("pipe.png", "scans/two.PNG")
    assert (status, answers[:15]) == (1, "scans/two.PNG  ")
    assert errors == "pipe.png: Nothing writes to this pipe.\n"


@pytest.mark.skipif(os.name != "posix", reason="there are no such files")
def test_a_pipe_is_read_to_its_end_where_something_writes_to_it(folder, predict):
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb"), os.fdopen(writer, "wb") as end:
        end.write(encoded(drawing([SEVEN])))
        end.close()
        status, answers, _ = predict(f"/dev/fd/{reader}")
    assert status == 0
    assert f"/dev/fd/{reader}  7  " in answers


def test_a_name_that_the_output_has_no_characters_for_is_written_all_the_same(tmp_path):
    picture = tmp_path / "sieben \u00e4.png"
    picture.write_bytes((ROOT / "docs" / "seven.png").read_bytes())
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run([*COMMAND, picture], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert "sieben \\xe4.png  7" in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no such device")
def test_a_full_disk_is_told_of():
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "docs/seven.png"], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (
        1,
        "CommandError: The answers can't be written: No space left on device.\n",
    )


def test_ctrl_c_stops_it_quietly(folder, predict, monkeypatch):
    monkeypatch.setattr(predict_command, "BATCH", 2)
    assert predict("scans", stderr=InterruptedTerminal())[0] == 130


def test_a_reader_that_has_seen_enough_ends_it_quietly():
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        [*COMMAND, "docs/seven.png"],
        cwd=ROOT,
        env=os.environ | {"PYTHONUNBUFFERED": ""},  # a pipe is buffered, unless the shell of the tests says otherwise
        stdout=write_end,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write_end)
    assert done.returncode == 141
    assert done.stderr == ""


def test_it_needs_the_weights_but_not_the_gallery(folder, predict, monkeypatch):
    def unusable():
        raise UnusableWeights("cut off")

    monkeypatch.setattr("digits.health.gallery", lambda: pytest.fail("asked for"))
    assert predict("scans", skip_checks=False)[0] == 0
    monkeypatch.setattr("digits.health.classifier", unusable)
    with pytest.raises(SystemCheckError, match="The network's weights can't be used: cut off"):
        predict("scans", skip_checks=False)


def test_without_a_file_it_says_how_it_is_used():
    done = subprocess.run(COMMAND, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("usage: manage.py predict")
