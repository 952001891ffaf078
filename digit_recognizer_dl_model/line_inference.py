"""Reading lines: the forward pass of the network for lines, and the string that its answer spells."""

import itertools
import threading
from typing import NamedTuple

import numpy as np

from .ctc import best_path, log_probabilities
from .fusion import fuse
from .inference import softmax
from .program import Program
from .strip import BLANK, COLUMN, FIRST, HEIGHT, NARROWEST, STEP, SYMBOLS
from .weights import UnusableWeights, Weights

RUNNERS_UP = 2  # symbols that are tried in place of each that is read
LIKELY = 1e-3  # probability in some column from which a symbol is tried between others


class Reading(NamedTuple):
    """What a strip says.

    symbols: (length,), 0-9, or OTHER for a character that is not a digit.
    places: (length,), the middle of each in pixels from the strip's left edge.
    probabilities: (length, 10), of each digit at these places, given that there is one.
    confidence: the probability of the string as a whole.
    """

    symbols: np.ndarray
    places: np.ndarray
    probabilities: np.ndarray
    confidence: float


class LineReader:
    """A trained network that reads strips.

    Raises UnusableWeights for weights whose architecture and arrays do not lead from a strip to twelve symbols.
    """

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self._steps = fuse(weights, HEIGHT)
        self._local = threading.local()  # a program has buffers, so each thread has its own
        try:
            shape = self._program(NARROWEST).logits.shape
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UnusableWeights(f"the architecture of the weights can't run ({error!r})") from error
        if shape[-1] != SYMBOLS or len(shape) != 3:
            raise UnusableWeights(f"the weights read no lines: their answer has the shape {shape}")

    def logits(self, ink: np.ndarray) -> np.ndarray:
        """A strip (42, 90 + 48 k) uint8, ink 255 on 0 -> calibrated logits (columns, 12) float32.

        Raises ValueError for another shape or type.
        """
        height, width = ink.shape
        if height != HEIGHT or width < NARROWEST or (width - NARROWEST) % STEP or ink.dtype != np.uint8:
            raise ValueError(f"expected (42, 90 + 48 k) uint8, got {ink.shape} {ink.dtype}")
        return self._program(width).run(ink[None])[:, 0] / np.float32(self.weights.temperature)

    def read(self, ink: np.ndarray) -> Reading:
        """What a strip says; see `logits` for its shape."""
        logits = self.logits(ink)
        strings = candidates(logits)
        likelihoods = log_probabilities(logits, strings, BLANK)
        best = int(likelihoods.argmax())
        symbols, columns = strings[best], align(logits, strings[best])
        digits = softmax(logits[np.rint(columns).astype(int), :BLANK])
        return Reading(symbols, FIRST + COLUMN * columns, digits, float(np.exp(likelihoods[best])))

    def _program(self, width: int) -> Program:
        programs = self._local.__dict__.setdefault("programs", {})
        if width not in programs:
            programs[width] = Program(self._steps, 1, (HEIGHT, width))
        return programs[width]


def candidates(logits: np.ndarray) -> list[np.ndarray]:
    """The string of the likeliest path, and those that differ from it in one symbol; logits: (columns, 12)."""
    symbols, columns = best_path(logits, BLANK)
    probabilities = softmax(logits)
    found = [symbols]
    for place, column in enumerate(np.rint(columns).astype(int)):
        others = np.argsort(-logits[column])[: RUNNERS_UP + 1]
        found += [
            np.concatenate([symbols[:place], [other], symbols[place + 1 :]])
            for other in others
            if other not in (symbols[place], BLANK)
        ]
        found.append(np.delete(symbols, place))
    bounds = [0, *np.ceil(columns).astype(int), len(logits)]
    for place, (start, stop) in enumerate(itertools.pairwise(bounds)):
        most = probabilities[start:stop].max(axis=0, initial=0)
        most[BLANK] = 0
        if most.max() > LIKELY:
            found.append(np.insert(symbols, place, most.argmax()))
    return found


def align(logits: np.ndarray, symbols: np.ndarray) -> np.ndarray:
    """The middle column of each symbol on the likeliest path that spells them, (length,); logits: (columns, 12)."""
    states = np.full(2 * len(symbols) + 1, BLANK)
    states[1::2] = symbols
    emitted = logits[:, states] - np.logaddexp.reduce(logits, axis=1, keepdims=True)  # (columns, states)
    skips = np.zeros(len(states), bool)
    skips[2:] = (states[2:] != BLANK) & (states[2:] != states[:-2])
    best = np.full(len(states), -np.inf)
    best[:2] = emitted[0, :2]
    came = np.zeros(emitted.shape, int)  # how many states back the path was one column before
    for column in range(1, len(logits)):
        ways = np.full((3, len(states)), -np.inf)
        ways[0], ways[1, 1:] = best, best[:-1]
        ways[2, 2:] = np.where(skips[2:], best[:-2], -np.inf)
        came[column] = ways.argmax(axis=0)
        best = ways.max(axis=0) + emitted[column]
    state = len(states) - 1 if len(states) == 1 or best[-1] >= best[-2] else len(states) - 2
    path = np.empty(len(logits), int)
    for column in range(len(logits) - 1, -1, -1):
        path[column] = state
        state -= came[column, state]
    return np.array([np.flatnonzero(path == 2 * place + 1).mean() for place in range(len(symbols))])
