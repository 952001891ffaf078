"""Arrays that take long to make are made once and mapped from their copy after that."""

import threading
from pathlib import Path

import numpy as np
import pytest

from digits.array_cache import map_or_make

ARRAY = np.arange(21, dtype=np.uint8).reshape(7, 3)


class Maker:
    """Makes the array, and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> np.ndarray:
        self.times += 1
        return ARRAY


@pytest.fixture
def make() -> Maker:
    return Maker()


@pytest.fixture
def copy(tmp_path) -> Path:
    return tmp_path / "cache" / "array.npy"


def test_an_array_is_made_once(copy, make):
    for _ in range(3):
        assert (map_or_make(copy, 3, make) == ARRAY).all()
    assert make.times == 1


def test_nothing_is_left_beside_the_copy(copy, make):
    map_or_make(copy, 3, make)
    assert list(copy.parent.iterdir()) == [copy]


def cut_off(copy: Path) -> None:
    copy.write_bytes(copy.read_bytes()[:-1])


DAMAGES = {
    "empty": lambda copy: copy.write_bytes(b""),
    "rubbish": lambda copy: copy.write_bytes(b"rubbish"),
    "cut off": cut_off,
    "other columns": lambda copy: np.save(copy, ARRAY[:, :2]),
    "one dimension": lambda copy: np.save(copy, ARRAY[:, 0]),
    "other type": lambda copy: np.save(copy, ARRAY.astype(np.int16)),
    "pickled": lambda copy: np.save(copy, ARRAY.astype(object), allow_pickle=True),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_copy_is_made_again_once(copy, make, damage):
    map_or_make(copy, 3, make)
    damage(copy)
    for _ in range(2):
        assert (map_or_make(copy, 3, make) == ARRAY).all()
    assert make.times == 2


def test_a_folder_that_can_not_be_written_costs_only_time_and_memory(tmp_path, make):
    # A file in place of the folder: unlike a read-only folder, it stops the superuser too.
    (tmp_path / "cache").write_text("")
    for _ in range(2):
        assert (map_or_make(tmp_path / "cache" / "array.npy", 3, make) == ARRAY).all()
    assert make.times == 2


def test_an_array_that_can_not_be_made_leaves_no_copy(copy):
    def fail() -> np.ndarray:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        map_or_make(copy, 3, fail)
    assert not copy.parent.exists()


def test_many_threads_at_once_all_get_the_array(copy, make):
    arrays = []
    threads = [threading.Thread(target=lambda: arrays.append(map_or_make(copy, 3, make))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(arrays) == 8
    assert all((array == ARRAY).all() for array in arrays)
    assert list(copy.parent.iterdir()) == [copy]
