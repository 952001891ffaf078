"""Pictures are prepared, refusals are noted, and only pictures that are read right are counted as right."""

import io
from types import SimpleNamespace

import numpy as np
from PIL import Image

from benchmarks.quality.reading import count_right, prepare_all
from digit_recognizer_dl_model.counts import Count

BLANK = Image.new("L", (40, 40), "white")
BAR = BLANK.copy()
BAR.paste(0, (18, 8, 22, 32))


def encoded(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def test_refused_pictures_are_noted_and_leave_no_pixels():
    pixels, refused = prepare_all([BAR, BLANK, encoded(BAR), b"not a picture"])
    assert (pixels.shape, pixels.dtype) == ((4, 28, 28), np.uint8)
    assert refused.tolist() == [False, True, False, True]
    assert pixels.any(axis=(1, 2)).tolist() == [True, False, True, False]
    np.testing.assert_array_equal(pixels[0], pixels[2])


def test_a_refused_picture_is_not_read_right():
    sevens = SimpleNamespace(probabilities=lambda pixels: np.repeat(np.eye(10)[[7]], len(pixels), axis=0))
    assert count_right(sevens, iter([(BAR, 7), (BAR, 1), (BLANK, 7)])) == Count(1, 3)
