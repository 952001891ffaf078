"""When an answer is "not sure": the one place where the site, the evaluation and the benchmarks ask."""

from typing import NamedTuple

import numpy as np

from .weights import Weights


class Doubts(NamedTuple):
    """What the probabilities of n pictures say, and how far they can be trusted."""

    digits: np.ndarray  # (n,) the likeliest digit of each picture
    runners_up: np.ndarray  # (n,) the second likeliest
    is_no_digit: np.ndarray  # (n,) bool: the picture does not look like one digit
    is_between_two: np.ndarray  # (n,) bool: it could be either of the two likeliest digits

    @property
    def is_uncertain(self) -> np.ndarray:
        """Whether each picture is "not sure" for either reason, (n,) bool."""
        return self.is_no_digit | self.is_between_two


def doubts(probabilities: np.ndarray, weights: Weights) -> Doubts:
    """Apply the rule "not sure" to calibrated probabilities (n, 10), with the two limits of the weights.

    A picture does not look like one digit where more than `no_digit_above` of the probability lies beyond the two
    likeliest digits; otherwise it is between two where the likeliest has less than `uncertain_below`.
    """
    order = probabilities.argsort(axis=1)  # (n, 10)
    confidence = probabilities.max(axis=1)
    is_no_digit = beyond_two(probabilities).astype(np.float64) > weights.no_digit_above
    is_between_two = ~is_no_digit & (confidence.astype(np.float64) < weights.uncertain_below)
    return Doubts(order[:, -1], order[:, -2], is_no_digit, is_between_two)


def doubt_scores(probabilities: np.ndarray, weights: Weights) -> np.ndarray:
    """How doubtful each answer is, (n,) float64: above 1 exactly where `doubts` finds it uncertain, but for rounding.

    Each of the rule's two measures is divided by its limit, and the larger quotient counts.
    """
    unsure = (1 - probabilities.max(axis=1).astype(np.float64)) / max(1 - weights.uncertain_below, 1e-9)
    return np.maximum(beyond_two(probabilities) / weights.no_digit_above, unsure)


def beyond_two(probabilities: np.ndarray) -> np.ndarray:
    """The probability (n,) that is left for all but the two likeliest digits, of probabilities (n, 10).

    A network that was trained to find all ten digits equally likely in a picture of no digit leaves much of it there,
    while a digit that could be read in two ways leaves little.
    """
    return np.sort(probabilities, axis=1)[:, :-2].sum(axis=1)
