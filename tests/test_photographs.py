"""The photographs are what their kinds say, they can be read, and blank paper among them is refused."""

import io
import os
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from benchmarks.quality import photographs
from benchmarks.quality.photographs import KINDS, measure_photographs, take_photograph
from digit_recognizer_dl_model.counts import Count
from digit_recognizer_dl_model.dataset import Dataset
from digit_recognizer_dl_model.figures import Row
from digit_recognizer_dl_model.inference import Classifier
from digit_recognizer_dl_model.weights import load_weights
from digits import pictures
from digits.gallery import gallery
from digits.refusals import Blank

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
BAR = np.zeros((28, 28), np.uint8)
BAR[4:24, 13:16] = 255


def taken(kind: str, digit: photographs.Digit, seed: int = 1) -> bytes:
    rng = np.random.default_rng([seed, zlib.crc32(kind.encode())])
    return take_photograph(KINDS[kind](rng), digit, rng)


def blank_paper(kind: str, seed: int = 1) -> bytes:
    """A photograph of a kind whose paper is so rough that it takes away all ink."""
    rng = np.random.default_rng([seed, zlib.crc32(kind.encode())])
    return take_photograph(replace(KINDS[kind](rng), grain=1e9), BAR, rng)


@pytest.mark.parametrize("kind", KINDS)
def test_a_photograph_is_a_colour_jpeg_the_same_at_each_run(kind):
    data = taken(kind, BAR)
    picture = Image.open(io.BytesIO(data))
    assert (picture.format, picture.mode) == ("JPEG", "RGB")
    assert tuple(sorted(picture.size)) in photographs.SIZES
    assert taken(kind, BAR) == data != taken(kind, BAR, seed=2)


@pytest.mark.parametrize("digit", [BAR, [np.array([[0.0, 0], [0, 1]])]], ids=["pixels", "strokes"])
def test_a_turned_file_shows_an_upright_digit(digit):
    for seed in range(4):
        rows, columns = np.nonzero(pictures.prepare(taken("turned by EXIF", digit, seed)) > 128)
        assert np.ptp(rows) > 2 * np.ptp(columns)


@pytest.mark.parametrize("kind", KINDS)
def test_blank_paper_is_refused(kind):
    for seed in range(3):
        with pytest.raises(Blank):
            pictures.prepare(blank_paper(kind, seed))


def test_photographs_are_read():
    tiles = [gallery().tile(index) for index in range(30)]
    pixels = np.stack([gallery().pixels(tile.index) for tile in tiles])
    dataset = Dataset(pixels, np.array([tile.label for tile in tiles], np.uint8))
    rows = measure_photographs(Classifier(load_weights()), dataset, count=4)
    assert {row.name for row in rows if row.count.wrong > 1} == set()
    assert sum(row.count.wrong for row in rows) <= 3


def test_every_kind_is_counted_and_a_refused_photograph_is_not_read_right(monkeypatch):
    table = np.eye(10, dtype=np.float32)[[7]]
    sevens = SimpleNamespace(probabilities=lambda pixels: np.repeat(table, len(pixels), axis=0))
    dataset = Dataset(BAR[None], np.array([7], np.uint8))
    steps = []
    rows = measure_photographs(sevens, dataset, 1, lambda *done: steps.append(done))
    assert rows == tuple(Row(kind, Count(1, 1)) for kind in KINDS)
    assert steps == [(done, len(KINDS)) for done in range(1, len(KINDS) + 1)]
    blank = blank_paper("blue ink")
    monkeypatch.setattr(photographs, "take_photograph", lambda scene, digit, rng: blank)
    assert measure_photographs(sevens, dataset, 1) == tuple(Row(kind, Count(0, 1)) for kind in KINDS)


def test_photographs_are_prepared_without_a_site_that_is_set_up():
    prepare = "import sys; from benchmarks.quality.reading import pictures; pictures.prepare(sys.stdin.buffer.read())"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
    command = [sys.executable, "-c", prepare]
    subprocess.run(command, input=taken("blue ink", BAR), cwd=ROOT, env=environment, check=True)
