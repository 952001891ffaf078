"""Pages of other origins may call the API only where a setting lists them."""

import pytest
from django.test import Client

URL = "/api/health/live"
LISTED = "https://digits.example.org"
ASKING = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}


@pytest.fixture
def allowing(settings) -> Client:
    settings.API_ALLOWED_ORIGINS = [LISTED]
    return Client()


def test_no_origin_is_allowed_by_default(client):
    for answer in (
        client.get(URL, headers={"Origin": LISTED}),
        client.options(URL, headers={"Origin": LISTED} | ASKING),
    ):
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_listed_origin_may_read_answers_and_problems(allowing):
    for path, status in ((URL, 200), ("/api/nothing/", 404)):
        answer = allowing.get(path, headers={"Origin": LISTED})
        assert answer.status_code == status
        assert answer.headers["Access-Control-Allow-Origin"] == LISTED
        assert "Origin" in answer.headers["Vary"]
        assert "Access-Control-Allow-Credentials" not in answer.headers


def test_a_listed_origin_may_ask_first(allowing):
    answer = allowing.options("/api/predict-digit/", headers={"Origin": LISTED} | ASKING)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == LISTED
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    for header in ("Content-Type", "Inference-Header-Content-Length"):
        assert header in answer.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize("origin", ["https://evil.example", "https://digits.example.org.evil.example", "null"])
def test_another_origin_may_not(allowing, origin):
    for answer in (
        allowing.get(URL, headers={"Origin": origin}),
        allowing.options(URL, headers={"Origin": origin} | ASKING),
    ):
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Origin" in answer.headers["Vary"]


def test_pages_are_no_part_of_it(allowing):
    assert "Access-Control-Allow-Origin" not in allowing.get("/", headers={"Origin": LISTED}).headers
