"""What training makes small: the cross-entropy of the labels under the network's softmax."""

import numpy as np


def cross_entropy(logits: np.ndarray, labels: np.ndarray, smoothing: float = 0.0) -> tuple[float, np.ndarray]:
    """The mean loss in nats, and its gradient by the logits, (n, 10).

    logits: (n, 10); labels: (n,) 0-9. `smoothing` spreads that share of each label's certainty over all digits
    (Szegedy et al. 2016, arXiv:1512.00567).
    """
    n, digits = logits.shape
    targets = np.full((n, digits), smoothing / digits, logits.dtype)
    targets[np.arange(n), labels] += 1 - smoothing
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    loss = -float((targets * log_probabilities).sum()) / n
    return loss, (np.exp(log_probabilities) - targets) / np.asarray(n, logits.dtype)
