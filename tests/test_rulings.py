"""Rulings are found where they are, and nothing but they is erased."""

import numpy as np
import pytest

from digits.pictures import rulings

HEIGHT, WIDTH = 300, 400
X, Y = np.arange(WIDTH), np.arange(HEIGHT)[:, None]


def ruled(*lines: tuple[float, float], depth: float = 40, width: float = 2, noise: float = 0) -> np.ndarray:
    """Paper of 220 with lines, each told by its row in the middle and its slope."""
    paper = np.full((HEIGHT, WIDTH), 220, np.float32)
    for middle, slope in lines:
        beside = np.abs(Y - (middle + slope * (X + 0.5 - WIDTH / 2)))
        paper -= depth * (width / 2 + 0.5 - beside).clip(0, 1)
    return (paper + noise * np.random.default_rng(1).standard_normal(paper.shape)).astype(np.float32)


@pytest.mark.parametrize("slope", [0, 0.02, -0.05, 0.12])
@pytest.mark.parametrize("noise", [0, 4])
def test_rulings_are_found_where_they_are(slope, noise):
    lines = [(middle, slope) for middle in (60, 110, 160, 210)]
    found = sorted(rulings.find(ruled(*lines, noise=noise), noise))
    within = [line for line in found if 57 <= line[0] <= 213]
    assert np.array(within) == pytest.approx(np.array(lines), abs=2)


def test_a_single_ruling_counts_only_from_rim_to_rim():
    picture = ruled((150, 0.01))
    picture[100:200, 190:210] = 90  # a digit
    assert len(rulings.find(picture, 0)) == 1
    picture[:, :60] = picture[:, -60:] = 220  # the bar of a seven, say
    assert rulings.find(picture, 0) == []


def test_a_single_line_as_dark_as_the_digit_is_its_stroke():
    picture = ruled((150, 0.01), depth=130)
    picture[100:200, 190:210] = 90
    assert rulings.find(picture, 0) == []


@pytest.mark.parametrize("noise", [0, 5])
def test_paper_without_rulings_has_none(noise):
    assert rulings.find(ruled(noise=noise), noise) == []


def test_small_pictures_are_too_coarse_for_rulings():
    assert rulings.find(ruled((60, 0))[:100, :100], 0) == []


def test_erasing_leaves_the_paper_and_the_ink_that_crosses():
    lines = [(middle, 0.02) for middle in (60, 110, 160, 210)]
    paper, stroke = ruled(), np.abs(X - 200 - 0 * Y) < 6
    picture = np.where(stroke, 40, ruled(*lines)).astype(np.float32)
    erased = rulings.erase(picture, rulings.find(picture, 0), 0)
    assert np.abs(erased - paper)[np.abs(X - 200 - 0 * Y) > 12].max() < 5
    assert (erased[stroke] == 40).all()


def test_erasing_follows_uneven_light():
    light = np.linspace(0.5, 1, WIDTH, dtype=np.float32)
    lines = [(middle, 0) for middle in (60, 110, 160, 210)]
    picture = ruled(*lines) * light
    erased = rulings.erase(picture, rulings.find(picture, 0), 0)
    assert np.abs(erased - 220 * light).max() < 5


def test_sums_along_lines_are_those_of_the_definition():
    values = np.random.default_rng(2).integers(0, 9, (2, 20, 8))
    sums = rulings.radon(values)
    assert sums.shape == (8, 2, 20)
    assert (sums[0] == values.sum(axis=-1)).all()
    steepest = sum(values[:, column : column + 13, column] for column in range(8))
    assert (sums[7, :, :13] == steepest).all()


def test_a_long_line_is_found_where_no_ink_crosses_it():
    mask = np.zeros((60, 200), bool)
    mask[40:43] = True
    mask[10:55, 100:104] = True  # crosses it
    mask[20:41, 30:34] = True  # stands on it
    mask[12:15, 30:60] = True  # a stroke as long as those of digits
    lines = rulings.long_lines(mask)
    assert lines[40:43, :95].all()
    assert lines[40:43, 110:].all()
    assert not lines[:, 100:104].any()
    assert not lines[:39].any()
    assert not lines[44:].any()


@pytest.mark.parametrize("slope", [-0.05, 0.02, 0.08])
def test_a_long_line_need_not_be_level(slope):
    y, x = np.mgrid[:80, :300]
    mask = np.abs(y - 40 - slope * (x - 150)) < 2
    assert rulings.long_lines(mask)[mask].mean() > 0.9


def test_ink_without_a_long_line_has_none():
    mask = np.zeros((60, 200), bool)
    assert not rulings.long_lines(mask).any()
    mask[10:50, 20:24] = mask[10:13, 20:60] = mask[30:34, 80:150] = True
    assert not rulings.long_lines(mask).any()
