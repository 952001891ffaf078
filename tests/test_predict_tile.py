"""GET /tiles/<index>/prediction/: the answered tile as a fragment."""

import re

import pytest

from digits import views
from digits.gallery import gallery
from digits.recognizer import Prediction, recognize


def say(monkeypatch, digit: int, confidence: float, uncertain: bool = False) -> None:
    """Let the network answer this, whatever it is asked."""
    rest = (1 - confidence) / 9
    probabilities = [confidence if other == digit else rest for other in range(10)]
    reason = f"could be {digit} or 0" if uncertain else None
    monkeypatch.setattr(views, "recognize", lambda pixels: Prediction(digit, probabilities, uncertain, reason))


def test_the_answer_is_what_the_network_says_of_that_tile(client):
    fragment = client.get("/tiles/42/prediction/").content.decode()
    prediction = recognize(gallery().pixels(42))
    assert 'id="tile-42"' in fragment
    assert f"<strong>{prediction.digit}</strong>" in fragment
    assert len(re.findall(r"<li[ >]", fragment)) == 11  # the tile and its ten probabilities
    assert "<html" not in fragment


def test_a_right_answer_says_so(client, monkeypatch):
    label = gallery().tile(42).label
    say(monkeypatch, label, 0.97)
    fragment = client.get("/tiles/42/prediction/").content.decode()
    assert 'class="tile right"' in fragment
    assert "✓ right" in fragment
    assert "97.0 %" in fragment


def test_a_wrong_answer_tells_the_label(client, monkeypatch):
    label = gallery().tile(42).label
    say(monkeypatch, (label + 1) % 10, 0.97)
    fragment = client.get("/tiles/42/prediction/").content.decode()
    assert 'class="tile wrong"' in fragment
    assert f"✗ it is {label}" in fragment


def test_an_uncertain_answer_says_not_sure(client, monkeypatch):
    say(monkeypatch, 4, 0.5, uncertain=True)
    fragment = client.get("/tiles/42/prediction/").content.decode()
    assert "not sure" in fragment
    assert "Not sure, could be 4 or 0." in fragment


def test_nothing_but_certainty_reads_100_percent(client, monkeypatch):
    say(monkeypatch, 4, 0.99999)
    assert "100" not in client.get("/tiles/42/prediction/").content.decode().split("announcement")[-1]


def test_the_answer_is_announced_to_screen_readers(client):
    fragment = client.get("/tiles/42/prediction/").content.decode()
    announcement = re.search(r'hx-swap-oob="innerHTML:#announcement">(.*?)</span>', fragment, re.DOTALL)[1]
    assert f"the label is {gallery().tile(42).label}" in announcement


@pytest.mark.parametrize("index", [10_000, 999_999_999_999])
def test_a_tile_that_does_not_exist_is_not_found(client, index):
    fragment = client.get(f"/tiles/{index}/prediction/", headers={"HX-Request": "true"})
    assert fragment.status_code == 404
    assert fragment.headers["HX-Retarget"] == "#notice"
    assert b"<html" not in fragment.content
    page = client.get(f"/tiles/{index}/prediction/")
    assert page.status_code == 404
    assert b"<html" in page.content
