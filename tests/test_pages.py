"""What all pages have in common."""

import re

import pytest

HEADER = {"Gallery": "/", "Draw": "/draw/", "How good is it?": "/model/", "API": "/api/"}


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


def test_no_cache_mixes_up_a_failure_s_page_and_its_fragment(client):
    page, fragment = (client.get("/tiles/99999/prediction/", headers=sent) for sent in ({}, {"HX-Request": "true"}))
    assert b"<html" in page.content
    assert b"<html" not in fragment.content
    assert "HX-Request" in page.headers["Vary"]
    assert "HX-Request" in fragment.headers["Vary"]


def test_a_page_for_another_host_tells_what_is_wrong(client):
    answer = client.get("/", headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert "DJANGO_ALLOWED_HOSTS" in answer.content.decode()
