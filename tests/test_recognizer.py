"""The door to the network: a digit, ten probabilities, and whether to trust them."""

from types import SimpleNamespace

import numpy as np
import pytest

from digits import recognizer
from digits.gallery import gallery
from digits.pictures import prepare
from digits.recognizer import Prediction, activity, describe_strongest, explain, recognize, recognize_batch

from .pictures import TWO, drawing, encoded


def test_a_clear_tile_is_read_with_certainty():
    prediction = recognize(gallery().pixels(0))
    assert prediction.digit == gallery().tile(0).label
    assert prediction.confidence > 0.95
    assert not prediction.uncertain
    assert prediction.reason is None


def test_probabilities_are_ten_that_sum_to_one():
    prediction = recognize(gallery().pixels(1))
    assert len(prediction.probabilities) == 10
    assert sum(prediction.probabilities) == pytest.approx(1, abs=1e-5)
    assert max(prediction.probabilities) == prediction.confidence


@pytest.mark.parametrize("gap", [0.12, 0.3])
def test_digits_beside_each_other_are_more_than_one(gap):
    left, right = ([(x / 2 + offset, y) for x, y in TWO] for offset in (0, 0.25 + gap))
    prediction = recognize(prepare(encoded(drawing([left, right]))))
    assert prediction.reason == "looks like more than one digit"


def test_several_pictures_are_read_like_each_alone():
    pixels = np.stack([gallery().pixels(index) for index in (0, 1247, 2130, 5937, 8408)])
    for alone, among_others in zip(map(recognize, pixels), recognize_batch(pixels), strict=True):
        assert alone._replace(probabilities=None) == among_others._replace(probabilities=None)
        assert among_others.probabilities == pytest.approx(alone.probabilities, abs=1e-5)


@pytest.fixture
def network(monkeypatch):
    """Have a network answer 4 and 9 with these probabilities, and the others with what is left."""

    def network(four, nine):
        probabilities = np.full((1, 10), (1 - four - nine) / 8, np.float32)
        probabilities[0, [4, 9]] = four, nine
        weights = SimpleNamespace(uncertain_below=0.6, no_digit_above=0.2)
        stub = SimpleNamespace(probabilities=lambda pixels: probabilities, weights=weights)
        monkeypatch.setattr(recognizer, "classifier", lambda: stub)

    return network


@pytest.mark.parametrize(
    ("four", "nine", "reason"),
    [
        (0.55, 0.40, "could be 4 or 9"),
        (0.55, 0.20, "does not look like one digit"),
        (0.75, 0.04, "does not look like one digit"),
        (0.75, 0.10, None),
        (0.99, 0.01, None),
    ],
)
def test_what_is_no_digit_is_said_before_which_digit_it_could_be(network, four, nine, reason):
    network(four, nine)
    prediction = recognize(gallery().pixels(0))
    assert prediction.digit == 4
    assert prediction.uncertain is (reason is not None)
    assert prediction.reason == reason


def test_a_drawn_two_is_a_digit_and_a_drawn_grid_is_none():
    grid = [[(x, 0.2), (x, 0.8)] for x in (0.35, 0.65)] + [[(0.2, y), (0.8, y)] for y in (0.35, 0.65)]
    assert recognize(prepare(encoded(drawing([TWO])))).reason is None
    assert recognize(prepare(encoded(drawing(grid)))).reason == "does not look like one digit"


def test_an_explanation_weighs_the_likeliest_digit_against_the_second():
    for index in range(5):
        pixels = gallery().pixels(index)
        explanation = explain(pixels, recognize(pixels))
        prediction = explanation.prediction
        assert [prediction.runner_up, prediction.digit] == np.argsort(prediction.probabilities)[-2:].tolist()
        assert explanation.relevance.shape == (28, 28)


def test_a_four_is_not_a_nine_because_it_is_open_at_the_top():
    four = [[(0.45, 0.2), (0.34, 0.34), (0.36, 0.5), (0.62, 0.5)], [(0.62, 0.2), (0.62, 0.82)]]
    pixels = prepare(encoded(drawing(four)))
    explanation = explain(pixels, recognize(pixels))
    assert (explanation.prediction.digit, explanation.prediction.runner_up) == (4, 9)
    assert explanation.for_digit == "the empty paper at the top"


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        (4, 4, "the ink at the top left"),
        (14, 4, "the ink on the left"),
        (23, 14, "the ink at the bottom"),
        (14, 14, "the empty paper in the middle"),
        (20, 20, "the empty paper at the bottom right"),
        (2, 27, "the empty paper at the top right"),
    ],
)
def test_the_place_of_the_largest_relevance_is_told_in_words(row, column, words):
    ring = np.zeros((28, 28), np.uint8)
    ring[4:24, 4:24], ring[6:22, 6:22] = 255, 0
    marks = np.full((28, 28), -1.0)
    marks[row, column] = 0.5
    assert describe_strongest(marks, ring) == words


def test_a_negligible_relevance_is_not_told():
    marks = np.full((28, 28), -1.0)
    marks[5, 5] = 0.05
    assert describe_strongest(marks, np.full((28, 28), 255, np.uint8)) is None


def test_the_activity_is_of_the_pass_that_predicts():
    pixels = gallery().pixels(0)
    maps, features, outputs = activity(pixels)
    assert [each.shape for each in maps] == [(26, 26, 32), (12, 12, 32), (10, 10, 64), (4, 4, 64)]
    assert min(each.min() for each in [*maps, features]) == 0
    assert min(each.max() for each in [*maps, features]) > 0
    assert (recognizer.features(pixels[None])[0] == features).all()
    assert outputs[:10] + outputs[10] / 10 == pytest.approx(recognize(pixels).probabilities, abs=1e-6)


def test_the_network_is_loaded_once():
    assert recognizer.classifier() is recognizer.classifier()


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (None, "4"),
        ("could be 4 or 9", "4 or 9?"),
        ("does not look like one digit", "Not a digit, as far as I can tell"),
        ("looks like more than one digit", "I see more than one digit"),
    ],
)
def test_a_prediction_says_itself_in_words(reason, words):
    probabilities = [0.0] * 10
    probabilities[4], probabilities[9] = 0.6, 0.4
    assert Prediction(4, probabilities, reason is not None, reason).verdict == words


def test_only_certainty_is_100_percent():
    assert Prediction(0, [0.9999] + [0.0001] + [0.0] * 8, False, None).percentages[:3] == [99.9, 0.0, 0.0]
    assert Prediction(0, [1.0] + [0.0] * 9, False, None).percentages[0] == 100


def test_the_features_are_what_the_logits_are_computed_from(tiles):
    features, network = recognizer.features(tiles[:7]), recognizer.classifier()
    last = len(network.weights.architecture) - 1
    weight, bias = (network.weights.arrays[f"{last}.{name}"].astype(np.float64) for name in ("weight", "bias"))
    assert features.min() >= 0
    assert features @ weight + bias == pytest.approx(network.logits(tiles[:7]), abs=1e-3)
    assert (recognizer.features(tiles[6:7])[0] == features[6]).all()  # in a batch of its own
