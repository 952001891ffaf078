"""The page /api/: the API's description to read and to try, whose examples run as they stand."""

import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest
from django.utils.text import slugify

from digits.api.openapi import document
from digits.api.page import chapters

from .conftest import require

SITE = "http://testserver"
OPERATIONS = [operation for tag in chapters(document(SITE))["tags"] for operation in tag["operations"]]
SAMPLES = {
    f"{operation['name']}: {sample['label']}": (sample["lang"], sample["source"])
    for operation in OPERATIONS
    for sample in operation["samples"]
}


@pytest.fixture
def page(client) -> str:
    answer = client.get("/api/")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    return answer.content.decode()


def test_every_address_is_shown_with_its_examples(page):
    for operation in OPERATIONS:
        assert f'id="{operation["name"]}"' in page
        assert operation["path"] in page
        for sample in operation["samples"]:
            assert not re.search("^ {8}", sample["source"], re.MULTILINE)  # as the code that holds it is indented
            assert sample["source"] in unescape(page)


def test_the_type_of_every_problem_leads_to_its_explanation(page):
    for problem in document(SITE)["x-problems"]:
        assert f'id="{slugify(problem["title"])}"' in page
        assert problem["meaning"] in unescape(page)
    anchors = re.findall('href="#([^"]+)"', page)
    assert all(f'id="{anchor}"' in page for anchor in anchors)
    assert len(re.findall(r'\sid="([^"]+)"', page)) == len(set(re.findall(r'\sid="([^"]+)"', page)))


def test_a_wrong_way_to_ask_for_the_page_is_answered_as_of_any_page(client):
    assert client.post("/api/").status_code == 405
    assert client.get("/api/", headers={"host": "elsewhere"}).headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(("language", "source"), SAMPLES.values(), ids=SAMPLES)
def test_the_examples_run_as_they_stand(server, tmp_path, language, source):
    if language == "Shell":
        require("bash", "curl")
    for name, picture in {"digit.png": "seven.png", "number.png": "number.png"}.items():
        shutil.copy(Path(__file__).parents[1] / "docs" / picture, tmp_path / name)
    source = source.replace(SITE, server).replace(SITE.partition("://")[2], server.partition("://")[2])
    shell = source.replace("curl ", "curl --fail --silent --show-error ")
    command = ["bash", "-c", shell] if language == "Shell" else [sys.executable, "-c", source]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert not done.stdout.startswith(('{"error"', '{"type"'))
