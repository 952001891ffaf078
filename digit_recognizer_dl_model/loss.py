"""The training loss: cross-entropy between the target distribution and the network's softmax."""

import numpy as np

NO_DIGIT = 10  # the label of negatives: pictures that do not show one digit


def targets_of(labels: np.ndarray, smoothing: float) -> np.ndarray:
    """Labels (n,), 0-9 or NO_DIGIT -> the target distributions, (n, 10).

    The fraction `smoothing` of each label's probability is spread over all ten digits (label smoothing, Szegedy et al.
    2016, arXiv:1512.00567). The target of negatives is uniform (outlier exposure, Hendrycks et al. 2019,
    arXiv:1812.04606).
    """
    targets = np.full((len(labels), 10), 1 / 10)
    [known] = np.nonzero(labels != NO_DIGIT)
    targets[known] *= smoothing
    targets[known, labels[known]] += 1 - smoothing
    return targets


def cross_entropy(logits: np.ndarray, targets: np.ndarray) -> tuple[float, np.ndarray]:
    """The mean cross-entropy in nats, and its gradient by the logits, (n, 10).

    logits: (n, 10); targets: (n, 10), each row summing to 1.
    """
    targets = targets.astype(logits.dtype)
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    loss = -float((targets * log_probabilities).sum()) / len(logits)
    return loss, (np.exp(log_probabilities) - targets) / np.asarray(len(logits), logits.dtype)
