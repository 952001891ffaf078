"""Coordinates of drawings, in percent of their width or height."""

import pytest

from digit_recognizer_dl_model.counts import Accuracy, Count
from digit_recognizer_dl_model.figures import Change, Row
from digits.charts import Scale, rows_of_mistakes, stacked
from digits.report import describe_confusion, describe_robustness


@pytest.mark.parametrize(
    ("fractions", "low", "marks"),
    [
        ([0.997, 0.9938], 0.99, ["99", "99.2", "99.4", "99.6", "99.8", "100"]),
        ([1, 0.98], 0.98, ["98", "98.5", "99", "99.5", "100"]),
        ([0.932], 0.9, ["90", "92", "94", "96", "98", "100"]),
        ([0.1, 1], 0, ["0", "20", "40", "60", "80", "100"]),
    ],
)
def test_a_scale_begins_as_late_as_its_fractions_allow(fractions, low, marks):
    scale = Scale.of(fractions)
    assert scale.low == low
    assert [mark["text"] for mark in scale.marks] == marks
    assert (scale.place(low), scale.place((1 + low) / 2), scale.place(1)) == ("0.00", "50.00", "100.00")
    assert [scale.marks[0]["x"], scale.marks[-1]["x"]] == ["0.00", "100.00"]


def test_dots_at_one_place_are_stacked():
    drawn = stacked(["10", "50", "50", "50"])
    assert drawn["height"] == 30
    assert [(dot["x"], dot["y"]) for dot in drawn["dots"]] == [("10", 25), ("50", 25), ("50", 15), ("50", 5)]


def test_bars_are_as_long_as_mistakes_are_many():
    rows = [Row("as drawn", Count(100, 100)), Row("turned", Count(96, 100)), Row("blurred", Count(92, 100))]
    assert [(row["name"], row["bar"], row["lowest"]) for row in rows_of_mistakes(rows)] == [
        ("as drawn", "0.00", False),
        ("turned", "50.00", False),
        ("blurred", "100.00", True),
    ]


def test_few_mistakes_make_no_long_bar_and_no_mistakes_no_lowest_row():
    assert rows_of_mistakes([Row("zero", Count(499, 500))])[0]["bar"] == "20.00"
    assert not rows_of_mistakes([Row("zero", Count(500, 500))])[0]["lowest"]


def test_changes_are_shown_in_their_groups():
    changes = [Change("turned", Count(9, 10), "Place"), Change("bitten", Count(1, 10), "Dogs")]
    described = describe_robustness(changes)
    groups = {title: [row["name"] for row in rows] for title, rows in described["groups"].items()}
    assert groups == {"Place": ["turned"], "Dogs": ["bitten"]}
    assert described["lowest"]["name"] == "bitten"


def answers(**wrong: int) -> Accuracy:
    """900 images of each digit, and these mistakes."""
    matrix = [[900 * (label == answer) for answer in range(10)] for label in range(10)]
    for name, count in wrong.items():
        label, answer = map(int, name.removeprefix("read_").split("_as_"))
        matrix[label][answer] = count
    return Accuracy(tuple(map(tuple, matrix)), 0, 0, 0)


def test_frequent_mistakes_have_a_strong_tint():
    drawn = describe_confusion(answers(read_4_as_9=8, read_9_as_4=4, read_1_as_7=1))
    tints = {(cell["label"], cell["answer"]): cell["tint"] for row in drawn["rows"] for cell in row if cell["tint"]}
    assert {cell: tint for cell, tint in tints.items() if tint != "hit"} == {
        (4, 9): "miss-4",
        (9, 4): "miss-2",
        (1, 7): "miss-1",
    }
    assert [cell for cell, tint in tints.items() if tint == "hit"] == [(digit, digit) for digit in range(10)]
    assert [mistake.images for mistake in drawn["frequent"]] == [8, 4, 1]


def test_a_network_without_mistakes_has_none_to_show():
    assert describe_confusion(answers())["frequent"] == ()
