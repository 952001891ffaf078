"""The training loss: cross-entropy between the target distribution and the network's softmax."""

import numpy as np

NO_DIGIT = 10  # the label of negatives, pictures that do not show one digit, and the place of its output


def targets_of(labels: np.ndarray, smoothing: float) -> np.ndarray:
    """Labels (n,), 0-9 or NO_DIGIT -> the target distributions, (n, 11).

    The fraction `smoothing` of each digit's probability is spread over all ten digits (label smoothing, Szegedy et al.
    2016, arXiv:1512.00567).
    """
    targets = np.eye(NO_DIGIT + 1)[labels]
    is_digit = labels != NO_DIGIT
    targets[is_digit] *= 1 - smoothing
    targets[is_digit, :NO_DIGIT] += smoothing / 10
    return targets


def cross_entropy(logits: np.ndarray, targets: np.ndarray) -> tuple[float, np.ndarray]:
    """The mean cross-entropy in nats, and its gradient by the logits, (n, outputs).

    logits: (n, outputs); targets: (n, outputs), each row summing to 1.
    """
    targets = targets.astype(logits.dtype)
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    loss = -float((targets * log_probabilities).sum()) / len(logits)
    return loss, (np.exp(log_probabilities) - targets) / np.asarray(len(logits), logits.dtype)
