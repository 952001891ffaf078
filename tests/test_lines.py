"""Synthetic lines: what they say, how they fit into strips, and the glyphs they are made of."""

import numpy as np
import pytest

from digit_recognizer_dl_model.strip import HEIGHT, MARGIN, NARROWEST, OTHER, STEP, columns_of
from digit_recognizer_dl_model.synthetic import lines
from digit_recognizer_dl_model.synthetic.glyphs import BOX, LINE_FORMS, enlarged, recorded, written
from digit_recognizer_dl_model.synthetic.lines import make_line, separators

from .training import RECORDINGS, few_digits


def test_glyphs_are_as_large_as_their_box(line_sources):
    for glyphs in line_sources:
        heights, widths = ((glyphs.ink > 60).any(axis=axis).sum(axis=1) for axis in (2, 1))
        assert (np.maximum(heights, widths) <= BOX + 2).all()
        assert np.median(np.maximum(heights, widths)) >= BOX - 3


def test_glyphs_keep_the_labels_of_what_they_are_made_of():
    digits, rng = few_digits(), np.random.default_rng(0)
    assert enlarged(digits).labels.tolist() == digits.labels.tolist()
    assert recorded(RECORDINGS, rng).labels.tolist() == [recording.label for recording in RECORDINGS]
    assert set(written(60, rng).labels.tolist()) <= set(range(10))


def test_every_digit_has_forms_for_lines():
    assert {form.digit for form in LINE_FORMS} == set(range(10))


@pytest.fixture(scope="module")
def made(line_sources):
    rng = np.random.default_rng(1)
    return [make_line(line_sources, rng) for _ in range(150)]


def test_lines_fill_strips_and_leave_their_margins_empty(made):
    for line in made:
        height, width = line.ink.shape
        assert height == HEIGHT
        assert (width - NARROWEST) % STEP == 0
        assert line.ink.dtype == np.float32
        assert 0 <= line.ink.min() <= line.ink.max() <= 1
        assert not line.ink[:, :MARGIN].any()
        assert not line.ink[:, -MARGIN:].any()


def test_lines_say_numbers_words_and_nothing(made):
    assert all(set(line.symbols.tolist()) <= {*range(10), OTHER} for line in made)
    kinds = {(len(line.symbols) > 0, OTHER in line.symbols) for line in made}
    assert kinds == {(False, False), (True, False), (True, True)}
    numbers = [line for line in made if len(line.symbols) and OTHER not in line.symbols]
    assert {len(line.symbols) for line in numbers} >= {1, 2, 3, 4, 5, 6}


def test_most_digits_have_columns_enough(made):
    fitting = [len(line.symbols) * 2 <= columns_of(line.ink.shape[1]) for line in made]
    assert np.mean(fitting) > 0.95


def test_a_seed_repeats_its_lines(line_sources):
    first, again = (make_line(line_sources, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first.ink, again.ink)
    np.testing.assert_array_equal(first.symbols, again.symbols)


def test_digits_stand_beside_each_other(line_sources, monkeypatch):
    """Glyphs that are a single column each are all to be seen, one to the right of the other."""

    def bars(glyphs, height, rng):
        tiles = np.zeros((len(glyphs), lines.TILE, lines.TILE), np.float32)
        tiles[:, 12:40, 26] = 0.9
        return tiles

    monkeypatch.setattr(lines, "warp", bars)
    monkeypatch.setattr(lines, "draw_mark", lambda canvas, name, x, *rest: x)
    rng = np.random.default_rng(2)
    for _ in range(20):
        chosen = lines.choose_glyphs(line_sources, rng)
        canvas = np.zeros((HEIGHT, 2000), np.float32)
        lines.compose(canvas, chosen, 28, rng)
        seen = np.flatnonzero((canvas == np.float32(0.9)).any(axis=0))
        assert len(seen) >= 0.6 * len(chosen.labels)


def test_thousands_are_separated_in_threes():
    rng = np.random.default_rng(0)
    seen = {tuple(bool(mark) for mark in separators(7, rng)) for _ in range(200)}
    assert (True, False, False, True, False, False, False) in seen
    assert (False,) * 7 in seen


@pytest.mark.parametrize("part", [lines.rulings, lines.boxes, lines.pattern, lines.shadow, lines.neighbours])
def test_paper_is_ink_of_the_shape_of_the_line(part):
    for seed in range(20):
        ink = part((HEIGHT, 130), 28, np.random.default_rng(seed))
        assert ink.shape == (HEIGHT, 130)
        assert ink.dtype == np.float32
        assert 0 <= ink.min() <= ink.max() <= 1
