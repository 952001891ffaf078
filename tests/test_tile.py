"""GET /tiles/<index>/: a tile on a page of its own."""

import html
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from digits.gallery import gallery
from digits.recognizer import recognize


def test_the_page_shows_the_tile_its_label_and_its_prediction(client):
    page = client.get("/tiles/42/").content.decode()
    assert gallery().tile(42).image in page
    assert f"Its label is {gallery().label(42)}" in page
    assert f"<strong>{recognize(gallery().pixels(42)).digit}</strong>" in page
    assert len(re.findall("<rect width", page)) == 10


def test_the_page_leads_back_to_the_tiles_the_filter_and_the_score_that_it_was_opened_from(client):
    query = "digit=4&right=7&of=8&tile=41&tile=42&answered=42&wrong=42"
    page = client.get(f"/tiles/42/?{query}").content.decode()
    [back] = re.findall(r'href="([^"]+)">To the gallery', page)
    back = html.unescape(back)
    assert back.endswith("#tile-42")
    assert parse_qs(urlsplit(back).query) == parse_qs(query)
    [after] = re.findall(r'href="([^"]+)" rel="next"', page)
    assert parse_qs(urlsplit(html.unescape(after)).query) == parse_qs(query)


def test_an_uncertain_tile_tells_the_reason(client):
    uncertain = next(i for i in gallery().select(hard=True) if recognize(gallery().pixels(i)).uncertain)
    verdict = recognize(gallery().pixels(uncertain)).verdict
    assert f"<strong>{verdict}</strong>" in client.get(f"/tiles/{uncertain}/").content.decode()


@pytest.mark.parametrize(("index", "neighbours"), [(0, [1]), (42, [41, 43]), (9_999, [9_998])])
def test_the_page_leads_to_its_neighbours_the_pad_and_the_gallery(client, index, neighbours):
    page = client.get(f"/tiles/{index}/").content.decode()
    [tools] = re.findall(r'<nav class="tools".*?</nav>', page, re.DOTALL)
    assert [int(number) for number in re.findall(r'href="/tiles/(\d+)/"', tools)] == neighbours
    assert f'href="/draw/?tile={index}"' in page
    assert 'href="/">To the gallery' in page


def test_a_tile_without_a_label_is_neither_right_nor_wrong(client, monkeypatch):
    monkeypatch.setattr("digits.gallery.Gallery.label", lambda self, index: None)
    page = client.get("/tiles/42/").content.decode()
    assert "It has no label." in page
    assert "the network is" not in page


@pytest.mark.parametrize("index", [10_000, 999_999_999_999])
def test_a_tile_that_does_not_exist_is_not_found(client, index):
    assert client.get(f"/tiles/{index}/").status_code == 404
