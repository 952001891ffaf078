"""Large pictures are reduced while they are decoded, or before there are floats of them."""

import io
import time

import numpy as np
import pytest
from PIL import Image

from digits import pictures
from digits.pictures import decode
from digits.refusals import UnusablePicture

from .bodies import PNG
from .pictures import SEVEN, drawing, encoded, with_chunk


def test_a_file_whose_header_says_one_size_and_its_pixels_another_is_damaged():
    with pytest.raises(UnusablePicture, match="damaged"):
        pictures.prepare(PNG[:33] + PNG[8:33].replace(b"\1\x18\0\0\1\x18", b"\1\x19\0\0\1\x19") + PNG[33:])


@pytest.mark.parametrize("side", [1601, 3199, 3200, 3300, 4000, 8000])
def test_a_large_jpeg_is_reduced_and_keeps_1600_pixels(side):
    data = encoded(Image.new("L", (side, 40), "white"), "JPEG")
    assert 1600 <= decode.decode(data).shape[1] <= 3200


@pytest.mark.parametrize(
    ("mode", "colours"),
    [
        ("1", (0, 1)),
        ("L", (0, 255)),
        ("P", (0, 255)),
        ("RGB", ((0, 0, 0), (255, 255, 255))),
        ("RGBA", ((0, 0, 0, 255), (0, 0, 0, 0))),
        ("LA", ((0, 255), (0, 0))),
        ("I;16", (0, 65_535)),
    ],
)
def test_a_large_picture_of_any_kind_is_reduced_before_it_is_float(mode, colours):
    ink, paper = colours
    picture = Image.new("L" if mode == "P" else mode, (3500, 3500), paper)
    picture.paste(ink, (1000, 700, 1400, 2800))
    luminance = decode.decode(encoded(picture.convert(mode), compress_level=1))
    assert luminance.shape == (1750, 1750)
    assert (luminance[1000, 600], luminance[1000, 900]) == (0, 255)


def test_a_large_picture_of_16_bits_keeps_its_transparent_value():
    picture = Image.new("I;16", (3500, 3500), 65_535)
    picture.paste(0, (1000, 700, 1400, 2800))
    luminance = decode.decode(with_chunk(encoded(picture, compress_level=1), b"tRNS", b"\0\0"))
    assert luminance.shape == (1750, 1750)
    assert luminance[1000, 600] != luminance[1000, 900]


def test_a_digit_of_a_fiftieth_of_a_photograph_keeps_its_pixels():
    photo = Image.new("RGB", (4000, 3000), "white")
    photo.paste("black", (2000, 1400, 2080, 1480))
    dark = decode.decode(encoded(photo, "JPEG", quality=90)) < 128
    assert dark.any(axis=0).sum() >= 32
    assert dark.any(axis=1).sum() >= 32


def test_a_jpeg_without_its_colours_has_the_luminance_that_its_colours_give():
    colours = Image.merge("RGB", [drawing(ink=ink, paper=paper) for ink, paper in ((20, 230), (40, 190), (90, 160))])
    data = encoded(colours, "JPEG", quality=90)
    with Image.open(io.BytesIO(data)) as picture:
        expected = np.asarray(picture.convert("L"), int)
    assert np.abs(decode.decode(data) - expected).max() <= 2


def test_a_photograph_of_12_megapixels_is_decoded_soon():
    data = encoded(drawing([SEVEN], side=4000, pen=300, mode="RGB").crop((0, 500, 4000, 3500)), "JPEG")

    def seconds() -> float:
        start = time.thread_time()
        decode.decode(data)
        return time.thread_time() - start

    assert min(seconds() for _ in range(3)) < 0.1
