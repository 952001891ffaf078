"""The figures: published intervals, numbers derived by hand from counts, and JSON there and back."""

import json
from dataclasses import asdict, replace

import pytest

from digit_recognizer_dl_model import figures
from digit_recognizer_dl_model.counts import Accuracy, Bin, Count
from digit_recognizer_dl_model.figures import (
    Figures,
    Form,
    Pens,
    Row,
    Thickness,
    TrainingSettings,
    UnseenKind,
    UnseenKinds,
    Writer,
)
from digit_recognizer_dl_model.train import Settings
from digit_recognizer_dl_model.weights import load_weights


# Newcombe 1998, Statistics in Medicine 17, table I, method 3.
@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (20, 20, 0.8389, 1.0),
    ],
)
def test_the_interval_agrees_with_published_ones(right, total, low, high):
    assert Count(right, total).interval == pytest.approx((low, high), abs=5e-5)


def test_a_count_of_nothing_has_nothing_wrong():
    nothing = Count(0, 0)
    assert (nothing.fraction, nothing.wrong, nothing.wrong_fraction, nothing.interval) == (1, 0, 0, (0, 1))


@pytest.mark.parametrize(("right", "total"), [(3, 2), (-1, 2), (0, -1)])
def test_an_impossible_count_is_refused(right, total):
    with pytest.raises(ValueError, match=f"{right} of {total} is not a count"):
        Count(right, total)


def accuracy(right: int, wrong: int, **counts: int) -> Accuracy:
    """Ones, some of them read as 7."""
    confusion = [[0] * 10 for _ in range(10)]
    confusion[1][1], confusion[1][7] = right, wrong
    bins = (Bin(0.8, 1.0, Count(right, right + wrong), 0.9),)
    return Accuracy(tuple(map(tuple, confusion)), **{"uncertain": 0, "no_digit": 0} | counts, reliability=bins)


def test_doubts_divide_the_answers_into_four():
    measured = accuracy(90, 10, uncertain=8, no_digit=3, right_where_certain=88)
    assert measured.count == Count(90, 100)
    assert measured.certain == Count(88, 92)
    assert (measured.wrong_and_certain, measured.wrong_and_uncertain, measured.right_and_uncertain) == (4, 6, 2)
    assert (measured.uncertain_fraction, measured.no_digit_fraction) == (0.08, 0.03)


@pytest.mark.parametrize(
    "counts",
    [
        {"uncertain": 5, "no_digit": 6, "right_where_certain": 80},
        {"uncertain": 50, "no_digit": 0, "right_where_certain": 80},
    ],
)
def test_contradicting_counts_are_refused(counts):
    with pytest.raises(ValueError, match="contradict"):
        accuracy(90, 10, **counts)


def test_recall_precision_and_mistakes_are_read_off_the_confusion_matrix():
    confusion = [[0] * 10 for _ in range(10)]
    confusion[4][4], confusion[4][9], confusion[9][9], confusion[9][4] = 8, 2, 5, 3
    measured = Accuracy(tuple(map(tuple, confusion)), 0, 0, 13)
    assert (measured.recall[4], measured.recall[9]) == (Count(8, 10), Count(5, 8))
    assert (measured.precision[4], measured.precision[9]) == (Count(8, 11), Count(5, 7))
    assert measured.recall[0] == measured.precision[0] == Count(0, 0)
    assert measured.mistakes == ((9, 4, 3), (4, 9, 2))


def test_pens_are_pooled_by_counts():
    few = Pens(accuracy(1, 1, right_where_certain=1), (Thickness(4, 6, Count(1, 2)),), (Writer(9, Count(1, 2)),))
    many = Pens(
        accuracy(98, 0, right_where_certain=98),
        (Thickness(0, 4, Count(50, 50)), Thickness(4, 6, Count(48, 48))),
        (Writer(3, Count(50, 50)), Writer(4, Count(48, 48))),
    )
    pooled = few + many
    assert pooled.accuracy.count == Count(99, 100)
    assert pooled.by_thickness == (Thickness(0, 4, Count(50, 50)), Thickness(4, 6, Count(49, 50)))
    assert pooled.thickest.count.fraction == 0.98  # and not the mean of 50 % and 100 %
    assert pooled.writers[0].writer == 9
    assert pooled.median == 1
    assert pooled.accuracy.reliability == (Bin(0.8, 1.0, Count(99, 100), pytest.approx(0.9)),)
    assert pooled.accuracy.expected_calibration_error == pytest.approx(0.09)


def test_the_area_of_all_unseen_kinds_is_the_mean_over_their_pictures():
    kinds = (UnseenKind("a", Count(1, 1), 1.0, 0.9), UnseenKind("b", Count(1, 3), 0.8, 0.5))
    pooled = UnseenKinds(Count(9, 10), kinds).pooled
    assert pooled.count == Count(2, 4)
    assert (pooled.auroc, pooled.auroc_of_confidence) == (pytest.approx(0.85), pytest.approx(0.6))


def test_rows_are_put_in_order_grouped_and_told_from_flawless_ones():
    rows = [Form("a", Count(9, 9), 0), Form("b", Count(8, 9), 1), Form("c", Count(99, 100), 0)]
    assert [row.name for row in figures.in_order(rows)] == ["b", "c", "a"]
    assert [row.name for row in figures.flawed(rows)] == ["b", "c"]
    assert [row.name for row in figures.flawed(rows, 0.01)] == ["b", "c"]
    assert [row.name for row in figures.flawed(rows, 0.011)] == ["b"]
    zeros, ones = figures.grouped(rows, lambda form: form.digit)
    assert (zeros.key, zeros.pooled, zeros.lowest.name) == (0, Count(108, 109), "c")
    assert (ones.key, ones.rows) == (1, (rows[1],))


def test_the_spread_of_one_network_is_nothing():
    assert figures.Spread((0.9,)).standard_deviation == 0
    assert figures.Spread((0.9, 0.7)).standard_deviation == pytest.approx(0.1 * 2**0.5)


def test_parts_that_were_measured_anew_replace_the_old_ones():
    old = Figures(forms=(Form("a", Count(1, 2), 0),), negatives=(Row("b", Count(1, 2)),))
    new = Figures(forms=(Form("a", Count(2, 2), 0),))
    assert old.updated(new) == replace(old, forms=new.forms)


def test_the_expected_accuracy_is_that_on_the_test_images_if_there_is_one():
    validation, test = (accuracy(right, 1, right_where_certain=0) for right in (5, 7))
    assert Figures().expected is None
    assert Figures(validation=validation).expected == Count(5, 6)
    assert Figures(validation=validation, test=test).expected == Count(7, 8)


def test_the_figures_come_back_from_json_as_they_were():
    shipped = load_weights().figures
    assert Figures.from_json(json.loads(json.dumps(shipped.to_json()))) == shipped
    assert Figures().to_json() == {}


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (None, "Figures must be an object"),
        ({"tests": {}}, "Figures has no member tests"),
        ({"forms": {}}, "Figures.forms must be of type"),
        ({"negatives": [{"name": "a"}]}, "Row must have a member count"),
        ({"negatives": [{"name": 1, "count": {"right": 1, "total": 2}}]}, "Row.name must be of type str"),
        ({"negatives": [{"name": "a", "count": {"right": True, "total": 2}}]}, "Count.right must be of type int"),
        ({"negatives": [{"name": "a", "count": {"right": 3, "total": 2}}]}, "3 of 2 is not a count"),
        ({"test": {"confusion": [], "uncertain": 0, "no_digit": 0, "right_where_certain": 0}}, "10 rows"),
    ],
)
def test_other_json_is_refused(value, fault):
    with pytest.raises(ValueError, match=fault):
        Figures.from_json(value)


def test_every_setting_of_training_is_kept():
    assert TrainingSettings.from_json(asdict(Settings())).to_json().keys() == asdict(Settings()).keys() - {"fold"}
