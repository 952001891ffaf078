"""The names of static files in production."""

import re

import pytest
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage

IMPORT = re.compile(r'^import .* from "\./([^"]+)";$', re.MULTILINE)


@pytest.mark.parametrize("module", ["draw-page", "pad", "painting"])
def test_collected_modules_import_each_other_by_hashed_names(module):
    source = (settings.BASE_DIR / "static" / "digits" / f"{module}.js").read_text(encoding="utf-8")
    with staticfiles_storage.open(staticfiles_storage.stored_name(f"digits/{module}.js")) as file:
        imported = IMPORT.findall(file.read().decode())
    hashed = [
        staticfiles_storage.stored_name(f"digits/{name}").removeprefix("digits/") for name in IMPORT.findall(source)
    ]
    assert imported == hashed != []
    assert all(re.fullmatch(r"[a-z-]+\.[0-9a-f]{12}\.js", name) for name in imported)
