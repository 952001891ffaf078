"""What the network gets wrong is found, the surest mistakes first, and drawn."""

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.quality import failures
from benchmarks.quality.failures import caption, draw, find_failures, surest
from digit_recognizer_dl_model.figures import Failure, Figures, grouped_failures
from digit_recognizer_dl_model.recordings import Recording
from digit_recognizer_dl_model.synthetic import handwriting

SEVEN = [np.array([[0.0, 0], [60, 0], [20, 100]])]


class Sevens:
    """A classifier that reads 7 everywhere, the surer the more ink there is."""

    weights = SimpleNamespace(uncertain_below=0.6, no_digit_above=0.2)

    def probabilities(self, pixels):
        sure = 0.5 + 0.5 * pixels.mean(axis=(1, 2)) / 255
        probabilities = np.zeros((len(pixels), 10))
        probabilities[:, 7], probabilities[:, 1] = sure, 1 - sure
        return probabilities


def grey(*levels: int) -> np.ndarray:
    return np.stack([np.full((28, 28), level, np.uint8) for level in levels])


def test_wrong_answers_come_the_surest_first_and_doubted_ones_last():
    found = surest(Sevens(), grey(100, 20, 200, 250), "tiles", ["4", "5", "7", "9"])
    assert [(failure.shown, failure.answer, failure.is_uncertain) for failure in found] == [
        ("9", 7, False),
        ("4", 7, False),
        ("5", 7, True),
    ]
    assert (found[0].pixels == 250).all()
    assert len(surest(Sevens(), grey(100, 20, 200, 250), "tiles", ["4", "5", "7", "9"], most=1)) == 1


def test_what_shows_no_digit_and_is_doubted_is_no_failure():
    found = surest(Sevens(), grey(20, 200), "letters", ["letter", "letter"])
    assert [(failure.shown, failure.is_uncertain) for failure in found] == [("letter", False)]


@pytest.mark.slow
def test_all_groups_are_found_and_survive_in_the_figures(monkeypatch):
    monkeypatch.setattr(failures, "TRIED", 5)
    digits = handwriting.write_digits(30, np.random.default_rng(1))
    strangers = [(Sevens(), [Recording(3, 1, SEVEN), Recording(7, 2, SEVEN)])]
    found = find_failures(Sevens(), digits, strangers)
    groups = grouped_failures(found)
    assert list(groups) == [failures.IMAGES, failures.PENS, failures.DAMAGED, failures.NO_DIGITS]
    assert [failure.shown for failure in groups[failures.PENS]] == ["3"]
    assert Figures.from_json(Figures(failures=found).to_json()).failures == found
    assert draw(found).size[0] == failures.COLUMNS * failures.CELL[0]


@pytest.mark.parametrize(
    ("shown", "is_uncertain", "expected"),
    [("4", False, "4 as 9"), ("4", True, "4 as 9, ?"), ("lines", False, "read as 9")],
)
def test_a_caption_tells_what_is_shown_and_what_was_read(shown, is_uncertain, expected):
    assert caption(Failure.of(grey(9)[0], "tiles", shown, 9, is_uncertain)) == expected
