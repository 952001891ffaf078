"""GET /api/display-images/."""

import base64
import io

import numpy as np
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
