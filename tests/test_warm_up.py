"""What is loaded before the server listens."""

import gc
from pathlib import Path

import pytest
from django.urls import clear_url_caches, get_resolver

from digits import gallery, recognizer
from digits.traffic import prometheus
from digits.warm_up import warm_up


@pytest.fixture(autouse=True)
def fresh_start():
    """Have everything loaded anew, and again after the test."""
    caches = recognizer.classifier, gallery.gallery
    for cached in caches:
        cached.cache_clear()
    clear_url_caches()
    yield
    gc.unfreeze()
    for cached in caches:
        cached.cache_clear()


def test_the_network_the_gallery_and_the_routes_are_loaded_and_nothing_is_counted():
    before = prometheus.exposition()
    warm_up()
    assert [cached.cache_info().currsize for cached in (recognizer.classifier, gallery.gallery)] == [1, 1]
    assert "url_patterns" in vars(get_resolver())
    assert prometheus.exposition() == before
    assert gc.get_freeze_count() > 0


def test_a_missing_gallery_is_no_reason_not_to_serve_the_rest(settings, tmp_path: Path):
    settings.MNIST_CSV = tmp_path / "missing.csv"
    warm_up()
    assert gallery.gallery.cache_info().currsize == 0
    assert "url_patterns" in vars(get_resolver())
