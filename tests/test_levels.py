"""Paper and ink are told apart wherever the ink is, and even paper from paper in light and shadow."""

import numpy as np
import pytest
from PIL import Image

from digits import pictures
from digits.pictures import levels

from .pictures import SEVEN, TWO, drawing

EIGHT = [(0.3, 0.2), (0.7, 0.2), (0.7, 0.5), (0.3, 0.5), (0.3, 0.8), (0.7, 0.8), (0.7, 0.5), (0.3, 0.5), (0.3, 0.2)]
ONE = [(0.5, 0.2), (0.5, 0.8)]


def cropped(stroke: list, side: int, margin: float, ink: int, paper: int) -> Image.Image:
    """A drawing cropped to its ink and a margin, in fractions of its longer side."""
    picture = drawing([stroke], side=side, pen=max(1, side // 14), ink=255, paper=0)
    left, top, right, bottom = picture.getbbox()
    more = round(margin * max(right - left, bottom - top))
    inked = np.asarray(picture.crop((left - more, top - more, right + more, bottom + more)))
    return Image.fromarray(np.where(inked > 0, ink, paper).astype(np.uint8))


@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (255, 0), (90, 140)], ids=["dark", "light", "of little contrast"])
@pytest.mark.parametrize("side", [24, 40, 150, 700])
@pytest.mark.parametrize("stroke", [TWO, SEVEN, EIGHT], ids=["two", "seven", "eight"])
def test_the_margin_does_not_matter(stroke, side, ink, paper):
    whole = pictures.prepare_image(cropped(stroke, side, 0.3, ink, paper)).astype(int)
    for margin in (0, 0.02, 0.05, 0.1):
        prepared = pictures.prepare_image(cropped(stroke, side, margin, ink, paper)).astype(int)
        assert np.abs(prepared - whole).mean() < 4, margin


def test_a_slanted_one_that_fills_the_picture_is_not_its_own_paper():
    picture = cropped([(0.45, 0.8), (0.55, 0.2)], 100, 0, 0, 255)
    assert levels.levels_of(np.asarray(picture, np.float32)).is_dark


def test_a_soft_edge_is_neither_paper_nor_noise():
    soft = drawing([EIGHT], side=200, pen=16).crop((50, 32, 150, 168)).resize((12, 16), Image.Resampling.BOX)
    found = levels.levels_of(np.asarray(soft, np.float32))
    assert found.paper > 245
    assert found.noise < 5


@pytest.mark.parametrize("is_shadowed", [False, True])
def test_a_shadow_in_a_corner_is_no_ink_on_even_paper(is_shadowed):
    luminance = np.asarray(drawing([TWO], ink=40, paper=230), np.float32).copy()
    if is_shadowed:
        luminance[:110, :70] *= 0.5
    assert levels.has_even_paper(luminance) is not is_shadowed


def test_salt_and_pepper_is_not_even_paper():
    luminance = np.asarray(drawing([TWO]), np.float32).copy()
    luminance[np.random.default_rng(1).random(luminance.shape) < 0.02] = 0
    assert not levels.has_even_paper(luminance)


def test_a_stroke_along_the_edge_is_kept():
    prepared = pictures.prepare_image(drawing([TWO], side=300, pen=20).crop((80, 40, 300, 246)))
    foot = prepared[22:24]
    assert np.count_nonzero(foot.max(axis=0) > 128) > 12


@pytest.mark.parametrize(
    ("box", "least", "is_even"),
    [((7, 4, 22, 25), 1, True), ((0, 0, 28, 28), 1, True), ((0, 0, 28, 28), 0.6, False)],
    ids=["filling the picture", "with paper around", "lit from a side"],
)
def test_the_soft_edges_of_what_is_enlarged_are_told_from_uneven_paper(box, least, is_even):
    tile = drawing([EIGHT], pen=30, ink=60, paper=220).resize((28, 28), Image.Resampling.BOX).crop(box)
    size = 7 * tile.width, 7 * tile.height
    luminance = np.asarray(tile.resize(size, Image.Resampling.BICUBIC), np.float32)
    luminance = luminance * np.linspace(least, 1, size[0], dtype=np.float32)
    assert levels.has_even_paper(luminance) is is_even
    assert levels.has_one_level(luminance) is is_even


@pytest.mark.parametrize("side", [28, 40, 56])
@pytest.mark.parametrize("margin", [0.05, 0.3])
def test_a_small_picture_may_be_shaded(side, margin):
    picture = cropped(TWO, 400, margin, 40, 220)
    size = [max(1, round(length * side / max(picture.size))) for length in picture.size]
    small = picture.resize(size, Image.Resampling.BOX)
    shaded = Image.fromarray((np.asarray(small) * np.linspace(0.5, 1, size[0])).astype(np.uint8))
    prepared, whole = (pictures.prepare_image(each).astype(int) for each in (shaded, small))
    assert np.abs(prepared - whole).mean() < 12
