"""The command that measures everything, on files whose figures are known."""

import json
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality import failures, measure, photographs, robustness, unseen_kinds
from digit_recognizer_dl_model import evaluate
from digit_recognizer_dl_model.counts import Count
from digit_recognizer_dl_model.dataset import Dataset, write_csv
from digit_recognizer_dl_model.figures import Figures, TrainingSettings
from digit_recognizer_dl_model.recordings import Recording, fold_of_writers, write_recordings
from digit_recognizer_dl_model.synthetic import handwriting, negatives
from digit_recognizer_dl_model.train import Settings, record
from digit_recognizer_dl_model.weights import Weights, load_weights, save_weights

SEVEN = [np.array([[0.0, 0], [60, 0], [20, 100]])]


@pytest.fixture
def folder(tmp_path):
    """A folder with weights.npz that always answer 7, digits.csv with four sevens out of five, and recorded sevens."""
    first, last = ({"layer": "Dense", "inputs": inputs, "outputs": 10} for inputs in (784, 10))
    architecture = [{"layer": "Flatten"}, first, {"layer": "BatchNorm", "channels": 10}, {"layer": "ReLU"}, last]
    shapes = {"1.weight": (784, 10), "1.bias": 10, "4.weight": (10, 10), "4.bias": 10}
    shapes |= {f"2.{name}": 10 for name in ("scale", "shift", "mean", "variance")}
    arrays = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    arrays["4.bias"][7] = 3
    figures = Figures(training=record(Settings(seed=5)))
    save_weights(tmp_path / "weights.npz", Weights(architecture, arrays, 1.0, 0.5, 0.3, figures))
    rng = np.random.default_rng(1)
    pixels = handwriting.write_digits(5, rng).pixels
    write_csv(tmp_path / "digits.csv", Dataset(pixels, np.array([7, 7, 1, 7, 7], np.uint8)))
    write_recordings(tmp_path / "pens.json.gz", [Recording(7, writer, SEVEN) for writer in range(6)])
    return tmp_path


@pytest.fixture
def command(folder, monkeypatch):
    """The command as a function of its options, on few samples."""

    def command(*options):
        arguments = ["measure", "--weights", str(folder / "weights.npz"), "--csv", str(folder / "digits.csv")]
        monkeypatch.setattr("sys.argv", [*arguments, *options])
        monkeypatch.setattr(evaluate, "SAMPLES_A_FORM", 2)
        monkeypatch.setattr(evaluate, "SAMPLES_A_KIND", 2)
        monkeypatch.setattr(failures, "TRIED", 2)
        monkeypatch.setattr(measure, "measure_unseen_kinds", partial(unseen_kinds.measure_unseen_kinds, count=2))
        monkeypatch.setattr(measure, "measure_photographs", partial(photographs.measure_photographs, count=1))
        measure.main()

    return command


@pytest.mark.slow
def test_the_command_prints_every_part(command, folder, capsys):
    command()
    out = capsys.readouterr().out
    size = (folder / "weights.npz").stat().st_size
    assert f"weights.npz: 7,980 parameters, {size:,} bytes" in out
    assert "80.00% of 5 images" in out
    for row in (*negatives.KINDS, *robustness.DISTORTIONS, *photographs.KINDS):
        assert re.search(rf" \d+\.\d\d%  {re.escape(row)}\n", out), row
    for kind in unseen_kinds.KINDS:
        assert re.search(rf" \d+\.\d\d%  [01]\.\d{{4}}  [01]\.\d{{4}}  {kind}\n", out), kind
    assert len(re.findall(r"forward pass    \d+ microseconds an image", out)) == 3
    assert "100.00%  seven barred" in out  # the weights answer 7 to everything
    assert "  0.00%  six" in out
    assert "writers" not in out
    assert load_weights(folder / "weights.npz").figures.test is None


@pytest.mark.slow
def test_the_command_measures_recorded_pens_writes_json_and_saves(command, folder, capsys):
    command("--save", "--strokes", str(folder / "pens.json.gz"), "--json", str(folder / "report.json"))
    report = json.loads((folder / "report.json").read_text())
    assert report.pop("microseconds_an_image").keys() == {"1", "16", "256"}
    assert "6 writers, who are read right from 100.0% to 100.0%" in capsys.readouterr().out
    figures = load_weights(folder / "weights.npz").figures
    assert figures.to_json() == report | {"training": figures.training.to_json()}
    assert figures.pens.accuracy.count == Count(6, 6)
    assert figures.test.count == Count(4, 5)
    assert [form.name for form in figures.forms] == list(handwriting.FORMS)
    assert [change.name for change in figures.robustness] == list(robustness.DISTORTIONS)
    assert [kind.name for kind in figures.photographs] == list(photographs.KINDS)


def trained(weights: Weights, **settings: int) -> Weights:
    training: TrainingSettings = record(Settings(**settings))
    return replace(weights, figures=Figures(training=training))


@pytest.mark.slow
def test_teachers_are_measured_on_the_writers_they_have_never_seen(command, folder, capsys):
    recordings = [Recording(7, writer, SEVEN) for writer in range(6)]
    weights, paths = load_weights(folder / "weights.npz"), []
    for fold in (0, 1):
        paths.append(str(folder / f"teacher{fold}.npz"))
        save_weights(Path(paths[-1]), trained(weights, seed=8 + fold, fold=fold))
    repeat = folder / "seed8.npz"
    save_weights(repeat, trained(weights, seed=8))
    command("--save", "--strokes", str(folder / "pens.json.gz"), "--repeats", str(repeat), "--teachers", *paths)
    figures = load_weights(folder / "weights.npz").figures
    assert figures.pens is None
    for fold, teacher in enumerate(figures.teachers):
        assert (teacher.training.seed, teacher.training.fold) == (8 + fold, fold)
        assert teacher.test.count == Count(4, 5)
        assert {writer.writer for writer in teacher.pens.by_writer} == fold_of_writers(recordings, fold)
        assert teacher.pens.accuracy.images == 2
    [repeated] = figures.repeats
    assert (repeated.training.seed, repeated.test.count) == (8, Count(4, 5))
    out = capsys.readouterr().out
    assert "teacher         of seed 9: 80.00% of the test images" in out
    assert "of seeds 8: 80.00%; mean with the network's own 80.00%, standard deviation 0.00%" in out


def test_teachers_are_not_measured_without_pens(command, folder, capsys):
    with pytest.raises(SystemExit):
        command("--teachers", str(folder / "weights.npz"))
    assert "--teachers needs --strokes" in capsys.readouterr().err


@pytest.mark.parametrize("broken", ["weights.npz", "digits.csv", "pens.json.gz"])
@pytest.mark.parametrize("fault", ["missing", "empty"])
def test_the_command_refuses_unusable_files_in_one_line(command, folder, broken, fault):
    (folder / broken).unlink()
    if fault == "empty":
        (folder / broken).touch()
    with pytest.raises(SystemExit) as stop:
        command("--strokes", str(folder / "pens.json.gz"))
    assert str(folder / broken) in stop.value.code
    assert "\n" not in stop.value.code


def test_the_command_refuses_images_without_labels(command, folder):
    (folder / "digits.csv").write_text(",".join(["0"] * 784))
    with pytest.raises(SystemExit, match="no labels"):
        command()
