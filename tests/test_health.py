"""GET /api/health/live, /api/health/ready and /api/model/."""

import dataclasses
import hashlib
import time
from collections.abc import Callable

import numpy as np
import pytest
from django.contrib.staticfiles.storage import staticfiles_storage

from digit_recognizer_dl_model.weights import SHIPPED
from digits import canaries, gallery, health, pictures, recognizer
from digits.pictures.drawing import Stroke
from digits.traffic.logs import Seldom

from .pictures import drawing, encoded


def test_a_process_that_answers_is_live(client):
    answer = client.get("/api/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "live"})
    assert client.head("/api/health/live").status_code == 200


def test_a_process_that_reads_the_canaries_and_has_tiles_is_ready(client):
    answer = client.get("/api/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


def test_the_canaries_are_ten_digits_that_the_network_is_sure_of():
    assert list(canaries.STROKES) == list(range(10))
    for digit, strokes in canaries.STROKES.items():
        drawing = [Stroke(np.array(canaries.points(stroke)), canaries.PEN) for stroke in strokes]
        prediction = recognizer.recognize(pictures.prepare_strokes(drawing))
        assert (prediction.digit, prediction.uncertain) == (digit, False)


def test_the_canaries_are_read_once_a_process(client, monkeypatch):
    canaries.misread.cache_clear()
    asked = []

    def probabilities(pixels):
        asked.append(len(pixels))
        return type(recognizer.classifier()).probabilities(recognizer.classifier(), pixels)

    monkeypatch.setattr(recognizer.classifier(), "probabilities", probabilities, raising=False)
    assert [client.get("/api/health/ready").status_code for _ in range(3)] == [200] * 3
    assert asked == [10]


@pytest.fixture
def fresh_start():
    """Have weights and gallery opened anew, and again after the test."""
    caches = recognizer.classifier, gallery.gallery, canaries.misread
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()


@pytest.fixture(params=["weights missing", "weights corrupt", "data missing", "data corrupt"])
def damage(request, settings, monkeypatch, tmp_path, fresh_start) -> str:
    """What the site answers from is missing or corrupt: `weights` or `data`."""
    what, how = request.param.split()
    file = tmp_path / "file"
    if how == "corrupt":
        file.write_bytes(b"rubbish")
    if what == "weights":
        load = recognizer.load_weights
        monkeypatch.setattr(recognizer, "load_weights", lambda: load(file))
    else:
        settings.MNIST_CSV = file
    return what


def test_without_weights_or_data_it_is_not_ready(client, tmp_path, damage):
    answer = client.get("/api/health/ready")
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "/api/#not-ready"
    assert str(tmp_path) not in answer.content.decode()
    assert client.get("/api/health/live").status_code == 200


def test_without_weights_or_data_what_needs_them_is_refused_as_not_ready(client, damage):
    client.raise_request_exception = False
    picture = {"data": encoded(drawing()), "content_type": "image/png"}
    answers = {
        "weights": [client.post("/api/predict-digit/", **picture), client.get("/api/model/")],
        "data": [client.get("/api/display-images/")],
    }
    for answer in answers[damage]:
        assert (answer.status_code, answer.json()["type"]) == (503, "/api/#not-ready")
    gallery = client.get("/")
    assert gallery.status_code == 503
    assert "can&#x27;t be used" in gallery.content.decode()
    assert client.get("/draw/").status_code == 200


@pytest.fixture
def refusal(client) -> Callable[[], str]:
    """Ask whether the process is ready, which it must not be; returns the reason."""

    def ask() -> str:
        answer = client.get("/api/health/ready")
        assert answer.status_code == client.get("/v2/health/ready").status_code == 503
        assert client.get("/api/health/live").status_code == 200
        return answer.json()["detail"]

    return ask


def test_the_log_says_once_a_minute_why_it_is_not_ready(refusal, settings, monkeypatch, caplog):
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(health, "may_complain", Seldom(health.COMPLAINT_SECONDS))
    settings.WEIGHTS_SHA256 = "0" * 64
    for minute in range(1, 3):
        for _ in range(3):
            refusal()
        said = [record.getMessage() for record in caplog.records if "not ready" in record.getMessage()]
        assert len(said) == minute
        assert "DIGITS_WEIGHTS_SHA256" in said[-1]
        now[0] += 61


def test_the_log_says_once_a_minute_that_files_can_not_be_used(
    refusal, settings, tmp_path, monkeypatch, caplog, fresh_start
):
    monkeypatch.setattr(health, "may_complain", Seldom(health.COMPLAINT_SECONDS))
    settings.MNIST_CSV = tmp_path / "missing.csv"
    for _ in range(3):
        refusal()
    assert ["missing.csv" in (record.exc_text or "") for record in caplog.records if record.name == "digits"] == [True]


def test_a_network_that_misreads_a_single_canary_is_not_ready(refusal, monkeypatch, fresh_start):
    def probabilities(pixels):
        answers = type(recognizer.classifier()).probabilities(recognizer.classifier(), pixels)
        answers[6] = np.eye(10)[0]
        return answers

    monkeypatch.setattr(recognizer.classifier(), "probabilities", probabilities, raising=False)
    assert refusal() == "The network misreads digits that it must read: 6."


def test_weights_other_than_the_pinned_ones_are_not_ready(refusal, settings):
    settings.WEIGHTS_SHA256 = "0" * 64
    assert refusal() == "The weights are not those that DIGITS_WEIGHTS_SHA256 names."
    [error] = health.check_pin(None)
    assert hashlib.sha256(SHIPPED.read_bytes()).hexdigest() in error.msg


def test_the_pinned_weights_are_ready(client, settings):
    settings.WEIGHTS_SHA256 = hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
    assert client.get("/api/health/ready").status_code == 200
    assert health.check_pin(None) == []


def test_weights_whose_figures_are_incomplete_are_not_ready(refusal, monkeypatch, fresh_start):
    weights = recognizer.classifier().weights
    figures = dataclasses.replace(weights.figures, test=None, robustness=(), teachers=())
    incomplete = dataclasses.replace(weights, figures=figures)
    monkeypatch.setattr(recognizer, "load_weights", lambda: incomplete)
    recognizer.classifier.cache_clear()
    assert refusal() == "The figures of the weights are incomplete: test, robustness."


@pytest.fixture(params=["none", "of another version"])
def uncollected(request, monkeypatch):
    """`collectstatic` has not been run, or not since a file was added."""
    collected = staticfiles_storage.hashed_files
    for name in list(collected) if request.param == "none" else ["digits/style.css"]:
        monkeypatch.delitem(collected, name)


def test_without_static_files_it_is_not_ready_and_says_how_to_get_them(refusal, uncollected):
    assert "not collected. `python manage.py collectstatic --no-input` collects them" in refusal()


def test_without_static_files_pages_fail_with_one_that_needs_none(client, uncollected, caplog):
    client.raise_request_exception = False
    page = client.get("/draw/")
    assert page.status_code == 503
    assert "<p>The static files of this version are not collected.</p>" in page.content.decode()
    assert "/static/" not in page.content.decode()
    assert "`python manage.py collectstatic --no-input`" in caplog.text
    assert "nothing at /nowhere/" in client.get("/nowhere/").content.decode()
    assert client.post("/api/predict-digit/", encoded(drawing()), content_type="image/png").status_code == 200


def test_the_check_before_a_deployment_finds_static_files_missing(uncollected):
    [error] = health.check_static_files(None)
    assert "collectstatic" in error.hint


def test_a_server_that_is_told_to_stop_is_not_ready_but_answers(client, refusal, monkeypatch):
    monkeypatch.setattr(health, "is_draining", lambda: True)
    assert refusal() == "This server is about to stop."
    assert client.post("/api/predict-digit/", encoded(drawing()), content_type="image/png").status_code == 200


def test_the_model_is_described(client):
    described = client.get("/api/model/").json()
    assert described["weights_sha256"] == hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
    assert described["weights_sha256"].startswith(described["weights_version"])
    assert described["architecture"] == recognizer.classifier().weights.architecture
    figures = dataclasses.replace(recognizer.classifier().weights.figures, failures=())
    assert described["figures"] == figures.to_json()
    assert described["input"]["shape"] == [28, 28]
    assert described["output"]["shape"] == [10]
