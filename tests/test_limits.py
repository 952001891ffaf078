"""More is asked than can be done: busy is said at once, and clients that ask too often have to wait."""

import contextlib
import time

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory

from digits import recognizer, views
from digits.api import endpoints
from digits.traffic import limits

from .pictures import drawing, encoded

URL = "/api/predict-digit/"


def predict(client: Client, **options):
    return client.post(URL, encoded(drawing()), content_type="image/png", **options)


@pytest.fixture
def all_places_taken(settings):
    with contextlib.ExitStack() as taken:
        for client in range(settings.MAX_PREDICTIONS_IN_FLIGHT):
            taken.enter_context(limits.places.take(f"192.0.2.{client}", 1))
        yield


def test_one_prediction_too_many_is_refused_at_once(client, all_places_taken):
    answer = predict(client)
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Retry-After"] == "1"
    assert answer.json()["type"] == "/api/#busy"


def test_pages_and_health_answer_all_the_same(client, all_places_taken):
    for path in ("/", "/draw/", "/api/health/live", "/api/health/ready", "/metrics", "/api/display-images/"):
        assert client.get(path).status_code == 200


def test_a_drawing_that_finds_no_place_is_told_so(client, all_places_taken):
    answer = client.post("/draw/", {"file": SimpleUploadedFile("digit.png", encoded(drawing()))})
    assert answer.status_code == 503
    assert "Please try again" in answer.content.decode()


def taken_places() -> int:
    return len(limits.places._taken)


def test_places_are_given_back_after_answers_and_refusals(client):
    assert predict(client).status_code == 200
    assert client.post(URL, b"no picture", content_type="image/png").status_code == 415
    assert taken_places() == 0


@pytest.mark.parametrize(
    ("path", "more"), [(f"{URL}?include=saliency", {}), ("/draw/explain/", {}), ("/draw/", {"explain": ""})]
)
def test_an_explanation_takes_a_place_as_a_prediction_does(client, monkeypatch, path, more):
    taken = []

    def explain(pixels, prediction):
        taken.append(taken_places())
        return recognizer.explain(pixels, prediction)

    for module in (endpoints, views):
        monkeypatch.setattr(module, "explain", explain)
    answer = client.post(path, {"file": SimpleUploadedFile("digit.png", encoded(drawing()))} | more)
    assert answer.status_code == 200
    assert taken == [1]


@pytest.fixture
def two_a_minute(settings, monkeypatch):
    settings.RATE_LIMIT = (2, 60)
    cache.clear()
    monkeypatch.setattr(time, "time", lambda: 600_001.0)  # a second after a window's start
    yield
    cache.clear()


def test_requests_are_not_limited_unless_a_setting_does(client):
    assert "RateLimit-Limit" not in predict(client).headers


def test_a_client_that_asks_too_often_has_to_wait(two_a_minute, monkeypatch):
    client = Client()
    assert [predict(client).headers["RateLimit-Remaining"] for _ in range(2)] == ["1", "0"]
    answer = predict(client)
    assert answer.status_code == 429
    assert answer.json()["type"] == "/api/#too-many-requests"
    assert answer.headers["Retry-After"] == answer.headers["RateLimit-Reset"] == "60"
    assert answer.headers["RateLimit-Limit"] == "2"
    assert answer.headers["RateLimit-Remaining"] == "0"
    assert predict(client, REMOTE_ADDR="192.0.2.7").status_code == 200
    assert client.get("/v2/models/digits").status_code == 429
    for free in ("/", "/api/", "/api/health/live", "/v2/health/live", "/metrics"):
        assert client.get(free).status_code == 200
    monkeypatch.setattr(time, "time", lambda: 600_060.0)
    assert predict(client).status_code == 200


def test_a_cache_out_of_reach_limits_nobody(two_a_minute, monkeypatch):
    def fail(*arguments, **options):
        raise ConnectionError

    monkeypatch.setattr(type(cache._connections["default"]), "add", fail)
    client = Client()
    assert [predict(client).status_code for _ in range(3)] == [200] * 3


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "192.0.2.7", "127.0.0.1"),
        (1, "192.0.2.7", "192.0.2.7"),
        (1, "198.51.100.1, 192.0.2.7", "192.0.2.7"),
        (2, "203.0.113.9, 198.51.100.1, 192.0.2.7", "198.51.100.1"),
        (2, "192.0.2.7", "127.0.0.1"),
        (1, "", "127.0.0.1"),
        (1, "nobody\r\nknows", "127.0.0.1"),
        (1, "2001:db8::1", "2001:db8::1"),
        (1, "192.0.2.7:5555", "192.0.2.7"),
        (1, "[2001:db8::1]:443", "2001:db8::1"),
        (1, "[2001:db8::1]", "2001:db8::1"),
    ],
)
def test_a_client_is_known_by_what_a_trusted_proxy_saw_and_by_nothing_it_says(settings, proxies, forwarded, address):
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", headers={"X-Forwarded-For": forwarded})
    assert limits.client_address(request) == address
