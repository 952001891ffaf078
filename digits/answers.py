"""What the pages show of an answer: the number with its boxes, the prepared picture, the explanation."""

import base64
from collections.abc import Iterable

import numpy as np
from django.http import HttpRequest

from .forms import sent_frame, sent_pad
from .look_alikes import look_alikes_context
from .numbers import Digit, Number
from .pictures import centring, pngs
from .recognizer import Prediction, activity, explain

DOUBTFUL = 0.9  # confidence of a digit under which its box is marked


def number_context(request: HttpRequest, number: Number) -> dict:
    """A number as `_prediction.html` shows it: a single digit with its ten probabilities, others with their boxes.

    Nothing is told of the digits of a number that is refused.
    """
    if number.single:
        pixels, prediction = number.single
        return {"answer": number, "prediction": prediction, "prepared": prepared_context(pixels)}
    digits = [] if number.is_refused else number.digits
    doubtful = 0 if "live" in request.POST else DOUBTFUL
    boxes = boxes_context(digits, number.size, sent_pad(request), sent_frame(request), doubtful)
    return {"answer": number, "number": number, "digits": digits, "boxes": boxes, "doubtful": doubtful}


def boxes_context(
    digits: Iterable[Digit],
    size: tuple[float, float],
    pad: tuple[float, float],
    frame: tuple[float, ...] | None,
    doubtful: float,
) -> dict:
    """The boxes of digits as `_boxes.html` lays them over the pad, in hundredths of the pad's unit.

    size: the width and the height of the picture in which the boxes are told.
    frame: where on the pad that picture lies; a drawing's is in the unit, from the pad's corner.
    doubtful: the confidence under which a box is marked.
    """
    [width, height], (left, top) = pad, ((1 - pad[0]) / 2, (1 - pad[1]) / 2)
    frame_left, frame_top, frame_width, _ = frame or (left, top, width, height)
    scale = 100 * frame_width / size[0]
    boxes = []
    for digit in digits:
        x, y, box_width, box_height = (scale * length for length in digit.box)
        x, y = x + 100 * frame_left, y + 100 * frame_top
        place = {"x": x, "y": y, "width": box_width, "height": box_height, "label_y": y - 1.5}
        boxes.append(
            {name: round(length, 2) for name, length in place.items()}
            | {"digit": digit.digit, "is_doubtful": digit.confidence < doubtful}
        )
    view = [round(100 * length, 2) for length in (left, top, width, height)]
    return {"view": view, "digits": boxes, "font_size": 6}


def explained_digit(number: Number, place: int | None = None, meant: int | None = None) -> dict:
    """The explanation of one digit of a number as `_explanation.html` shows it, where another one can be chosen.

    place: of the digit; the least sure one is explained unless it is given. meant: what it is weighed against, if not
    the runner-up.
    """
    digits = number.digits
    if place is None or place >= len(digits):
        place = min(range(len(digits)), key=lambda index: digits[index].confidence)
    context = {"digits": digits, "place": place} if len(digits) > 1 else {}
    return context | explanation_context(number.pixels(place), number.prediction(place), meant=meant)


def explanation_context(
    pixels: np.ndarray, prediction: Prediction, index: int | None = None, meant: int | None = None
) -> dict:
    """The explanation of a prediction from prepared pixels, (28, 28) uint8, as `_explanation.html` shows it.

    index: of the tile whose pixels they are. meant: what it is weighed against, if not the runner-up.
    """
    explanation, computed = explain(pixels, prediction, meant), activity(pixels)
    return look_alikes_context(pixels, explanation.rival, index) | {
        "explanation": explanation,
        "overlay": base64_of(pngs.overlay(pixels, explanation.relevance)),
        "sheets": [{"png": base64_of(pngs.sheet(maps)), "filters": maps.shape[2]} for maps in computed.maps],
        "neurons": {
            "png": base64_of(pngs.lights(computed.features)),
            "count": len(computed.features),
            "lit": int(np.count_nonzero(computed.features)),
        },
    }


def prepared_context(pixels: np.ndarray) -> dict:
    """The prepared pixels, (28, 28) uint8, as a picture, with the box of the digit and its centre of mass."""
    return {
        "image": base64_of(pngs.png(pixels)),
        "box": centring.box(pixels),
        "centre": centring.centre_of_mass(pixels),
    }


def base64_of(png: bytes) -> str:
    return base64.b64encode(png).decode()
