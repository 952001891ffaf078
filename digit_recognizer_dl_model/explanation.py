"""Where the network looked: which pixels speak for its answer, and which for the digit it was weighed against."""

import numpy as np

from .frame import SIDE
from .inference import Classifier

# The three chosen on held-out images: by how soon an answer changes when what is marked most is changed first, and by
# what a person can read. Without NEAR, marks far from the digit drown those at its strokes.
SPOT = 1.25  # pixels, standard deviation of a soft spot: about as wide as a stroke
STEP = 2  # pixels from spot to spot; 1 takes four times as long
NEAR = 2.5  # pixels, standard deviation of how far from ink paper still matters
# Pixels that count, of the ten that a spot covers; leaving spots with fewer out saves a third of the time.
WORTH_TRYING = 1


def bells(centres: np.ndarray, deviation: float) -> np.ndarray:
    """Gaussian curves along one side of a picture: (m, 28) float32, 1 at each centre."""
    return np.exp(-((np.arange(SIDE) - centres[:, None]) ** 2) / (2 * deviation**2)).astype(np.float32)


# No ink is nearer to the edge than 4 pixels but where the centre of mass moves a digit there.
LINES = bells(np.arange(3.5, SIDE - 4, STEP), SPOT)
SPOTS = np.einsum("ih,jw->ijhw", LINES, LINES).reshape(-1, SIDE, SIDE)  # (spots, 28, 28), 1 at the middle of each
SHARES = SPOTS / SPOTS.sum(axis=0)  # (spots, 28, 28): how much each spot says of a pixel
NEIGHBOURS = bells(np.arange(SIDE), NEAR)  # (28, 28)


def relevance(classifier: Classifier, pixels: np.ndarray, digit: int, runner_up: int) -> np.ndarray:
    """How much each of 28x28 pixels speaks for the digit, or, below 0, for the runner-up: (28, 28) float32.

    Spot by spot, the ink is erased in one copy of the picture and the paper is inked in another. A pixel of ink counts
    by what erasing takes from the logarithm of the odds of the digit against the runner-up (in nats), a pixel of paper
    by what inking takes: that a 4 is open at the top speaks for it, too. Paper counts less the further it is from ink.

    Occlusion as in Zeiler & Fergus (2014), arXiv:1311.2901, measured in log-odds as in Zintgraf et al. (2017),
    arXiv:1702.04595.
    """
    ink = pixels.astype(np.float32) / 255  # (28, 28)
    counts = np.stack([ink, (1 - ink) * nearness(ink)])  # (2, 28, 28): of each pixel, what erasing and inking count
    tried = np.tensordot(counts, SPOTS, axes=((1, 2), (1, 2))) > WORTH_TRYING  # (2, spots)
    erased, inked = ink * (1 - SPOTS[tried[0]]), ink + (1 - ink) * SPOTS[tried[1]]
    copies = np.rint(np.concatenate([ink[None], erased, inked]) * 255).astype(np.uint8)
    logits = classifier.logits(copies) / np.float32(classifier.weights.temperature)
    log_odds = logits[:, digit] - logits[:, runner_up]
    losses = np.zeros(tried.shape, np.float32)
    losses[tried] = log_odds[0] - log_odds[1:]
    return (np.tensordot(losses, SHARES, axes=1) * counts).sum(axis=0)


def nearness(ink: np.ndarray) -> np.ndarray:
    """How near each pixel is to ink: (28, 28) in 0-1 -> the same, 1 within a stroke's width and 0 far away."""
    # Four times as much as a blur leaves: a stroke two pixels wide fills a quarter of what the blur reaches.
    blurred = NEIGHBOURS @ ink @ NEIGHBOURS / (2 * np.pi * NEAR**2)
    return np.minimum(4 * blurred, 1)
