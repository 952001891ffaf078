"""The documents' examples run, their figures are those of the shipped weights, and the files they name exist."""

import importlib.util
import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import architectures
from benchmarks.quality import widths
from digit_recognizer_dl_model.metrics import wilson_interval
from digit_recognizer_dl_model.network import Network
from digit_recognizer_dl_model.weights import SHIPPED, load_weights

from .conftest import require

ROOT = Path(__file__).parents[1]
README, MAP, OPERATING, MEASUREMENTS = (
    (ROOT / name).read_text(encoding="utf-8")
    for name in ("README.md", "ARCHITECTURE.md", "docs/operating.md", "docs/measurements.md")
)
DOCUMENTS = {
    path: path.read_text(encoding="utf-8")
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "data" / "README.md")
}
SITE = "http://127.0.0.1:8000"


def run(command: list[str]) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 100


def test_the_curl_example_works(server):
    require("curl")
    [example] = re.findall(rf"```sh\n(curl .*{SITE}.*)\n```", README)
    prediction = json.loads(run(example.replace(SITE, server).split()))
    assert prediction["prediction"] == 7
    [shown] = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    assert list(prediction) == list(json.loads(shown))


def test_the_python_example_works(server):
    [example] = re.findall(r"```python\n(.*?)```", OPERATING, re.DOTALL)
    printed = run([sys.executable, "-c", example.replace(SITE, server)])
    assert re.fullmatch(r"read as \d, \d+\.\d% sure; the label is \d\n", printed)


def test_the_example_for_the_shell_works():
    [file] = re.findall(r"manage.py predict (docs\S+)$", README, re.MULTILINE)
    assert f"```\n{run([sys.executable, 'manage.py', 'predict', file])}```" in README


def test_the_two_commands_head_the_readme():
    assert README.index("```sh\npython devserver.py\npython devserver.py test\n```") < 800


def test_every_command_that_is_named_exists():
    named = {name for text in DOCUMENTS.values() for name in re.findall(r"python -m ([a-z_.]+)", text)}
    assert "benchmarks.quality.measure" in named
    for name in named - {"pip"}:
        assert importlib.util.find_spec(name), name


def test_the_map_of_the_code_names_every_module():
    for path in [
        *ROOT.glob("digits/**/*.py"),
        *ROOT.glob("digit_recognizer_dl_model/**/*.py"),
        *ROOT.glob("config/*.py"),
    ]:
        if path.name != "__init__.py":
            assert f"{path.name}`" in MAP, path
    for path in ROOT.glob("benchmarks/**/*.py"):
        assert path.name == "__init__.py" or f"`{path.name}`" in MAP, path


def test_every_file_that_the_map_names_exists():
    folders = ("config", "digits", "digit_recognizer_dl_model", "benchmarks", "docs", "tests", "templates", "static")
    everywhere = {path.name for folder in folders for path in (ROOT / folder).rglob("*")}
    everywhere |= {path.name for path in ROOT.iterdir()} | {"<page>.html", "_<fragment>.html"}
    for name in re.findall(r"`([\w./-]+\.(?:py|js|html|md))`", MAP):
        assert Path(name).name in everywhere, name


def test_the_table_of_layers_has_the_networks_that_are_compared():
    rows = re.findall(r"^\| .*? \| ([\d,]+) \| \d+ µs", MEASUREMENTS, re.MULTILINE)
    networks = [Network(each, np.random.default_rng(0)) for each in architectures.ARCHITECTURES.values()]
    counted = [sum(array.size for array in network.parameters.values()) for network in networks]
    assert sorted(int(row.replace(",", "")) for row in rows) == sorted(counted)


def test_the_table_of_thick_pens_has_the_rows_that_are_measured():
    section = MEASUREMENTS[MEASUREMENTS.index("## Thick pens") : MEASUREMENTS.index("## Layers")]
    rows = re.findall(r"^\| (.*?) \| \d+\.\d\d % \|", section, re.MULTILINE)
    for name, (low, high) in widths.WIDTHS.items():
        assert f"{name} pens, {low} to {high}" in rows
    assert len(rows) == len(widths.WIDTHS) + 1 + len(widths.DRAWN)


@pytest.fixture(scope="module")
def weights():
    return load_weights()


@pytest.fixture(scope="module")
def figures(weights):
    return weights.figures


@pytest.mark.parametrize(
    ("told", "value"),
    [
        ("{:,} trained parameters in a file", lambda weights: weights.trained_values),
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
def test_counts_are_those_of_the_weights_file(weights, told, value):
    assert f" {told.format(value(weights))}" in " ".join((README + MEASUREMENTS).split())


def test_the_figures_are_those_in_the_weights_file(figures):
    test = figures["test"]
    low, high = test["interval_95"]
    assert f"| {percent(test['accuracy'])} (95 % interval {percent(low)} to {percent(high)}) |" in README
    assert f"| {percent(test['expected_calibration_error'])} |" in MEASUREMENTS
    uncertain, certain = percent(test["uncertain"]), percent(test["accuracy_where_certain"])
    assert f"| {uncertain}; of the rest {certain} are right |" in README
    change, share = min(figures["robustness"].items(), key=lambda item: item[1])
    assert f"| {percent(share)}: {change} |" in README
    refused = figures["refusal"]["pooled"]
    assert f"| {100 * refused['refused']:.0f} %; AUROC {refused['auroc']:.3f} |" in README
    letters = 1 - figures["refusal"]["kinds"]["letter in type"]["refused"]
    assert f"{100 * letters:.0f} % of typed ones are taken for a digit" in " ".join(MEASUREMENTS.split())


def test_the_figures_of_the_repeats_and_of_photographs_are_those_in_the_weights_file(figures):
    accuracies = [run["test"]["accuracy"] for run in (figures, *figures["repeats"])]
    mean, deviation = percent(statistics.mean(accuracies)), f"{100 * statistics.stdev(accuracies):.2f}"
    assert len(accuracies) == 3
    row = f"{mean} in the mean, standard deviation {deviation} points"
    assert f"trained from three seeds by the same teachers | {row} |" in MEASUREMENTS
    kind, share = min(figures["photographs"].items(), key=lambda item: item[1])
    assert f"| the worst of eleven kinds of made-up photographs | {percent(share)}: {kind} |" in README


def test_the_figures_of_the_teachers_are_those_in_the_weights_file(figures):
    accuracies = [run["test"]["accuracy"] for run in figures["teachers"]]
    mean, deviation = percent(statistics.mean(accuracies)), f"{100 * statistics.stdev(accuracies):.2f}"
    assert f"| {mean} in the mean, standard deviation {deviation} points |" in MEASUREMENTS
    pens = [run["pens"] for run in figures["teachers"]]
    total = sum(run["images"] for run in pens)
    right = sum(round(run["accuracy"] * run["images"]) for run in pens)
    low, high = wilson_interval(right, total)
    assert f"on {total:,} digits of people whom the network had never seen" in README
    assert f"| {percent(right / total)} (95 % interval {percent(low)} to {percent(high)}); " in README
    assert f"{percent(sum(run['uncertain'] * run['images'] for run in pens) / total)} marked" in README


def percent(share: float) -> str:
    return f"{100 * share:.2f} %"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_pictures_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#]+)", DOCUMENTS[path]):
        assert target.startswith("http") or (path.parent / target).exists(), target


def test_every_setting_is_listed():
    settings = (ROOT / "config" / "settings.py").read_text()
    names = set(re.findall(r'"((?:DIGITS|DJANGO|MNIST)_[A-Z_]+)"', settings))
    assert names == set(re.findall(r"^\| `((?:DIGITS|DJANGO|MNIST)_[A-Z_]+)`", OPERATING, re.MULTILINE))
