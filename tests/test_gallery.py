"""The gallery parses its CSV once and then maps a copy."""

import base64
import io
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digit_recognizer_dl_model.dataset import Dataset, MalformedDataset, write_csv
from digits import gallery as module
from digits.gallery import Gallery


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
    assert isinstance(again._table, np.memmap)
    assert (again.pixels(3) == dataset.pixels[3]).all()


def test_a_changed_csv_is_parsed_anew(csv, cache, parses, dataset):
    Gallery.open(csv, cache)
    write_csv(csv, Dataset(255 - dataset.pixels, dataset.labels))
    assert (Gallery.open(csv, cache).pixels(0) == 255 - dataset.pixels[0]).all()
    assert len(parses) == 2


@pytest.mark.parametrize("damage", [b"", b"rubbish", None], ids=["empty", "rubbish", "cut off"])
def test_a_damaged_copy_is_made_anew(csv, cache, dataset, damage):
    Gallery.open(csv, cache)
    [copy] = cache.iterdir()
    copy.write_bytes(copy.read_bytes()[:-100] if damage is None else damage)
    assert (Gallery.open(csv, cache).pixels(6) == dataset.pixels[6]).all()
    assert isinstance(Gallery.open(csv, cache)._table, np.memmap)


def test_a_cache_that_can_not_be_written_costs_memory_alone(csv, tmp_path, dataset):
    # A file where the folder should be: unlike a read-only folder, it stops the superuser too.
    obstacle = tmp_path / "obstacle"
    obstacle.write_text("")
    gallery = Gallery.open(csv, obstacle / "cache")
    assert (gallery.pixels(2) == dataset.pixels[2]).all()


def test_nothing_but_the_copy_is_left_in_the_cache(csv, cache):
    Gallery.open(csv, cache)
    assert [path.suffix for path in cache.iterdir()] == [".npy"]


def test_many_threads_opening_at_once_all_get_the_gallery(csv, cache, dataset):
    galleries = []
    threads = [threading.Thread(target=lambda: galleries.append(Gallery.open(csv, cache))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(galleries) == 8
    assert all((gallery.pixels(5) == dataset.pixels[5]).all() for gallery in galleries)


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


def test_the_shipped_gallery_has_all_test_images():
    assert len(module.gallery()) == 10_000
    assert module.gallery().tile(0).label == 7
