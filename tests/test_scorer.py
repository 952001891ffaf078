"""The network as engines take it: it can be pickled, and it answers batches of arrays as the site answers pictures."""

import multiprocessing
import pickle
import shutil

import numpy as np
import pytest

from digit_recognizer_dl_model.scorer import Scorer
from digit_recognizer_dl_model.weights import SHIPPED, UnusableWeights
from digits.gallery import gallery
from digits.recognizer import recognize_batch


@pytest.fixture(scope="module")
def pixels():
    """Tiles, and noise, which is doubted."""
    tiles = [gallery().pixels(index) for index in range(5)]
    return np.array([*tiles, np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)])


def test_the_answers_are_those_of_the_site(pixels):
    answers = Scorer()({"pixels": pixels})
    predictions = recognize_batch(pixels)
    assert answers["digit"].tolist() == [prediction.digit for prediction in predictions]
    assert answers["confidence"].tolist() == [prediction.confidence for prediction in predictions]
    assert answers["uncertain"].tolist() == [prediction.uncertain for prediction in predictions]
    assert answers["reason"].tolist() == [prediction.reason for prediction in predictions]
    assert set(answers["uncertain"].tolist()) == {True, False}


def test_other_columns_stay(pixels):
    answers = Scorer()({"form": np.arange(6), "pixels": pixels})
    assert list(answers) == ["form", "digit", "confidence", "uncertain", "reason"]
    assert answers["form"].tolist() == list(range(6))


def test_rows_of_numbers_of_any_type_are_pixels(pixels):
    expected = Scorer()({"pixels": pixels})["confidence"].tolist()
    rows = pixels.reshape(-1, 784)
    of_objects = np.empty(len(rows), object)
    of_objects[:] = list(rows)
    for form in (rows, rows.astype(np.int64), rows.astype(np.float32), of_objects):
        assert Scorer()({"pixels": form})["confidence"].tolist() == expected


def test_no_rows_have_no_answers():
    for none in (np.empty((0, 784), np.uint8), np.empty(0, object)):
        assert [len(column) for column in Scorer()({"pixels": none}).values()] == [0] * 4


@pytest.mark.parametrize(
    "values",
    [np.zeros((2, 783)), np.zeros(784), np.full((1, 784), 0.5), np.full((1, 784), -1), np.full((1, 784), 256)],
    ids=["too short", "one row", "fractions", "below 0", "above 255"],
)
def test_anything_but_pixels_is_refused(values):
    with pytest.raises(ValueError, match="expected pixels"):
        Scorer()({"pixels": values})


def test_a_pickle_is_small_and_answers_the_same(pixels):
    pickled = pickle.dumps(Scorer())
    assert len(pickled) < 1000
    assert pickle.loads(pickled)({"pixels": pixels})["confidence"].tolist() == (
        Scorer()({"pixels": pixels})["confidence"].tolist()
    )


def test_a_pickle_of_other_weights_needs_the_same_file(tmp_path):
    other = shutil.copy(SHIPPED, tmp_path / "other.npz")
    pickled = pickle.dumps(Scorer(other))
    assert pickle.loads(pickled).weights == other
    foreign = pickled.replace(Scorer().sha256.encode(), b"0" * 64)
    with pytest.raises(UnusableWeights, match=r"other\.npz: weights [0-9a-f]{12} on this machine, expected 0{12}"):
        pickle.loads(foreign)


@pytest.mark.slow  # it starts a process
def test_a_process_that_is_spawned_answers_the_same(pixels):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        [answers] = pool.map(Scorer(), [{"pixels": pixels}])
    assert answers["confidence"].tolist() == Scorer()({"pixels": pixels})["confidence"].tolist()
