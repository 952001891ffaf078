"""The README's examples run as they stand, and its figures are those of the shipped weights."""

import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from digit_recognizer_dl_model.metrics import wilson_interval
from digit_recognizer_dl_model.weights import SHIPPED, load_weights

from .conftest import require

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SITE = "http://127.0.0.1:8000"


def examples(language: str) -> list[str]:
    found = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return [example for example in found if SITE in example]


def run(command: list[str]) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_curl_examples_work(server):
    require("curl")
    [example] = examples("sh")
    listing, prediction = (json.loads(run(line.replace(SITE, server).split())) for line in example.strip().splitlines())
    assert len(listing["images"]) == 20
    assert prediction["prediction"] == 7
    [shown] = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    assert list(prediction) == list(json.loads(shown))


def test_the_python_example_works(server):
    [example] = examples("python")
    printed = run([sys.executable, "-c", example.replace(SITE, server)])
    assert re.fullmatch(r"read as \d, \d+\.\d% sure; the label is \d\n", printed)


def test_the_example_for_the_shell_works():
    [file] = re.findall(r"manage.py predict (docs\S+)$", README, re.MULTILINE)
    assert f"```\n{run([sys.executable, 'manage.py', 'predict', file])}```" in README


def test_the_two_commands_head_the_readme():
    assert README.index("```sh\npython devserver.py\npython devserver.py test\n```") < 800


@pytest.fixture(scope="module")
def weights():
    return load_weights()


@pytest.fixture(scope="module")
def figures(weights):
    return weights.figures


@pytest.mark.parametrize(
    ("told", "value"),
    [
        ("{:,} trained values in a file", lambda weights: weights.trained_values),
        ("in a file of {:.1f} MB", lambda _: SHIPPED.stat().st_size / 1e6),
        ("{:,} made-up scribbles", lambda weights: weights.figures["composition"]["negatives"]),
        ("{:,} digits in", lambda weights: weights.figures["composition"]["handwriting"]),
        ("digits in {} forms", lambda weights: len(weights.figures["forms"])),
        ("beside MNIST's {:,}", lambda weights: weights.figures["composition"]["mnist"]),
        ("and {:,} that", lambda weights: weights.figures["composition"]["recorded"]),
        ("that {} people wrote", lambda weights: weights.figures["composition"]["writers"]),
        ("the worst of {} changes", lambda weights: len(weights.figures["robustness"])),
    ],
)
def test_what_is_counted_is_as_many_as_the_readme_says(weights, told, value):
    assert f" {told.format(value(weights))}" in " ".join(README.split())


def test_the_figures_are_those_in_the_weights_file(figures):
    test = figures["test"]
    low, high = test["interval_95"]
    assert f"| {percent(test['accuracy'])} (95 % interval {percent(low)} to {percent(high)}) |" in README
    assert f"| {percent(test['expected_calibration_error'])} |" in README
    uncertain, certain = percent(test["uncertain"]), percent(test["accuracy_where_certain"])
    assert f"| {uncertain}; of the rest {certain} are right |" in README
    change, share = min(figures["robustness"].items(), key=lambda item: item[1])
    assert f"| {percent(share)}: {change} |" in README
    refused = figures["refusal"]["pooled"]
    assert f"| {100 * refused['refused']:.0f} %; AUROC {refused['auroc']:.3f} |" in README
    letters = 1 - figures["refusal"]["kinds"]["letter in type"]["refused"]
    assert f"{100 * letters:.0f} % of typed ones are taken for a digit" in " ".join(README.split())


def test_the_figures_of_the_repeats_and_of_photographs_are_those_in_the_weights_file(figures):
    accuracies = [run["test"]["accuracy"] for run in (figures, *figures["repeats"])]
    mean, deviation = percent(statistics.mean(accuracies)), f"{100 * statistics.stdev(accuracies):.2f}"
    assert len(accuracies) == 3
    row = f"{mean} in the mean, standard deviation {deviation} points"
    assert f"| trained from three seeds, by the same teachers | {row} |" in README
    kind, share = min(figures["photographs"].items(), key=lambda item: item[1])
    assert f"| the worst of eleven kinds of made-up photographs | {percent(share)}: {kind} |" in README


def test_the_figures_of_the_teachers_are_those_in_the_weights_file(figures):
    accuracies = [run["test"]["accuracy"] for run in figures["teachers"]]
    mean, deviation = percent(statistics.mean(accuracies)), f"{100 * statistics.stdev(accuracies):.2f}"
    assert f"| {mean} in the mean, standard deviation {deviation} points |" in README
    pens = [run["pens"] for run in figures["teachers"]]
    total = sum(run["images"] for run in pens)
    right = sum(round(run["accuracy"] * run["images"]) for run in pens)
    low, high = wilson_interval(right, total)
    assert f"on {total:,} digits of people they had never seen" in README
    assert f"| {percent(right / total)} (95 % interval {percent(low)} to {percent(high)}); " in README
    assert f"{percent(sum(run['uncertain'] * run['images'] for run in pens) / total)} marked" in README


def percent(share: float) -> str:
    return f"{100 * share:.2f} %"


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#]+)", README))
def test_links_and_pictures_lead_somewhere(target):
    assert target.startswith("http") or (ROOT / target).exists()


def test_every_setting_is_listed():
    settings = (ROOT / "config" / "settings.py").read_text()
    names = set(re.findall(r'"((?:DIGITS|DJANGO|MNIST)_[A-Z_]+)"', settings))
    assert names == set(re.findall(r"^\| `((?:DIGITS|DJANGO|MNIST)_[A-Z_]+)`", README, re.MULTILINE))
