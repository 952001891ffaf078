"""Whole numbers: the lines of a picture or a drawing are read, and a single digit as ever."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from digit_recognizer_dl_model.strip import OTHER

from . import pictures
from .event_loop import leave_if
from .pictures import Budget, DrawingSheet, PictureSheet, centring
from .pictures.characters import cut_around
from .pictures.strips import Strip
from .recognizer import (
    LineReading,
    Prediction,
    Reading,
    count,
    likeliest,
    line_reader,
    lines_version,
    read_line,
    recognize_uncounted,
)
from .refusals import Blank, Refusal
from .second_look import ANOTHER, reconsidered
from .stages import stage
from .traffic import prometheus

MAX_DIGITS, MAX_LINES = 32, 20  # of a line, of a number
WIDEST_DIGIT = 1.5  # times its height
MOST_PARTS = 4  # digits that are read in the parts of a single broken digit, at most
PIXEL_SECONDS = 2e-5  # that a pixel along a strip takes to be read, usually

SURE = 0.93  # confidence from which the lines that were found are enough
OTHER_SIZES = 26, 33  # pixels that the digits of a line are high where it is looked at again
ALIKE = 1.4  # times the size of another crop of the same line
# The power of a mean over several strips: a mean of calibrated probabilities is too low (Ranjan & Gneiting 2010,
# doi:10.1111/j.1467-9868.2009.00726.x).
POOLED = 0.7

NO_NUMBER = "does not look like a number"
LETTERS = "has characters that are not digits"
TOO_LONG = f"has a line of more than {MAX_DIGITS} digits"
TOO_MANY = f"has more than {MAX_LINES} lines"
TOO_SMALL = "is too small to read"
COULD_BE = "could be "  # one number or another
# What the pages say of pictures that are not read.
REFUSED = {
    NO_NUMBER: "Not a number, as far as I can tell",
    LETTERS: "I see characters that are not digits",
    TOO_LONG: f"Too long: I read up to {MAX_DIGITS} digits in a line",
    TOO_MANY: f"Too many lines: I read up to {MAX_LINES}",
    TOO_SMALL: "Too small: draw larger, or crop the picture",
}

Box = tuple[float, float, float, float]  # left, top, width and height


class Digit(NamedTuple):
    """One digit of a number."""

    digit: int
    probabilities: list[float]  # of 0 to 9
    box: Box  # in pixels of the picture, or in the unit of the drawing's strokes

    @property
    def confidence(self) -> float:
        return self.probabilities[self.digit]

    @property
    def percent(self) -> float:
        """The confidence with one decimal, rounded down, so that only certainty reads 100 %."""
        return int(1000 * self.confidence) / 10


class Line(NamedTuple):
    """One line of a number."""

    digits: list[Digit]
    confidence: float  # that all of them are right
    others: int = 0  # characters that are not digits
    runner_up: str = ""  # the second likeliest string
    is_cut: bool = False  # whether it is longer than what was read
    strip: Strip | None = None  # in which its characters were read
    reading: LineReading | None = None

    @property
    def number(self) -> str:
        return "".join(str(digit.digit) for digit in self.digits)

    def pixels(self, place: int) -> np.ndarray:
        """The digit at a place as the network for single digits sees it, (28, 28) uint8, of a line that was read."""
        chosen = np.zeros(len(self.reading.symbols), bool)
        chosen[np.flatnonzero(self.reading.symbols != OTHER)[place]] = True
        return cut_around(self.strip.ink, self.strip.finer(), self.reading.places, chosen)[0]


class Number(NamedTuple):
    """What is read in a picture or a drawing.

    `single` is the reading of a single digit, where there is one or nothing else was found.
    """

    lines: list[Line]
    reason: str | None  # why it is uncertain
    size: tuple[float, float]  # the width and the height of the picture, in the unit of the boxes
    single: Reading | None = None

    @property
    def number(self) -> str:
        return "".join(line.number for line in self.lines)

    @property
    def digits(self) -> list[Digit]:
        return [digit for line in self.lines for digit in line.digits]

    def pixels(self, place: int) -> np.ndarray:
        """The digit at a place as the network for single digits sees it, (28, 28) uint8."""
        if self.single:
            return self.single.pixels
        for line in self.lines:
            if place < len(line.digits):
                return line.pixels(place)
            place -= len(line.digits)
        raise IndexError(place)

    def prediction(self, place: int) -> Prediction:
        """What was read at a place, as of a single digit."""
        if self.single:
            return self.single.prediction
        digit = self.digits[place]
        return Prediction(digit.digit, digit.probabilities, uncertain=False, reason=None)

    @property
    def box(self) -> Box:
        """The box of all digits, or of the whole sheet where there is none."""
        if not self.digits:
            return 0.0, 0.0, *self.size
        left, top, width, height = np.array([digit.box for digit in self.digits]).T
        x, y = left.min(), top.min()
        return float(x), float(y), float((left + width).max() - x), float((top + height).max() - y)

    @property
    def is_compact(self) -> bool:
        """Whether the digits together are no wider than a single one might be."""
        _, _, width, height = self.box
        return width <= WIDEST_DIGIT * height

    @property
    def confidence(self) -> float:
        return float(np.prod([line.confidence for line in self.lines])) if self.lines else 0.0

    @property
    def percent(self) -> float:
        return int(1000 * self.confidence) / 10

    @property
    def uncertain(self) -> bool:
        return self.reason is not None

    @property
    def is_refused(self) -> bool:
        """Whether it is not read at all; otherwise it is sure, or between two numbers."""
        return self.uncertain and not self.reason.startswith(COULD_BE)

    @property
    def members(self) -> dict:
        """What a program is told of a picture."""
        return {
            "number": self.number,
            "confidence": self.confidence,
            "uncertain": self.uncertain,
            "reason": self.reason,
            "digits": [
                {
                    "digit": digit.digit,
                    "confidence": digit.confidence,
                    "probabilities": digit.probabilities,
                    "box": [round(side, 4) for side in digit.box],
                }
                for digit in self.digits
            ],
            "lines": [{"number": line.number, "confidence": line.confidence} for line in self.lines],
            "weights_version": lines_version(),
        }

    @property
    def verdict(self) -> str:
        """The answer in words."""
        if self.reason in REFUSED:
            return REFUSED[self.reason]
        if self.single:
            return self.single.prediction.verdict
        if self.uncertain:
            return f"{self.reason.removeprefix(COULD_BE)}?"
        return " ".join(line.number for line in self.lines)


def read_all(
    items: Sequence[bytes | np.ndarray | Refusal],
    budget: Budget | None = None,
    tell_read: Callable[[int], None] = lambda count: None,
) -> list[Number | Refusal]:
    """Read the number in each item and note why it is refused if it is; the order is kept.

    items: encoded pictures, prepared pixels (28, 28) uint8, or refusals from an earlier step, which stay as they are.
    budget: what the pictures may cost together. tell_read: called after each item with the number of those done.
    """
    leave_if(True)
    numbers = []
    for item in items:
        numbers.append(read_or_refuse(item, budget))
        tell_read(len(numbers))
    return numbers


def read_or_refuse(item: bytes | np.ndarray | Refusal, budget: Budget | None = None) -> Number | Refusal:
    """The number in an item of a batch, or why there is none."""
    if isinstance(item, Refusal):
        return item
    try:
        if isinstance(item, bytes):
            return read_number(pictures.sheet_of_picture(item, budget), budget)
        return counted(single_digit(item, item.shape, tuple(map(float, centring.box(item)))))
    except Refusal as refusal:
        return refusal.to_keep()


def read_number(sheet: PictureSheet | DrawingSheet, budget: Budget | None = None) -> Number:
    """Read the number on a sheet and count that.

    Raises Blank where nothing is on it, TooLarge where `budget` is spent.
    """
    return counted(read_uncounted(sheet, budget))


def read_uncounted(sheet: PictureSheet | DrawingSheet, budget: Budget | None = None) -> Number:
    """Like `read_number`, but not counted in /metrics.

    The lines that are found are read first. What is one digit, or may be, is read as a single one. Where the answer is
    not sure, the lines are read once more in several sizes together, and the whole sheet as one line, which needs no
    gaps in the ink. The surer reading counts.
    """
    with stage("prepare"):
        strips = sheet.lines()
    if len(strips) > MAX_LINES:
        return Number([], TOO_MANY, sheet.size)
    found = number_of(read_lines([[strip] for strip in strips], budget), sheet)
    if found.confidence >= SURE and not found.uncertain:
        answer = with_single(found, sheet)
        if not answer.uncertain:
            return answer
    leave_if(True)  # it takes several times as long
    with stage("prepare"):
        crops, whole = crops_of(sheet, strips)
    again, as_one = (number_of(read_lines(each, budget), sheet) for each in (crops, [whole] if whole else []))
    return with_single(max(again if again.lines else found, as_one, key=rank), sheet)


def number_of(lines: list[Line], sheet: PictureSheet | DrawingSheet) -> Number:
    return Number(lines, reason_of(lines), sheet.size)


def rank(number: Number) -> tuple[bool, float]:
    return number.reason != NO_NUMBER, number.confidence


def crops_of(sheet: PictureSheet | DrawingSheet, strips: list[Strip]) -> tuple[list[list[Strip]], list[Strip]]:
    """Each line that was found in other sizes, too, and the whole sheet as one line.

    If a single line fills the sheet, the sheet is another crop of that line.
    """
    sizes = [strips, *(sheet.lines(digit) for digit in OTHER_SIZES)]
    crops = [list(crop) for crop in zip(*sizes, strict=True)]
    whole = sheet.whole()
    if len(crops) == 1 and whole:
        alike = [strip for strip in whole if 1 / ALIKE < strip.matrix[0, 0] / strips[0].matrix[0, 0] < ALIKE]
        if alike:
            return [crops[0] + alike], []
    return crops, whole


def with_single(number: Number, sheet: PictureSheet | DrawingSheet) -> Number:
    """The number, or the reading of a single digit if that is surer or there is only one."""
    if len(number.digits) >= 2 and not number.uncertain and not number.is_compact:
        return number
    try:
        with stage("prepare"):
            candidates = sheet.candidates()
    except Blank:
        if not number.digits or number.reason == NO_NUMBER:
            raise
        return number
    single = single_digit(likeliest(candidates), sheet.size, number.box)
    if single.uncertain and (number.uncertain or len(number.digits) < 2) and sheet.is_tiny:
        return single._replace(reason=TOO_SMALL)
    if single.uncertain and number.reason == NO_NUMBER:
        is_between_two = not single.is_refused and number.is_compact
        return single if is_between_two else single._replace(lines=[], reason=NO_NUMBER)
    # The parts of a broken digit, which lie one above the other, may have been read as lines.
    is_in_parts = number.is_compact and len(number.lines) > 1 and len(number.digits) <= MOST_PARTS
    is_surer = not single.uncertain and (is_in_parts or single.confidence > number.confidence)
    is_surer |= is_in_parts and number.uncertain
    return single if len(number.digits) < 2 or is_surer else number


def single_digit(pixels: np.ndarray, size: tuple[float, float], box: Box) -> Number:
    """The single digit in prepared pixels, (28, 28) uint8, as a number on a sheet of that size."""
    [prediction] = recognize_uncounted(pixels[None])
    line = Line([Digit(prediction.digit, prediction.probabilities, box)], prediction.confidence)
    return Number([line], prediction.reason, size, Reading(pixels, prediction))


@stage("recognise")
def read_lines(lines: Sequence[Sequence[Strip]], budget: Budget | None) -> list[Line]:
    """What each line says, in one or several strips of it; lines without a character are left out.

    Raises TooLarge where `budget` is spent.
    """
    leave_if(len(lines) > 1)
    if budget:
        budget.spend(PIXEL_SECONDS * sum(strip.ink.shape[1] for strips in lines for strip in strips))
    read = (line_of(strips, read_line([strip.ink for strip in strips])) for strips in lines)
    return [line for line in read if line.digits or line.others]


def line_of(strips: Sequence[Strip], reading: LineReading) -> Line:
    """A reading as a line, with its boxes."""
    strip = strips[reading.strip]
    probabilities, factor = reconsidered(strip, reading)
    likeliest_columns = probabilities.argmax(axis=1)
    symbols = np.where(likeliest_columns == ANOTHER, OTHER, likeliest_columns)
    digits = [
        Digit(int(symbol), (row[:ANOTHER] / row[:ANOTHER].sum()).tolist(), box)
        for symbol, row, box in zip(symbols, probabilities, strip.boxes(reading.places), strict=True)
        if symbol != OTHER
    ]
    others = len(symbols) - len(digits)
    is_changed = (symbols != reading.symbols).any()
    runner_up = string_of(with_second_likeliest(digits) if is_changed else reading.runner_up)
    is_cut = strip.is_cut or len(digits) > MAX_DIGITS
    confidence = min(reading.confidence * factor, 1.0) ** (POOLED if len(strips) > 1 else 1)
    return Line(digits[:MAX_DIGITS], confidence, others, runner_up, is_cut, strip, reading._replace(symbols=symbols))


def with_second_likeliest(digits: Sequence[Digit]) -> list[int]:
    """The digits, where the least sure one is replaced by its second likeliest."""
    symbols = [digit.digit for digit in digits]
    if digits:
        place = int(np.argmin([digit.confidence for digit in digits]))
        symbols[place] = int(np.argsort(digits[place].probabilities)[-2])
    return symbols


def string_of(symbols: Sequence[int] | np.ndarray) -> str:
    """The digits among symbols."""
    return "".join(str(symbol) for symbol in symbols if symbol != OTHER)


def reason_of(lines: Sequence[Line]) -> str | None:
    """Why a number is uncertain; None if it is not. This is the rule "not sure" for numbers."""
    digits, others = sum(len(line.digits) for line in lines), sum(line.others for line in lines)
    if others >= digits:
        return NO_NUMBER
    if any(line.is_cut for line in lines):
        return TOO_LONG
    if others:
        return LETTERS
    confidences = [line.confidence for line in lines]
    if np.prod(confidences) >= line_reader().weights.uncertain_below:
        return None
    doubtful = lines[int(np.argmin(confidences))]
    return f"{COULD_BE}{doubtful.number} or {doubtful.runner_up}" if doubtful.runner_up else NO_NUMBER


def counted(number: Number) -> Number:
    if number.single:
        count([number.single.prediction])
    prometheus.NUMBERS.labels("uncertain" if number.uncertain else "certain").inc()
    return number
