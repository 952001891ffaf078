"""Fixtures that several test files share."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

DEADLINE = 60  # seconds; generous, as nothing waits for it to pass


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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = "127.0.0.1", probe.getsockname()[1]
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
