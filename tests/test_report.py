"""Coordinates of drawings, in percent of their width or height."""

import re

import pytest

from digit_recognizer_dl_model.counts import Accuracy, Count
from digit_recognizer_dl_model.figures import Change, Row
from digits.charts import Scale, end_of_scale, intervals, rows_of_mistakes, stacked
from digits.failure_report import varied
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
    assert [(row["name"], row["value"], row["bar"], row["worst"]) for row in rows_of_mistakes(rows, 0.1, 0)] == [
        ("as drawn", "0\u00a0%", "0.00", False),
        ("turned", "4\u00a0%", "40.00", False),
        ("blurred", "8\u00a0%", "80.00", True),
    ]


@pytest.mark.parametrize(("decimals", "value", "bar"), [(0, "33\u00a0%", "33.00"), (1, "33.3\u00a0%", "33.30")])
def test_a_bar_is_as_long_as_its_rounded_number_says(decimals, value, bar):
    [row] = rows_of_mistakes([Row("three", Count(2, 3))], 1, decimals)
    assert (row["value"], row["bar"]) == (value, bar)


def test_a_scale_has_room_for_all_and_few_mistakes_make_no_long_bar():
    assert end_of_scale([Count(499, 500), Count(500, 500)]) == 0.01
    assert end_of_scale([Count(499, 500), Count(79, 100)]) == 0.25
    assert end_of_scale([Count(0, 500)]) == end_of_scale([Count(75, 100), Count(0, 1)]) == 1
    assert end_of_scale([]) == 0.01
    assert not rows_of_mistakes([Row("zero", Count(500, 500))], 0.01)[0]["worst"]


def test_intervals_lie_where_their_labels_say():
    [row] = intervals({"images": Count(9960, 10_000)}, Scale(0.99, 0.002))["rows"]
    assert (row["value"], row["x"]) == ("99.60\u00a0%", "60.00")
    low, high = (float(text) for text in re.findall(r"[\d.]+", row["interval"]))
    assert (float(row["low"]), float(row["high"])) == pytest.approx((100 * (low - 99), 100 * (high - 99)))


def test_pictures_that_show_the_same_come_as_late_as_they_can():
    examples = [{"shown": shown} for shown in "aabac"]
    assert "".join(example["shown"] for example in varied(examples)) == "abcaa"


def test_changes_are_shown_in_their_groups():
    changes = [Change("turned", Count(9, 10), "Place"), Change("bitten", Count(1, 10), "Dogs")]
    described = describe_robustness(changes, 1)
    groups = {title: [row["name"] for row in rows] for title, rows in described["groups"].items()}
    assert groups == {"Place": ["turned"], "Dogs": ["bitten"]}
    assert described["worst"] == {"name": "bitten", "wrong": "90.00\u00a0%"}


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
