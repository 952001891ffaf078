"""The evaluation as a command on files whose figures are known, and the shipped weights."""

import json
import re
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.quality import measure as evaluate
from benchmarks.quality import photographs, robustness, unseen_kinds
from benchmarks.quality.measure import measure_negatives, microseconds_an_image
from digit_recognizer_dl_model.dataset import Dataset, read_csv, write_csv
from digit_recognizer_dl_model.inference import Classifier
from digit_recognizer_dl_model.metrics import measure
from digit_recognizer_dl_model.recordings import Recording, fold_of_writers, write_recordings
from digit_recognizer_dl_model.synthetic import handwriting, negatives
from digit_recognizer_dl_model.weights import Weights, load_weights, save_weights

TEST_CSV = Path(__file__).parent.parent / "data" / "mnist_test.csv"
SEVEN = [np.array([[0.0, 0], [60, 0], [20, 100]])]


def test_the_time_of_a_batch_is_that_of_a_whole_batch():
    sizes = []
    classifier = SimpleNamespace(probabilities=lambda pixels: sizes.append(pixels.shape))
    microseconds_an_image(classifier, np.zeros((5, 28, 28), np.uint8), batch=64, repeats=2)
    assert sizes == [(64, 28, 28)] * 3


def test_pictures_of_no_digit_are_refused_for_either_reason(monkeypatch):
    likeliest = np.array([[0.7, 0.0], [0.5, 0.49], [0.9, 0.09], [0.4, 0.1]])
    probabilities = np.repeat((1 - likeliest.sum(axis=1, keepdims=True)) / 8, 10, axis=1)
    probabilities[:, 4:6] = likeliest
    weights = SimpleNamespace(uncertain_below=0.6, no_digit_above=0.2)
    asked = []
    classifier = SimpleNamespace(
        probabilities=lambda pixels: (asked.append(pixels.shape), probabilities)[1], weights=weights
    )
    monkeypatch.setattr(evaluate, "SAMPLES_A_KIND", 4)
    shares = measure_negatives(classifier)
    assert shares == dict.fromkeys(negatives.KINDS, 0.75)
    assert asked == [(4, 28, 28)] * len(negatives.KINDS)


@pytest.fixture
def folder(tmp_path):
    """A folder with weights.npz that always answer 7, digits.csv with four sevens out of five, and recorded sevens."""
    first, last = ({"layer": "Dense", "inputs": inputs, "outputs": 10} for inputs in (784, 10))
    architecture = [{"layer": "Flatten"}, first, {"layer": "BatchNorm", "channels": 10}, {"layer": "ReLU"}, last]
    shapes = {"1.weight": (784, 10), "1.bias": 10, "4.weight": (10, 10), "4.bias": 10}
    shapes |= {f"2.{name}": 10 for name in ("scale", "shift", "mean", "variance")}
    arrays = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    arrays["4.bias"][7] = 3
    figures = {"training": {"seed": 5, "fold": None}, "validation": {"images": 9}}
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
        arguments = ["evaluate", "--weights", str(folder / "weights.npz"), "--csv", str(folder / "digits.csv")]
        monkeypatch.setattr("sys.argv", [*arguments, *options])
        monkeypatch.setattr(evaluate, "SAMPLES_A_FORM", 2)
        monkeypatch.setattr(evaluate, "SAMPLES_A_KIND", 2)
        monkeypatch.setattr(evaluate, "measure_photographs", partial(photographs.measure_photographs, count=1))
        evaluate.main()

    return command


@pytest.mark.slow
def test_the_command_prints_every_part(command, folder, capsys):
    command()
    out = capsys.readouterr().out
    size = (folder / "weights.npz").stat().st_size
    assert f"weights.npz: 7,980 trained values, {size:,} bytes" in out
    assert "80.00% of 5 images" in out
    assert all(re.search(rf" \d+\.\d%  {re.escape(kind)}\n", out) for kind in negatives.KINDS)
    assert all(re.search(rf" \d+\.\d%  [01]\.\d{{4}}  [01]\.\d{{4}}  {kind}\n", out) for kind in unseen_kinds.KINDS)
    assert all(re.search(rf" \d+\.\d\d%  {re.escape(row)}\n", out) for row in robustness.DISTORTIONS)
    assert all(re.search(rf" \d+\.\d\d%  {kind}\n", out) for kind in photographs.KINDS)
    assert len(re.findall(r"forward pass    \d+ microseconds an image", out)) == 3
    assert "100.0%  seven barred" in out  # the weights say 7, whatever they see
    assert "  0.0%  six" in out
    assert "writers" not in out


@pytest.mark.slow
def test_the_command_measures_recorded_pens_and_writes_json(command, folder, capsys):
    command("--strokes", str(folder / "pens.json.gz"), "--json", str(folder / "report.json"))
    report = json.loads((folder / "report.json").read_text())
    assert report["pens"]["images"] == 6
    assert report["pens"]["accuracy"] == 1
    assert report["test"]["accuracy"] == 0.8
    assert report["forms"].keys() == handwriting.FORMS.keys()
    assert report["robustness"].keys() == robustness.DISTORTIONS.keys()
    assert report["photographs"].keys() == photographs.KINDS.keys()
    assert report["microseconds_an_image"].keys() == {"1", "16", "256"}
    assert "6 writers, who are read right from 100.0% to 100.0%" in capsys.readouterr().out
    assert "test" not in load_weights(folder / "weights.npz").figures


@pytest.mark.slow
def test_the_command_can_keep_the_figures(command, folder):
    command("--save")
    figures = load_weights(folder / "weights.npz").figures
    assert figures["validation"] == {"images": 9}
    assert figures["test"]["accuracy"] == 0.8
    assert "pens" not in figures


@pytest.mark.slow
def test_teachers_are_measured_on_the_writers_whom_they_have_never_seen(command, folder, capsys):
    recordings = [Recording(7, writer, SEVEN) for writer in range(6)]
    weights = load_weights(folder / "weights.npz")
    for third in (0, 1):
        weights.figures["training"] = {"seed": 8 + third, "fold": third}
        save_weights(folder / f"teacher{third}.npz", weights)
    teachers = [str(folder / f"teacher{third}.npz") for third in (0, 1)]
    command("--save", "--strokes", str(folder / "pens.json.gz"), "--teachers", *teachers)
    figures = load_weights(folder / "weights.npz").figures
    assert "pens" not in figures
    for third, teacher in enumerate(figures["teachers"]):
        assert teacher["training"] == {"seed": 8 + third, "fold": third}
        assert teacher["test"]["accuracy"] == 0.8
        assert {int(writer) for writer in teacher["pens"]["by_writer"]} == fold_of_writers(recordings, third)
        assert teacher["pens"]["images"] == 2
    assert "teacher         of seed 9: 80.00% of the test images" in capsys.readouterr().out


@pytest.mark.slow
def test_repeats_tell_how_much_is_chance(command, folder, capsys):
    weights = load_weights(folder / "weights.npz")
    weights.figures["training"] = {"seed": 8}
    save_weights(folder / "seed8.npz", weights)
    command("--save", "--repeats", str(folder / "seed8.npz"))
    [repeat] = load_weights(folder / "weights.npz").figures["repeats"]
    assert repeat["training"] == {"seed": 8}
    assert repeat["test"]["accuracy"] == 0.8
    assert "of seeds 8: 80.00%; with the network's own 80.00%, deviation 0.00%" in capsys.readouterr().out


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


@pytest.fixture(scope="module")
def shipped():
    """The figures in the shipped file, and the same measured now."""
    weights = load_weights()
    return weights.figures["test"], measure(Classifier(weights), read_csv(TEST_CSV))


def test_the_shipped_weights_are_as_good_as_their_file_says(shipped):
    claimed, measured = shipped
    assert claimed["images"] == measured["images"] == 10_000
    # To one image, as other machines round differently.
    assert measured["accuracy"] == pytest.approx(claimed["accuracy"], abs=1.5 / 10_000)
    assert np.abs(np.array(measured["confusion"]) - claimed["confusion"]).sum() <= 2
    for figure in ("expected_calibration_error", "uncertain", "no_digit", "accuracy_where_certain"):
        assert measured[figure] == pytest.approx(claimed[figure], abs=0.001)


@pytest.mark.slow
def test_the_shipped_weights_are_right_about_994_test_images_of_1000(shipped):
    assert shipped[1]["accuracy"] >= 0.994


@pytest.mark.slow
def test_the_shipped_weights_doubt_few_digits(shipped):
    assert shipped[1]["uncertain"] <= 0.01
    written = handwriting.write_digits(1000, np.random.default_rng(6))
    assert measure(Classifier(load_weights()), written)["uncertain"] <= 0.03


@pytest.mark.slow
def test_the_shipped_weights_refuse_most_of_what_is_no_digit(monkeypatch):
    monkeypatch.setattr(evaluate, "SAMPLES_A_KIND", 100)
    shares = measure_negatives(Classifier(load_weights()))
    assert min(shares.values()) >= 0.7
    assert np.mean(list(shares.values())) >= 0.9
