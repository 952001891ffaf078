"""Overlays and sheets of feature maps as PNG files, pixel by pixel."""

import io

import numpy as np
from PIL import Image

from digits.pictures import pngs


def decoded(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png))).astype(int)


def test_an_overlay_is_blue_for_orange_against_and_grey_elsewhere():
    pixels, relevance = np.zeros((28, 28), np.uint8), np.zeros((28, 28), np.float32)
    pixels[10:20, 10:20] = 255
    relevance[2:6, 2:6], relevance[22:26, 22:26], relevance[12:16, 12:16] = 0.5, -0.5, 0.25
    overlay = decoded(pngs.overlay(pixels, relevance))
    assert overlay.shape == (112, 112, 3)
    assert overlay[16, 16].tolist() == list(pngs.FOR)
    assert overlay[96, 96].tolist() == list(pngs.AGAINST)
    assert overlay[72, 72].tolist() == [255, 255, 255]
    assert overlay[16, 96].tolist() == [0, 0, 0]
    red, green, blue = overlay[56, 56]
    assert 100 < red < green < blue == 255


def test_an_overlay_of_nothing_is_the_picture():
    pixels = np.arange(784).reshape(28, 28).astype(np.uint8)
    overlay = decoded(pngs.overlay(pixels, np.zeros((28, 28), np.float32)))
    assert (overlay[::4, ::4] == pixels[..., None]).all()


def test_a_sheet_has_a_tile_for_each_feature_map_each_as_bright_as_it_gets():
    maps = np.zeros((10, 10, 11), np.float32)
    for channel in range(10):
        maps[channel, 3, channel] = 10.0**channel
    sheet = decoded(pngs.sheet(maps))
    assert sheet.shape == (2 * 11 - 1, 8 * 11 - 1)
    for channel in range(10):
        row, column = 11 * (channel // 8), 11 * (channel % 8)
        tile = np.zeros((10, 10))
        tile[channel, 3] = 255
        assert (sheet[row : row + 10, column : column + 10] == tile).all()
    assert (sheet[11:, 22:32] == 0).all()  # a map that is dark everywhere
    assert (sheet[10] == pngs.SHEET_GAP).all()
    assert (sheet[11:, 33:] == pngs.SHEET_GAP).all()
