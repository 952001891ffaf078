"""The page /api/: the API's description to read and to try, whose examples run as they stand."""

import contextlib
import json
import re
import subprocess
import sys
from html import unescape

import pytest
from django.utils.text import slugify

from benchmarks import samples
from digits.api import sample as first
from digits.api.openapi import document
from digits.api.page import chapters
from digits.errors import UNUSABLE
from digits.refusals import Unavailable

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


def fetched(client, address: str) -> bytes:
    """A PNG from the static files."""
    answer = client.get(address)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")
    with contextlib.closing(answer):
        return b"".join(answer.streaming_content)


def first_call(page: str) -> str:
    [part] = re.findall(r'<section class="card first".*?</section>', page, re.DOTALL)
    return part


def test_it_begins_with_the_picture_the_call_and_the_answer_to_it(client, page):
    part = unescape(first_call(page))
    assert page.index(part[:20]) < page.index('aria-label="On this page"')
    [address] = re.findall(r'<img src="(/static/digits/digit\.[0-9a-f]+\.png)"', part)
    picture = fetched(client, address)
    assert picture == (samples.SERVED / "digit.png").read_bytes()
    call, answer = re.findall("<code>([^<]{50,})</code>", part)
    assert call == SAMPLES["predict_digit: curl"][1]
    answered = client.post("/api/predict-digit/", picture, content_type="image/png").json()
    assert answered["prediction"] == samples.label()
    assert answer == json.dumps(answered, indent=2)


def test_the_address_of_the_picture_in_the_examples_has_no_hash_and_works(client):
    [address] = re.findall(f"{SITE}(\\S+png)", SAMPLES["predict_digit: curl"][1])
    assert fetched(client, address) == (samples.SERVED / "digit.png").read_bytes()


def test_it_begins_without_an_answer_where_the_network_cannot_be_used(client, monkeypatch):
    def refuse():
        raise Unavailable(UNUSABLE)

    monkeypatch.setattr(first, "check_ready", refuse)
    first.read_sample.cache_clear()
    part = first_call(client.get("/api/").content.decode())
    assert SAMPLES["predict_digit: curl"][1] in unescape(part)
    assert "The answer" not in part


def test_answers_are_shown_in_lines(page):
    answers = re.findall(r'<pre class="wrapped"><code>(.*?)</code></pre>', unescape(page), re.DOTALL)
    assert len(answers) == len(OPERATIONS)
    for answer in (answer for answer in answers if answer.startswith("{")):
        assert answer == json.dumps(json.loads(answer), indent=2, ensure_ascii=False)


def test_examples_download_what_they_send():
    for name, (language, source) in SAMPLES.items():
        if language == "Shell" and "@" in source:
            assert re.search(r"--remote-name \S+/static/digits/\w+\.png\n", source), name


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
    source = source.replace(SITE, server).replace(SITE.partition("://")[2], server.partition("://")[2])
    shell = source.replace("curl ", "curl --fail --silent --show-error ")
    command = ["bash", "-c", shell] if language == "Shell" else [sys.executable, "-c", source]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert not done.stdout.startswith(('{"error"', '{"type"'))
