"""Training the network that reads lines: its batches, its steps, and resuming."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from digit_recognizer_dl_model import train_lines
from digit_recognizer_dl_model.descent import SHARDS
from digit_recognizer_dl_model.strip import HEIGHT, NARROWEST, STEP, columns_of
from digit_recognizer_dl_model.synthetic.lines import Line
from digit_recognizer_dl_model.train_lines import CHUNK, LineTraining, Settings, batch_of, make_chunk

SETTINGS = Settings(steps=CHUNK + 2, batch=2, written=10, others=18)


@pytest.fixture
def maker(line_sources, monkeypatch):
    monkeypatch.setattr(train_lines, "maker", [line_sources])


class InProcess:
    """A pool that does its work at once, in this process."""

    class Done:
        def __init__(self, result):
            self._result = result

        def result(self):
            return self._result

    def submit(self, function, *arguments):
        return self.Done(function(*arguments))


def test_a_batch_tells_which_columns_are_padding():
    widths = (NARROWEST, NARROWEST + 2 * STEP, NARROWEST + STEP)
    batch = batch_of(
        [Line(np.full((HEIGHT, width), 0.5, np.float32), np.array([number])) for number, width in enumerate(widths)]
    )
    assert batch.ink.shape == (3, HEIGHT, NARROWEST + 2 * STEP)
    assert batch.columns.tolist() == [columns_of(width) for width in widths]
    assert not batch.ink[0, :, NARROWEST:].any()
    assert [string.tolist() for string in batch.strings] == [[0], [1], [2]]


def test_a_batch_is_split_into_equal_shards(maker):
    batch = make_chunk(SETTINGS, 0)[0]
    parts = batch.split(SHARDS)
    np.testing.assert_array_equal(np.concatenate([part.ink for part in parts]), batch.ink)
    assert [len(part.strings) for part in parts] == [1, 1]


def test_a_chunk_is_the_same_each_time_and_the_next_another(maker):
    first, again, other = (make_chunk(SETTINGS, chunk) for chunk in (0, 0, 1))
    assert len(first) == CHUNK
    assert all((one.ink == two.ink).all() for one, two in zip(first, again, strict=True))
    assert any(
        one.ink.shape != two.ink.shape or (one.ink != two.ink).any() for one, two in zip(first, other, strict=True)
    )


def train(settings, path=None, start=None):
    """Train to the end, or to a checkpoint at `path` after `start` steps and from there on."""
    training = LineTraining(settings)
    training.read_from(InProcess())
    with ThreadPoolExecutor(SHARDS) as pool:
        while training.step < (start or training.steps):
            training.advance(pool)
    if path is None:
        return training
    training.save_checkpoint(path)
    resumed = LineTraining(settings)
    resumed.restore_checkpoint(path)
    resumed.read_from(InProcess())
    with ThreadPoolExecutor(SHARDS) as pool:
        while resumed.step < resumed.steps:
            resumed.advance(pool)
    return resumed


@pytest.mark.slow
def test_a_resumed_run_reaches_the_same_weights(maker, tmp_path):
    whole, resumed = train(SETTINGS), train(SETTINGS, tmp_path / "checkpoint.npz", start=5)
    for name, array in whole.average.items():
        np.testing.assert_array_equal(resumed.average[name], array)


@pytest.mark.slow
def test_lines_that_are_seen_again_and_again_are_learned(maker):
    settings = replace(SETTINGS, steps=70, batch=4)
    batch = min(make_chunk(settings, 0), key=lambda each: each.ink.shape[2])
    training = LineTraining(settings)
    training.batch = lambda: batch.split(SHARDS)
    with ThreadPoolExecutor(SHARDS) as pool:
        losses = [training.advance(pool) for _ in range(settings.steps)]
    assert losses[-1] < 0.3 * losses[0]
