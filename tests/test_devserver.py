"""devserver.py, run as a user runs it, in a small copy of the checkout whose manage.py and pytest are stand-ins."""

import ast
import errno
import os
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from threading import Timer

import pytest

DEVSERVER = Path(__file__).parents[1] / "devserver.py"
DEADLINE = 30  # seconds; generous, as nothing waits for it to pass

# Answers with its arguments and environment; a traceback ends it if Ctrl-C reaches it.
FAKE_MANAGE = """
import os, socketserver, sys
from http.server import BaseHTTPRequestHandler

settings = {name: value for name, value in os.environ.items() if name.startswith("DJANGO_")}

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{sys.argv[1]} {settings} pid={os.getpid()}".encode())

    def log_message(self, *arguments):
        pass

host, port = sys.argv[2].rsplit(":", 1)
server = socketserver.TCPServer((host, int(port)), Handler)
print("ready", flush=True)
server.serve_forever()
"""

# `python -m pytest` prefers this file to the installed pytest, as it runs in the checkout.
FAKE_PYTEST = """
import os, sys
print("pytest got", sys.argv[1:], "settings", [name for name in os.environ if name.startswith("DJANGO_")])
sys.exit(5)
"""

makes_a_venv = pytest.mark.slow
pytestmark = pytest.mark.skipif(os.name == "nt", reason="stops servers with POSIX signals")


@pytest.fixture(scope="module")
def new_checkout(tmp_path_factory):
    """Make a checkout whose .venv has no Python."""
    checkout = tmp_path_factory.mktemp("checkout")
    shutil.copy(DEVSERVER, checkout)
    (checkout / "requirements.txt").write_text("")
    (checkout / "requirements-training.txt").write_text("-r requirements.txt\n")
    (checkout / "requirements-production.txt").write_text("-r requirements.txt\n")
    (checkout / "requirements-scale.txt").write_text("-r requirements.txt\n")
    extras = ("requirements-training.txt", "requirements-production.txt", "requirements-scale.txt")
    (checkout / "requirements-dev.txt").write_text("".join(f"-r {extra}\n" for extra in extras))
    (checkout / "manage.py").write_text(FAKE_MANAGE)
    (checkout / "pytest.py").write_text(FAKE_PYTEST)
    (checkout / "digit_recognizer_dl_model").mkdir()
    (checkout / "digit_recognizer_dl_model" / "digit_recognizer_weights.npz").touch()
    (checkout / "data").mkdir()
    (checkout / "data" / "mnist_test.csv").touch()
    (checkout / ".venv" / "bin").mkdir(parents=True)
    return checkout


@pytest.fixture(scope="module")
def first_run(new_checkout):
    """Make .venv and run the stand-in for pytest; return the finished process."""
    return run(new_checkout, "test", "-k", "some name", "-x")


@pytest.fixture
def checkout(new_checkout, first_run):
    """Return the checkout with a .venv that has everything installed."""
    return new_checkout


@pytest.fixture
def port():
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(**changes):
    """Return the environment without the variables that devserver.py reads, and with these changes."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "MNIST_"))} | changes


def run(checkout, *arguments, **changes):
    """Run devserver.py to its end and return the finished process."""
    command = [sys.executable, checkout / "devserver.py", *arguments]
    return subprocess.run(command, env=environment(**changes), capture_output=True, text=True, timeout=DEADLINE)


@contextmanager
def serving(checkout, port, **changes):
    """Start devserver.py, in a process group of its own as from a terminal, and end the whole group."""
    command = [sys.executable, checkout / "devserver.py", "--port", str(port)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment(**changes), process_group=0, **pipes) as process:

        def end():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

        watchdog = Timer(DEADLINE, end)
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            end()


def until_ready(process):
    """Wait until the stand-in for the server listens; return what was printed before."""
    printed = ""
    for line in process.stdout:
        if line == "ready\n":
            return printed
        printed += line
    return pytest.fail(f"{printed}{process.stderr.read()}")


def visit(port):
    """Return the server's answer."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=DEADLINE)) as connection:
        connection.request("GET", "/")
        return connection.getresponse().read().decode()


def test_it_imports_nothing_but_the_standard_library():
    nodes = list(ast.walk(ast.parse(DEVSERVER.read_text())))
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    assert imported
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names


def test_an_old_python_is_told_which_one_is_needed(monkeypatch):
    ast.parse(DEVSERVER.read_text(), feature_version=(3, 6))
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer; this is 3\.9\."):
        runpy.run_path(str(DEVSERVER))


def test_help_describes_serving_and_testing(tmp_path):
    shutil.copy(DEVSERVER, tmp_path)
    finished = run(tmp_path, "--help")
    assert finished.returncode == 0
    for word in ("--host", "--port", "devserver.py test [pytest arguments]"):
        assert word in finished.stdout


def test_a_taken_port_is_named_before_anything_is_made(tmp_path):
    shutil.copy(DEVSERVER, tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        finished = run(tmp_path, "--port", str(port))
    assert finished.returncode == 1
    assert finished.stdout == ""
    assert finished.stderr == f"Port {port} is taken by another program. Try: python devserver.py --port {port + 1}\n"
    assert not (tmp_path / ".venv").exists()


def test_a_port_whose_last_server_has_just_stopped_is_free():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        with socket.create_connection(address) as browser:
            server.accept()[0].close()  # the side that closes first keeps the port in TIME_WAIT
            browser.recv(1)
    runpy.run_path(str(DEVSERVER))["check_address"](*address)


@pytest.mark.parametrize("port", ["0", "65536", "-1", "eighty", "8e3"])
def test_an_invalid_port_is_refused(tmp_path, port):
    shutil.copy(DEVSERVER, tmp_path)
    finished = run(tmp_path, f"--port={port}")
    assert finished.returncode == 2
    assert f"{port} is not a port; a port must be an integer from 1 to 65535" in finished.stderr


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.EACCES, "Permission denied"), "Serving on port 80 is not permitted."),
        (OSError(errno.EADDRNOTAVAIL, "Not of this machine"), "Cannot serve on example: Not of this machine."),
        (socket.gaierror(socket.EAI_NONAME, "Name not known"), "Cannot serve on example: Name not known."),
        (TypeError("encoding of hostname failed"), "Cannot serve on example: it is not a valid host name."),
    ],
)
def test_an_address_that_cannot_be_used_is_explained(monkeypatch, error, message):
    def refuse(*_):
        raise error

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(SystemExit, match=message):
        runpy.run_path(str(DEVSERVER))["check_address"]("example", 80)


@makes_a_venv
def test_a_broken_venv_is_made_again(first_run):
    assert "Making .venv again, as this one does not work ..." in first_run.stdout
    assert "Installing requirements-dev.txt ..." in first_run.stdout


@makes_a_venv
def test_pytest_gets_its_arguments_unchanged_and_its_exit_code_is_returned(first_run):
    assert first_run.stdout.endswith("'-k', 'some name', '-x'] settings []\n")
    assert first_run.returncode == 5


@makes_a_venv
def test_requirements_are_installed_again_only_when_they_change(checkout):
    assert "Installing" not in run(checkout, "test").stdout
    with (checkout / "requirements.txt").open("a") as requirements:
        requirements.write("# one line more\n")
    assert "Installing requirements-dev.txt ..." in run(checkout, "test").stdout
    assert "Installing" not in run(checkout, "test").stdout


@makes_a_venv
def test_a_failed_installation_is_reported_and_tried_again(checkout):
    requirements = checkout / "requirements.txt"
    before = requirements.read_text()
    requirements.write_text("./no-such-package\n")
    try:
        for _ in range(2):
            failed = run(checkout, "test")
            assert failed.returncode == 1
            assert "./no-such-package" in failed.stderr
            assert failed.stderr.endswith("see pip's message above, check the network and try again.\n")
    finally:
        requirements.write_text(before)
    assert "Installing requirements-dev.txt ..." in run(checkout, "test").stdout


@makes_a_venv
def test_missing_weights_are_named_with_the_ways_to_get_them(checkout, port, tmp_path):
    weights = checkout / "digit_recognizer_dl_model" / "digit_recognizer_weights.npz"
    weights.rename(tmp_path / weights.name)
    try:
        finished = run(checkout, "--port", str(port))
    finally:
        (tmp_path / weights.name).rename(weights)
    assert finished.returncode == 1
    assert f"{weights} is missing" in finished.stderr
    assert "git checkout -- digit_recognizer_dl_model/digit_recognizer_weights.npz" in finished.stderr
    assert ".venv/bin/python -m digit_recognizer_dl_model.train" in finished.stderr


@makes_a_venv
def test_a_missing_csv_file_is_named_with_the_way_to_get_it(checkout, port, tmp_path):
    csv = checkout / "data" / "mnist_test.csv"
    csv.rename(tmp_path / csv.name)
    try:
        finished = run(checkout, "--port", str(port))
    finally:
        (tmp_path / csv.name).rename(csv)
    assert finished.returncode == 1
    assert finished.stderr == f"{csv} is missing. Get it with:\n    .venv/bin/python manage.py fetch_mnist\n"


@makes_a_venv
def test_a_variable_that_names_a_missing_csv_file_is_mentioned(checkout, port, tmp_path):
    finished = run(checkout, "--port", str(port), HOME=str(tmp_path), MNIST_CSV="~/other.csv")
    assert finished.returncode == 1
    assert f"{tmp_path / 'other.csv'} is missing" in finished.stderr
    assert "unset MNIST_CSV" in finished.stderr


@makes_a_venv
def test_exported_django_settings_are_ignored(checkout, port):
    exported = {"DJANGO_SETTINGS_MODULE": "other.settings", "DJANGO_DEBUG": "0", "DJANGO_SECRET_KEY": "of-production"}
    own = {"DJANGO_DEBUG": "1", "DJANGO_ALLOWED_HOSTS": ".localhost,127.0.0.1,[::1]"}
    with serving(checkout, port, **exported) as process:
        assert until_ready(process) == f"Digit Recognizer: http://127.0.0.1:{port}/  (Ctrl-C stops it)\n"
        assert f"runserver {own} pid=" in visit(port)
    assert "settings []" in run(checkout, "test", **exported).stdout


@makes_a_venv
def test_hosts_may_be_added_to_those_of_this_machine(checkout, port):
    with serving(checkout, port, DJANGO_ALLOWED_HOSTS="digits.home") as process:
        until_ready(process)
        assert "'DJANGO_ALLOWED_HOSTS': 'digits.home,.localhost,127.0.0.1,[::1]'" in visit(port)


@makes_a_venv
@pytest.mark.parametrize("damage", ["not installed", "files are gone"])
def test_a_venv_that_lacks_a_package_is_made_again(checkout, tmp_path, damage):
    """With a package made here, as pip would fetch Django."""
    requirements = checkout / "requirements.txt"
    before = requirements.read_text()
    package = tmp_path / "django_in_small-1-py3-none-any.whl"
    metadata = {
        "METADATA": "Metadata-Version: 2.1\nName: django-in-small\nVersion: 1\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(package, "w") as wheel:
        wheel.writestr("django_in_small/__init__.py", "")
        for name, content in metadata.items():
            wheel.writestr(f"django_in_small-1.dist-info/{name}", content)
    requirements.write_text(f"django-in-small @ {package.as_uri()}\n")
    try:
        assert "Could not install" not in run(checkout, "test").stderr
        assert "Making" not in run(checkout, "test").stdout
        [installed] = (checkout / ".venv").glob("lib/python3*/site-packages/django_in_small")
        [list_of_files] = installed.parent.glob("django_in_small-*.dist-info")
        shutil.rmtree(installed)
        if damage == "not installed":
            shutil.rmtree(list_of_files)
        repaired = run(checkout, "test")
        assert "Making .venv again, as this one does not work ..." in repaired.stdout
        assert (installed / "__init__.py").exists()
    finally:
        requirements.write_text(before)
        run(checkout, "test")


@makes_a_venv
def test_two_that_are_started_at_once_in_a_fresh_checkout_both_come_up(checkout, tmp_path):
    fresh = tmp_path / "fresh"
    shutil.copytree(checkout, fresh, ignore=shutil.ignore_patterns(".venv"))
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        ports = [server.getsockname()[1] for server in (one, other)]
    with serving(fresh, ports[0]) as first, serving(fresh, ports[1]) as second:
        printed = [until_ready(process) for process in (first, second)]
        assert all("runserver" in visit(port) for port in ports)
    assert sum("Making .venv" in each for each in printed) == 1


@makes_a_venv
def test_the_server_leaves_ctrl_c_to_devserver(checkout, port):
    with serving(checkout, port) as process:
        until_ready(process)
        answer = visit(port)
        os.kill(int(answer.partition("pid=")[2]), signal.SIGINT)
        assert visit(port) == answer


@makes_a_venv
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["alone", "with_its_children"])
def test_a_signal_stops_it_and_its_server_quietly(checkout, port, send, number):
    with serving(checkout, port) as process:
        until_ready(process)
        server = int(visit(port).partition("pid=")[2])
        send(process.pid, number)
        assert process.communicate(timeout=DEADLINE) == ("", "")
        assert process.returncode == 0
        with pytest.raises(ProcessLookupError):
            os.kill(server, 0)
