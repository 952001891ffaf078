"""GET / and GET /tiles/: twenty tiles as a page and as a fragment."""

import re

from digits.gallery import gallery


def shown(page) -> list[int]:
    return [int(index) for index in re.findall(r'name="tile" value="(\d+)"', page.content.decode())]


def answered(page) -> list[int]:
    return [int(index) for index in re.findall(r'type="hidden" name="predict" value="(\d+)"', page.content.decode())]


def test_the_page_shows_twenty_different_tiles_unanswered(client):
    page = client.get("/")
    assert page.status_code == 200
    assert len(set(shown(page))) == 20
    assert answered(page) == []
    assert page.content.decode().count("data:image/png;base64,") == 20


def test_without_javascript_the_address_says_which_tiles_are_shown_and_answered(client):
    page = client.get("/", {"tile": [5, 17, 99], "predict": [17]})
    assert shown(page) == [5, 17, 99]
    assert answered(page) == [17]
    assert "The label" not in page.content.decode()


def test_an_earlier_answer_stays_when_the_next_is_asked_for(client):
    page = client.get("/", {"tile": [5, 17, 99], "predict": [17, 5]})
    assert sorted(answered(page)) == [5, 17]


def test_what_is_no_tile_in_the_address_is_left_out(client):
    page = client.get("/", {"tile": ["5", "10000", "-1", "x", "٣", "9" * 5000], "predict": ["", "y"]})
    assert page.status_code == 200
    assert shown(page) == [5]


def test_an_address_without_any_tile_shows_random_ones(client):
    assert len(shown(client.get("/", {"tile": "x"}))) == 20


def test_no_address_can_ask_for_more_than_a_hundred_tiles(client):
    assert len(shown(client.get("/", {"tile": range(1000)}))) == 100


def test_the_fragment_has_twenty_other_tiles_and_no_page_around_them(client):
    first, second = client.get("/tiles/"), client.get("/tiles/")
    assert len(shown(first)) == 20
    assert shown(first) != shown(second)
    assert b"<html" not in first.content
    assert b"20 new digits" in first.content


def test_a_page_is_asked_for_again_each_time_but_kept_for_the_back_button(client):
    for path in ("/", "/tiles/", "/draw/"):
        control = client.get(path).headers["Cache-Control"]
        assert "no-cache" in control
        assert "private" in control
        assert "no-store" not in control


def test_a_gallery_without_labels_neither_praises_nor_blames(client, monkeypatch):
    tile = gallery().tile(3)._replace(label=None)
    monkeypatch.setattr("digits.gallery.Gallery.tile", lambda self, index: tile)
    page = client.get("/", {"tile": 3, "predict": 3}).content.decode()
    assert "✓" not in page
    assert "✗" not in page
    assert "label" not in page.replace("aria-label", "")
