"""More is asked than can be done: busy is said at once, and clients that ask too often have to wait."""

import contextlib
import time

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory

from digits import answers, recognizer
from digits.api import endpoints
from digits.refusals import Busy
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

    def explain(pixels, prediction, meant=None):
        taken.append(taken_places())
        return recognizer.explain(pixels, prediction, meant)

    for module in (endpoints, answers):
        monkeypatch.setattr(module, "explain", explain)
    answer = client.post(path, {"file": SimpleUploadedFile("digit.png", encoded(drawing()))} | more)
    assert answer.status_code == 200
    assert taken == [1]


def test_a_client_gets_at_most_half_of_the_places(client, settings):
    settings.MAX_PREDICTIONS_IN_FLIGHT = 4
    with limits.places.take("192.0.2.7", 1), limits.places.take("192.0.2.7", 1):
        refused = predict(client, REMOTE_ADDR="192.0.2.7")
        assert refused.status_code == 503
        assert "This client has 2 requests being answered; 2 are the most" in refused.json()["detail"]
        assert predict(client, REMOTE_ADDR="192.0.2.8").status_code == 200
    assert predict(client, REMOTE_ADDR="192.0.2.7").status_code == 200


def test_a_single_place_is_for_everybody(client, settings):
    settings.MAX_PREDICTIONS_IN_FLIGHT = 1
    assert predict(client).status_code == 200


@pytest.fixture
def clocks(monkeypatch):
    """The clock of the wall and that of the processor, which stand still until they are set."""
    times = {"monotonic": 100.0, "thread_time": 10.0}
    for name in times:
        monkeypatch.setattr(time, name, lambda name=name: times[name])
    return times


@pytest.mark.parametrize(
    ("items", "prepared", "elapsed", "processor", "left"),
    [
        (1, 0, 0.2, 0.0, "1"),
        (1, 0, 3.2, 0.0, "4"),  # what has taken long will take as long again
        (100, 25, 2.5, 1.0, "8"),
        (100, 100, 6.0, 4.0, "1"),
        (100, 1, 2.0, 1.0, "8"),  # at half of this pace it would end, as its time is over
    ],
)
def test_a_refusal_tells_when_a_place_will_be_free(settings, clocks, items, prepared, elapsed, processor, left):
    settings.MAX_PREDICTIONS_IN_FLIGHT, settings.MAX_REQUEST_SECONDS = 2, 5
    with limits.places.take("192.0.2.7", items) as place:
        clocks["monotonic"] += elapsed
        clocks["thread_time"] += processor
        if prepared:
            place.tell_prepared(prepared)
        with pytest.raises(Busy) as refused, limits.places.take("192.0.2.7", 1):
            pass
    assert refused.value.headers["Retry-After"] == left


def test_a_client_with_places_waits_for_one_of_its_own(settings, clocks):
    settings.MAX_PREDICTIONS_IN_FLIGHT = 2
    with limits.places.take("192.0.2.7", 1):
        clocks["monotonic"] += 9
        with limits.places.take("192.0.2.8", 1):
            clocks["monotonic"] += 1
            for client, seconds in [("192.0.2.7", "10"), ("192.0.2.8", "1"), ("192.0.2.9", "1")]:
                with pytest.raises(Busy) as refused, limits.places.take(client, 1):
                    pass
                assert refused.value.headers["Retry-After"] == seconds


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


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/tiles/7/prediction/"),
        ("GET", "/tiles/7/"),
        ("GET", "/?tile=7&predict=7"),
        ("GET", "/?tile=7&answered=7"),
        ("GET", "/tiles/?predict=all"),
        ("POST", "/draw/"),
        ("POST", "/draw/predict/"),
        ("POST", "/draw/explain/"),
    ],
)
def test_pages_that_predict_count_too(two_a_minute, method, path):
    client = Client()
    assert [client.generic(method, path).headers["RateLimit-Remaining"] for _ in range(2)] == ["1", "0"]
    page = client.generic(method, path)
    assert page.status_code == 429
    assert page.headers["Retry-After"] == "60"
    assert "<nav" in page.content.decode()
    fragment = client.generic(method, path, headers={"HX-Request": "true"})
    assert fragment.status_code == 429
    assert (fragment.headers["HX-Retarget"], fragment.headers["HX-Reswap"]) == ("#notice", "innerHTML")
    assert "Try again in 60 seconds" in fragment.content.decode()
    assert "<nav" not in fragment.content.decode()


def test_pages_that_predict_nothing_are_not_limited(two_a_minute):
    client = Client()
    for _ in range(3):
        for path in ("/", "/tiles/", "/tiles/?hard=1", "/draw/", "/draw/network/", "/model/", "/api/"):
            answer = client.get(path)
            assert answer.status_code == 200
            assert "RateLimit-Limit" not in answer.headers


def test_a_cache_out_of_reach_limits_nobody_and_is_told_of_once_a_minute(two_a_minute, monkeypatch, caplog, clocks):
    def fail(*arguments, **options):
        raise ConnectionError

    monkeypatch.setattr(type(cache._connections["default"]), "add", fail)
    client = Client()
    for minute in range(1, 3):
        assert [predict(client).status_code for _ in range(3)] == [200] * 3
        assert len([record for record in caplog.records if "can't be counted" in record.getMessage()]) == minute
        clocks["monotonic"] += 61


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
        (1, "2001:db8::1", "2001:db8::/64"),
        (1, "192.0.2.7:5555", "192.0.2.7"),
        (1, "[2001:db8::1]:443", "2001:db8::/64"),
        (1, "[2001:db8::1]", "2001:db8::/64"),
        (1, "::ffff:192.0.2.7", "192.0.2.7"),
    ],
)
def test_a_client_is_known_by_what_a_trusted_proxy_saw_and_by_nothing_it_says(settings, proxies, forwarded, address):
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", headers={"X-Forwarded-For": forwarded})
    assert limits.client_of(request) == address


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("192.0.2.7", "192.0.2.7"),
        ("", ""),
    ],
)
def test_a_client_is_an_ipv4_address_or_a_network_of_ipv6(address, client):
    assert limits.client_of(RequestFactory().get("/", REMOTE_ADDR=address)) == client


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
def test_a_proxy_that_no_setting_speaks_of_is_warned_of_once(client, settings, caplog, header):
    limits.warn_of_proxy.cache_clear()
    warnings = lambda: [record for record in caplog.records if "DIGITS_TRUSTED_PROXIES" in record.getMessage()]  # noqa: E731
    settings.TRUSTED_PROXIES = 1
    predict(client, headers={header: "192.0.2.7"})
    settings.TRUSTED_PROXIES = 0
    predict(client)
    assert not warnings()
    for _ in range(2):
        predict(client, headers={header: "192.0.2.7"})
    assert len(warnings()) == 1
