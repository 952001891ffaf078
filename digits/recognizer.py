"""The only door to the network: pixels in, a prediction out."""

import functools
import hashlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from digit_recognizer_dl_model.anatomy import Links, anatomy
from digit_recognizer_dl_model.doubt import NO_DIGIT, SEVERAL_DIGITS, doubts, reasons
from digit_recognizer_dl_model.explanation import relevance
from digit_recognizer_dl_model.frame import SIDE
from digit_recognizer_dl_model.inference import Classifier, softmax
from digit_recognizer_dl_model.line_inference import LineReader
from digit_recognizer_dl_model.line_inference import Reading as LineReading
from digit_recognizer_dl_model.weights import LINES, SHIPPED, load_weights

from . import pictures
from .event_loop import leave_if
from .refusals import Refusal
from .stages import stage
from .traffic import prometheus

QUICK = 20  # pictures that may be recognised on the event loop
SURE_ENOUGH = 0.9  # confidence from which a picture needs no other preparation
NEGLIGIBLE = 0.1  # fraction of the largest relevance below which an explanation mentions nothing
# What the pages say of pictures that are not read.
REFUSED = {NO_DIGIT: "Not a digit, as far as I can tell", SEVERAL_DIGITS: "I see more than one digit"}
SEVERAL_HINT = "POST /api/read-number/ reads whole numbers."
VERSION_LENGTH = 12  # hexadecimal digits of the weights' checksum that tell one version from another


class Prediction(NamedTuple):
    """What the network says of one picture. `digit` is the best guess even where it is uncertain."""

    digit: int
    probabilities: list[float]  # of 0 to 9
    uncertain: bool
    reason: str | None  # why it is uncertain

    @property
    def confidence(self) -> float:
        return self.probabilities[self.digit]

    @property
    def percentages(self) -> list[float]:
        """The probabilities with one decimal, rounded down, so that only certainty reads 100 %."""
        return [int(1000 * probability) / 10 for probability in self.probabilities]

    @property
    def percent(self) -> float:
        return self.percentages[self.digit]

    @property
    def runner_up(self) -> int:
        others = [digit for digit in range(10) if digit != self.digit]
        return max(others, key=self.probabilities.__getitem__)

    @property
    def rival(self) -> int | None:
        """The other digit that it may be; None if it is sure or refused."""
        return self.runner_up if self.uncertain and not self.is_refused else None

    @property
    def members(self) -> dict:
        """What a program is told of a picture."""
        answer = {
            "prediction": self.digit,
            "confidence": self.confidence,
            "probabilities": self.probabilities,
            "uncertain": self.uncertain,
            "reason": self.reason,
            "weights_version": weights_version(),
        }
        return answer | {"hint": SEVERAL_HINT} if self.reason == SEVERAL_DIGITS else answer

    @property
    def is_refused(self) -> bool:
        """Whether it is not read at all; otherwise it is sure, or between two digits."""
        return self.reason in REFUSED

    @property
    def verdict(self) -> str:
        """The answer in words."""
        if not self.uncertain:
            return str(self.digit)
        return REFUSED.get(self.reason) or f"{self.digit} or {self.runner_up}?"


class Explanation(NamedTuple):
    """Which pixels speak for a prediction, and which for a rival: its runner-up, or what was meant."""

    prediction: Prediction
    rival: int
    relevance: np.ndarray  # (28, 28) float32: above 0 where a pixel speaks for the digit, below 0 for the rival
    for_digit: str | None  # what speaks most for the digit, such as "the ink at the top left"; None if hardly anything
    for_rival: str | None  # the same for the rival

    @property
    def is_meant(self) -> bool:
        """Whether the rival is not the second likeliest digit, but what was meant."""
        return self.rival != self.prediction.runner_up

    @property
    def rival_percent(self) -> float:
        return self.prediction.percentages[self.rival]


def recognize(pixels: np.ndarray) -> Prediction:
    """Predict from prepared pixels, (28, 28) uint8, ink 255 on 0."""
    [prediction] = recognize_batch(pixels[None])
    return prediction


def recognize_batch(pixels: np.ndarray) -> list[Prediction]:
    """Predict from the prepared pixels of several pictures, (n, 28, 28) uint8, in one pass, and count that."""
    if not len(pixels):
        return []
    predictions = recognize_uncounted(pixels)
    count(predictions)
    return predictions


def count(predictions: Sequence[Prediction]) -> None:
    """Count predictions that were made in one pass."""
    for prediction in predictions:
        prometheus.PREDICTIONS.labels(prediction.digit, "uncertain" if prediction.uncertain else "certain").inc()
    prometheus.BATCH_SIZE.observe(len(predictions))


class Reading(NamedTuple):
    """A prediction, and the prepared pixels (28, 28) uint8 that it was made from."""

    pixels: np.ndarray
    prediction: Prediction


def read_all(
    items: Sequence[bytes | np.ndarray | Refusal],
    budget: pictures.Budget | None = None,
    tell_prepared: Callable[[int], None] = lambda count: None,
) -> list[Reading | Refusal]:
    """Prepare each item, note why it is refused if it is, and recognise the rest in one pass; the order is kept.

    items: encoded pictures, prepared pixels (28, 28) uint8, or refusals from an earlier step, which stay as they are.
    budget: what preparing the encoded pictures may cost together; without it, each may cost what one may.
    tell_prepared: called after each item with the number of those that are prepared or refused.
    """
    leave_if(len(items) > QUICK)
    prepared = []
    for item in items:
        prepared.append(prepare_or_refuse(item, budget))
        tell_prepared(len(prepared))
    pixels = [item for item in prepared if not isinstance(item, Refusal)]
    predictions = iter(recognize_batch(np.array(pixels, np.uint8).reshape(-1, SIDE, SIDE)))
    return [item if isinstance(item, Refusal) else Reading(item, next(predictions)) for item in prepared]


def prepare_or_refuse(
    item: bytes | np.ndarray | Refusal, budget: pictures.Budget | None = None
) -> np.ndarray | Refusal:
    """The pixels of an item of a batch, or why there are none."""
    try:
        return likeliest(pictures.candidates(item, budget)) if isinstance(item, bytes) else item
    except Refusal as refusal:
        return refusal.to_keep()


def likeliest(candidates: Sequence[np.ndarray], network: Classifier | None = None) -> np.ndarray:
    """The pixels of the candidate in which the network is surest of a digit; the first if it is sure enough of that.

    candidates: one picture prepared in several ways, (28, 28) uint8 each. network: the shipped one, unless given.
    """
    if len(candidates) == 1:
        return candidates[0]
    confidences = (network or classifier()).probabilities(np.stack(candidates)).max(axis=1)
    return candidates[0 if confidences[0] >= SURE_ENOUGH else int(confidences.argmax())]


@stage("recognise")
def recognize_uncounted(pixels: np.ndarray) -> list[Prediction]:
    """Like `recognize_batch`, but not counted in /metrics; for the whole gallery and for answers shown again."""
    leave_if(len(pixels) > QUICK)
    network = classifier()
    probabilities = network.probabilities(pixels)
    doubted = doubts(probabilities, network.weights)
    answers = zip(doubted.digits.tolist(), probabilities.tolist(), reasons(pixels, doubted), strict=True)
    return [Prediction(digit, row, reason is not None, reason) for digit, row, reason in answers]


@stage("explain")
def explain(pixels: np.ndarray, prediction: Prediction, meant: int | None = None) -> Explanation:
    """Explain the prediction of pixels (28, 28) uint8; takes over a hundred times as long as the prediction.

    meant: the digit that it is weighed against, if not the runner-up.
    """
    leave_if(True)
    rival = prediction.runner_up if meant in (None, prediction.digit) else meant
    relevances = relevance(classifier(), pixels, prediction.digit, rival)
    for_digit, for_rival = (describe_strongest(sign * relevances, pixels) for sign in (1, -1))
    return Explanation(prediction, rival, relevances, for_digit, for_rival)


def describe_strongest(relevances: np.ndarray, pixels: np.ndarray) -> str | None:
    """Say where the largest relevance above 0 lies, and whether on ink or paper; None if it is negligible.

    relevances: (28, 28) float; pixels: (28, 28) uint8.
    """
    row, column = np.unravel_index(relevances.argmax(), relevances.shape)
    if relevances[row, column] <= NEGLIGIBLE * np.abs(relevances).max():
        return None
    matter = "ink" if pixels[row, column] >= 128 else "empty paper"
    [rows, columns] = np.nonzero(pixels)
    height = ["at the top", "", "at the bottom"][third_of_extent(row, rows)]
    side = ["left", "", "right"][third_of_extent(column, columns)]
    if height:
        return " ".join(filter(None, ["the", matter, height, side]))
    return f"the {matter} on the {side}" if side else f"the {matter} in the middle"


def third_of_extent(position: int, inked: np.ndarray) -> int:
    """The third of the digit's extent in which a position lies, 0 to 2; positions beside it count to the nearest."""
    first, last = inked.min(), inked.max()
    return int(np.clip(3 * (position - first) // (last - first + 1), 0, 2))


class Activity(NamedTuple):
    """What the layers of the network compute for one picture."""

    maps: list[np.ndarray]  # of each convolution after pooling: (height, width, channels) float32, at least 0
    features: np.ndarray  # of the neurons before the outputs: (neurons,) float32, at least 0
    outputs: np.ndarray  # calibrated probabilities of the ten digits and of no digit: (11,) float32


def activity(pixels: np.ndarray) -> Activity:
    """The outputs of all layers for pixels (28, 28) uint8, as in the pass that predicts."""
    network = classifier()
    maps, features, logits = network.trace(pixels)
    return Activity(maps, features, softmax(logits[None] / np.float32(network.weights.temperature))[0])


def features(pixels: np.ndarray) -> np.ndarray:
    """The outputs of the neurons before the outputs, (n, neurons) float32, for prepared pixels (n, 28, 28) uint8."""
    leave_if(len(pixels) > QUICK)
    return classifier().features(pixels)


def links(most: int) -> list[Links]:
    """For each layer, at most so many of the units before it that each unit weighs most, and the weights."""
    return anatomy(classifier().weights, most)


def opinions(pixels: np.ndarray) -> np.ndarray:
    """The probabilities (n, 11) of each digit and of no digit, for prepared pixels (n, 28, 28) uint8."""
    return classifier().outputs(pixels)


def read_digits(pixels: np.ndarray) -> list[int]:
    """The digits that the network reads in prepared pixels (n, 28, 28) uint8; for checks, so nothing is counted."""
    return classifier().probabilities(pixels).argmax(axis=1).tolist()


@functools.cache
def classifier() -> Classifier:
    """The shipped network, loaded once a process."""
    return Classifier(load_weights())


@functools.cache
def weights_sha256() -> str:
    """The checksum of the shipped network's file."""
    return hashlib.sha256(SHIPPED.read_bytes()).hexdigest()


@functools.cache
def network_checksum() -> str:
    """The checksum of the shipped network, which stays when its figures are measured again."""
    return classifier().weights.checksum


def weights_version() -> str:
    """The first digits of the checksum of its file, enough to tell one version from another."""
    return weights_sha256()[:VERSION_LENGTH]


@functools.cache
def line_reader() -> LineReader:
    """The shipped network for lines, loaded once a process."""
    return LineReader(load_weights(LINES))


def read_line(strips: Sequence[np.ndarray]) -> LineReading:
    """What a line says, from one strip of it, (46, width) uint8, or from several in other sizes."""
    return line_reader().read(strips)


@functools.cache
def lines_version() -> str:
    """The first digits of the checksum of its file."""
    return hashlib.sha256(LINES.read_bytes()).hexdigest()[:VERSION_LENGTH]
