"""Fixtures that several test files share."""

import os
import shutil
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.management import call_command


@pytest.fixture(scope="session", autouse=True)
def static_files() -> Iterator[None]:
    """Hashed static files, as production has them: pages fail without."""
    call_command("collectstatic", interactive=False, verbosity=0)
    yield
    shutil.rmtree(settings.STATIC_ROOT)


def pytest_report_header() -> str:
    return f"settings: {os.environ['DJANGO_SETTINGS_MODULE']}, DEBUG {settings.DEBUG}"
