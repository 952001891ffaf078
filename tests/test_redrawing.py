"""Recorded digits drawn again to train on."""

import numpy as np

from digit_recognizer_dl_model.recordings import Recording
from digit_recognizer_dl_model.synthetic.redrawing import draw_recordings


def test_recordings_are_drawn_as_mnist_is_prepared():
    bar, dot = np.array([[10.0, 0], [10, 400]]), np.array([[3.0, 3]])
    drawn = draw_recordings(
        [Recording(1, 1, [bar]), Recording(7, 2, [bar, bar + 100]), Recording(0, 3, [dot])], np.random.default_rng(1)
    )
    assert drawn.labels.tolist() == [1, 7, 0]
    assert drawn.pixels.dtype == np.uint8
    assert drawn.pixels.max(axis=(1, 2)).tolist() == [255] * 3
    for pixels in drawn.pixels[:2]:
        rows = np.flatnonzero(pixels.any(axis=1))
        assert rows[-1] - rows[0] + 1 == 20


def test_each_drawing_of_a_recording_differs_and_a_seed_repeats_them():
    recordings = [Recording(1, 1, [np.array([[10.0, 0], [40, 90], [10, 400]])])] * 6
    drawn = draw_recordings(recordings, np.random.default_rng(1)).pixels
    assert len({pixels.tobytes() for pixels in drawn}) == 6
    np.testing.assert_array_equal(drawn, draw_recordings(recordings, np.random.default_rng(1)).pixels)
    thick = drawn.sum(axis=(1, 2))
    assert thick.max() > 1.5 * thick.min()
