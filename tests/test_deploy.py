"""deploy/, which runs the site elsewhere, checked as far as it can be without Docker, Kubernetes and systemd."""

import http.client
import json
import os
import re
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from compose_spec import PyCompose
from gunicorn.config import Config

from . import dockerfile
from .conftest import DEADLINE, SERVE, free_address, require, wait_until_it_listens
from .pictures import drawing, encoded

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
DOCKERFILE = DEPLOY / "Dockerfile"
MANIFESTS = sorted(path for path in DEPLOY.glob("kubernetes/*.yaml") if path.name != "kustomization.yaml")
SETTINGS = set(re.findall(r"^\| `([A-Z_0-9]+)`", (ROOT / "docs" / "operating.md").read_text(), re.MULTILINE))
KEY = "DJANGO_SECRET_KEY"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="what serves many is for Linux")


def run(program: str, *arguments: object) -> subprocess.CompletedProcess:
    """Run a program of the same virtual environment, or of the machine."""
    beside = Path(sys.executable).with_name(program)
    command = [str(beside) if beside.exists() else program, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE, check=False)


def manifest(kind: str) -> dict:
    [found] = [document for path in MANIFESTS if (document := yaml.safe_load(path.read_text()))["kind"] == kind]
    return found


@pytest.fixture
def pod() -> dict:
    return manifest("Deployment")["spec"]["template"]["spec"]


@pytest.fixture
def container(pod) -> dict:
    [only] = pod["containers"]
    return only


@pytest.fixture
def instructions() -> dict[str, str]:
    """Those of the last stage."""
    return dict(dockerfile.instructions(DOCKERFILE))


@pytest.mark.parametrize(
    "command",
    [
        ["hadolint", DOCKERFILE],
        ["yamllint", "--strict", "--config-file", DEPLOY / ".yamllint.yaml", DEPLOY],
        ["kubernetes-validate", "--strict", *MANIFESTS],
    ],
    ids=lambda command: command[0],
)
def test_linters_have_no_complaint(command):
    done = run(*command)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_compose_file_is_one():
    PyCompose.from_yaml((DEPLOY / "compose.yaml").read_text()).to_spec()


def test_every_manifest_is_applied_in_its_namespace():
    kustomization = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())
    assert set(kustomization["resources"]) == {path.name for path in MANIFESTS}
    for path in MANIFESTS:
        document = yaml.safe_load(path.read_text())
        if document["kind"] != "Namespace":
            assert (
                document["metadata"]["namespace"]
                == kustomization["namespace"]
                == manifest("Namespace")["metadata"]["name"]
            )


def test_there_is_one_command_that_starts_the_site(instructions, container):
    assert " ".join(json.loads(instructions["CMD"])) == SERVE
    assert "command" not in container
    assert "args" not in container
    assert "command" not in yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["site"]
    assert f"ExecStart=/srv/digits/.venv/bin/{SERVE}\n" in (DEPLOY / "digits.service").read_text()
    assert SERVE in (ROOT / "docs" / "operating.md").read_text()


def test_every_setting_is_one_that_is_documented(instructions):
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["site"]["environment"]
    unit = re.findall(r"\b([A-Z_]+)=", re.search("^Environment=(.*)", (DEPLOY / "digits.service").read_text(), re.M)[1])
    image = re.findall(r"(\w+)=", instructions["ENV"])
    named = {*compose, *manifest("ConfigMap")["data"], *unit, *image} - {"PATH", "PYTHONDONTWRITEBYTECODE"}
    assert named <= SETTINGS
    assert KEY not in manifest("ConfigMap")["data"]


def test_the_server_makes_up_no_line_a_request_beside_the_sites_own():
    config = Config()
    for name, value in runpy.run_path(str(DEPLOY / "gunicorn.conf.py")).items():
        if name in config.settings:
            config.set(name, value)
    log = config.logger_class.__new__(config.logger_class)
    log.cfg = config
    assert config.logconfig_dict, "with which gunicorn would write one"
    assert not log.access_log_enabled


def test_the_pod_is_as_restricted_as_kubernetes_knows(pod, container):
    assert manifest("Namespace")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_user_of_the_pod_is_that_of_the_image(pod, instructions):
    context = pod["securityContext"]
    assert instructions["USER"] == f"{context['runAsUser']}:{context['runAsGroup']}"


@pytest.mark.parametrize("probe", ["startupProbe", "readinessProbe", "livenessProbe"])
def test_each_probe_asks_an_address_that_answers_to_any_host(client, container, probe):
    asked = container[probe]["httpGet"]
    assert asked["port"] == container["ports"][0]["name"]
    assert client.get(asked["path"], headers={"host": "10.1.2.3:8000"}, secure=False).status_code == 200


def test_the_pod_has_time_to_stop(pod, container):
    waited = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] >= waited + 30
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["site"]
    assert compose["stop_grace_period"] == "35s"
    assert "TimeoutStopSec=35\n" in (DEPLOY / "digits.service").read_text()


def test_autoscaler_budget_policy_and_service_mean_the_deployment(pod):
    labels = manifest("Deployment")["spec"]["template"]["metadata"]["labels"]
    assert (
        manifest("HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]["name"]
        == manifest("Deployment")["metadata"]["name"]
    )
    assert manifest("PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == labels
    assert manifest("NetworkPolicy")["spec"]["podSelector"]["matchLabels"] == labels
    assert manifest("Service")["spec"]["selector"] == labels


def test_systemd_takes_the_unit(tmp_path):
    require("systemd-analyze")
    unit = (DEPLOY / "digits.service").read_text()
    folder = tmp_path / ".venv" / "bin"
    folder.mkdir(parents=True)
    program = folder / "gunicorn"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    file = tmp_path / "digits.service"
    file.write_text(unit.replace("/srv/digits", str(tmp_path)))
    done = run("systemd-analyze", "verify", "--man=no", file)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_system_call_that_is_not_allowed_is_refused_and_ends_nobody():
    assert "\nSystemCallErrorNumber=EPERM\n" in (DEPLOY / "digits.service").read_text()


def test_systemd_calls_the_unit_well_confined():
    require("systemd-analyze")
    # In tenths of the exposure that it reckons, of which up to 2.0 are its best grade.
    done = run("systemd-analyze", "security", "--offline=true", "--threshold=20", DEPLOY / "digits.service")
    assert done.returncode == 0, done.stdout[-500:]


def require_registry(folder: Path) -> None:
    """Skip the test where no package can be had; with REQUIRE_PROGRAMS=1, go on, so that it fails."""
    command = ["-m", "pip", "download", "--quiet", "--retries=0", "--no-deps", f"--dest={folder}", "whitenoise"]
    if run("python", *command).returncode and os.environ.get("REQUIRE_PROGRAMS") != "1":
        pytest.skip("no package registry can be reached")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dockerfile.Image]:
    """What the Dockerfile's own commands make in an empty folder, which nobody may write to any more."""
    require_registry(tmp_path_factory.mktemp("registry"))
    folder = tmp_path_factory.mktemp("image") / "digits"
    folder.mkdir()
    built = dockerfile.build(DOCKERFILE, ROOT, folder)
    paths = [folder, *(path for path in folder.rglob("*") if not path.is_symlink())]
    for path in paths:
        path.chmod(path.stat().st_mode & 0o555)
    yield built
    for path in paths:
        path.chmod(path.stat().st_mode | 0o200)


@pytest.mark.slow
def test_the_image_runs_without_privileges_and_writes_nothing_to_itself(image, tmp_path):
    require("setpriv")
    memory = tmp_path / "memory"  # in place of /dev/shm, which this machine has for others, too
    memory.mkdir()
    host, port = address = free_address()
    environment = image.environment | {
        "PROMETHEUS_MULTIPROC_DIR": str(memory),
        "GUNICORN_CMD_ARGS": f"--bind {host}:{port}",
        "DJANGO_SECRET_KEY": "only-for-tests-" + "0123456789" * 4,
        "DJANGO_ALLOWED_HOSTS": "digits.example.org",
        "DJANGO_HTTPS": "0",
        "DIGITS_PRIVATE_PROBES": "1",
    }
    # Root without capabilities is bound by permissions as anybody is.
    program = image.folder / ".venv" / "bin" / image.command[0]
    powerless = ["setpriv", "--no-new-privs", *(["--inh-caps=-all", "--bounding-set=-all"] if os.getuid() == 0 else [])]
    assert subprocess.run([*powerless, "touch", image.folder / "new"], capture_output=True, check=False).returncode
    before = contents(image.folder)
    log = tmp_path / "log.txt"
    with (
        log.open("w") as output,
        subprocess.Popen(
            [*powerless, program, *image.command[1:]],
            cwd=image.folder,
            env=environment,
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            wait_until_it_listens(process, address, log)
            wait_until_ready(address, log)
            check = [part.replace("8000", str(port)) for part in image.health_check]
            assert subprocess.run(check, env=environment, cwd=image.folder, timeout=30, check=False).returncode == 0
            assert ask(address, "GET", "/", host="digits.example.org")[0] == 200
            assert ask(address, "GET", "/", host=host)[0] == 400
            status, body = ask(address, "POST", "/api/predict-digit/", encoded(drawing()), host="digits.example.org")
            assert (status, json.loads(body)["prediction"]) == (200, 2)
            assert b'digits_predictions_total{certainty="certain",digit="2"} 1.0' in ask(address, "GET", "/metrics")[1]
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=35) == 0, log.read_text()
        finally:
            process.kill()
    assert contents(image.folder) == before


def contents(folder: Path) -> dict[Path, int]:
    return {path: path.lstat().st_mtime_ns for path in folder.rglob("*")}


def wait_until_ready(address: tuple[str, int], log: Path) -> None:
    deadline = time.monotonic() + DEADLINE
    while (answer := ask(address, "GET", "/api/health/ready"))[0] != 200:
        assert time.monotonic() < deadline, (answer, log.read_text())
        time.sleep(0.05)


def ask(
    address: tuple[str, int], method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(*address, timeout=30)
    try:
        connection.request(method, path, body, {"Content-Type": "image/png"} | headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
