"""Coordinates of drawings, in percent of their width or height."""

import pytest

from digits.report import Scale, describe_confusion, describe_robustness, rows_of_mistakes, stacked


@pytest.mark.parametrize(
    ("shares", "low", "marks"),
    [
        ([0.997, 0.9938], 0.99, ["99", "99.2", "99.4", "99.6", "99.8", "100"]),
        ([1, 0.98], 0.98, ["98", "98.5", "99", "99.5", "100"]),
        ([0.932], 0.9, ["90", "92", "94", "96", "98", "100"]),
        ([0.1, 1], 0, ["0", "20", "40", "60", "80", "100"]),
    ],
)
def test_a_scale_begins_as_late_as_its_shares_allow(shares, low, marks):
    scale = Scale.of(shares)
    assert scale.low == low
    assert [mark["text"] for mark in scale.marks] == marks
    assert (scale.place(low), scale.place((1 + low) / 2), scale.place(1)) == ("0.00", "50.00", "100.00")
    assert [scale.marks[0]["x"], scale.marks[-1]["x"]] == ["0.00", "100.00"]


def test_dots_at_one_place_are_stacked():
    drawn = stacked(["10", "50", "50", "50"])
    assert drawn["height"] == 30
    assert [(dot["x"], dot["y"]) for dot in drawn["dots"]] == [("10", 25), ("50", 25), ("50", 15), ("50", 5)]


def test_bars_are_as_long_as_mistakes_are_many():
    rows = rows_of_mistakes({"as drawn": 1.0, "turned": 0.96, "blurred": 0.92})
    assert [(row["name"], row["bar"], row["lowest"]) for row in rows] == [
        ("as drawn", "0.00", False),
        ("turned", "50.00", False),
        ("blurred", "100.00", True),
    ]


def test_few_mistakes_make_no_long_bar_and_none_no_lowest():
    assert rows_of_mistakes({"zero": 0.998})[0]["bar"] == "20.00"
    assert not rows_of_mistakes({"zero": 1.0})[0]["lowest"]


def test_an_unheard_of_change_is_told_among_the_others():
    groups = describe_robustness({"turned by 5 degrees": 0.9, "eaten by a dog": 0.1})["groups"]
    assert {title: [row["name"] for row in rows] for title, rows in groups.items()} == {
        "Place, turn and size": ["turned by 5 degrees"],
        "Other changes": ["eaten by a dog"],
    }


def test_the_more_often_digits_are_mistaken_the_stronger_the_tint():
    matrix = [[0] * 10 for _ in range(10)]
    matrix[4][4], matrix[4][9], matrix[9][4], matrix[1][7] = 900, 8, 4, 1
    drawn = describe_confusion(matrix)
    tints = {(cell["label"], cell["answer"]): cell["tint"] for row in drawn["rows"] for cell in row if cell["tint"]}
    assert tints == {(4, 4): "hit", (4, 9): "miss-4", (9, 4): "miss-2", (1, 7): "miss-1"}
    assert [mistake["count"] for mistake in drawn["frequent"]] == [8, 4, 1]


def test_a_network_without_mistakes_has_none_to_tell():
    matrix = [[7 * (label == answer) for answer in range(10)] for label in range(10)]
    assert describe_confusion(matrix)["frequent"] == []
