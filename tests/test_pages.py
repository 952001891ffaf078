"""What all pages have in common."""

import json
import re

import pytest
from django.test import Client

from .pictures import TWO

HEADER = {
    "Home": "/",
    "Large pad": "/draw/",
    "Challenge": "/challenge/",
    "Map": "/map/",
    "Accuracy": "/model/",
    "API": "/api/",
}


@pytest.mark.parametrize("path", HEADER.values())
def test_every_page_leads_to_the_others_and_marks_itself(client, path):
    page = client.get(path).content.decode()
    [header] = re.findall("<header.*?</header>", page, re.DOTALL)
    links = re.findall('<a href="([^"]*)"( aria-current="page")?>([^<]*)</a>', header)
    assert {name: link for link, _, name in links} == HEADER
    assert [link for link, current, _ in links if current] == [path]
    [footer] = re.findall("<footer.*?</footer>", page, re.DOTALL)
    assert 'href="/model/"' in footer


@pytest.mark.parametrize("path", [*HEADER.values(), "/tiles/0/", "/favicon.ico"])
def test_the_head_of_every_page_may_be_asked_for(client, path):
    head, page = client.head(path), client.get(path)
    assert head.status_code == page.status_code < 400
    assert head.headers["Content-Type"] == page.headers["Content-Type"]


HTMX = {"HX-Request": "true"}
STROKES = {"strokes": json.dumps([{"points": TWO, "width": 20 / 280}])}
FRAGMENTS = [
    ("get", "/tiles/?tile=1&tile=2&predict=all", {}),
    ("get", "/tiles/1/prediction/?tile=1", {}),
    ("post", "/draw/predict/", STROKES),
    ("post", "/draw/explain/", STROKES),
    ("post", "/map/place/", STROKES),
]


@pytest.mark.parametrize(("method", "path", "data"), FRAGMENTS, ids=[path for _, path, _ in FRAGMENTS])
def test_the_address_of_a_fragment_answers_browsers_and_htmx_alike(client, method, path, data):
    for_browser, for_htmx = (getattr(client, method)(path, data, headers=sent) for sent in ({}, HTMX))
    assert for_browser.status_code == for_htmx.status_code == 200
    assert for_browser.content == for_htmx.content
    assert b"<html" not in for_htmx.content


@pytest.mark.parametrize("path", [*HEADER.values(), "/tiles/0/"])
def test_the_address_of_a_page_answers_htmx_with_the_whole_page(client, path):
    for sent in ({}, HTMX):
        assert b"<html" in client.get(path, headers=sent).content
    if path == "/draw/":
        assert b"<html" in client.post(path, STROKES, headers=HTMX).content


def test_no_cache_confuses_the_page_and_the_fragment_of_a_failure(client):
    page, fragment = (client.get("/tiles/99999/prediction/", headers=sent) for sent in ({}, HTMX))
    assert b"<html" in page.content
    assert b"<html" not in fragment.content
    assert "HX-Request" in page.headers["Vary"]
    assert "HX-Request" in fragment.headers["Vary"]


def test_a_page_for_another_host_tells_what_is_wrong(client):
    answer = client.get("/", headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert "DJANGO_ALLOWED_HOSTS" in answer.content.decode()


@pytest.mark.parametrize("path", ["/nowhere/", "/tiles/99999/", "/draw/nowhere", "/static/nowhere.css"])
def test_what_is_not_there_looks_the_same_in_development(client, settings, path):
    in_production = client.get(path).content.decode()
    settings.DEBUG = True
    answer = Client().get(path)
    assert answer.status_code == 404
    page = answer.content.decode()
    for part in (f"There is nothing at {path}.", "<nav", 'href="/"', 'href="/draw/"'):
        assert part in page
        assert part in in_production
    assert "<code>/tiles/&lt;int:index&gt;/</code>" in page
    assert "<code>" not in in_production


def test_what_is_not_there_is_a_fragment_for_htmx_in_development(settings):
    settings.DEBUG = True
    fragment = Client().get("/tiles/99999/prediction/", headers=HTMX)
    assert fragment.status_code == 404
    assert fragment.headers["HX-Retarget"] == "#notice"
    assert "<html" not in fragment.content.decode()


@pytest.mark.parametrize("path", ["/api/nowhere/", "/api/nowhere", "/v2/nowhere"])
def test_programs_get_json_in_development_too(settings, path):
    settings.DEBUG = True
    answer = Client().get(path)
    assert answer.status_code == 404
    assert "json" in answer.headers["Content-Type"]


def test_a_missing_last_slash_is_added_in_development_too(settings):
    settings.DEBUG = True
    answer = Client().get("/draw")
    assert (answer.status_code, answer.headers["Location"]) == (301, "/draw/")
