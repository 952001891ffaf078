"""The store of tiles: those of the CSV, parsed once, and the network's answers to all of them."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digit_recognizer_dl_model.dataset import Dataset, MalformedDataset, write_csv
from digits import gallery as module
from digits import recognizer
from digits.gallery import Gallery
from digits.recognizer import recognize, recognize_batch


@pytest.fixture
def dataset() -> Dataset:
    rng = np.random.default_rng(5)
    return Dataset(rng.integers(0, 256, (7, 28, 28)).astype(np.uint8), rng.integers(0, 10, 7).astype(np.uint8))


@pytest.fixture
def csv(tmp_path, dataset) -> Path:
    path = tmp_path / "digits.csv"
    write_csv(path, dataset)
    return path


@pytest.fixture
def cache(tmp_path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def parses(monkeypatch) -> list[Path]:
    """The files that were parsed."""
    parsed = []
    read_csv = module.read_csv
    monkeypatch.setattr(module, "read_csv", lambda path: parsed.append(path) or read_csv(path))
    return parsed


def test_tiles_are_those_of_the_csv(csv, cache, dataset):
    gallery = Gallery.open(csv, cache)
    assert len(gallery) == 7
    for index in range(7):
        tile = gallery.tile(index)
        decoded = np.asarray(Image.open(io.BytesIO(base64.b64decode(tile.image))))
        assert tile.index == index
        assert tile.label == dataset.labels[index]
        assert (decoded == dataset.pixels[index]).all()
        assert (gallery.pixels(index) == dataset.pixels[index]).all()


def test_the_csv_is_parsed_at_most_once(csv, cache, parses, dataset):
    Gallery.open(csv, cache)
    again = Gallery.open(csv, cache)
    assert parses == [csv]
    assert (again.pixels(3) == dataset.pixels[3]).all()


def test_a_changed_csv_is_parsed_anew(csv, cache, parses, dataset):
    Gallery.open(csv, cache)
    write_csv(csv, Dataset(255 - dataset.pixels, dataset.labels))
    assert (Gallery.open(csv, cache).pixels(0) == 255 - dataset.pixels[0]).all()
    assert len(parses) == 2


def test_a_file_without_labels_gives_tiles_without_labels(tmp_path, cache, dataset):
    csv = tmp_path / "unlabelled.csv"
    csv.write_text("\n".join(",".join(map(str, row.ravel())) for row in dataset.pixels))
    assert Gallery.open(csv, cache).tile(0).label is None


def test_random_tiles_are_all_different_and_no_more_than_there_are(csv, cache):
    gallery = Gallery.open(csv, cache)
    assert sorted(tile.index for tile in gallery.random_tiles(20)) == list(range(7))
    assert len(gallery.random_tiles(3)) == 3


def test_random_tiles_differ_from_time_to_time():
    gallery = module.gallery()
    draws = {tuple(tile.index for tile in gallery.random_tiles(20)) for _ in range(3)}
    assert len(draws) == 3


def test_a_malformed_csv_leaves_no_copy(tmp_path, cache):
    csv = tmp_path / "malformed.csv"
    csv.write_text("1,2,3\n")
    with pytest.raises(MalformedDataset, match="line 1"):
        Gallery.open(csv, cache)
    assert not cache.exists()


@pytest.fixture
def passes(monkeypatch) -> list[int]:
    """How many tiles went through the network at once, each time."""
    lengths = []
    recognize_all = recognizer.recognize_uncounted
    spy = lambda pixels: lengths.append(len(pixels)) or recognize_all(pixels)  # noqa: E731
    monkeypatch.setattr(recognizer, "recognize_uncounted", spy)
    return lengths


def test_a_selection_holds_the_tiles_that_meet_all_its_conditions(csv, cache, dataset):
    gallery = Gallery.open(csv, cache)
    read = [recognize(pixels) for pixels in dataset.pixels]
    labels = dataset.labels.tolist()
    wrong = [prediction.digit != label for prediction, label in zip(read, labels, strict=True)]
    assert list(gallery.select()) == list(range(7))
    for digit in range(10):
        assert gallery.select(digit=digit) == [i for i in range(7) if labels[i] == digit]
        assert gallery.select(read=digit) == [i for i in range(7) if read[i].digit == digit]
        both = {"digit": digit, "read": read[0].digit}
        assert gallery.select(**both) == [i for i in range(7) if (labels[i], read[i].digit) == (digit, both["read"])]
    assert gallery.select(hard=True) == [i for i in range(7) if wrong[i] or read[i].uncertain]


def test_the_hard_tiles_are_those_that_the_network_gets_wrong_or_is_not_sure_of():
    gallery = module.gallery()
    hard = gallery.select(hard=True)
    indices = range(0, 10_000, 97)
    predictions = recognize_batch(np.stack([gallery.pixels(index) for index in indices]))
    for index, prediction in zip(indices, predictions, strict=True):
        assert (index in hard) == (prediction.digit != gallery.label(index) or prediction.uncertain), index
    assert 2130 in hard
    assert len(hard) < 200


def test_all_tiles_go_through_the_network_once_and_only_for_filters_that_need_it(csv, cache, passes):
    gallery = Gallery.open(csv, cache)
    gallery.select(digit=3)
    assert passes == []
    selected = gallery.select(hard=True)
    gallery.select(read=3)
    assert Gallery.open(csv, cache).select(hard=True) == selected
    assert passes == [7]


def test_other_weights_or_another_csv_need_new_answers(csv, cache, passes, monkeypatch, dataset):
    Gallery.open(csv, cache).select(hard=True)
    monkeypatch.setattr(recognizer, "weights_sha256", lambda: "another")
    Gallery.open(csv, cache).select(hard=True)
    write_csv(csv, Dataset(255 - dataset.pixels, dataset.labels))
    Gallery.open(csv, cache).select(hard=True)
    assert passes == [7, 7, 7]


def test_without_a_cache_the_network_is_asked_once_a_process(csv, tmp_path, passes):
    (tmp_path / "obstacle").write_text("")
    gallery = Gallery.open(csv, tmp_path / "obstacle" / "cache")
    assert gallery.select(hard=True) == gallery.select(hard=True)
    assert passes == [7]


def test_without_labels_no_tile_is_wrong_or_has_a_digit(tmp_path, cache, dataset):
    csv = tmp_path / "unlabelled.csv"
    csv.write_text("\n".join(",".join(map(str, row.ravel())) for row in dataset.pixels))
    gallery = Gallery.open(csv, cache)
    assert gallery.select(digit=3) == []
    assert gallery.select(hard=True) == [i for i in range(7) if recognize(dataset.pixels[i]).uncertain]


def test_the_shipped_gallery_has_all_test_images():
    assert len(module.gallery()) == 10_000
    assert module.gallery().tile(0).label == 7


def test_the_features_of_all_tiles_are_computed_once(csv, cache, dataset, monkeypatch):
    features = Gallery.open(csv, cache).features
    assert (features == recognizer.features(dataset.pixels)).all()
    # Another process asks for their number alone.
    asked = []
    compute = recognizer.features
    monkeypatch.setattr(recognizer, "features", lambda pixels: asked.append(len(pixels)) or compute(pixels))
    assert (Gallery.open(csv, cache).features == features).all()
    assert asked == [1]
