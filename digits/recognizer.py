"""The only door to the network: pixels in, a prediction out."""

import functools
from typing import NamedTuple

import numpy as np

from digit_recognizer_dl_model.inference import Classifier, beyond_two
from digit_recognizer_dl_model.weights import load_weights


class Prediction(NamedTuple):
    """What the network says of one picture. `digit` is the best guess even where it is uncertain."""

    digit: int
    probabilities: list[float]  # of 0 to 9
    uncertain: bool
    reason: str | None  # why it is uncertain

    @property
    def confidence(self) -> float:
        return self.probabilities[self.digit]


def recognize(pixels: np.ndarray) -> Prediction:
    """Predict from prepared pixels, (28, 28) uint8, ink 255 on 0."""
    network = classifier()
    probabilities = network.probabilities(pixels[None])
    [beyond] = beyond_two(probabilities)
    [probabilities] = probabilities
    second, digit = np.argsort(probabilities)[-2:].tolist()
    reason = None
    if beyond > network.weights.no_digit_above:
        reason = "does not look like one digit"
    elif probabilities[digit] < network.weights.uncertain_below:
        reason = f"could be {digit} or {second}"
    return Prediction(digit, probabilities.tolist(), reason is not None, reason)


@functools.cache
def classifier() -> Classifier:
    """The shipped network, loaded once a process."""
    return Classifier(load_weights())
