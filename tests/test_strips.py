"""The lines of a picture: how many there are, what each strip shows, and where it lies in the picture."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from digit_recognizer_dl_model.strip import HEIGHT, NARROWEST, STEP
from digits.pictures import PictureSheet
from digits.pictures.characters import FINER
from digits.pictures.strips import Strip, depth_of, whole_strips

from .pictures import number_picture


def strips_of(picture: np.ndarray) -> list[Strip]:
    return PictureSheet(picture).lines()


def sheet(tiles: np.ndarray, rows: list[list[int]], scale: int = 2) -> Image.Image:
    """Tiles in rows, black on white, at twice their size."""
    width = max(map(len, rows)) * 26 + 30
    ink = np.zeros((len(rows) * 50 + 20, width), np.uint8)
    for y, row in enumerate(rows):
        for x, index in enumerate(row):
            part = ink[15 + 50 * y : 43 + 50 * y, 15 + 24 * x : 43 + 24 * x]
            np.maximum(part, tiles[index], out=part)
    return Image.fromarray(255 - ink).resize((scale * width, scale * len(ink)), Image.Resampling.BICUBIC)


def inked_columns(strip) -> int:
    return int((strip.ink > 100).any(axis=0).sum())


def left_and_right(strip) -> np.ndarray:
    """The columns of the picture between which the strip shows it."""
    columns = np.flatnonzero((strip.ink > 100).any(axis=0))[[0, -1]]
    return strip.matrix[0, 0] * columns + strip.matrix[0, 2]


@pytest.fixture
def line(tiles):
    return sheet(tiles, [[0, 1, 2, 3, 4]])


def test_a_line_of_digits_is_one_strip_with_empty_ends(line):
    [strip] = strips_of(np.asarray(line))
    assert strip.ink.shape[0] == HEIGHT
    assert (strip.ink.shape[1] - NARROWEST) % STEP == 0
    assert not strip.ink[:, :10].any()
    assert not strip.ink[:, -10:].any()
    rows = np.flatnonzero((strip.ink > 100).any(axis=1))
    assert 24 <= np.ptp(rows) <= 36


def test_light_digits_on_dark_paper_are_the_same_ink(line):
    [dark], [light] = (strips_of(each) for each in (np.asarray(line), 255 - np.asarray(line)))
    assert np.abs(dark.ink.astype(int) - light.ink).mean() < 3


def test_two_rows_are_two_strips_from_top_to_bottom(tiles):
    first, second = strips_of(np.asarray(sheet(tiles, [[0, 1, 2], [3, 4, 5, 6, 7]])))
    assert inked_columns(first) < inked_columns(second)
    assert (first.matrix @ [0, HEIGHT / 2, 1])[1] < (second.matrix @ [0, HEIGHT / 2, 1])[1]


def test_a_broken_eight_near_the_beginning_of_a_line_is_one_character():
    picture = Image.new("L", (240, 120), 255)
    draw = ImageDraw.Draw(picture)
    for loop in (20, 30, 44, 82), (58, 34, 84, 58), (56, 60, 86, 86), (110, 60, 134, 84), (160, 36, 184, 84):
        draw.ellipse(loop, outline=0, width=4)
    assert len(strips_of(np.asarray(picture))) == 1


@pytest.mark.parametrize("upper_loop", [(58, 30, 84, 50), (66, 30, 88, 50)])
def test_an_eight_in_two_loops_does_not_divide_its_line(upper_loop):
    picture = Image.new("L", (240, 120), 255)
    draw = ImageDraw.Draw(picture)
    for loop in (upper_loop, (54, 58, 80, 80), (20, 34, 44, 72), (110, 32, 134, 76), (160, 36, 184, 78)):
        draw.ellipse(loop, outline=0, width=4)
    assert len(strips_of(np.asarray(picture))) == 1


def test_a_rising_line_is_levelled(line):
    turned = line.rotate(8, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    [level], [risen] = (strips_of(np.asarray(each)) for each in (line, turned))
    assert abs(inked_columns(level) - inked_columns(risen)) < 0.2 * inked_columns(level)


def test_the_ink_of_a_strip_lies_where_the_matrix_says(line):
    picture = np.asarray(line)
    [strip] = strips_of(picture)
    rows, columns = np.nonzero(strip.ink > 200)
    x, y = strip.matrix @ [columns + 0.5, rows + 0.5, np.ones(len(rows))]
    assert (picture[y.astype(int), x.astype(int)] < 160).mean() > 0.9


def test_even_paper_has_no_lines():
    assert strips_of(np.full((60, 200), 230, np.uint8)) == []


@pytest.mark.parametrize("distance", [14, 60], ids=["squared", "lined"])
def test_rulings_hide_no_digits(line, distance):
    ruled = np.asarray(line).copy()
    ruled[::distance] = np.minimum(ruled[::distance], 170)
    if distance == 14:
        ruled[:, ::distance] = np.minimum(ruled[:, ::distance], 170)
    [plain], [found] = strips_of(np.asarray(line)), strips_of(ruled)
    assert abs(inked_columns(found) - inked_columns(plain)) < 0.1 * inked_columns(plain)


@pytest.mark.parametrize("slope", [0, 0.02, -0.03])
def test_a_line_as_dark_as_the_ink_that_some_digits_stand_on_hides_none(line, slope):
    picture = line.copy()
    ImageDraw.Draw(picture).line((0, 78, line.width, 78 + slope * line.width), fill=0, width=3)
    [ruled], [plain] = (strips_of(np.asarray(each)) for each in (picture, line))
    (left, right), (first, last) = left_and_right(ruled), left_and_right(plain)
    assert left < first + 2
    assert right > last - 2
    assert ruled.matrix[0, 0] == pytest.approx(plain.matrix[0, 0], rel=0.1)


def test_the_margin_of_a_page_is_no_digit(line):
    picture = line.copy()
    ImageDraw.Draw(picture).line((12, 0, 14, line.height), fill=0, width=3)
    [marked], [plain] = (strips_of(np.asarray(each)) for each in (picture, line))
    np.testing.assert_allclose(marked.matrix, plain.matrix)


def test_a_stroke_along_a_paler_line_stays(line):
    """Such as the foot of a two."""
    picture = line.copy()
    draw = ImageDraw.Draw(picture)
    draw.line((0, 78, line.width, 78), fill=110, width=3)
    draw.line((100, 78, 130, 78), fill=0, width=3)
    depth = depth_of(np.asarray(picture))
    assert depth[77:80, 102:129].min() > 150
    assert depth[77:80, 270:310].max() == 0


def test_a_finer_strip_shows_the_same_and_is_sharper():
    [strip] = strips_of(np.asarray(number_picture("1984", height=180, pen=20)))
    finer = strip.finer()
    assert finer.shape == (FINER * HEIGHT, FINER * strip.ink.shape[1])
    averaged = finer.reshape(HEIGHT, FINER, -1, FINER).mean(axis=(1, 3))
    assert np.abs(averaged - strip.ink).mean() < 2
    grey, finer_grey = (((each > 30) & (each < 220)).mean() for each in (strip.ink, finer))
    assert finer_grey < 0.8 * grey


def test_a_faint_pattern_is_no_line(line):
    patterned = np.asarray(line).copy()
    patterned[4:12, 5:60] = 200
    patterned[-12:-4, 80:130] = 200
    assert len(strips_of(patterned)) == 1


def test_a_sign_that_stands_high_does_not_turn_the_line(line):
    signed = np.pad(np.asarray(line), [(0, 0), (0, 80)], constant_values=255)
    signed[22:28, -70:-40] = signed[34:40, -70:-40] = 0  # the end of an amount
    [strip] = strips_of(signed)
    assert abs(strip.matrix[1, 0]) < 0.02 * strip.matrix[0, 0]


def test_more_parts_than_numbers_have_are_no_lines():
    blot = np.pad(np.zeros((6, 6), np.uint8), 3, constant_values=255)
    assert len(strips_of(np.tile(blot, (2, 8)))) == 2
    assert strips_of(np.tile(blot, (34, 53))) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 3), (5, 5)])
@pytest.mark.parametrize("level", [0, 255])
def test_a_picture_of_any_size_has_strips_or_none(shape, level):
    picture = np.full(shape, 255 - level, np.uint8)
    picture[0, 0] = level
    for strip in [*strips_of(picture), *whole_strips(depth_of(picture))]:
        assert strip.ink.shape[0] == HEIGHT


def test_the_whole_picture_is_a_line_in_several_sizes(line):
    strips = whole_strips(depth_of(np.asarray(line)))
    heights = [np.ptp(np.flatnonzero((strip.ink > 100).any(axis=1))) for strip in strips]
    assert heights == sorted(heights)
    assert heights[0] < heights[-1]


def test_a_line_that_is_too_long_is_cut_and_says_so(line):
    picture = np.asarray(line)[:, 24:-30]  # with little paper on both sides
    [whole] = strips_of(picture)
    [cut] = strips_of(np.hstack([picture] * 8))
    assert not whole.is_cut
    assert cut.is_cut
