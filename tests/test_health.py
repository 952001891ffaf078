"""GET /api/health/live, /api/health/ready and /api/model/."""

import hashlib

import numpy as np
import pytest

from digit_recognizer_dl_model.weights import SHIPPED
from digits import gallery, health, recognizer

from .pictures import drawing, encoded


def test_a_process_that_answers_is_live(client):
    answer = client.get("/api/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "live"})
    assert client.head("/api/health/live").status_code == 200


def test_a_process_that_reads_a_one_and_has_tiles_is_ready(client, monkeypatch):
    asked = []

    def probabilities(pixels):
        asked.append(pixels)
        return type(recognizer.classifier()).probabilities(recognizer.classifier(), pixels)

    monkeypatch.setattr(recognizer.classifier(), "probabilities", probabilities, raising=False)
    answer = client.get("/api/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})
    assert len(asked) == 1


def test_a_server_that_is_about_to_stop_is_live_but_not_ready(client, monkeypatch):
    monkeypatch.setattr(health, "is_draining", lambda: True)
    for path in ("/api/health/ready", "/v2/health/ready"):
        assert client.get(path).status_code == 503
    for path in ("/api/health/live", "/v2/health/live"):
        assert client.get(path).status_code == 200
    assert "about to stop" in client.get("/api/health/ready").json()["detail"]


@pytest.fixture
def fresh_start():
    """Have weights and gallery opened anew, and again after the test."""
    caches = recognizer.classifier, gallery.gallery
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


def test_a_network_that_reads_a_one_as_something_else_is_not_ready(client, monkeypatch):
    monkeypatch.setattr(recognizer.classifier(), "probabilities", lambda pixels: np.eye(1, 10, 7), raising=False)
    assert client.get("/api/health/ready").status_code == 503


def test_the_model_is_described(client):
    described = client.get("/api/model/").json()
    assert described["weights_sha256"] == hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
    assert described["weights_sha256"].startswith(described["weights_version"])
    assert described["architecture"] == recognizer.classifier().weights.architecture
    assert described["figures"] == recognizer.classifier().weights.figures.to_json()
    assert described["input"]["shape"] == [28, 28]
    assert described["output"]["shape"] == [10]
