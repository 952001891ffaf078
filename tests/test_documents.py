"""The documents' examples run, their figures are those of the shipped weights, and all that they name exists."""

import ast
import fnmatch
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import samples
from benchmarks.architectures import ARCHITECTURES
from benchmarks.quality import margins, photographs, robustness, unseen_kinds, widths
from digit_recognizer_dl_model.counts import Count
from digit_recognizer_dl_model.figures import Spread, in_order
from digit_recognizer_dl_model.model_card import interval_text, percent, points
from digit_recognizer_dl_model.network import ARCHITECTURE, Network
from digit_recognizer_dl_model.train import DISTILLATION
from digit_recognizer_dl_model.weights import LINES, SHIPPED, load_weights

from .conftest import SERVE, require

ROOT = Path(__file__).parents[1]
NAMES = [
    "data/README.md",
    *(path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]),
]
DOCUMENTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in sorted(NAMES)}
README, MAP = DOCUMENTS["README.md"], DOCUMENTS["ARCHITECTURE.md"]
OPERATING, MEASUREMENTS = DOCUMENTS["docs/operating.md"], DOCUMENTS["docs/measurements.md"]
SITE = "http://127.0.0.1:8000"
FOLDERS = ("benchmarks", "config", "deploy", "digit_recognizer_dl_model", "digits", "static", "templates")
KEPT = sorted(path for folder in (*FOLDERS, "tests") for path in (ROOT / folder).rglob("*"))
SOURCES = [
    path.relative_to(ROOT).as_posix()
    for path in KEPT
    if path.suffix in (".py", ".html", ".css", ".js", ".json")
    and path.name != "__init__.py"
    and path.relative_to(ROOT).parts[0] in FOLDERS
]
FILE = r"\w[\w.*/-]*\.(?:py|html|css|js|json|csv|gz|md|txt|npz|png|toml|svg)"
# Files of others that data/README.md describes.
ELSEWHERE = {"corrections.csv", "train.csv", "test.csv", "train-writers.json.gz"}


def examples(document: str, language: str) -> list[str]:
    found = re.findall(rf"```{language}\n(.*?)```", document, re.DOTALL)
    return [example for example in found if SITE in example]


def run(command: list[str], folder: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_curl_examples_of_the_readme_work_as_pasted_and_answer_as_shown(server, tmp_path):
    require("bash", "curl")
    pasted = (each.replace(SITE, server) for each in examples(README, "sh"))
    prediction, number = (json.loads(run(["bash", "-c", each], tmp_path)) for each in pasted)
    assert prediction["prediction"] == samples.label()
    assert number["number"] == samples.number()
    shown = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    assert [list(prediction), list(number)] == [list(json.loads(each)) for each in shown]
    assert json.loads(shown[1])["number"] == samples.number()


def test_the_curl_examples_for_programs_work(server):
    require("curl")
    [example] = examples(OPERATING, "sh")
    answers = (json.loads(run(line.replace(SITE, server).split())) for line in example.strip().splitlines())
    listing, prediction, number = answers
    assert len(listing["images"]) == 20
    assert prediction["prediction"] == 7
    assert number["number"] == "1984"


def test_the_command_that_serves_is_the_one_that_tests_run():
    assert f".venv/bin/{SERVE}\n" in OPERATING


def test_the_python_example_works(server):
    [example] = examples(OPERATING, "python")
    printed = run([sys.executable, "-c", example.replace(SITE, server)])
    assert re.fullmatch(r"read as \d, \d+\.\d% sure; the label is \d\n", printed)


def test_the_example_for_the_shell_works():
    [file] = re.findall(r"manage.py predict (docs\S+)$", OPERATING, re.MULTILINE)
    assert f"```\n{run([sys.executable, 'manage.py', 'predict', file])}```" in OPERATING


def test_the_readme_is_short_and_begins_with_the_two_commands():
    assert README.index("```sh\npython devserver.py\npython devserver.py test\n```") < 800
    assert len(README.splitlines()) <= 100


@pytest.fixture(scope="module")
def weights():
    return load_weights()


@pytest.fixture(scope="module")
def figures(weights):
    return weights.figures


@pytest.mark.parametrize(
    ("document", "told", "value"),
    [
        (README, "has {:,} parameters", lambda weights: weights.parameters),
        (README, "in a file of {:.1f} MB", lambda _: SHIPPED.stat().st_size / 1e6),
        (MEASUREMENTS, "- {:,} negatives", lambda weights: weights.figures.composition.negatives),
        (MEASUREMENTS, "- {:,} synthetic digits", lambda weights: weights.figures.composition.handwriting),
        (MEASUREMENTS, "digits in {} forms", lambda weights: len(weights.figures.forms)),
        (MEASUREMENTS, "held out: {:,}.", lambda weights: weights.figures.composition.mnist),
        (MEASUREMENTS, "- {:,} digits that", lambda weights: weights.figures.composition.recorded),
        (MEASUREMENTS, "that {} people wrote", lambda weights: weights.figures.composition.writers),
        (MEASUREMENTS, "and {:.0f} % of its target", lambda _: 100 * DISTILLATION),
    ],
)
def test_the_counts_are_those_of_the_shipped_weights(weights, document, told, value):
    assert told.format(value(weights)) in " ".join(document.split())


def test_the_figures_are_those_in_the_weights_file(figures):
    test, change, kind = figures.test, in_order(figures.robustness)[0], in_order(figures.photographs)[0]
    uncertain, certain = percent(test.uncertain_fraction), percent(test.certain.fraction)
    refused = figures.unseen_kinds.pooled
    for document in (README, MEASUREMENTS):
        assert f"| {count_and_interval(test.count)} |" in document
        assert f'| marked "not sure" there | {uncertain}; of the rest {certain} are right |' in document
        changes = f"| the worst of {len(figures.robustness)} changes to pictures |"
        assert f"{changes} {percent(change.count.fraction)}: {change.name} |" in document
        kinds = f"| the worst of {len(figures.photographs)} kinds of synthetic photographs |"
        assert f"{kinds} {percent(kind.count.fraction)}: {kind.name} |" in document
        assert f"| {percent(refused.count.fraction, 0)}; AUROC {refused.auroc:.3f} |" in document
    assert f"error on the test images | {percent(test.expected_calibration_error)} |" in MEASUREMENTS
    least = in_order(figures.unseen_kinds.kinds)[0]
    assert f"is refused least | {percent(least.count.fraction, 0)}: {least.name} |" in MEASUREMENTS


def test_the_figures_of_the_repeats_are_those_in_the_weights_file(figures):
    row = f"| trained from three seeds, with the same teachers | {mean_and_deviation(figures.of_seeds)} |"
    assert [line for line in MEASUREMENTS.splitlines() if "from three seeds" in line] == [row] * bool(figures.repeats)


def test_the_figures_of_the_teachers_are_those_in_the_weights_file(figures):
    row = f"| its three teachers, each from another seed | {mean_and_deviation(figures.of_teachers)} |"
    assert row in MEASUREMENTS
    pens = figures.unseen_writers.accuracy
    for document in (README, MEASUREMENTS):
        assert f"| right on {pens.images:,} digits of people the reading network had never seen |" in document
        assert f"| {count_and_interval(pens.count)} |" in document
    assert f'| marked "not sure" there | {percent(pens.uncertain_fraction)} |' in MEASUREMENTS


def test_the_table_of_damage_is_that_in_the_weights_file(figures):
    told = {row[0].split(",")[0]: row[1] for row in table(MEASUREMENTS, "damage")}
    for row in figures.damaged:
        assert told[row.name] == percent(row.count.fraction, 1)


def test_the_figures_of_whole_numbers_are_those_in_the_weights_file():
    figures = load_weights(LINES).figures.numbers
    told = {row[0]: row[1] for row in table(MEASUREMENTS, "numbers")}
    for row in figures.sets:
        assert told[row.name].startswith(f"{percent(row.count.fraction, 1)} (")
    drawn = figures.sets[0].count
    low, high = (percent(end, 1) for end in drawn.interval)
    assert f"| {percent(drawn.fraction, 1)} (95 % interval {low} to {high}) |" in README


def count_and_interval(count: Count) -> str:
    return f"{percent(count.fraction)} (95 % interval {interval_text(count.interval)})"


def mean_and_deviation(spread: Spread) -> str:
    return f"mean {percent(spread.mean)}, standard deviation {points(spread.standard_deviation)} points"


def test_every_setting_is_listed():
    settings = (ROOT / "config" / "settings.py").read_text()
    names = set(re.findall(r'"((?:DIGITS|DJANGO|MNIST)_[A-Z0-9_]+)"', settings))
    assert names == set(re.findall(r"^\| `((?:DIGITS|DJANGO|MNIST)_[A-Z0-9_]+)`", OPERATING, re.MULTILINE))


def test_the_map_of_the_code_is_complete():
    named = mapped_paths()
    missing = [path for path in SOURCES if not is_covered(path, named)]
    assert not missing, "ARCHITECTURE.md has no row for these files"


def is_covered(path: str, named: list[str]) -> bool:
    return any(path.startswith(name) if name.endswith("/") else fnmatch.fnmatch(path, name) for name in named)


def test_everything_in_the_map_of_the_code_exists():
    missing = [path for path in mapped_paths() if not list(ROOT.glob(path))]
    assert not missing, "ARCHITECTURE.md maps files that do not exist"


def mapped_paths() -> list[str]:
    """The paths, some of them patterns, in the first column of the map; after the first in a row, in its folder."""
    paths = []
    for first, *others in (re.findall("`([^`]+)`", row[0]) for row in table(MAP, "place")):
        folder = first.rpartition("/")[0]
        paths += [first, *(other if "/" in other else f"{folder}/{other}" for other in others)]
    return paths


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_path_in_a_document_exists(name):
    quoted = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", DOCUMENTS[name], flags=re.DOTALL))
    words = {word.rstrip(".,;:") for text in quoted for word in text.split()}
    paths = {word for word in words if re.fullmatch(rf"{FILE}|[\w-]+(?:/[\w-]+)*/", word)}
    missing = sorted(path for path in paths - ELSEWHERE if not exists(path, (ROOT / name).parent))
    assert not missing, f"{name} names files that do not exist"


def exists(path: str, folder: Path) -> bool:
    """Whether a path leads somewhere from the root, from the document or from any folder, or is made later."""
    if any(list(start.glob(path)) for start in (ROOT, folder)):
        return True
    if any(fnmatch.fnmatch(kept.as_posix(), f"*/{path.rstrip('/')}") for kept in KEPT):
        return True
    made = [line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines() if line.startswith("/")]
    return any(each == path or each.endswith(f"/{path}") or path.startswith(f"{each}/") for each in made)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_and_pictures_lead_somewhere(name):
    for target in re.findall(r"\]\(([^)\s]+)\)", DOCUMENTS[name]):
        if target.startswith("http"):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / name).parent / path if path else ROOT / name
        assert file.exists(), target
        assert not anchor or anchor in anchors(file.read_text(encoding="utf-8")), target


def anchors(document: str) -> set[str]:
    """The anchors that GitHub makes of a document's headings."""
    headings = re.findall(r"^#+ (.+)$", document, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_command_in_a_document_exists_and_takes_its_options(name):
    # A command may go on in the next line, after a backslash.
    text = DOCUMENTS[name].replace("\\\n", " ")
    for module, arguments in re.findall(r"python -m ([\w.]+)([^`\n]*)", text):
        if module not in ("pip", "venv"):
            spec = importlib.util.find_spec(module)
            assert spec, f"python -m {module}"
            check_options(Path(spec.origin), arguments)
    for command, arguments in re.findall(r"manage\.py (\w+)([^`\n]*)", text):
        source = ROOT / "digits" / "management" / "commands" / f"{command}.py"
        if source.exists():
            check_options(source, arguments)
        else:
            done = subprocess.run([sys.executable, "manage.py", command, "--help"], cwd=ROOT, capture_output=True)
            assert done.returncode == 0, f"manage.py {command}"


def check_options(source: Path, arguments: str) -> None:
    text = source.read_text(encoding="utf-8")
    if source.parent.name == "commands":
        text += (ROOT / "digits" / "management" / "download.py").read_text(encoding="utf-8")
    for option in re.findall(r"(?<=\s)--[a-z-]+", arguments):
        assert f'"{option}"' in text, f"{source.name} has no option {option}"


def test_the_diagram_of_the_network_has_the_shapes_of_its_layers():
    shapes, side, channels = ["28x28x1"], 28, 1
    for layer in ARCHITECTURE:
        if layer["layer"] == "Conv2D":
            side, channels = side - layer["size"] + 1, layer["outputs"]
            shapes.append(f"{side}x{side}x{channels}")
        elif layer["layer"] == "MaxPool2D":
            side //= 2
            shapes[-1] = f"{side}x{side}x{channels}"
        elif layer["layer"] == "Dense":
            shapes.append(str(layer["outputs"]))
    shown = re.findall(r'n\d\["([^" ]+?)(?: logits)?"\]', MAP)
    assert [shape.replace("\N{MULTIPLICATION SIGN}", "x") for shape in shown] == shapes


def test_the_table_of_architectures_has_the_networks_that_are_compared():
    rows = {row[0].partition(":")[0]: row[1] for row in table(MEASUREMENTS, "network")}
    rng = np.random.default_rng(0)
    assert rows == {
        name: f"{sum(array.size for array in Network(architecture, rng).parameters.values()):,}"
        for name, architecture in ARCHITECTURES.items()
    }


def test_the_table_of_pen_widths_has_the_rows_that_are_measured():
    rows = [row[0] for row in table(MEASUREMENTS, "digits")]
    pens = [f"{name} pens, {low} to {high}" for name, (low, high) in widths.WIDTHS.items()]
    drawn = [f"MNIST, {name}" for name in widths.DRAWN]
    assert rows == [*pens, rows[len(pens)], *drawn]
    source = ast.parse(Path(widths.__file__).read_text(encoding="utf-8"))
    assert rows[len(pens)] in {node.value for node in ast.walk(source) if isinstance(node, ast.Constant)}
    assert f"| digits | changed | {' | '.join(widths.WAYS)} |" in MEASUREMENTS


def test_the_table_of_margins_has_the_rows_that_are_measured():
    assert [row[0] for row in table(MEASUREMENTS, "kind")] == list(margins.KINDS)
    assert f"{margins.DIGITS} digits of each kind" in MEASUREMENTS


@pytest.mark.parametrize(
    "told",
    [
        f"{robustness.IMAGES:,} test images",
        f"{photographs.PHOTOGRAPHS} synthetic photographs of each kind",
        f"{unseen_kinds.SAMPLES_A_KIND} pictures of each kind",
    ],
)
def test_the_sizes_of_the_samples_are_told(told):
    assert told in MEASUREMENTS


def table(document: str, first: str) -> list[list[str]]:
    """The cells of the rows of the table whose first column has this heading."""
    [rows] = re.findall(rf"^\| {first} \|.*\n\| ---.*\n((?:\|.*\n)+)", document, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("| ").split(" | ")] for row in rows.splitlines()]
