"""GET / and GET /tiles/: twenty tiles as a page and as a fragment."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from digits.gallery import gallery
from digits.gallery_page import GalleryPage, Score, Selection, Verdict
from digits.recognizer import recognize


def shown(page) -> list[int]:
    return [int(index) for index in re.findall(r'name="tile" value="(\d+)"', page.content.decode())]


def answered(page) -> list[int]:
    return [int(index) for index in re.findall(r'type="hidden" name="answered" value="(\d+)"', page.content.decode())]


def is_right(index: int) -> bool:
    reading = recognize(gallery().pixels(index))
    return reading.digit == gallery().label(index) and not reading.uncertain


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
    page = client.get("/", {"tile": [5, 17, 99], "answered": [17], "predict": [5]})
    assert sorted(answered(page)) == [5, 17]


def test_numbers_of_no_tile_in_the_address_are_left_out(client):
    page = client.get("/", {"tile": ["5", "10000", "-1", "x", "٣", "9" * 5000], "predict": ["", "y"]})
    assert page.status_code == 200
    assert shown(page) == [5]


def test_an_address_without_any_tile_shows_random_ones(client):
    assert len(shown(client.get("/", {"tile": "x"}))) == 20


def test_no_address_can_ask_for_more_than_a_hundred_tiles(client):
    assert len(shown(client.get("/", {"tile": range(1000)}))) == 100


def test_the_fragment_has_twenty_new_tiles(client):
    first, second = client.get("/tiles/"), client.get("/tiles/")
    assert len(shown(first)) == 20
    assert shown(first) != shown(second)
    assert b"20 new digits" in first.content


def test_a_page_is_asked_for_again_each_time_but_kept_for_the_back_button(client):
    for path in ("/", "/tiles/", "/draw/"):
        control = client.get(path).headers["Cache-Control"]
        assert "no-cache" in control
        assert "private" in control
        assert "no-store" not in control


def test_without_labels_no_answer_is_called_right_or_wrong(client, monkeypatch):
    monkeypatch.setattr("digits.gallery.Gallery.label", lambda self, index: None)
    page = client.get("/", {"tile": 3, "predict": 3}).content.decode()
    assert "✓" not in page
    assert "✗" not in page
    assert ", label" not in page
    assert "No tile read yet" in page


@pytest.mark.parametrize("path", ["/", "/tiles/"])
def test_a_filter_shows_only_tiles_that_meet_it(client, path):
    for index in shown(client.get(path, {"digit": 4, "hard": 1})):
        reading = recognize(gallery().pixels(index))
        assert gallery().label(index) == 4
        assert reading.digit != 4 or reading.uncertain


def test_a_filter_of_few_tiles_shows_them_all_and_says_which(client):
    cell = gallery().select(digit=4, read=9)
    page = client.get("/", {"digit": 4, "read": 9})
    assert sorted(shown(page)) == cell
    assert f"{len(cell)} tiles of a 4 that the network reads as 9</p>" in page.content.decode()


def test_a_filter_of_many_tiles_says_how_many(client):
    page = client.get("/", {"digit": 1})
    assert "1,135 tiles of a 1, 20 of them here" in page.content.decode()


def test_the_filter_shows_its_state_and_stays_with_the_tiles(client):
    page = client.get("/", {"digit": 0, "read": 0, "hard": 1}).content.decode()
    assert page.count("<option selected>0</option>") == 2
    assert 'name="hard" value="1" checked' in page
    for name, value in (("digit", 0), ("read", 0), ("hard", 1)):
        assert f'<input type="hidden" name="{name}" value="{value}">' in page


@pytest.mark.parametrize("query", [{"digit": "10"}, {"digit": ""}, {"read": "x"}, {"read": "٣"}, {"hard": "yes"}])
def test_an_invalid_filter_is_ignored(client, query):
    assert "10,000 tiles, 20 of them here" in client.get("/", query).content.decode()


def test_a_filter_that_no_tile_meets_says_so_and_offers_all_tiles(client):
    page = client.get("/", {"digit": 0, "read": 1})
    assert shown(page) == []
    assert "There is no tile of a 0 that the network reads as 1." in page.content.decode()
    assert 'href="/">Show all tiles' in page.content.decode()
    assert b"no tile of a 0" in client.get("/tiles/", {"digit": 0, "read": 1}).content


@pytest.mark.parametrize("path", ["/", "/tiles/"])
def test_all_tiles_of_a_page_are_answered_at_once(client, path):
    page = client.get(path, {"tile": [5, 17, 99], "answered": 17, "predict": "all", "right": 1, "of": 2})
    assert answered(page) == [5, 17, 99]
    right = 1 + sum(is_right(index) for index in (5, 17, 99))
    assert f"{right} of 5 right" in page.content.decode()


def test_the_score_survives_other_tiles(client):
    page = client.get("/tiles/", {"digit": 4, "right": 18, "of": 20, "not_sure": 1})
    assert "18 of 20 right, 1 not sure<" in page.content.decode()
    assert "18 of 20 right, 1 not sure<" in client.get(page.headers["HX-Push-Url"]).content.decode()


def test_another_filter_begins_another_score(client):
    score = {"right": 18, "of": 20, "scored": "?digit=4"}
    assert "18 of 20 right" in client.get("/tiles/", {"digit": 4} | score).content.decode()
    page = client.get("/tiles/", {"digit": 4, "hard": 1} | score)
    assert "No tile read yet" in page.content.decode()
    assert "of=20" not in page.headers["HX-Push-Url"]


def test_a_tile_whose_answer_is_not_sure_counts_as_not_sure_whatever_its_label_is(client):
    unsure = [index for index in gallery().select(hard=True) if recognize(gallery().pixels(index)).uncertain]
    guessed = next(index for index in unsure if recognize(gallery().pixels(index)).digit == gallery().label(index))
    page = client.get("/tiles/", {"tile": guessed, "predict": "all"})
    assert "0 of 1 right, 1 not sure<" in page.content.decode()
    again = client.get(f"/tiles/{guessed}/prediction/", {"tile": guessed, "answered": guessed, "unsure": guessed})
    assert "0 of 1 right, 1 not sure<" in again.content.decode()


@pytest.mark.parametrize(
    "score",
    [
        {"right": 5, "of": 4},
        {"right": 3, "of": 4, "not_sure": 2},
        {"right": 5},
        {"right": "x", "of": 9},
        {"of": "9" * 5000},
    ],
)
def test_an_invalid_score_is_ignored(client, score):
    assert "No tile read yet" in client.get("/", score).content.decode()


def test_the_address_of_new_tiles_names_them_and_gets_a_history_entry(client):
    fragment = client.get("/tiles/", {"digit": 4, "read": "", "right": 2, "of": 2})
    query = parse_qs(urlsplit(fragment.headers["HX-Push-Url"]).query)
    assert query.pop("tile") == [str(index) for index in shown(fragment)]
    assert query == {"digit": ["4"], "right": ["2"], "of": ["2"]}
    same = client.get("/tiles/", {"tile": shown(fragment), "predict": "all"})
    assert "HX-Push-Url" not in same.headers
    assert parse_qs(urlsplit(same.headers["HX-Replace-Url"]).query)["tile"] == [str(i) for i in shown(fragment)]


def test_a_first_visit_transfers_at_most_100_kilobytes(client):
    page = client.get("/")
    transferred = len(page.content)  # pages are not compressed
    for address in set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.content.decode())):
        answer = client.get(address, headers={"Accept-Encoding": "gzip"})
        body = b"".join(answer.streaming_content)
        transferred += len(body)
        assert len(body) < 1000 or answer.headers["Content-Encoding"] == "gzip"
    assert 20_000 < transferred <= 100_000


def test_a_filter_is_said_in_words():
    assert Selection().words == ""
    assert Selection(digit=0).words == " of a 0"
    assert Selection(read=9).words == " that the network reads as 9"
    assert Selection(4, 0, True).words == " of a 4 that the network reads as 0 and gets wrong or is not sure of"


def test_the_page_s_address_names_every_condition_the_earlier_score_and_the_answers():
    verdicts = {6: Verdict.WRONG, 5: Verdict.RIGHT, 7: None, 8: Verdict.UNSURE}
    page = GalleryPage(Selection(digit=0, hard=True), Score(3, 4), [7, 5, 6, 8], verdicts)
    assert page.score == Score(4, 7, 1)  # a tile without a label does not count
    tiles = "tile=7&tile=5&tile=6&tile=8&answered=5&answered=6&answered=7&answered=8&wrong=6&unsure=8"
    assert page.address == f"/?digit=0&hard=1&right=3&of=4&{tiles}"
    assert GalleryPage(Selection(), Score(), [7], {}).address == "/?tile=7"
