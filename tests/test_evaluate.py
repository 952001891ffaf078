"""What is measured: known intervals, a classifier whose every answer is known, and the shipped weights."""

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from digit_recognizer_dl_model import evaluate, handwriting, nondigits
from digit_recognizer_dl_model.dataset import Dataset, read_csv, write_csv
from digit_recognizer_dl_model.evaluate import (
    describe,
    measure,
    measure_nondigits,
    milliseconds_an_image,
    wilson_interval,
)
from digit_recognizer_dl_model.inference import Answers, Classifier
from digit_recognizer_dl_model.weights import Weights, load_weights, save_weights

TEST_CSV = Path(__file__).parent.parent / "data" / "mnist_test.csv"


# Newcombe 1998, Statistics in Medicine 17, table I, method 3.
@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (20, 20, 0.8389, 1.0),
    ],
)
def test_the_interval_agrees_with_published_ones(right, total, low, high):
    assert wilson_interval(right, total) == pytest.approx((low, high), abs=5e-5)


@pytest.fixture
def classifier():
    """Answers image i with answers[i], as sure as confidences[i]; less than 0.6 is not sure, over 30 is no digit."""
    confidences, answers = [0.9, 0.8, 0.55, 0.5, 0.95, 0.7], [3, 3, 5, 8, 0, 9]
    table = np.array([[(1 - c) / 9] * 10 for c in confidences], np.float32)
    table[np.arange(6), answers] = confidences
    answers = Answers(table, np.array([30, 99, 30, 31, 9, 1], np.float32))
    weights = SimpleNamespace(uncertain_below=0.6, no_digit_above=30.0)
    return SimpleNamespace(answer=lambda pixels: answers, weights=weights)


def test_a_classifier_whose_every_answer_is_known_is_measured(classifier):
    labels = np.array([3, 5, 5, 3, 0, 9], np.uint8)
    figures = measure(classifier, Dataset(np.zeros((6, 28, 28), np.uint8), labels))
    assert figures["images"] == 6
    assert figures["accuracy"] == pytest.approx(4 / 6)
    assert figures["interval_95"] == wilson_interval(4, 6)
    assert figures["uncertain"] == pytest.approx(3 / 6)
    assert figures["no_digit"] == pytest.approx(2 / 6)
    assert figures["accuracy_where_certain"] == pytest.approx(3 / 3)
    # No two confidences share a bin of 1/15.
    by_hand = (abs(0.9 - 1) + 0.8 + abs(0.55 - 1) + 0.5 + abs(0.95 - 1) + abs(0.7 - 1)) / 6
    assert figures["expected_calibration_error"] == pytest.approx(by_hand, abs=1e-6)
    confusion = np.array(figures["confusion"])
    assert {(label, answer): n for (label, answer), n in np.ndenumerate(confusion) if n} == {
        (3, 3): 1,
        (5, 3): 1,
        (5, 5): 1,
        (3, 8): 1,
        (0, 0): 1,
        (9, 9): 1,
    }


def test_a_classifier_that_is_never_sure_is_measured(classifier):
    classifier.weights.uncertain_below = 1
    figures = measure(classifier, Dataset(np.zeros((6, 28, 28), np.uint8), np.zeros(6, np.uint8)))
    assert (figures["uncertain"], figures["accuracy_where_certain"]) == (1, 0)


def test_the_time_of_a_batch_is_that_of_a_whole_batch():
    sizes = []
    classifier = SimpleNamespace(answer=lambda pixels: sizes.append(pixels.shape))
    milliseconds_an_image(classifier, np.zeros((5, 28, 28), np.uint8), batch=64, repeats=2)
    assert sizes == [(64, 28, 28)] * 3


def test_the_description_names_the_figures(classifier):
    labels = np.array([3, 5, 5, 3, 0, 9], np.uint8)
    text = describe(measure(classifier, Dataset(np.zeros((6, 28, 28), np.uint8), labels)))
    for part in ("accuracy        66.67% of 6 images", "not sure        50.00%; of the rest 100.00% are right"):
        assert part in text
    assert "no digit        33.33%" in text
    rows = [line.split() for line in text.splitlines()[-10:]]
    assert rows[5] == ["5", *"0001010000"]


@pytest.fixture
def folder(tmp_path):
    """A folder with weights.npz that always answer 7, and digits.csv with four sevens out of five."""
    arrays = {"1.weight": np.zeros((784, 10), np.float32), "1.bias": np.zeros(10, np.float32)}
    arrays["1.bias"][7] = 3
    arrays["novelty.means"] = np.zeros((10, 784), np.float32)
    arrays["novelty.directions"] = np.zeros((10, 784, 32), np.float32)
    architecture = [{"layer": "Flatten"}, {"layer": "Dense", "inputs": 784, "outputs": 10}]
    save_weights(tmp_path / "weights.npz", Weights(architecture, arrays, 1.0, 0.5, 30.0, {}))
    pixels = np.random.default_rng(1).integers(0, 256, (5, 28, 28), dtype=np.uint8)
    write_csv(tmp_path / "digits.csv", Dataset(pixels, np.array([7, 7, 1, 7, 7], np.uint8)))
    return tmp_path


def test_pictures_of_no_digit_are_refused_for_either_reason(monkeypatch):
    novelty, confidence = np.array([31, 1, 1, 99]), np.array([0.9, 0.5, 0.9, 0.5])
    answers = Answers(np.tile(confidence[:, None], 10), novelty)
    weights = SimpleNamespace(uncertain_below=0.6, no_digit_above=30.0)
    asked = []
    classifier = SimpleNamespace(answer=lambda pixels: (asked.append(pixels.shape), answers)[1], weights=weights)
    monkeypatch.setattr(evaluate, "SAMPLES_A_KIND", 4)
    shares = measure_nondigits(classifier)
    assert shares == dict.fromkeys(nondigits.KINDS, 0.75)
    assert asked == [(4, 28, 28)] * len(nondigits.KINDS)


def evaluate_in(folder, monkeypatch):
    arguments = ["evaluate", "--weights", str(folder / "weights.npz"), "--csv", str(folder / "digits.csv")]
    monkeypatch.setattr("sys.argv", arguments)
    monkeypatch.setattr(evaluate, "SAMPLES_A_FORM", 2)
    monkeypatch.setattr(evaluate, "SAMPLES_A_KIND", 2)
    evaluate.main()


def test_the_command_prints_accuracy_size_and_speed(folder, monkeypatch, capsys):
    evaluate_in(folder, monkeypatch)
    out = capsys.readouterr().out
    size = (folder / "weights.npz").stat().st_size
    assert f"weights.npz: 266,570 values, {size:,} bytes" in out
    assert "80.00% of 5 images" in out
    assert all(re.search(rf" \d+\.\d%  {kind}\n", out) for kind in nondigits.KINDS)
    assert len(re.findall(r"forward pass    \d+\.\d{3} ms an image", out)) == 2
    assert "100.0%  seven barred" in out  # the weights say 7, whatever they see
    assert "  0.0%  six" in out


@pytest.mark.parametrize("broken", ["weights.npz", "digits.csv"])
@pytest.mark.parametrize("fault", ["missing", "empty"])
def test_the_command_refuses_unusable_files_in_one_line(folder, monkeypatch, broken, fault):
    (folder / broken).unlink()
    if fault == "empty":
        (folder / broken).touch()
    with pytest.raises(SystemExit) as stop:
        evaluate_in(folder, monkeypatch)
    assert str(folder / broken) in stop.value.code
    assert "\n" not in stop.value.code


def test_the_command_refuses_images_without_labels(folder, monkeypatch):
    (folder / "digits.csv").write_text(",".join(["0"] * 784))
    with pytest.raises(SystemExit, match="no labels"):
        evaluate_in(folder, monkeypatch)


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


def test_the_shipped_weights_are_right_about_994_test_images_of_1000(shipped):
    assert shipped[1]["accuracy"] >= 0.994


def test_the_shipped_weights_doubt_few_digits(shipped):
    assert shipped[1]["uncertain"] <= 0.01
    written = handwriting.sample(1000, np.random.default_rng(6))
    assert measure(Classifier(load_weights()), written)["uncertain"] <= 0.03


def test_the_shipped_weights_refuse_most_of_what_is_no_digit(monkeypatch):
    monkeypatch.setattr(evaluate, "SAMPLES_A_KIND", 100)
    shares = measure_nondigits(Classifier(load_weights()))
    assert min(shares.values()) >= 0.5
    assert np.mean(list(shares.values())) >= 0.75
