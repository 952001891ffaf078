"""The invariants of ARCHITECTURE.md, read off the imports and the files."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connections

ROOT = Path(__file__).parents[1]
APP = sorted(ROOT.glob("digits/**/*.py"))
NETWORK = sorted(ROOT.glob("digit_recognizer_dl_model/**/*.py"))
RUN_TIME_PACKAGES = {"django", "django-htmx", "numpy", "pillow", "whitenoise"}


def imports(path: Path) -> set[str]:
    """The absolute names of all modules and names that a file imports, at any depth."""
    package = ".".join(path.relative_to(ROOT).parts[:-1])
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*parents, *([node.module] if node.module else [])])
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return found


def importers(paths: list[Path], prefix: str) -> set[str]:
    return {p.name for p in paths if any(name == prefix or name.startswith(f"{prefix}.") for name in imports(p))}


@pytest.mark.parametrize("foreign", ["django", "PIL", "digits", "config", "benchmarks"])
def test_the_network_knows_nothing_of_the_site(foreign):
    assert importers(NETWORK, foreign) == set()


@pytest.mark.parametrize("package", ["benchmarks", "tests"])
def test_the_site_knows_nothing_of_what_measures_it(package):
    assert importers(APP, package) == set()


def test_the_network_runs_and_trains_without_pillow_and_the_site():
    absent = "import sys; sys.modules.update(dict.fromkeys(['django', 'PIL', 'digits', 'config']))"
    needed = "from digit_recognizer_dl_model import evaluate, inference, model_card, train"
    subprocess.run([sys.executable, "-c", f"{absent}; {needed}"], cwd=ROOT, check=True)


def test_only_the_recognizer_imports_the_network():
    package = "digit_recognizer_dl_model"
    for module in ("anatomy", "doubt", "inference", "line_inference", "explanation", "network", "layers", "train"):
        assert importers(APP, f"{package}.{module}") <= {"recognizer.py"}
    # The weights' own error is what the check before the start and failures report; the report reads their figures.
    assert importers(APP, f"{package}.weights") == {"recognizer.py", "health.py", "errors.py", "report.py"}


def test_only_workers_score_batches():
    assert importers(APP, "digit_recognizer_dl_model.scorer") == {
        "workers.py",
        "job.py",
    }  # the job asks for its weights


def test_only_the_gallery_reads_the_csv_and_only_fetch_mnist_writes_it():
    assert importers(APP, "digit_recognizer_dl_model.dataset.read_csv") == {"gallery.py"}
    assert importers(APP, "digit_recognizer_dl_model.dataset.write_csv") == {"fetch_mnist.py"}


def test_the_site_knows_nothing_of_recordings():
    assert importers(APP, "digit_recognizer_dl_model.recordings") == {"fetch_pen_digits.py"}


def test_only_pictures_handles_pictures_and_it_knows_no_http():
    assert importers([path for path in APP if path.parent.name != "pictures"], "PIL") == set()
    pictures = [path for path in APP if path.parent.name == "pictures"]
    for foreign in ("django.http", "django.shortcuts", "digits.views", "digits.forms", "digits.api", "digits.traffic"):
        assert importers(pictures, foreign) == set()


def test_the_command_line_imports_no_view():
    commands = sorted(ROOT.glob("digits/management/**/*.py"))
    for view in ("django.http", "digits.views", "digits.forms", "digits.api", "digits.traffic"):
        assert importers(commands, view) == set()


def test_inference_needs_no_training_code():
    run = {
        "__init__",
        "anatomy",
        "counts",
        "ctc",
        "doubt",
        "explanation",
        "figures",
        "frame",
        "fusion",
        "inference",
        "line_inference",
        "program",
        "records",
        "scorer",
        "strip",
        "weights",
        "winograd",
    }
    for path in NETWORK:
        if path.stem in run:
            names = {name.split(".")[1] for name in imports(path) if name.startswith("digit_recognizer_dl_model.")}
            assert names <= run, path.name


def test_javascript_never_calls_the_server():
    calls = r"\bfetch\(|XMLHttpRequest|WebSocket|EventSource|sendBeacon"
    # A module may be loaded when it is first needed, by a name that stands in the script.
    other_imports = r"import\((?!\"\./[a-z-]+\.js\"\))"
    for script in ROOT.glob("static/**/*.js"):
        assert not re.search(f"{calls}|{other_imports}", script.read_text()), script.name


def test_the_pad_looks_up_nothing_outside_its_form():
    of_pages = {"api-page.js", "challenge.js", "challenge-result.js", "draw-page.js", "failures.js", "map-page.js"}
    of_pages.add("pad-page.js")
    modules = [path for path in ROOT.glob("static/**/*.js") if path.name not in of_pages]
    assert {"drawing.js", "painting.js", "pad.js", "pictures.js"} <= {path.name for path in modules}
    for path in modules:
        lookup = r"document\.(querySelector|getElement|addEventListener|body)|htmx"
        assert not re.search(lookup, path.read_text(encoding="utf-8")), path.name


def test_nothing_but_the_five_packages_is_needed_at_run_time():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    assert {re.match(r"[a-z0-9-]+", line)[0] for line in lines if not line.startswith("#")} == RUN_TIME_PACKAGES
    allowed = {"django", "django_htmx", "numpy", "PIL", "whitenoise", "digits", "digit_recognizer_dl_model", "config"}
    standard = sys.stdlib_module_names
    # Fetching data to train with is no part of running the site, and one process counts without prometheus_client.
    extras = {"fetch_pen_digits.py": {"uncompresspy"}, "prometheus.py": {"prometheus_client"}}
    # Small jobs of `score` do without these.
    extras |= {"files.py": {"fsspec"}, "forms.py": {"pyarrow"}, "tables.py": {"pyarrow"}, "engine.py": {"ray"}}
    for path in [*APP, *NETWORK, *ROOT.glob("config/*.py")]:
        assert {name.split(".")[0] for name in imports(path)} <= allowed | standard | extras.get(path.name, set()), path


def test_there_is_no_database_and_no_session(settings):
    assert connections["default"].settings_dict["ENGINE"] == "django.db.backends.dummy"
    assert not any("session" in name for name in settings.MIDDLEWARE)
