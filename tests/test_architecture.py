"""The invariants of ARCHITECTURE.md, read off the imports and the files."""

import ast
import re
from pathlib import Path

import pytest
from django.db import connections

ROOT = Path(__file__).parents[1]
APP = sorted(ROOT.glob("digits/**/*.py"))
NETWORK = sorted(ROOT.glob("digit_recognizer_dl_model/*.py"))
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


@pytest.mark.parametrize("foreign", ["django", "PIL", "digits", "config"])
def test_the_network_knows_nothing_of_the_site(foreign):
    assert importers(NETWORK, foreign) == set()


def test_only_the_recognizer_imports_the_network():
    package = "digit_recognizer_dl_model"
    for module in ("inference", "novelty", "network", "layers", "train", "evaluate"):
        assert importers(APP, f"{package}.{module}") <= {"recognizer.py"}
    # The weights' own error is what the check before the start reports.
    assert importers(APP, f"{package}.weights") == {"recognizer.py", "apps.py"}


def test_only_the_gallery_reads_the_csv_and_only_fetch_mnist_writes_it():
    assert importers(APP, "digit_recognizer_dl_model.dataset.read_csv") == {"gallery.py"}
    assert importers(APP, "digit_recognizer_dl_model.dataset.write_csv") == {"fetch_mnist.py"}


def test_the_site_knows_nothing_of_recordings():
    assert importers(APP, "digit_recognizer_dl_model.recordings") == {"fetch_pen_digits.py"}


def test_only_images_and_what_it_calls_handle_pictures():
    assert importers(APP, "PIL") == {"images.py", "paper.py"}
    assert importers(APP, "digits.paper") == {"images.py"}


def test_inference_needs_no_training_code():
    training = {"layers", "network", "loss", "optimizer", "augmentation", "handwriting", "nondigits", "dataset"}
    training |= {"calibration", "recordings", "train", "evaluate"}
    needed = {"inference.py", "novelty.py", "weights.py"}
    for path in NETWORK:
        if path.name in needed:
            names = {name.split(".")[1] for name in imports(path) if name.startswith("digit_recognizer_dl_model.")}
            assert not names & training, path.name


def test_javascript_never_calls_the_server():
    for script in ROOT.glob("static/digits/*.js"):
        assert not re.search(r"\bfetch\(|XMLHttpRequest|WebSocket|EventSource|sendBeacon|import\(", script.read_text())


def test_no_address_returns_both_a_page_and_a_fragment():
    assert "request.htmx" not in (ROOT / "digits" / "views.py").read_text()


def test_nothing_but_the_five_packages_is_needed_at_run_time():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    assert {re.match(r"[a-z0-9-]+", line)[0] for line in lines if not line.startswith("#")} == RUN_TIME_PACKAGES
    allowed = {"django", "django_htmx", "numpy", "PIL", "whitenoise", "digits", "digit_recognizer_dl_model", "config"}
    standard = __import__("sys").stdlib_module_names
    for path in [*APP, *NETWORK, *ROOT.glob("config/*.py")]:
        # Fetching data to train with is no part of running the site.
        more = {"uncompresspy"} if path.name == "fetch_pen_digits.py" else set()
        assert {name.split(".")[0] for name in imports(path)} <= allowed | standard | more, path


def test_there_is_no_database_and_no_session(settings):
    assert connections["default"].settings_dict["ENGINE"] == "django.db.backends.dummy"
    assert not any("session" in name for name in settings.MIDDLEWARE)
