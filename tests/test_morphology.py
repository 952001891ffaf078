"""The filters against what their definitions say, pixel by pixel."""

import numpy as np
import pytest

from digits.pictures.morphology import closing_of_rows, components, dilate, erode, opening, opening_of_rows


@pytest.fixture
def values():
    return np.random.default_rng(1).normal(size=(2, 9, 12))


def squares(values: np.ndarray, size: int) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(values, (size, size), axis=(-2, -1))


@pytest.mark.parametrize("size", [1, 2, 3, 6, 9])
def test_dilation_and_erosion_take_the_extremes_of_each_square(values, size):
    assert (dilate(values, size) == squares(values, size).max(axis=(-2, -1))).all()
    assert (erode(values, size) == squares(values, size).min(axis=(-2, -1))).all()


@pytest.mark.parametrize("across_border", [False, True])
def test_opening_takes_away_a_peak_narrower_than_the_square_and_keeps_a_broader_one(across_border):
    values = np.zeros((20, 20))
    values[5:8, 9] = 2
    values[12:17, 4:9] = 3
    opened = opening(values, 5, across_border)
    assert (opened[:11] == 0).all()
    assert (opened[11:] == values[11:]).all()


def test_only_across_the_rim_does_opening_keep_a_narrow_peak_along_it():
    values = np.zeros((20, 20))
    values[:2] = 1
    assert (opening(values, 5, across_border=True) == values).all()
    values = np.zeros((20, 20))
    values[1:3] = 1
    assert (opening(values, 5, across_border=False) == 0).all()


@pytest.mark.parametrize("across_border", [False, True])
def test_opening_never_adds_and_a_second_one_changes_nothing(values, across_border):
    opened = opening(values, 3, across_border)
    assert (opened <= values).all()
    assert (opening(opened, 3, across_border) == opened).all()


def test_components_touch_by_sides_or_corners():
    mask = np.array([[1, 0, 0, 1], [0, 1, 0, 1], [0, 0, 0, 0], [1, 1, 1, 0]], bool)
    numbers = components(mask)
    assert ((numbers > 0) == mask).all()
    assert numbers[0, 0] == numbers[1, 1]
    assert numbers[0, 3] == numbers[1, 3]
    assert (numbers[3, :3] == numbers[3, 0]).all()
    assert len(np.unique(numbers)) == 4


def test_a_long_winding_component_is_one():
    mask = np.zeros((9, 9), bool)
    mask[::2] = True
    mask[1::4, -1] = mask[3::4, 0] = True
    assert len(np.unique(components(mask)[mask])) == 1


def runs(text: str) -> np.ndarray:
    return np.array([[character == "#" for character in row] for row in text.split()])


def test_runs_along_rows_are_opened_and_closed_by_their_length():
    mask = runs("##.###.# ####...#")
    np.testing.assert_array_equal(opening_of_rows(mask, 3), runs("...###.. ####...."))
    np.testing.assert_array_equal(closing_of_rows(mask, 1), runs("######## ####...#"))
    np.testing.assert_array_equal(closing_of_rows(mask, 3), runs("######## ########"))
    np.testing.assert_array_equal(opening_of_rows(mask, 1), mask)
