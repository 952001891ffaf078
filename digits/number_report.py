"""The part of the page `/model/` about whole numbers: how they are read, how often right, and what is read wrong."""

from itertools import groupby

import numpy as np

from digit_recognizer_dl_model.figures import NumberFigures, in_order

from .canaries import PEN, STROKES, points
from .charts import image_of, misread, percent, rows_of_mistakes
from .pictures import DrawingSheet
from .pictures.drawing import Stroke
from .recognizer import line_reader, read_line

EXAMPLE = "1984"
DISTANCE = 0.6  # of a digit's pad, from one to the next


def number_figures() -> NumberFigures | None:
    """What was measured of the shipped network that reads lines."""
    return line_reader().weights.figures.numbers


def describe_numbers(end: float) -> dict | None:
    """The context of the part for that network; None where nothing was measured. `end` is that of the bars' scale."""
    weights, figures = line_reader().weights, number_figures()
    if not figures:
        return None
    failures = describe_failures(figures)
    examples = {group["name"]: group["examples"][0] for group in failures}
    lowest = in_order(figures.sets)[0]
    return {
        "kinds": [
            {"name": kind.name, "right": percent(kind.count.fraction, 1), "example": examples[kind.name]}
            for kind in figures.sets
            if kind.name in examples
        ],
        "right": percent(figures.sets[0].count.fraction, 1),
        "worst": {"name": lowest.name, "wrong": percent(lowest.count.wrong_fraction, 1)},
        "example": describe_example(),
        "parameters": f"{weights.parameters:,}",
        "rows": rows_of_mistakes(figures.sets, end, decimals=1),
        "error": percent(figures.calibration_error),
        "uncertain_below": percent(weights.uncertain_below, 1),
        "failures": failures,
    }


def describe_example() -> dict:
    """A drawn number as the strip that the network sees, and where in it the digits are read."""
    strokes = [
        Stroke(np.array([(x + DISTANCE * place, y) for x, y in points(stroke)]), PEN)
        for place, digit in enumerate(EXAMPLE)
        for stroke in STROKES[int(digit)]
    ]
    [strip] = DrawingSheet(strokes, (DISTANCE * len(EXAMPLE) + 0.4, 1)).lines()
    reading = read_line([strip.ink])
    return {
        "image": image_of(strip.ink),
        "width": strip.ink.shape[1],
        "digits": [
            {"digit": int(symbol), "x": round(place, 1)}
            for symbol, place in zip(reading.symbols, reading.places.tolist(), strict=True)
        ],
    }


def describe_failures(figures: NumberFigures) -> list[dict]:
    """Examples of numbers that are read wrong, by the set that they come from."""
    return [
        {
            "name": name,
            "examples": [
                misread(
                    failure.ink,
                    f"The handwritten number {failure.shown}" if is_number else "A picture of no number",
                    failure.shown,
                    failure.answer or "nothing",
                    failure.is_uncertain,
                )
                for failure in failures
                for is_number in [failure.shown.isdigit()]
            ],
        }
        for name, failures in groupby(figures.failures, key=lambda failure: failure.group)
    ]
