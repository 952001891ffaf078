"""Strokes are fitted to a size, and drawn as thick as the pen is."""

import numpy as np
import pytest

from benchmarks.quality.strokes import draw_strokes, extent, fit

HOOK = [np.array([[3.0, 5], [3, 9]]), np.array([[3.0, 9], [5, 9]])]


def test_the_longer_side_is_fitted_and_the_shape_is_kept():
    fitted = fit(HOOK, 10)
    np.testing.assert_allclose(np.concatenate(fitted), [[0, 0], [0, 10], [0, 10], [5, 10]])
    np.testing.assert_allclose(extent(fitted), [5, 10])


def test_a_dot_stays_a_dot():
    np.testing.assert_array_equal(fit([np.array([[7.0, 8]])], 10), [[[0, 0]]])


@pytest.mark.parametrize("supersampling", [1, 4])
def test_a_stroke_is_as_thick_as_its_pen(supersampling):
    line = [np.array([[10.0, 10], [30, 10]])]
    picture = np.asarray(draw_strokes((40, 20), line, 4, supersampling=supersampling))
    assert picture.shape == (20, 40)
    assert (picture.min(), picture.max()) == (0, 255)
    assert (255 - picture[:, 20].astype(float)).sum() / 255 == pytest.approx(4, abs=0.6)


def test_chalk_is_drawn_on_a_dark_sheet():
    picture = np.asarray(draw_strokes((40, 20), [np.array([[10.0, 10], [30, 10]])], 4, ink=200, paper=30))
    assert (picture[10, 20], picture[0, 0]) == (200, 30)
