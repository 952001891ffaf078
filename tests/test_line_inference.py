"""Reading a strip: the fast forward pass beside the layers, and the string that is likeliest."""

import itertools

import numpy as np
import pytest

from digit_recognizer_dl_model.ctc import log_probabilities
from digit_recognizer_dl_model.figures import Figures
from digit_recognizer_dl_model.line_inference import LineReader, align, candidates, without_blanks
from digit_recognizer_dl_model.line_network import ARCHITECTURE
from digit_recognizer_dl_model.network import ARCHITECTURE as DIGITS
from digit_recognizer_dl_model.network import Network
from digit_recognizer_dl_model.strip import (
    BLANK,
    COLUMN,
    FIRST,
    HEIGHT,
    MARGIN,
    NARROWEST,
    OTHER,
    STEP,
    SYMBOLS,
    columns_of,
    strip_width,
)
from digit_recognizer_dl_model.weights import UnusableWeights, Weights


def random_network(architecture):
    """A network whose parameters and statistics are all random."""
    rng = np.random.default_rng(3)
    network = Network(architecture, rng)
    for name, array in network.state.items():
        if name.endswith(("mean", "shift", "bias")):
            array[...] = rng.normal(0, 0.3, array.shape)
        elif name.endswith(("variance", "scale")):
            array[...] = rng.uniform(0.5, 1.5, array.shape)
    return network


def weights_of(network):
    return Weights(network.architecture, dict(network.state), 1.0, 0.0, 1.0, Figures())


@pytest.fixture(scope="module")
def network():
    return random_network(ARCHITECTURE)


@pytest.fixture(scope="module")
def reader(network):
    return LineReader(weights_of(network))


@pytest.mark.parametrize("width", [NARROWEST, NARROWEST + STEP, NARROWEST + 8 * STEP])
def test_the_fast_forward_pass_agrees_with_the_layers(network, reader, width):
    ink = np.random.default_rng(width).integers(0, 256, (HEIGHT, width), np.uint8)
    expected = network.forward(ink[None, ..., None].astype(np.float32) / 255)[0, 0]
    logits = reader.logits(ink)
    assert logits.shape == (columns_of(width), 12)
    np.testing.assert_allclose(logits, expected, atol=1e-3 * np.abs(expected).max())


def test_a_strip_may_follow_one_of_another_width(reader):
    rng = np.random.default_rng(5)
    first, other = (rng.integers(0, 256, (HEIGHT, width), np.uint8) for width in (NARROWEST, NARROWEST + 2 * STEP))
    before = reader.logits(first).copy()
    reader.logits(other)
    np.testing.assert_array_equal(reader.logits(first), before)


@pytest.mark.parametrize("shape", [(HEIGHT, NARROWEST + 1), (HEIGHT - 2, NARROWEST), (HEIGHT, HEIGHT)])
def test_a_strip_of_another_shape_is_an_error(reader, shape):
    with pytest.raises(ValueError, match="expected"):
        reader.logits(np.zeros(shape, np.uint8))


def test_weights_for_digits_read_no_lines():
    with pytest.raises(UnusableWeights):
        LineReader(weights_of(random_network(DIGITS)))


def test_every_width_of_ink_has_a_strip_with_its_margins():
    widths = [strip_width(ink) for ink in range(1, 400)]
    assert all(width - 2 * MARGIN >= ink for ink, width in enumerate(widths, start=1))
    assert all((width - NARROWEST) % STEP == 0 for width in widths)
    assert sorted(widths) == widths


@pytest.fixture
def logits():
    """Columns that say 4, 4 and 2, the last of them perhaps 7."""
    logits = np.zeros((14, 12), np.float32)
    for column, symbol in enumerate([10, 4, 4, 10, 10, 4, 10, 10, 2, 2, 2, 10, 10, 10]):
        logits[column, symbol] = 8
    logits[8:11, 7] = 7.9
    return logits


def test_the_string_of_the_best_path_and_its_neighbours_are_candidates(logits):
    found = {tuple(string.tolist()) for string in candidates(logits)}
    assert {(4, 4, 2), (4, 4, 7), (4, 2), (4, 4)} <= found


def test_no_other_short_string_is_likelier_than_the_best_candidate(logits):
    best = log_probabilities(logits, candidates(logits), BLANK).max()
    others = [list(string) for length in range(4) for string in itertools.product([2, 4, 7], repeat=length)]
    assert log_probabilities(logits, others, BLANK).max() == pytest.approx(best)


def test_a_string_is_aligned_with_the_columns_that_say_it(logits):
    middles, rows = align(logits, np.array([4, 4, 2]), np.arange(14))
    assert middles.tolist() == [1.5, 5, 9]
    assert [logits[row].argmax() for row in rows] == [4, 4, 2]
    middles, rows = align(logits, np.array([], int), np.arange(14))
    assert middles.tolist() == rows.tolist() == []


def test_columns_that_are_surely_blank_change_no_reading(logits):
    logits[:, BLANK] += np.where(logits.argmax(axis=1) == BLANK, 20, 0)
    longer = np.insert(logits, 7, np.tile(logits[13], (30, 1)), axis=0)
    rest, places = without_blanks(longer)
    assert len(rest) < len(logits)
    assert places.tolist() == sorted(places)
    strings = candidates(rest)
    assert log_probabilities(rest, strings, BLANK) == pytest.approx(log_probabilities(longer, strings, BLANK), abs=1e-3)
    middles, _ = align(rest, np.array([4, 4, 2]), places)
    assert middles.tolist() == [1.5, 5, 39]


def test_several_strips_of_a_line_are_read_together(reader):
    rng = np.random.default_rng(9)
    strips = [rng.integers(0, 256, (HEIGHT, width), np.uint8) for width in (NARROWEST + STEP, NARROWEST + 2 * STEP)]
    alone = [reader.read([strip]) for strip in strips]
    together = reader.read(strips)
    assert together.confidence <= max(reading.confidence for reading in alone) + 1e-6
    assert together.confidence >= max(reading.confidence for reading in alone) / 2 - 1e-6
    assert together.strip in (0, 1)
    assert not np.array_equal(together.symbols, together.runner_up)


def test_a_reading_tells_places_in_pixels_and_a_confidence_below_certainty(reader):
    ink = np.random.default_rng(8).integers(0, 256, (HEIGHT, NARROWEST + STEP), np.uint8)
    reading = reader.read([ink])
    assert len(reading.symbols) == len(reading.places) == len(reading.probabilities)
    assert ((reading.places >= FIRST) & (reading.places <= FIRST + COLUMN * (columns_of(NARROWEST + STEP) - 1))).all()
    assert reading.probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert 0 < reading.confidence < 1


def test_the_runner_up_is_another_string_of_digits_alone(reader, monkeypatch):
    logits = np.full((7, SYMBOLS), -9, np.float32)
    logits[:, BLANK] = 0
    logits[0, OTHER] = -0.1  # nearly as likely as that there is nothing
    logits[2, 4] = logits[4, 2] = 3
    logits[4, 7] = 1
    monkeypatch.setattr(reader, "logits", lambda ink: logits)
    reading = reader.read([np.zeros((HEIGHT, NARROWEST), np.uint8)])
    assert reading.symbols.tolist() == [4, 2]
    assert reading.runner_up.tolist() == [4, 7]
