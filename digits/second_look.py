"""The second look at a line, by the network for single digits, where the network for lines is not sure."""

import numpy as np

from digit_recognizer_dl_model.strip import OTHER

from .pictures.characters import cut_around, cut_upright
from .pictures.strips import Strip
from .recognizer import LineReading, opinions

ANOTHER = 10  # the column of probabilities for another character, or for no digit; 0 to 9 are those of the digits
CERTAIN = 0.99  # probability from which a character of a line needs no second look
TRUST = 0.03  # of the second look's "no digit", which a digit cut out of a line often looks like
LEAST = 0.01  # that the second look's probabilities are at least
SHARED = 0.75  # power of the change of the confidence, because both networks see the same ink


def reconsidered(strip: Strip, reading: LineReading) -> tuple[np.ndarray, float]:
    """The probabilities of the characters of a line, (length, 11), and the factor by which they change its confidence.

    Characters that the network for lines is not sure of are looked at by the one for single digits, too: it knows more
    of digits, and less of what is beside them. The probabilities of both are multiplied.
    """
    before = reading.probabilities
    own = before[np.arange(len(before)), np.where(reading.symbols == OTHER, ANOTHER, reading.symbols)]
    doubtful = own < CERTAIN
    if not doubtful.any():
        return before, 1.0
    finer = strip.finer()
    alone = (cut(strip.ink, finer, reading.places, doubtful) for cut in (cut_upright, cut_around))
    second = np.mean([opinions(pixels) for pixels in alone], axis=0)
    second[:, ANOTHER] *= TRUST
    together = before[doubtful] * (second + LEAST)
    after = before.copy()
    after[doubtful] = together / together.sum(axis=1, keepdims=True)
    return after, float(np.prod(after[doubtful].max(axis=1) / own[doubtful])) ** SHARED
