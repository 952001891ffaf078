"""Batches of encoded pictures, as engines pass them, get the site's answers."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from digits.recognizer import read_all
from digits.refusals import Refusal
from digits.scoring.workers import PictureScorer

from .pictures import SEVEN, TWO, drawing, encoded

PICTURES = [encoded(drawing([TWO])), b"no picture at all", encoded(drawing([]), "JPEG"), encoded(drawing([SEVEN]))]
BATCH = {"name": np.array(["two", "text", "blank", "seven"]), "picture": np.array(PICTURES, object)}


def test_the_answers_are_those_of_the_site_and_refusals_are_marked():
    answers = PictureScorer()(BATCH)
    assert list(answers) == ["name", "digit", "confidence", "uncertain", "reason", "error"]
    for place, reading in enumerate(read_all(PICTURES)):
        row = {name: column[place] for name, column in answers.items()}
        if isinstance(reading, Refusal):
            assert (row["digit"], row["uncertain"], row["reason"], row["error"]) == (-1, False, None, reading.detail)
            assert np.isnan(row["confidence"])
        else:
            prediction = reading.prediction
            assert (row["digit"], row["confidence"]) == (prediction.digit, prediction.confidence)
            assert (row["uncertain"], row["reason"], row["error"]) == (prediction.uncertain, prediction.reason, None)


def test_the_answers_are_of_plain_types():
    kinds = {name: column.dtype for name, column in PictureScorer()(BATCH).items() if name != "name"}
    assert kinds == {"digit": np.int8, "confidence": np.float32, "uncertain": bool, "reason": object, "error": object}


def test_a_batch_of_nothing_has_no_answers():
    answers = PictureScorer()({"picture": np.array([], object)})
    assert [len(column) for column in answers.values()] == [0] * 5


@pytest.mark.slow  # it starts a process
def test_a_process_that_knows_nothing_of_the_site_unpickles_it(tmp_path):
    (tmp_path / "pickled").write_bytes(pickle.dumps((PictureScorer(), BATCH)))
    code = "import pickle, sys; scorer, batch = pickle.load(open(sys.argv[1], 'rb')); print(*scorer(batch)['digit'])"
    command = [sys.executable, "-c", code, tmp_path / "pickled"]
    environment = {"PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "2 -1 -1 7\n"
