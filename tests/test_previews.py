"""What is shown where someone links to a page of the site."""

import io
import re
from html import unescape

import numpy as np
import pytest
from PIL import Image

from benchmarks import preview

PAGES = {
    "/": "Draw a number",
    "/draw/": "Large pad",
    "/challenge/": "Ten-digit challenge",
    "/model/": "How good is it?",
    "/api/": "API",
    "/tiles/7/": "Tile 7",
}
TAG = re.compile(r'<meta (?:property|name)="([\w:]+)" content="([^"]*)">')


def tags(client, path: str, **request: object) -> dict[str, str]:
    found = TAG.findall(client.get(path, **request).content.decode())
    assert len(dict(found)) == len(found)  # none comes twice
    return {name: unescape(content) for name, content in found}


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_a_preview_of_its_own(client, path):
    told = tags(client, path)
    assert told["og:title"] == told["twitter:title"] == PAGES[path]
    assert told["og:description"] == told["twitter:description"] == told["description"]
    assert 40 <= len(told["description"]) <= 160
    assert told["og:url"] == f"http://testserver{path}"
    assert told["twitter:card"] == "summary_large_image"
    title = re.search("<title>(.*?)</title>", client.get(path).content.decode())[1]
    assert title == f"{PAGES[path]} · Digit Recognizer"


def test_each_page_is_described_in_its_own_words(client):
    assert len({tags(client, path)["description"] for path in PAGES}) == len(PAGES)


def test_the_picture_has_a_whole_address_at_which_it_is(client):
    told = tags(client, "/", secure=True)
    assert told["og:image"] == told["twitter:image"]
    assert told["og:image"].startswith("https://testserver/static/digits/preview.")
    answer = client.get(told["og:image"].removeprefix("https://testserver"))
    content = b"".join(answer.streaming_content)
    assert answer.headers["Content-Type"] == told["og:image:type"]
    assert len(content) < 80_000
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.size == (int(told["og:image:width"]), int(told["og:image:height"])) == (1200, 630)


def test_the_address_of_a_page_keeps_its_state_and_is_escaped(client):
    assert tags(client, '/?digit=3&read="5"')["og:url"] == "http://testserver/?digit=3&read=%225%22"


def test_a_failure_has_no_preview(client):
    for path, request in [("/nowhere/", {}), ("/", {"headers": {"host": "evil.example"}})]:
        assert not [name for name in tags(client, path, **request) if name.startswith(("og:", "twitter:"))]


def test_the_picture_that_is_served_is_the_one_that_is_made_here():
    served, made = (Image.open(file).convert("RGB") for file in (preview.SERVED, io.BytesIO(preview.preview())))
    difference = np.abs(np.asarray(served, int) - np.asarray(made, int))
    assert difference.mean() < 0.5  # of 255; another FreeType sets the words a little differently
