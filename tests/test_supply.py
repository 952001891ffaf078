"""What is installed is pinned, listed and asked about."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PRODUCTION = ROOT / "deploy" / "requirements.lock"
LOCKS = {"requirements-production.txt": PRODUCTION, "requirements-dev.txt": ROOT / ".ci" / "requirements.lock"}


def required(name: str) -> list[Requirement]:
    """What a requirements file asks for, and those that it includes."""
    found = []
    for line in (ROOT / name).read_text().splitlines():
        if included := re.fullmatch(r"-r (\S+)", line):
            found += required(included[1])
        elif text := line.partition("#")[0].strip():
            found.append(Requirement(text))
    return found


def locked(lock: Path) -> list[tuple[Requirement, list[str]]]:
    """Each package that a lock holds, and its checksums."""
    text = re.sub(r"^\s*#.*\n", "", lock.read_text(), flags=re.MULTILINE).replace("\\\n", "")
    lines = (line.split(" --hash=") for line in text.splitlines())
    return [(Requirement(re.sub(r"\s+", " ", first)), [one.strip() for one in hashes]) for first, *hashes in lines]


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_each_package_with_checksums(name):
    for requirement, checksums in locked(LOCKS[name]):
        assert re.fullmatch(r"==[\w.+!]+", str(requirement.specifier)), requirement
        assert checksums
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", checksum) for checksum in checksums)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_all_that_is_required_in_versions_that_are_allowed(name):
    pins = [requirement for requirement, _ in locked(LOCKS[name])]
    for requirement in required(name):
        versions = [
            str(pin.specifier).removeprefix("==")
            for pin in pins
            if canonicalize_name(pin.name) == canonicalize_name(requirement.name)
        ]
        assert versions, f"{requirement.name} is not locked: .ci/lock locks it"
        assert all(version in requirement.specifier for version in versions), f"{requirement}: .ci/lock locks it anew"


def test_the_tests_run_what_production_installs():
    tested, produced = (
        {(requirement.name, str(requirement.specifier)) for requirement, _ in locked(lock)}
        for lock in (LOCKS["requirements-dev.txt"], PRODUCTION)
    )
    assert produced <= tested


@pytest.fixture
def audit(tmp_path: Path) -> Callable[[str, int], subprocess.CompletedProcess]:
    """Run .ci/audit with a pip-audit that says this and exits so."""

    def run(said: str, status: int) -> subprocess.CompletedProcess:
        program = tmp_path / "pip-audit"
        program.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit {status}\n")
        program.chmod(0o755)
        environment = os.environ | {"PIP_AUDIT": str(program)}
        return subprocess.run([ROOT / ".ci" / "audit"], env=environment, capture_output=True, text=True, check=False)

    return run


def test_the_audit_passes_where_nothing_is_known(audit):
    done = audit("No known vulnerabilities found", 0)
    assert done.returncode == 0
    assert "NOT CHECKED" not in done.stdout


def test_the_audit_fails_where_something_is_known(audit):
    done = audit("Found 2 known vulnerabilities in 1 package", 1)
    assert done.returncode == 1
    assert "Found 2 known vulnerabilities" in done.stdout


@pytest.mark.parametrize(
    ("said", "status"),
    [("ERROR: Dependency not found on PyPI and could not be audited: django", 1), ("connection refused", 2), ("", 0)],
)
def test_the_audit_says_so_where_nothing_could_be_looked_up(audit, said, status):
    done = audit(said, status)
    assert done.returncode == 0
    assert "NOT CHECKED" in done.stdout.splitlines()[-1]


def test_the_list_of_components_names_each_locked_package(tmp_path):
    [command] = re.findall(r"\.venv/bin/(cyclonedx-py .+)", (ROOT / "docs" / "operating.md").read_text())
    program, *arguments = command.replace("sbom.json", str(tmp_path / "sbom.json")).split()
    subprocess.run([Path(sys.executable).with_name(program), *arguments], cwd=ROOT, check=True, capture_output=True)
    components = json.loads((tmp_path / "sbom.json").read_text())["components"]
    assert {(one["name"], one["version"]) for one in components} == {
        (requirement.name, str(requirement.specifier).removeprefix("==")) for requirement, _ in locked(PRODUCTION)
    }
