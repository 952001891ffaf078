"""Whole numbers in pictures and drawings: what is read, where, and how sure."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from digit_recognizer_dl_model.line_inference import Reading as LineReading
from digit_recognizer_dl_model.strip import OTHER
from digits import numbers, second_look
from digits.gallery import gallery
from digits.numbers import (
    LETTERS,
    NO_NUMBER,
    TOO_LONG,
    TOO_MANY,
    Digit,
    Line,
    Number,
    line_of,
    read_uncounted,
    reason_of,
)
from digits.pictures import DrawingSheet, PictureSheet
from digits.pictures.drawing import Stroke
from digits.pictures.sheets import without_underlines
from digits.pictures.strips import Strip
from digits.recognizer import read_line, recognize
from digits.refusals import Blank, TooLarge

from .pictures import drawing, number_picture, number_strokes


def sheet(picture: Image.Image) -> PictureSheet:
    return PictureSheet(np.asarray(picture))


def drawn(*lines: list[list], width: float = 3.0, height: float = 3.0) -> DrawingSheet:
    """A drawing of numbers, in heights of a digit, with a pen that is thick for them."""
    return DrawingSheet([Stroke(np.array(stroke), 0.12) for line in lines for stroke in line], (width, height))


def certain(digit: int, box: numbers.Box = (0.0, 0.0, 1.0, 1.0), confidence: float = 0.99) -> Digit:
    probabilities = [(1 - confidence) / 9] * 10
    probabilities[digit] = confidence
    return Digit(digit, probabilities, box)


@pytest.mark.parametrize("number", ["42", "1984", "007", "3600", "90210"])
@pytest.mark.parametrize(("ink", "paper"), [(30, 230), (240, 20)], ids=["dark", "light"])
def test_a_number_is_read_with_a_box_around_each_digit(number, ink, paper):
    read = read_uncounted(sheet(number_picture(number, ink=ink, paper=paper)))
    assert (read.number, read.uncertain) == (number, False)
    assert read.confidence > 0.5
    boxes = [digit.box for digit in read.digits]
    assert boxes == sorted(boxes)
    for left, top, width, height in boxes:
        assert 45 < height < 80
        assert 3 < width < 60
        assert 5 < top < 30
        assert 0 < left < read.size[0]


def test_the_boxes_are_in_the_pixels_of_a_picture_that_was_reduced():
    picture = np.asarray(number_picture("42"))
    [small], [large] = ([digit.box for digit in read_uncounted(PictureSheet(picture, by)).digits][:1] for by in (1, 4))
    assert np.array(large) == pytest.approx(4 * np.array(small))


def test_two_lines_are_read_from_top_to_bottom():
    read = read_uncounted(sheet(number_picture("1984", "2026")))
    assert [line.number for line in read.lines] == ["1984", "2026"]
    assert read.number == "19842026"
    assert read.verdict == "1984 2026"


def test_numbers_beside_each_other_are_read_from_left_to_right():
    table = Image.new("L", (700, 400), "white")
    for place, number in enumerate(["19", "84", "20", "26"]):
        row, column = divmod(place, 2)
        table.paste(number_picture(number), (20 + 380 * column, 40 + 150 * row - 12 * column))
    assert [line.number for line in read_uncounted(sheet(table)).lines] == ["19", "84", "20", "26"]


@pytest.mark.parametrize("index", [69, 1589, 8163])
@pytest.mark.parametrize("side", [28, 56, 84])
def test_the_arcs_of_a_wide_zero_are_no_lines_of_a_form(index, side):
    zero = Image.fromarray(gallery().pixels(index)).resize((side, side), Image.Resampling.BICUBIC)
    assert read_uncounted(sheet(zero)).number == "0"


def test_a_table_that_is_not_surely_read_is_no_single_digit(tiles):
    table = Image.new("L", (460, 400), "white")
    for place, number in enumerate(["1984", "2026", "2357"]):
        table.paste(number_picture(number), (20, 20 + 120 * place))
    ImageDraw.Draw(table).line((110, 160, 150, 225, 145, 165, 105, 225), fill="black", width=9)  # crosses out a digit
    read = read_uncounted(sheet(table))
    assert read.uncertain
    assert not read.single
    assert [line.number for line in read.lines][::2] == ["1984", "2357"]


def test_a_single_digit_is_read_as_ever(tiles):
    for tile in tiles[:20]:
        read = read_uncounted(PictureSheet(tile))
        prediction = recognize(tile)
        assert read.single
        assert read.single.prediction.digit == prediction.digit
        if prediction.is_refused:
            assert read.is_refused
        else:
            assert read.number == str(prediction.digit)
            assert read.verdict == prediction.verdict


def test_a_drawn_number_is_read_whatever_the_pen_fills():
    thin = drawn(number_strokes("1984"), width=4)
    thick = DrawingSheet([Stroke(np.array(stroke), 0.3) for stroke in number_strokes("1984")], (4, 3))
    assert [read_uncounted(each).number for each in (thin, thick)] == ["1984", "1984"]


def test_a_number_drawn_in_two_lines_is_read_from_top_to_bottom():
    read = read_uncounted(drawn(number_strokes("19"), number_strokes("84", corner=(0.1, 1.7))))
    assert [line.number for line in read.lines] == ["19", "84"]


def test_the_order_in_which_digits_are_drawn_does_not_matter():
    strokes = number_strokes("425")
    assert read_uncounted(drawn(strokes[::-1])).number == "425"


def test_a_number_that_is_underlined_is_read():
    line = np.array([(0.1, 1.1), (2.9, 1.16)])
    assert read_uncounted(drawn(number_strokes("177"), [line])).number == "177"


@pytest.mark.parametrize("foot", [0.6, 4.0], ids=["as long as usual", "that slipped off the pad"])
def test_the_foot_of_a_two_is_no_underline(foot):
    two = [[(0, 0.2), (0.2, 0), (0.45, 0.15), (0.1, 0.9)], [(0, 0.98), (foot, 1.0)]]
    strokes = [np.add(stroke, 0.5) for stroke in two]
    assert len(without_underlines([Stroke(stroke, 0.1) for stroke in strokes])) == 2


@pytest.mark.parametrize("height", [69, 74])
def test_a_number_on_a_line_as_dark_as_its_ink_is_read(height):
    picture = number_picture("17420")
    ImageDraw.Draw(picture).line((0, height, picture.width, height + 4), fill="black", width=4)
    read = read_uncounted(sheet(picture))
    assert (read.number, read.uncertain) == ("17420", False)


def framed(*pictures: Image.Image) -> PictureSheet:
    """Pictures of the same size beside each other, each in a frame."""
    width, height = pictures[0].size
    together = Image.new("L", (len(pictures) * width + 20, height + 20), "white")
    for place, picture in enumerate(pictures):
        left = 10 + place * width
        together.paste(picture, (left, 10))
        ImageDraw.Draw(together).rectangle((left, 10, left + width, 10 + height), outline="black", width=3)
    return sheet(together)


@pytest.mark.parametrize("parts", [["17420"], list("17420")], ids=["together", "each"])
def test_the_digits_in_frames_are_read(parts):
    assert read_uncounted(framed(*(number_picture(part) for part in parts))).number == "17420"


@pytest.mark.parametrize("count", [1, 4])
def test_empty_frames_are_no_number(count):
    try:
        read = read_uncounted(framed(*(Image.new("L", (100, 90), "white") for _ in range(count))))
    except Blank:
        return
    assert read.is_refused


def test_the_boxes_of_a_drawing_are_in_the_unit_of_its_strokes():
    read = read_uncounted(drawn(number_strokes("42", corner=(0.5, 0.7))))
    assert read.number == "42"
    left, top, _, height = read.digits[0].box
    assert (left, top, height) == pytest.approx((0.5, 0.7, 1), abs=0.15)


@pytest.mark.parametrize(
    "empty",
    [PictureSheet(np.full((60, 300), 230, np.uint8)), DrawingSheet([Stroke(np.array([[3, 3], [4, 3]]), 0.1)], (2, 1))],
)
def test_where_nothing_is_drawn_there_is_no_number(empty):
    with pytest.raises(Blank):
        read_uncounted(empty)


def test_scribbles_are_no_number():
    rng = np.random.default_rng(3)
    lines = [rng.random((12, 2)).tolist() for _ in range(3)]
    read = read_uncounted(sheet(drawing(lines, pen=6)))
    assert read.uncertain


def test_a_picture_of_noise_is_answered_quickly_and_not_sure():
    noise = np.random.default_rng(5).integers(0, 256, (400, 640), np.uint8)
    try:
        read = read_uncounted(PictureSheet(noise))
    except Blank:
        return
    assert read.uncertain


def test_reading_costs_part_of_what_a_request_may_cost():
    class Spent:
        def spend(self, seconds: float) -> None:
            assert seconds > 0
            raise TooLarge("no time is left")

    with pytest.raises(TooLarge, match="no time is left"):
        read_uncounted(sheet(number_picture("42")), Spent())


def test_more_than_the_most_lines_are_not_taken_for_a_number():
    rows = [str(row % 10) * 3 for row in range(numbers.MAX_LINES + 4)]
    read = read_uncounted(sheet(number_picture(*rows, height=24, pen=3)))
    assert (read.number, read.reason) == ("", TOO_MANY)
    assert read.verdict == "Too many lines: I read up to 20"


def test_a_line_of_more_than_the_most_digits_is_not_sure():
    read = read_uncounted(sheet(number_picture("1234567890" * 4, height=24, pen=3)))
    assert read.reason == TOO_LONG
    assert len(read.digits) <= numbers.MAX_DIGITS


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([Line([certain(4), certain(2)], 0.99)], None),
        ([Line([certain(4), certain(2)], 0.1, runner_up="47")], "could be 42 or 47"),
        ([Line([certain(4)], 0.99), Line([certain(2)], 0.1, runner_up="7")], "could be 2 or 7"),
        ([Line([certain(4), certain(2)], 0.1)], NO_NUMBER),
        ([Line([certain(4), certain(2)], 0.99, others=1)], LETTERS),
        ([Line([certain(4), certain(2)], 0.99, others=2)], NO_NUMBER),
        ([Line([certain(4), certain(2)], 0.99, is_cut=True)], TOO_LONG),
        ([], NO_NUMBER),
    ],
)
def test_the_rule_not_sure_for_numbers(lines, reason):
    assert reason_of(lines) == reason


@pytest.mark.parametrize(
    ("reason", "verdict"),
    [
        (None, "42"),
        ("could be 42 or 47", "42 or 47?"),
        (NO_NUMBER, "Not a number, as far as I can tell"),
    ],
)
def test_the_verdict_says_the_number_or_why_not(reason, verdict):
    assert Number([Line([certain(4), certain(2)], 0.9)], reason, (1, 1)).verdict == verdict


def test_the_confidence_of_a_number_is_that_of_all_its_lines():
    read = Number([Line([certain(4)], 0.9), Line([certain(2)], 0.8)], None, (1, 1))
    assert read.confidence == pytest.approx(0.72)
    assert read.percent == 72.0
    assert [line["confidence"] for line in read.members["lines"]] == [0.9, 0.8]


def test_the_box_of_a_number_is_around_all_its_digits():
    read = Number([Line([certain(4, (1, 2, 3, 4)), certain(2, (5, 1, 2, 4))], 0.9)], None, (10, 8))
    assert read.box == (1, 1, 6, 5)
    assert Number([], NO_NUMBER, (10, 8)).box == (0, 0, 10, 8)


def reading_with(strip: Strip, place: int, probabilities: list[float]) -> LineReading:
    """What the network for lines says of a strip, but with such probabilities of one character, and the likeliest."""
    reading = read_line([strip.ink])
    changed, symbols = reading.probabilities.copy(), reading.symbols.copy()
    changed[place] = probabilities
    symbols[place] = OTHER if np.argmax(probabilities) == 10 else np.argmax(probabilities)
    return reading._replace(symbols=symbols, probabilities=changed, confidence=0.6)


def between(digit: int, likeliness: float) -> list[float]:
    """Probabilities of a digit and, for the rest, of another character."""
    return [likeliness if other == digit else 0.0 for other in range(10)] + [1 - likeliness]


def test_what_may_be_a_letter_in_a_line_is_read_if_it_looks_like_a_digit_alone():
    [strip] = sheet(number_picture("1984")).lines()
    line = line_of([strip], reading_with(strip, 2, between(8, 0.3)))
    assert (line.number, line.others) == ("1984", 0)
    assert sum(one != other for one, other in zip(line.runner_up, "1984", strict=True)) == 1
    assert line.confidence > 0.6
    assert sum(line.digits[2].probabilities) == pytest.approx(1)


def test_what_looks_like_no_digit_alone_stays_another_character():
    cross = [np.array([[0.1, 0.1], [0.6, 0.9]]), np.array([[0.6, 0.1], [0.1, 0.9]]), np.array([[0.0, 0.5], [0.7, 0.5]])]
    [strip] = drawn(number_strokes("19"), [stroke + np.array([2.0, 0.5]) for stroke in cross]).lines()
    reading = read_line([strip.ink])
    last = len(reading.symbols) - 1
    line = line_of([strip], reading_with(strip, last, between(4, 0.4)))
    assert line.others == 1


def test_a_line_that_is_surely_read_is_not_looked_at_twice(monkeypatch):
    monkeypatch.delattr(second_look, "opinions")
    [strip] = sheet(number_picture("1984")).lines()
    reading = read_line([strip.ink])
    assert reading.probabilities.max(axis=1).min() > second_look.CERTAIN
    assert line_of([strip], reading).number == "1984"
