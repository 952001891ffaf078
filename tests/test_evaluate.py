"""Measuring arrays: classifiers whose every answer is known, and the shipped weights."""

import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from digit_recognizer_dl_model import evaluate
from digit_recognizer_dl_model.counts import Count
from digit_recognizer_dl_model.dataset import read_csv
from digit_recognizer_dl_model.evaluate import measure_forms, measure_negatives, microseconds_an_image
from digit_recognizer_dl_model.figures import Row, in_order, pooled_count
from digit_recognizer_dl_model.inference import Classifier
from digit_recognizer_dl_model.metrics import measure
from digit_recognizer_dl_model.synthetic import handwriting, negatives
from digit_recognizer_dl_model.weights import load_weights

ROOT = Path(__file__).parents[1]
TEST_CSV = ROOT / "data" / "mnist_test.csv"


def test_the_time_of_a_batch_is_that_of_a_whole_batch():
    sizes = []
    classifier = SimpleNamespace(probabilities=lambda pixels: sizes.append(pixels.shape))
    microseconds_an_image(classifier, np.zeros((5, 28, 28), np.uint8), batch=64, rounds=2)
    assert sizes == [(64, 28, 28)] * 3


def test_negatives_are_refused_for_either_reason():
    likeliest = np.array([[0.7, 0.0], [0.5, 0.49], [0.9, 0.09], [0.4, 0.1]])
    probabilities = np.repeat((1 - likeliest.sum(axis=1, keepdims=True)) / 8, 10, axis=1)
    probabilities[:, 4:6] = likeliest
    weights = SimpleNamespace(uncertain_below=0.6, no_digit_above=0.2)
    classifier = SimpleNamespace(probabilities=lambda pixels: probabilities[: len(pixels)], weights=weights)
    assert measure_negatives(classifier, 4) == tuple(Row(kind, Count(3, 4)) for kind in negatives.KINDS)


def test_every_form_is_counted_under_its_digit():
    sevens = SimpleNamespace(probabilities=lambda pixels: np.repeat(np.eye(10)[[7]], len(pixels), axis=0))
    forms = measure_forms(sevens, 1)
    assert [form.name for form in forms] == list(handwriting.FORMS)
    assert {form.count for form in forms if form.digit == 7} == {Count(1, 1)}
    assert {form.count for form in forms if form.digit != 7} == {Count(0, 1)}


@pytest.mark.slow
def test_the_command_needs_neither_pillow_nor_the_site():
    absent = "import sys; sys.modules.update(dict.fromkeys(['django', 'PIL', 'digits', 'benchmarks']))"
    few = "evaluate.SAMPLES_A_FORM = evaluate.SAMPLES_A_KIND = 1; evaluate.BATCHES = 1, 2, 3"
    command = f"{absent}; from digit_recognizer_dl_model import evaluate; {few}; evaluate.main()"
    done = subprocess.run([sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "of 10,000 images" in done.stdout
    assert len(re.findall(r"forward pass    \d+ microseconds an image", done.stdout)) == 3
    assert "repeats" not in done.stdout


def test_the_full_command_measures_the_same_files(monkeypatch, tmp_path):
    calls = []
    monkeypatch.setattr(evaluate.subprocess, "call", lambda command, cwd: calls.append((command, cwd)) or 3)
    monkeypatch.setattr(evaluate, "PENS", tmp_path / "absent.json.gz")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["evaluate", "--full", "--weights", "mine.npz", "--repeats", "one.npz"])
    with pytest.raises(SystemExit) as end:
        evaluate.main()
    assert end.value.code == 3
    [(command, cwd)] = calls
    assert command[1:3] == ["-m", "benchmarks.quality.measure"]
    assert (tmp_path / "mine.npz") in command
    assert (tmp_path / "one.npz") in command
    assert "--strokes" not in command
    assert cwd == ROOT


@pytest.fixture(scope="module")
def shipped():
    """The figures in the shipped file, and the same measured now."""
    weights = load_weights()
    return weights.figures.test, measure(Classifier(weights), read_csv(TEST_CSV))


def test_the_shipped_weights_are_as_good_as_their_file_says(shipped):
    claimed, measured = shipped
    # Other machines round differently, which may change one answer.
    assert claimed.images == measured.images == 10_000
    assert abs(measured.count.right - claimed.count.right) <= 1
    assert np.abs(np.array(measured.confusion) - claimed.confusion).sum() <= 2
    for name in ("uncertain", "no_digit", "right_where_certain"):
        assert getattr(measured, name) == pytest.approx(getattr(claimed, name), abs=10)
    assert measured.expected_calibration_error == pytest.approx(claimed.expected_calibration_error, abs=0.001)


@pytest.mark.slow
def test_the_shipped_weights_are_right_about_994_test_images_of_1000(shipped):
    assert shipped[1].count.fraction >= 0.994


@pytest.mark.slow
def test_the_shipped_weights_doubt_few_digits(shipped):
    assert shipped[1].uncertain_fraction <= 0.01
    written = handwriting.write_digits(1000, np.random.default_rng(6))
    assert measure(Classifier(load_weights()), written).uncertain_fraction <= 0.03


@pytest.mark.slow
def test_the_shipped_weights_refuse_most_negatives():
    rows = measure_negatives(Classifier(load_weights()), 100)
    assert in_order(rows)[0].count.fraction >= 0.7
    assert pooled_count(rows).fraction >= 0.9
