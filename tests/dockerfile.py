"""Runs what a Dockerfile says in a folder, without Docker; what its own base image has is this machine's."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

WORKDIR = "/srv/digits"


class Image(NamedTuple):
    """What the last stage leaves to be run."""

    folder: Path
    environment: dict[str, str]
    command: list[str]
    health_check: list[str]


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    """Each instruction and its arguments, of all stages."""
    lines = [line for line in dockerfile.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", "")
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line]


def build(dockerfile: Path, context: Path, folder: Path) -> Image:
    """Carry out every instruction in this folder, which stands for WORKDIR in both stages."""
    programs = folder.with_name(f"{folder.name}-programs")
    programs.mkdir()
    python = programs / "python"
    python.write_text(f'#!/bin/sh\nexec {sys._base_executable} "$@"\n')
    python.chmod(0o755)
    environment = {"PATH": f"{programs}:/usr/bin:/bin"}
    # How this machine reaches a package registry is no part of the image.
    registry = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
    found = {}
    for instruction, arguments in instructions(dockerfile):
        match instruction:
            case "WORKDIR":
                assert arguments == WORKDIR
            case "COPY" if arguments.startswith("--from="):
                assert arguments == f"--from=build {WORKDIR} ./"
            case "COPY":
                *sources, target = arguments.split()
                copy(context, sources, folder / target)
            case "RUN":
                done = subprocess.run(
                    ["/bin/sh", "-ec", arguments],
                    cwd=folder,
                    env=environment | registry,
                    capture_output=True,
                    text=True,
                    timeout=300,
                    check=False,
                )
                assert done.returncode == 0, f"{arguments}\n{done.stdout}{done.stderr}"
            case "ENV":
                for name, value in re.findall(r"(\w+)=(\S+)", arguments):
                    environment[name] = value.replace(WORKDIR, str(folder)).replace("$PATH", environment["PATH"])
            case "HEALTHCHECK":
                found[instruction] = arguments.partition("CMD ")[2]
            case "FROM" | "USER" | "CMD" | "EXPOSE":
                found[instruction] = arguments
            case _:
                raise AssertionError(f"{instruction} is not known here")
    command, health_check = (json.loads(found[name]) for name in ("CMD", "HEALTHCHECK"))
    return Image(folder, environment, command, health_check)


def copy(context: Path, sources: list[str], target: Path) -> None:
    for pattern in sources:
        paths = list(context.glob(pattern))
        assert paths, f"{pattern} is not there to be copied"
        for path in paths:
            if path.is_dir():
                shutil.copytree(path, target, ignore=shutil.ignore_patterns("__pycache__", "training"))
            else:
                target.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, target)
