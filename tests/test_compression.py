"""Pages are compressed for browsers, which takes nothing from the CSRF token; what programs get is not."""

import gzip

import pytest

ACCEPTS = {"Accept-Encoding": "gzip, deflate, br"}


@pytest.mark.parametrize("path", ["/", "/tiles/", "/draw/", "/model/", "/api/", "/nowhere/"])
def test_a_page_is_compressed_for_those_who_take_that(client, path):
    plain, compressed = client.get(path), client.get(path, headers=ACCEPTS)
    assert "Content-Encoding" not in plain.headers
    assert compressed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert "Accept-Encoding" in compressed.headers["Vary"]
    assert len(compressed.content) < len(plain.content) / 1.5
    assert b"<" in gzip.decompress(compressed.content)


def test_a_tile_that_is_answered_is_compressed(client):
    answer = client.get("/tiles/7/prediction/", headers=ACCEPTS)
    assert b"tile-7" in gzip.decompress(answer.content)


def test_the_csrf_token_looks_different_in_each_page(client):
    """Otherwise the lengths of many compressed pages could tell it."""
    client.get("/draw/")
    tokens = {client.get("/draw/").context["csrf_token"] for _ in range(3)}
    assert len({str(token) for token in tokens}) == 3


@pytest.mark.parametrize("path", ["/api/display-images/", "/api/model/", "/metrics"])
def test_answers_to_programs_are_not_compressed(client, path):
    assert "Content-Encoding" not in client.get(path, headers=ACCEPTS).headers
