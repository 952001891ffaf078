"""Fixtures that several test files share."""

import contextlib
import http.client
import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from django.conf import settings
from django.core.management import call_command

from digit_recognizer_dl_model.synthetic.glyphs import enlarged, others, recorded, written
from digit_recognizer_dl_model.synthetic.lines import Sources
from digits.gallery import gallery

from .mirrors import OLDER_FILE, Handler
from .training import RECORDINGS, few_digits

SERVE = "gunicorn --config deploy/gunicorn.conf.py"  # the command of docs/operating.md
HASTY = "gunicorn --config tests/hasty.py"  # the same with a quarter of its limits on time
DEADLINE = 60  # seconds; generous, as nothing waits for it to pass


def require(*programs: str) -> None:
    """Skip the test where a program is missing that is none of Python's; with REQUIRE_PROGRAMS=1, fail it."""
    if missing := [program for program in programs if not shutil.which(program)]:
        reason = f"{' and '.join(missing)} not found; Debian has packages of these names"
        pytest.fail(reason, pytrace=False) if os.environ.get("REQUIRE_PROGRAMS") == "1" else pytest.skip(reason)


@pytest.fixture(scope="session", autouse=True)
def static_files() -> Iterator[None]:
    """Hashed static files, as production has them: pages fail without."""
    call_command("collectstatic", interactive=False, verbosity=0)
    yield
    shutil.rmtree(settings.STATIC_ROOT)


@pytest.fixture(scope="session")
def server_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server") / "stderr.txt"


@pytest.fixture(scope="session")
def server(static_files: None, server_log: Path) -> Iterator[str]:
    """The address of the site, served by a process of its own."""
    address = free_address()
    with (
        server_log.open("w") as stderr,
        subprocess.Popen(
            [sys.executable, "manage.py", "runserver", "--noreload", "{}:{}".format(*address)],
            cwd=settings.BASE_DIR,
            # tests/settings.py has put the other settings into the environment, the folder of static files included.
            env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"},
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        ) as process,
    ):
        try:
            wait_until_it_listens(process, address, server_log)
            yield "http://{}:{}".format(*address)
        finally:
            process.terminate()


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @classmethod
    def of(cls, response: http.client.HTTPResponse) -> "Answer":
        return cls(response.status, dict(response.getheaders()), response.read())


class Site(NamedTuple):
    """The site as it is shipped for production, served by processes of its own."""

    process: subprocess.Popen  # which starts the others
    netloc: str
    log: Path

    def ask(self, method: str, path: str, body: object = None, timeout: float = DEADLINE, **headers: str) -> Answer:
        connection = http.client.HTTPConnection(self.netloc, timeout=timeout)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers)
            return Answer.of(connection.getresponse())

    def connect(self) -> socket.socket:
        host, port = self.netloc.split(":")
        return socket.create_connection((host, int(port)), timeout=DEADLINE)


@contextlib.contextmanager
def served(folder: Path, command: str = SERVE, **variables: str) -> Iterator[Site]:
    """Run the site with this command and these variables, with its log in this folder, until the block ends."""
    host, port = address = free_address()
    log = folder / f"{port}.txt"
    environment = os.environ | variables
    del environment["DJANGO_SETTINGS_MODULE"]  # which are the tests' own
    arguments = [sys.executable, "-m", *command.split(), "--bind", f"{host}:{port}"]
    with started(arguments, address, log, environment) as process:
        yield Site(process, f"{host}:{port}", log)


@pytest.fixture
def start_site(static_files: None, tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Start the site with the command of docs/operating.md and these variables; it ends with the test."""
    with contextlib.ExitStack() as sites:
        yield lambda *command, **variables: sites.enter_context(served(tmp_path, *command, **variables))


@pytest.fixture(scope="session")
def site(static_files: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The same, with one process, for tests that leave it as it was."""
    with served(tmp_path_factory.mktemp("site"), WEB_CONCURRENCY="1") as site:
        yield site


@contextlib.contextmanager
def started(
    command: list[str], address: tuple[str, int], log: Path, environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen]:
    """Run a server, whose output goes to `log`, until the block ends; then kill it, as stopping takes a second."""
    with (
        log.open("w") as output,
        subprocess.Popen(
            command, cwd=settings.BASE_DIR, env=environment, stdout=output, stderr=output, process_group=0
        ) as process,
    ):
        try:
            wait_until_it_listens(process, address, log)
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def start_mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable], str]]:
    """Start a server for each answer and return its address; all of them end with the test."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    test_is_over = threading.Event()
    servers = []

    def start(answer: Callable) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = False  # server_close() waits for them
        server.answer, server.test_is_over = answer, test_is_over
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    test_is_over.set()
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def folder_with_older_file(tmp_path: Path) -> Callable[[str], Path]:
    """Make the target folder of a fetch command, in which an earlier run has left a good file of this name."""

    def make(name: str) -> Path:
        folder = tmp_path / "data"
        folder.mkdir()
        (folder / name).write_bytes(OLDER_FILE)
        return folder

    return make


@pytest.fixture
def stdout() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def stderr() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def call_fetch(target: Path, stdout: io.StringIO, stderr: io.StringIO) -> Callable[..., None]:
    """Run a fetch command with these arguments, into `target` unless they name another folder."""

    def fetch(command: str, *arguments: object, stdout: io.StringIO = stdout) -> None:
        call_command(command, "--to", str(target), *map(str, arguments), stdout=stdout, stderr=stderr)

    return fetch


def free_address() -> tuple[str, int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()


def wait_until_it_listens(process: subprocess.Popen, address: tuple[str, int], log: Path) -> None:
    deadline = time.monotonic() + DEADLINE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(address, timeout=DEADLINE).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"The server did not start:\n{log.read_text()}", pytrace=False)


def pytest_report_header() -> str:
    return f"settings: {os.environ['DJANGO_SETTINGS_MODULE']}, DEBUG {settings.DEBUG}"


@pytest.fixture(scope="session")
def tiles() -> np.ndarray:
    """The first sixty tiles of the gallery, (60, 28, 28) uint8."""
    return np.stack([gallery().pixels(index) for index in range(60)])


@pytest.fixture(scope="session")
def labels() -> np.ndarray:
    """The digits of these tiles, (60,)."""
    return np.array([gallery().label(index) for index in range(60)])


@pytest.fixture(scope="session")
def line_sources() -> Sources:
    """A few glyphs of each kind, from which lines are made."""
    rng = np.random.default_rng(4)
    pens = [recording._replace(label=label) for label, recording in enumerate(RECORDINGS[:10])]
    return Sources(enlarged(few_digits()), recorded(pens, rng), written(120, rng), others(36, rng))
