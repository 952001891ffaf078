"""The tiles that look like a picture to the network, on every page that explains an answer."""

import re

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from digits import look_alikes, pictures, recognizer
from digits.gallery import gallery
from digits.traffic import limits

from .pictures import SEVEN, TWO, drawing, encoded


def indices(tiles) -> list[int]:
    return [tile.index for tile in tiles]


def sections(answer) -> list[list[int]]:
    """The tiles that each list of look-alikes leads to."""
    page = answer.content.decode()
    page = page[page.index('<div class="look-alikes">') :]
    lists = re.findall(r"<ul.*?</ul>", page, re.DOTALL)
    found = [[int(index) for index in re.findall(r'href="/tiles/(\d+)/"', each)] for each in lists]
    return [tiles for tiles in found if tiles]


@pytest.fixture(scope="module")
def features() -> np.ndarray:
    """The features of all tiles, computed anew, (n, 128)."""
    return recognizer.features(gallery().pixels_of(range(len(gallery()))))


@pytest.mark.parametrize("index", [0, 7, 2130])
def test_the_nearest_tiles_are_those_at_the_smallest_distance(features, index):
    distances = np.linalg.norm(features.astype(np.float64) - features[index], axis=1)
    distances[index] = np.inf
    found = indices(look_alikes.look_alikes(gallery().pixels(index), without=index))
    assert found == np.argsort(distances)[:5].tolist()


def test_a_tile_looks_most_like_itself():
    assert indices(look_alikes.look_alikes(gallery().pixels(11)))[0] == 11


@pytest.mark.parametrize("digit", [4, 9])
def test_only_tiles_of_one_digit_can_be_asked_for(features, digit):
    labels = np.array([gallery().label(index) for index in range(len(gallery()))])
    distances = np.linalg.norm(features.astype(np.float64) - features[7], axis=1)
    distances[labels != digit] = np.inf
    distances[7] = np.inf
    found = look_alikes.look_alikes(gallery().pixels(7), digit=digit, without=7)
    assert indices(found) == np.argsort(distances)[:5].tolist()
    assert {tile.label for tile in found} == {digit}


@pytest.mark.parametrize(("stroke", "digit"), [(TWO, 2), (SEVEN, 7)])
@pytest.mark.parametrize("address", ["/draw/explain/", "/draw/"])
def test_a_drawing_is_explained_with_its_look_alikes_and_those_of_the_runner_up(client, address, stroke, digit):
    data = encoded(drawing([stroke]))
    answer = client.post(address, {"file": SimpleUploadedFile("drawing.png", data), "explain": "1"})
    pixels = pictures.prepare(data)
    runner_up = recognizer.recognize(pixels).runner_up
    nearest, rivals = sections(answer)
    assert nearest == indices(look_alikes.look_alikes(pixels))
    assert rivals == indices(look_alikes.look_alikes(pixels, digit=runner_up))
    assert f"And these are the nearest {runner_up}s" in answer.content.decode()
    assert digit in [gallery().label(index) for index in nearest]


def test_a_tile_has_its_look_alikes_but_is_none_of_them(client):
    for index in (7, 2130):
        nearest, rivals = sections(client.get(f"/tiles/{index}/"))
        assert (len(nearest), len(rivals)) == (5, 5)
        assert index not in nearest + rivals


def test_a_tile_is_explained_where_its_address_asks_for_it(client):
    plain, explained = (client.get(f"/tiles/7/{query}") for query in ("", "?explain=1"))
    assert 'href="/tiles/7/?explain=1#explanation"' in plain.content.decode()
    assert "Why 9, and not" not in plain.content.decode()
    assert "Why 9, and not" in explained.content.decode()
    assert sections(plain) == sections(explained)


def test_the_explanation_of_a_tile_keeps_the_state_of_the_gallery(client):
    page = client.get("/tiles/7/?tile=7&answered=7").content.decode()
    [address] = re.findall(r'href="([^"]*explain=1#explanation)"', page)
    answer = client.get(address.replace("&amp;", "&"))
    assert "Why 9, and not" in answer.content.decode()
    assert 'href="/?tile=7&amp;answered=7#tile-7"' in answer.content.decode()


def test_a_busy_server_explains_no_tile(client):
    with limits.places.take("127.0.0.1", 1), limits.places.take("127.0.0.1", 1):
        assert client.get("/tiles/7/").status_code == 200
        assert client.get("/tiles/7/?explain=1").status_code == 503


def test_without_a_gallery_a_drawing_is_explained_without_look_alikes(client, monkeypatch):
    def missing():
        raise FileNotFoundError

    monkeypatch.setattr(look_alikes, "gallery", missing)
    answer = client.post("/draw/explain/", {"file": SimpleUploadedFile("drawing.png", encoded(drawing()))})
    assert answer.status_code == 200
    assert "Why" in answer.content.decode()
    assert "look-alikes" not in answer.content.decode()
