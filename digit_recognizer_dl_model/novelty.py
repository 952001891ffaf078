"""How unlike digits a picture is, told from the values that the network's last layer reads.

A softmax shares out certainty among ten digits and has none to keep back, so it is often sure of what is no digit at
all. What comes before it isn't: each digit fills a region of its own, and most other pictures fall between them.
"""

import numpy as np

DIRECTIONS = 32  # a digit; more refuse little more, and each costs 5 kB of the weights file
OWN = 0.7  # of a digit's covariance that is its own; the rest is the mean of all digits', which more images tell
RIDGE = 1e-3  # of the mean variance, added to all: some values never change


def fit(digits: np.ndarray, labels: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each digit's features lie, and in which directions pictures of no digit leave that region.

    digits: features (n, k) of images of the labels (n,), 0-9; others: features (m, k) of what is no single digit.
    Returns means (10, k) and directions (10, k, min(k, DIRECTIONS)), float32. Along a direction a digit's own images
    have variance 1, and the directions are those along which the others are farthest, in the mean of squares.

    Mahalanobis distance as in Lee et al. 2018 (arXiv:1807.03888), but with a covariance for each digit, drawn to the
    shared one (Friedman 1989, "Regularized discriminant analysis"), and in the directions that tell most.
    Raises ValueError where a digit has no images.
    """
    digits, others = digits.astype(np.float64), others.astype(np.float64)
    groups = [digits[labels == digit] for digit in range(10)]
    if not all(map(len, groups)):
        raise ValueError("every digit needs images")
    means = np.stack([group.mean(axis=0) for group in groups])
    covariances = np.stack([covariance(group - mean) for group, mean in zip(groups, means, strict=True)])  # (10, k, k)
    shared = covariances.mean(axis=0)
    ridge = RIDGE * max(shared.diagonal().mean(), 1e-9) * np.eye(len(shared))
    directions = []
    for mean, own in zip(means, covariances, strict=True):
        whitening = np.linalg.inv(np.linalg.cholesky(OWN * own + (1 - OWN) * shared + ridge)).T  # (k, k)
        _, axes = np.linalg.eigh(covariance((others - mean) @ whitening))  # ascending
        directions.append(whitening @ axes[:, -DIRECTIONS:])
    return means.astype(np.float32), np.stack(directions).astype(np.float32)


def covariance(deviations: np.ndarray) -> np.ndarray:
    """Deviations (n, k) -> their mean outer product (k, k)."""
    return deviations.T @ deviations / len(deviations)


def score(features: np.ndarray, answers: np.ndarray, means: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Features (n, k) and the digits they are read as, (n,) -> squared distances from those digits, (n,) float32.

    Over all digits the mean is about the number of directions, but most are far nearer; other pictures are mostly
    several times as far.
    """
    scores = np.empty(len(features), np.float32)
    for digit in set(answers.tolist()):
        chosen = answers == digit
        deviations = (features[chosen] - means[digit]) @ directions[digit]  # (n of this digit, directions)
        scores[chosen] = np.vecdot(deviations, deviations)
    return scores
