"""The rule "not sure": the site, the evaluation and the benchmarks all apply it here."""

from typing import NamedTuple

import numpy as np

from .weights import Weights

NO_DIGIT = "does not look like one digit"
SEVERAL_DIGITS = "looks like more than one digit"
# A part of the ink may be a digit of its own if it has enough of the tallest part's height, and of all ink.
TALL, MUCH = 0.6, 0.2
FAINT = 25  # of 255; fainter pixels join nothing


class Doubts(NamedTuple):
    """The two likeliest digits of n pictures, and whether each answer is uncertain."""

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

    A picture does not look like one digit if more than `no_digit_above` of the probability lies outside the two
    likeliest digits. Otherwise it is between two digits if the likeliest has less than `uncertain_below`.
    """
    order = probabilities.argsort(axis=1)  # (n, 10)
    confidence = probabilities.max(axis=1)
    is_no_digit = beyond_two(probabilities).astype(np.float64) > weights.no_digit_above
    is_between_two = ~is_no_digit & (confidence.astype(np.float64) < weights.uncertain_below)
    return Doubts(order[:, -1], order[:, -2], is_no_digit, is_between_two)


def reasons(pixels: np.ndarray, doubted: Doubts) -> list[str | None]:
    """Why each of n pictures, (n, 28, 28) uint8, is uncertain, in words; None for those that are not."""
    found: list[str | None] = [None] * len(pixels)
    for index in np.flatnonzero(doubted.is_uncertain).tolist():
        if has_digits_beside(pixels[index]):
            found[index] = SEVERAL_DIGITS
        elif doubted.is_no_digit[index]:
            found[index] = NO_DIGIT
        else:
            found[index] = f"could be {doubted.digits[index]} or {doubted.runners_up[index]}"
    return found


def has_digits_beside(pixels: np.ndarray) -> bool:
    """Whether empty columns part the ink, (28, 28) uint8, into what may be digits beside each other."""
    inked = pixels > FAINT
    steps = np.flatnonzero(np.diff(inked.any(axis=0), prepend=False, append=False))
    parts = [inked[:, first:end] for first, end in steps.reshape(-1, 2)]
    heights = [np.ptp(np.flatnonzero(part.any(axis=1))) for part in parts]
    amounts = [np.count_nonzero(part) for part in parts]
    digits = (
        height >= TALL * max(heights) and amount >= MUCH * sum(amounts)
        for height, amount in zip(heights, amounts, strict=True)
    )
    return sum(digits) > 1


def doubt_scores(probabilities: np.ndarray, weights: Weights) -> np.ndarray:
    """How doubtful each answer is, (n,) float64: above 1 where `doubts` finds it uncertain, except for rounding.

    Both measures of the rule are divided by their limits; the score is the larger quotient.
    """
    unsure = (1 - probabilities.max(axis=1).astype(np.float64)) / max(1 - weights.uncertain_below, 1e-9)
    return np.maximum(beyond_two(probabilities) / weights.no_digit_above, unsure)


def beyond_two(probabilities: np.ndarray) -> np.ndarray:
    """Probabilities (n, 10) -> the probability (n,) outside the two likeliest digits.

    It is large where the network sees no digit, because that probability is spread over all ten, and small for a digit
    that could be read in two ways.
    """
    return np.sort(probabilities, axis=1)[:, :-2].sum(axis=1)
