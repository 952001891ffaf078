"""GET /tiles/<index>/prediction/: the answered tile as a fragment."""

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from digits import recognizer, views
from digits.gallery import gallery
from digits.recognizer import Prediction, recognize


def say(monkeypatch, digit: int, confidence: float, uncertain: bool = False) -> None:
    """Make the network give this answer to every tile."""
    rest = (1 - confidence) / 9
    probabilities = [confidence if other == digit else rest for other in range(10)]
    reason = f"could be {digit} or 0" if uncertain else None
    prediction = Prediction(digit, probabilities, uncertain, reason)
    monkeypatch.setattr(views, "recognize", lambda pixels: prediction)


def test_the_answer_is_what_the_network_says_of_that_tile(client):
    fragment = client.get("/tiles/42/prediction/").content.decode()
    prediction = recognize(gallery().pixels(42))
    assert 'id="tile-42"' in fragment
    assert f"<strong>{prediction.digit}</strong>" in fragment
    assert f"{prediction.percent} %" in fragment
    assert 'formaction="/tiles/42/"' in fragment


def test_a_right_answer_says_so(client, monkeypatch):
    label = gallery().tile(42).label
    say(monkeypatch, label, 0.97)
    fragment = client.get("/tiles/42/prediction/").content.decode()
    assert 'class="tile right"' in fragment
    assert "✓" in fragment
    assert f", right, label {label}" in fragment
    assert "97.0 %" in fragment


def test_a_wrong_answer_tells_the_label(client, monkeypatch):
    label = gallery().tile(42).label
    say(monkeypatch, (label + 1) % 10, 0.97)
    fragment = client.get("/tiles/42/prediction/").content.decode()
    assert 'class="tile wrong"' in fragment
    assert "✗" in fragment
    assert f"it is {label}" in fragment
    assert f", wrong, label {label}" in fragment


def test_an_uncertain_answer_names_both_digits_and_is_neither_right_nor_wrong(client, monkeypatch):
    say(monkeypatch, 4, 0.5, uncertain=True)
    fragment = client.get("/tiles/42/prediction/").content.decode()
    assert 'class="tile unsure"' in fragment
    assert '<span class="tile-note">4 or 0?' in fragment
    assert "%" not in fragment.partition('id="score"')[0]
    assert f"4 or 0? The label is {gallery().tile(42).label}." in fragment


def test_nothing_but_certainty_reads_100_percent(client, monkeypatch):
    say(monkeypatch, 4, 0.99999)
    fragment = client.get("/tiles/42/prediction/").content.decode()
    assert "99.9 %" in fragment
    assert "100.0 %" not in fragment
    assert "100 %" not in fragment


def test_the_answer_is_announced_to_screen_readers(client):
    fragment = client.get("/tiles/42/prediction/").content.decode()
    announcement = re.search(r'hx-swap-oob="innerHTML:#announcement">(.*?)</span>', fragment, re.DOTALL)[1]
    assert f"the label is {gallery().tile(42).label}" in announcement


def page(**more) -> dict:
    """What the form of a page of three tiles sends, one of which is answered."""
    return {"tile": [41, 42, 43], "answered": [41], "right": 17, "of": 18, **more}


def test_the_answer_brings_the_score_of_the_page_and_of_those_before(client, monkeypatch):
    say(monkeypatch, gallery().tile(42).label, 0.97)
    assert "19 of 20 right" in client.get("/tiles/42/prediction/", page()).content.decode()
    fragment = client.get("/tiles/42/prediction/", page(wrong=[41])).content.decode()
    assert "18 of 20 right" in fragment
    assert 'id="score" class="score" hx-swap-oob="true"' in fragment
    assert "of random tiles right" not in fragment  # which the score takes the place of


def test_a_tile_that_is_asked_again_counts_once(client):
    once = client.get("/tiles/42/prediction/", page(answered=[41])).content.decode()
    again = client.get("/tiles/42/prediction/", page(answered=[41, 42])).content.decode()
    assert once == again
    assert " of 20 right" in again


def test_answered_tiles_that_are_not_on_the_page_do_not_count(client):
    assert " of 20 right" in client.get("/tiles/42/prediction/", page(answered=[41, 7, 8, 9])).content.decode()


def test_the_address_follows_so_that_reloading_shows_the_same(client):
    answer = client.get("/tiles/42/prediction/", page(digit=4, hard=1))
    query = parse_qs(urlsplit(answer.headers["HX-Replace-Url"]).query)
    assert query == {
        "tile": ["41", "42", "43"],
        "answered": ["41", "42"],
        "right": ["17"],
        "of": ["18"],
        "digit": ["4"],
        "hard": ["1"],
    }
    [score] = re.findall(r"\d+ of 20 right", answer.content.decode())[:1]
    assert score in client.get(answer.headers["HX-Replace-Url"]).content.decode()


def test_an_answer_on_its_own_leaves_the_address_alone(client):
    assert "HX-Replace-Url" not in client.get("/tiles/42/prediction/").headers


@pytest.mark.parametrize("index", [10_000, 999_999_999_999])
def test_a_tile_that_does_not_exist_is_not_found(client, index):
    fragment = client.get(f"/tiles/{index}/prediction/", headers={"HX-Request": "true"})
    assert fragment.status_code == 404
    assert fragment.headers["HX-Retarget"] == "#notice"
    assert b"<html" not in fragment.content
    page = client.get(f"/tiles/{index}/prediction/")
    assert page.status_code == 404
    assert b"<html" in page.content


def predictions_counted(client) -> int:
    lines = client.get("/metrics").content.decode().splitlines()
    return sum(round(float(line.split()[-1])) for line in lines if line.startswith("digits_predictions_total{"))


@pytest.fixture
def passes(monkeypatch) -> list[int]:
    """How many pictures each pass through the network took."""
    lengths = []
    probabilities = recognizer.classifier().probabilities
    spy = lambda pixels: lengths.append(len(pixels)) or probabilities(pixels)  # noqa: E731
    monkeypatch.setattr(recognizer.classifier(), "probabilities", spy, raising=False)
    return lengths


def test_one_tap_is_one_prediction(client, passes):
    before = predictions_counted(client)
    fields = [("tile", index) for index in range(20)]
    for index in range(20):
        fragment = client.get(f"/tiles/{index}/prediction/?{urlencode(fields)}").content.decode()
        fields += re.findall(r'<input type="hidden" name="(answered|wrong)" value="(\d+)">', fragment)
    assert "20 of 20 right" in fragment
    assert predictions_counted(client) == before + 20
    assert passes == [1] * 20


def test_a_tap_without_javascript_counts_one_prediction(client):
    before = predictions_counted(client)
    client.get("/?tile=1&tile=2&tile=3&answered=1&predict=2")
    assert predictions_counted(client) == before + 1


def test_predict_all_counts_each_new_answer_once_and_reloading_counts_none(client):
    before = predictions_counted(client)
    tiles = urlencode([("tile", index) for index in range(20)])
    answer = client.get(f"/tiles/?{tiles}&predict=all")
    assert predictions_counted(client) == before + 20
    assert "20 of 20 right" in client.get(answer.headers["HX-Replace-Url"]).content.decode()
    client.get(f"/tiles/?{tiles}&answered=7&predict=all")
    assert predictions_counted(client) == before + 20 + 19


def test_a_wrong_answer_stays_in_the_score_of_later_taps(client):
    answer = client.get("/tiles/3/prediction/?tile=1&tile=2&tile=3&answered=1&answered=2&wrong=1")
    assert "2 of 3 right" in answer.content.decode()
    assert parse_qs(urlsplit(answer.headers["HX-Replace-Url"]).query)["wrong"] == ["1"]
