"""An explanation of an answer: which pixels speak for the digit, and which for the runner-up."""

import numpy as np

from .frame import SIDE
from .inference import Classifier

# These three were chosen on held-out images: by how soon an answer changes if the pixels with the largest marks are
# inverted first, and by how readable the map is. Without NEAR, marks far from the digit hide the marks at its strokes.
SPOT = 1.25  # pixels, standard deviation of a soft spot: about as wide as a stroke
STEP = 2  # pixels from spot to spot; 1 takes four times as long
NEAR = 2.5  # pixels, standard deviation of the distance from ink within which paper matters
# A spot covers ten pixels; spots in which fewer than this count are left out, which saves a third of the time.
WORTH_TRYING = 1


def bells(centres: np.ndarray, standard_deviation: float) -> np.ndarray:
    """Gaussian curves along one side of a picture, one for each of m centres: (m, 28) float32, 1 at the centre."""
    return np.exp(-((np.arange(SIDE) - centres[:, None]) ** 2) / (2 * standard_deviation**2)).astype(np.float32)


# Ink lies at least 4 pixels from the edge, except where centring moves a digit closer.
LINES = bells(np.arange(3.5, SIDE - 4, STEP), SPOT)
SPOTS = np.einsum("ih,jw->ijhw", LINES, LINES).reshape(-1, SIDE, SIDE)  # (spots, 28, 28), 1 at the middle of each
SPOT_WEIGHTS = SPOTS / SPOTS.sum(axis=0)  # (spots, 28, 28), sum to 1 at each pixel
NEIGHBOURS = bells(np.arange(SIDE), NEAR)  # (28, 28)


def relevance(classifier: Classifier, pixels: np.ndarray, digit: int, runner_up: int) -> np.ndarray:
    """How much each pixel speaks for the digit or, below 0, for the runner-up: (28, 28) float32, in nats.

    Spot by spot, the ink is erased in one copy of the picture, and the paper is inked in another. The relevance of ink
    is how far erasing it lowers the log-odds of the digit against the runner-up, and the relevance of paper is how far
    inking it does: paper matters too, as where a 4 is open at the top. It counts less the further it is from ink.

    pixels: (28, 28) uint8, ink 255 on 0. Source: occlusion as in Zeiler & Fergus 2014, arXiv:1311.2901, measured in
    log-odds as in Zintgraf et al. 2017, arXiv:1702.04595.
    """
    ink = pixels.astype(np.float32) / 255  # (28, 28)
    counts = np.stack([ink, (1 - ink) * nearness(ink)])  # (2, 28, 28): the weights of erasing and inking
    tried = np.tensordot(counts, SPOTS, axes=((1, 2), (1, 2))) > WORTH_TRYING  # (2, spots)
    erased, inked = ink * (1 - SPOTS[tried[0]]), ink + (1 - ink) * SPOTS[tried[1]]
    copies = np.rint(np.concatenate([ink[None], erased, inked]) * 255).astype(np.uint8)
    logits = classifier.logits(copies) / np.float32(classifier.weights.temperature)
    log_odds = logits[:, digit] - logits[:, runner_up]
    losses = np.zeros(tried.shape, np.float32)
    losses[tried] = log_odds[0] - log_odds[1:]
    return (np.tensordot(losses, SPOT_WEIGHTS, axes=1) * counts).sum(axis=0)


def nearness(ink: np.ndarray) -> np.ndarray:
    """How near each pixel is to ink: ink (28, 28), 0-1 -> (28, 28), 1 within a stroke's width and 0 far away."""
    # A blur leaves a quarter of the ink at a stroke that is two pixels wide.
    blurred = NEIGHBOURS @ ink @ NEIGHBOURS / (2 * np.pi * NEAR**2)
    return np.minimum(4 * blurred, 1)
