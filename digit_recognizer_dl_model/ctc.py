"""Connectionist temporal classification: the loss of a line of symbols whose places are not known, and its reading.

A network gives every column of a line one probability for each symbol and one for "blank". A path chooses one of them
in each column; it spells a string once runs of the same symbol are merged and blanks are left out. The probability of
a string is the sum over all paths that spell it. Source: Graves et al. 2006, ICML.
"""

from collections.abc import Sequence

import numpy as np


def ctc_loss(
    logits: np.ndarray, strings: Sequence[np.ndarray], columns: np.ndarray, blank: int
) -> tuple[float, np.ndarray]:
    """The mean negative log-probability of the strings in nats, and its gradient by the logits, (n, t, symbols).

    logits: (n, t, symbols).
    strings: for each line the symbols it holds, (length,), without blanks; it may be empty.
    columns: (n,), how many columns of each line count; the others get no gradient.
    Raises ValueError for a string that has no path, because it needs more columns.
    """
    probabilities = _softmax(logits.astype(np.float64))
    states, emitted, skips = _states(probabilities, strings, columns, blank)
    forward, scales = _pass(emitted, skips, starts=np.arange(emitted.shape[2]) < 2)
    if not (scales > 0).all():
        raise ValueError("a string needs more columns than its line has")
    # Read from the end, a line is a line again: its states are reversed, and it ends where it began. In the last
    # column, which was added, the only state that counts is the blank after the string.
    last = 2 * np.array([len(string) for string in strings])
    ends = np.arange(emitted.shape[2]) == last[:, None]
    backward = _pass_back(emitted, skips, ends)
    occupied = forward * backward  # (n, t + 1, states), up to a factor in each column
    sums = occupied.sum(axis=2, keepdims=True)
    if not (sums > 0).all():
        raise ValueError("a string needs more columns than its line has")
    occupied /= sums
    n, t, symbols = logits.shape
    expected = np.zeros((n * t, symbols))
    rows = np.repeat(np.arange(n * t).reshape(n, t, 1), states.shape[1], axis=2)
    np.add.at(expected, (rows, np.broadcast_to(states[:, None], rows.shape)), occupied[:, :t])
    gradient = probabilities - expected.reshape(n, t, symbols)
    gradient[np.arange(t) >= columns[:, None]] = 0
    log_likelihood = np.log(scales).sum(axis=1) + np.log(forward[np.arange(n), -1, last])
    return float(-log_likelihood.mean()), (gradient / n).astype(logits.dtype)


def log_probabilities(logits: np.ndarray, strings: Sequence[np.ndarray], blank: int) -> np.ndarray:
    """The log-probability of each of n strings for the same line, (n,); logits: (t, symbols).

    It is minus infinity for a string that needs more columns.
    """
    n, t = len(strings), len(logits)
    probabilities = np.broadcast_to(_softmax(logits.astype(np.float64)), (n, *logits.shape))
    _, emitted, skips = _states(probabilities, strings, np.full(n, t), blank)
    # Without these factors a long line would leave numbers too small for floats.
    factors = emitted.max(axis=(0, 2))  # (t + 1,)
    columns = np.ascontiguousarray((emitted / factors[:, None]).swapaxes(0, 1))
    reached = np.zeros((n, emitted.shape[2] + 2))  # with two states before the first one, which nothing reaches
    reached[:, 2:4] = columns[0, :, :2]
    for column in columns[1:]:
        now = reached[:, 2:] + reached[:, 1:-1]
        now += skips * reached[:, :-2]
        np.multiply(now, column, out=reached[:, 2:])
    last = 2 * np.array([len(string) for string in strings])
    with np.errstate(divide="ignore"):
        return np.log(reached[np.arange(n), last + 2]) + np.log(factors).sum()


def best_path(logits: np.ndarray, blank: int) -> tuple[np.ndarray, np.ndarray]:
    """What the likeliest path spells, (length,), and the middle of each symbol in columns, (length,).

    logits: (t, symbols).
    """
    path = logits.argmax(axis=1)
    starts = np.flatnonzero(np.diff(path, prepend=-1))
    ends = np.append(starts[1:], len(path)) - 1
    kept = path[starts] != blank
    return path[starts][kept], ((starts + ends) / 2)[kept]


def _states(
    probabilities: np.ndarray, strings: Sequence[np.ndarray], columns: np.ndarray, blank: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The states that a path goes through, blank, symbol, blank, ..., blank, for each of n lines.

    Returns their symbols (n, states), their probability in each column (n, t + 1, states), and whether a path may come
    from the state before the last one, (n, states). Lines with fewer columns, and one column that is added to all,
    can only be blank, which is certain there: so that every path ends in the blank after its string.
    """
    n, t, _ = probabilities.shape
    longest = max((len(string) for string in strings), default=0)
    states = np.full((n, 2 * longest + 1), blank)
    for row, string in zip(states, strings, strict=True):
        row[1 : 2 * len(string) : 2] = string
    emitted = np.empty((n, t + 1, states.shape[1]))
    emitted[:, :t] = np.take_along_axis(probabilities, np.broadcast_to(states[:, None], emitted[:, :t].shape), axis=2)
    outside = np.arange(t + 1) >= columns[:, None]
    emitted[outside] = np.repeat(states[:, None] == blank, t + 1, axis=1)[outside]
    skips = np.zeros(states.shape, bool)
    skips[:, 2:] = (states[:, 2:] != blank) & (states[:, 2:] != states[:, :-2])
    return states, emitted, skips


def _pass(emitted: np.ndarray, skips: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The probability to be in each state after each column, (n, t, states), summing to 1, and the sums, (n, t)."""
    n, t, states = emitted.shape
    out, sums = np.empty(emitted.shape), np.empty((n, t))
    now = np.broadcast_to(starts, (n, states)).astype(float)
    for column in range(t):
        if column:
            before = now
            now = before.copy()
            now[:, 1:] += before[:, :-1]
            now[:, 2:] += skips[:, 2:] * before[:, :-2]
        now = now * emitted[:, column]
        sums[:, column] = now.sum(axis=1)
        now = now / np.maximum(sums[:, column : column + 1], np.finfo(float).tiny)
        out[:, column] = now
    return out, sums


def _pass_back(emitted: np.ndarray, skips: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The probability of what follows each state of each column, (n, t, states), up to a factor for each column."""
    out = np.empty(emitted.shape)
    now = ends.astype(float)
    out[:, -1] = now
    for column in range(emitted.shape[1] - 2, -1, -1):
        after = now * emitted[:, column + 1]
        now = after.copy()
        now[:, :-1] += after[:, 1:]
        now[:, :-2] += skips[:, 2:] * after[:, 2:]
        now = now / np.maximum(now.sum(axis=1, keepdims=True), np.finfo(float).tiny)
        out[:, column] = now
    return out


def _softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)
