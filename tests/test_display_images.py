"""GET /api/display-images/."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from digits.gallery import gallery


def test_twenty_different_labelled_tiles_come_as_pictures(client):
    answer = client.get("/api/display-images/")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    tiles = answer.json()["images"]
    assert len({tile["index"] for tile in tiles}) == 20
    for tile in tiles:
        picture = Image.open(io.BytesIO(base64.b64decode(tile["image"])))
        assert (np.asarray(picture) == gallery().pixels(tile["index"])).all()
        assert tile["label"] == gallery().tile(tile["index"]).label


def test_each_request_gets_other_tiles(client):
    first, second = (client.get("/api/display-images/").json()["images"] for _ in range(2))
    assert [tile["index"] for tile in first] != [tile["index"] for tile in second]
    assert "no-store" in client.get("/api/display-images/").headers["Cache-Control"]


def test_another_method_is_refused_as_a_problem(client):
    answer = client.post("/api/display-images/")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"
    assert answer.headers["Content-Type"] == "application/problem+json"


def indices(client, query: str) -> list[int]:
    return [tile["index"] for tile in client.get(f"/api/display-images/?{query}").json()["images"]]


def test_as_many_come_as_are_asked_for(client):
    assert len(indices(client, "count=1")) == 1
    assert len(set(indices(client, "count=100"))) == 100


@pytest.mark.parametrize("digit", range(10))
def test_one_digit_comes_alone(client, digit):
    tiles = client.get(f"/api/display-images/?digit={digit}&count=30").json()["images"]
    assert [tile["label"] for tile in tiles] == [digit] * 30


def test_the_same_seed_gives_the_same_tiles(client):
    assert indices(client, "seed=7&count=5") == indices(client, "seed=7&count=5") != indices(client, "seed=8&count=5")
    assert indices(client, "seed=7&digit=3") == indices(client, "seed=7&digit=3")


def test_what_a_form_leaves_empty_is_not_asked_for(client):
    assert len(client.get("/api/display-images/?count=&digit=&seed=").json()["images"]) == 20


COUNTS = ["0", "101", "ten", "1.5", "-1", "\u0663", "9" * 5000]
OTHERS = ["digit=10", "digit=seven", "seed=4294967296", "seed=x"]


@pytest.mark.parametrize("query", [*(f"count={count}" for count in COUNTS), *OTHERS])
def test_what_is_no_such_number_is_a_problem_that_says_which(client, query):
    answer = client.get(f"/api/display-images/?{query}")
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "/api/#bad-parameter"
    assert f"`{query.partition('=')[0]}`" in answer.json()["detail"]
