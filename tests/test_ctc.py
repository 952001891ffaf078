"""The loss of lines whose symbols have no known places, beside a sum over all paths."""

import itertools

import numpy as np
import pytest

from digit_recognizer_dl_model.ctc import best_path, ctc_loss, log_probabilities

BLANK = 3


def spelled(path):
    return tuple(symbol for symbol, _ in itertools.groupby(path) if symbol != BLANK)


def probability_by_all_paths(logits, string):
    exponentials = np.exp(logits)
    probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    paths = itertools.product(range(logits.shape[1]), repeat=len(logits))
    return sum(np.prod(probabilities[np.arange(len(logits)), path]) for path in paths if spelled(path) == tuple(string))


STRINGS = [[], [1], [0, 2], [1, 1], [2, 0, 2], [1, 1, 0]]


@pytest.fixture
def logits():
    return np.random.default_rng(1).normal(0, 2, (len(STRINGS), 6, 4))


@pytest.mark.parametrize("columns", [5, 6])
def test_the_loss_is_that_of_all_paths(logits, columns):
    loss, _ = ctc_loss(logits, STRINGS, np.full(len(STRINGS), columns), BLANK)
    expected = [
        -np.log(probability_by_all_paths(line[:columns], string)) for line, string in zip(logits, STRINGS, strict=True)
    ]
    assert loss == pytest.approx(np.mean(expected), rel=1e-12)


def test_the_gradient_is_that_of_small_differences(logits):
    columns = np.array([6, 5, 6, 4, 6, 6])
    _, gradient = ctc_loss(logits, STRINGS, columns, BLANK)
    for place in np.ndindex(logits.shape):
        nudged = logits.copy(), logits.copy()
        for each, sign in zip(nudged, (1, -1), strict=True):
            each[place] += sign * 1e-5
        above, below = (ctc_loss(each, STRINGS, columns, BLANK)[0] for each in nudged)
        assert gradient[place] == pytest.approx((above - below) / 2e-5, abs=1e-8)


def test_columns_beyond_the_line_get_no_gradient(logits):
    _, gradient = ctc_loss(logits, STRINGS, np.full(len(STRINGS), 4), BLANK)
    assert (gradient[:, 4:] == 0).all()
    assert (gradient[:, :4] != 0).any()


def test_a_string_that_needs_more_columns_is_an_error(logits):
    with pytest.raises(ValueError, match="more columns"):
        ctc_loss(logits[:1], [[1, 1, 1, 1]], np.array([6]), BLANK)


def test_sure_lines_of_many_columns_do_not_underflow():
    line = np.full((1, 400, 4), -40.0)
    line[0, np.arange(400), np.where(np.arange(400) % 2, BLANK, 1)] = 40
    loss, gradient = ctc_loss(line, [[1] * 200], np.array([400]), BLANK)
    assert loss == pytest.approx(0, abs=1e-9)
    assert np.abs(gradient).max() < 1e-9


def test_the_probabilities_of_strings_are_those_of_all_paths(logits):
    expected = [probability_by_all_paths(logits[0], string) for string in STRINGS]
    assert np.exp(log_probabilities(logits[0], STRINGS, BLANK)) == pytest.approx(expected, rel=1e-12)
    assert log_probabilities(logits[0], [[1] * 4], BLANK) == [-np.inf]


def test_the_best_path_spells_symbols_with_their_columns():
    line = np.zeros((9, 4))
    line[np.arange(9), [3, 1, 1, 1, 3, 1, 2, 2, 3]] = 1
    symbols, columns = best_path(line, BLANK)
    assert symbols.tolist() == [1, 1, 2]
    assert columns.tolist() == [2, 5, 6.5]
    assert best_path(line[:1], BLANK)[0].tolist() == []
