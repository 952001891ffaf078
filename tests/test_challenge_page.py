"""The page of the ten-digit challenge; how it is played is tested in browsers."""

import re


def test_the_page_asks_for_the_first_digit(client):
    page = client.get("/challenge/").content.decode()
    assert "Draw a <em>0</em>" in page
    assert 'hx-post="/draw/predict/"' in page
    assert len(re.findall('class="outcome', page)) == 10


def test_the_page_is_only_asked_for(client):
    assert client.head("/challenge/").status_code == 200
    refused = client.post("/challenge/")
    assert refused.status_code == 405
    assert refused.headers["Allow"] == "GET, HEAD"


def test_without_javascript_it_says_what_works(client):
    [text] = re.findall("<noscript>(.*?)</noscript>", client.get("/challenge/").content.decode(), re.DOTALL)
    assert "needs JavaScript" in text
    assert re.findall('href="([^"]*)"', text) == ["/draw/", "/#gallery"]


def test_the_page_of_the_pad_leads_to_it(client):
    assert client.get("/draw/").content.decode().partition("<main")[2].count('href="/challenge/"') == 1


def test_it_asks_the_server_for_nothing_but_readings(client):
    """So nothing about a game is stored: the forms and links of its own part of the page have no other address."""
    page = client.get("/challenge/").content.decode()
    [main] = re.findall("<main.*?</main>", page, re.DOTALL)
    assert set(re.findall(r'(?:hx-\w+|action)="(/[^"]*)"', main)) == {"/draw/predict/"}
