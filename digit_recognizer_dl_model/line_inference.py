"""Reading lines: the forward pass of the network for lines, and the string that its answer spells."""

import itertools
import threading
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .ctc import best_path, log_probabilities
from .fusion import fuse
from .inference import softmax
from .program import Program
from .strip import BLANK, COLUMN, FIRST, HEIGHT, NARROWEST, OTHER, STEP, SYMBOLS
from .weights import UnusableWeights, Weights

RUNNERS_UP = 2  # symbols that are tried in place of each that is read
KEPT = 1500  # pixels of strips whose programs are kept for the next readings; their buffers have 22 kB a pixel
SURELY = 9  # nats by which blank is likelier than any symbol in a column that is surely blank
UNLIKELY = 1e-4  # probability of a string that one of several strips gives it at least
LIKELY = 1e-3  # probability in some column from which a symbol is tried between others


class Reading(NamedTuple):
    """What a line says.

    symbols: (length,), 0-9, or OTHER for a character that is not a digit.
    places: (length,), the middle of each in pixels from the left edge of a strip.
    probabilities: (length, 11), of each digit and of another character at these places, given that there is one.
    confidence: the probability of the string as a whole.
    runner_up: (length,), the second likeliest digits, of a string without other characters.
    strip: which of the strips the places are in.
    """

    symbols: np.ndarray
    places: np.ndarray
    probabilities: np.ndarray
    confidence: float
    runner_up: np.ndarray
    strip: int = 0


class LineReader:
    """A trained network that reads strips.

    Raises UnusableWeights for weights whose architecture and arrays do not lead from a strip to twelve symbols.
    """

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self._steps = fuse(weights, HEIGHT)
        self._idle: list[tuple[int, Program]] = []  # with the width of its strips, the last one used at the end
        self._lock = threading.Lock()
        try:
            shape = self._take(NARROWEST).logits.shape
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UnusableWeights(f"the architecture of the weights can't run ({error!r})") from error
        if shape[-1] != SYMBOLS or len(shape) != 3:
            raise UnusableWeights(f"the weights read no lines: their answer has the shape {shape}")

    def logits(self, ink: np.ndarray) -> np.ndarray:
        """A strip (46, 94 + 48 k) uint8, ink 255 on 0 -> calibrated logits (columns, 12) float32.

        Raises ValueError for another shape or type.
        """
        height, width = ink.shape
        if height != HEIGHT or width < NARROWEST or (width - NARROWEST) % STEP or ink.dtype != np.uint8:
            raise ValueError(f"expected (46, 94 + 48 k) uint8, got {ink.shape} {ink.dtype}")
        program = self._take(width)
        logits = program.run(ink[None])[:, 0] / np.float32(self.weights.temperature)
        self._put_back(width, program)
        return logits

    def read(self, inks: Sequence[np.ndarray]) -> Reading:
        """What a line says, from one strip of it or from several that show it in other sizes; see `logits`.

        The string is the one whose geometric mean of probabilities over the strips, in each at least UNLIKELY, is the
        largest. Its confidence is their mean, and its places are those in the strip that is surest of it. A string that
        one strip is sure of has no runner-up, because no other is looked for.
        """
        answers, places = zip(*(without_blanks(self.logits(ink)) for ink in inks), strict=True)
        strings = [best_path(answers[0], BLANK)[0]]
        likelihoods = likelihoods_of(strings, answers[:1])
        if len(inks) > 1 or likelihoods[0, 0] <= max(self.weights.uncertain_below, 0.5):
            strings = unique([string for logits in answers for string in candidates(logits)])
            likelihoods = likelihoods_of(strings, answers)
        agreement = np.log(likelihoods.clip(UNLIKELY)).mean(axis=0) if len(inks) > 1 else likelihoods[0]
        order = np.argsort(-agreement, kind="stable")
        symbols, strip = strings[order[0]], int(likelihoods[:, order[0]].argmax())
        middles, columns = align(answers[strip], symbols, places[strip])
        characters = softmax(np.delete(answers[strip][columns], BLANK, axis=1))
        rivals = (strings[place] for place in order[1:] if OTHER not in strings[place])
        runner_up = next(
            (rival for rival in rivals if not np.array_equal(rival, symbols[symbols != OTHER])), symbols[:0]
        )
        confidence = float(likelihoods[:, order[0]].mean())
        return Reading(symbols, FIRST + COLUMN * middles, characters, confidence, runner_up, strip)

    def _take(self, width: int) -> Program:
        """A program for strips of that width; no other thread uses it meanwhile, because it has buffers."""
        with self._lock:
            for place, (other, program) in enumerate(self._idle):
                if other == width:
                    del self._idle[place]
                    return program
        return Program(self._steps, 1, (HEIGHT, width))

    def _put_back(self, width: int, program: Program) -> None:
        with self._lock:
            self._idle.append((width, program))
            while sum(width for width, _ in self._idle) > KEPT:
                del self._idle[0]


def without_blanks(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The logits (columns, 12) without columns that change nothing, and the numbers of those that are left.

    After a column that is surely blank, another one adds nothing to any string.
    """
    rest = np.delete(logits, BLANK, axis=1).max(axis=1)
    is_blank = logits[:, BLANK] - rest > SURELY
    kept = np.flatnonzero(~(is_blank & np.concatenate([[False], is_blank[:-1]])))
    return logits[kept], kept


def likelihoods_of(strings: Sequence[np.ndarray], answers: Sequence[np.ndarray]) -> np.ndarray:
    """The probability of n strings in each of m answers, the logits of strips: (m, n)."""
    return np.array([np.exp(log_probabilities(logits, strings, BLANK)) for logits in answers])


def unique(strings: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Each string once, in the order in which they come first."""
    return list({string.astype(np.int64).tobytes(): string for string in strings}.values())


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


def align(logits: np.ndarray, symbols: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each symbol is on the likeliest path that spells them: its middle, and its likeliest row of the logits.

    logits: (columns, 12); places: (columns,), the numbers of these columns in the strip. Both results are (length,).
    """
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
    rows = [np.flatnonzero(path == 2 * place + 1) for place in range(len(symbols))]
    middles = np.array([(places[row[0]] + places[row[-1]]) / 2 for row in rows])
    likeliest = [row[emitted[row, 2 * place + 1].argmax()] for place, row in enumerate(rows)]
    return middles, np.array(likeliest, int)
