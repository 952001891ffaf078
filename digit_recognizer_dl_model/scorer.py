"""The network as engines for large data take it: a class that can be pickled, batches of arrays in, batches out.

Ray Data, Spark and Dask make one for each worker and call it with one batch after another; docs/scaling.md tells how.
"""

import functools
import hashlib
from pathlib import Path
from typing import Self

import numpy as np

from .doubt import doubts, reasons
from .frame import SIDE
from .inference import Classifier
from .weights import SHIPPED, UnusableWeights, load_weights


class Scorer:
    """Reads the digits in batches of pixels.

    weights: the weights file. Raises UnusableWeights where it can't be used.

    Pickled, it is the name of that file and its checksum, not the network: each process loads the file once, and
    refuses one with another checksum. The shipped file is looked for where the package is installed there.
    """

    def __init__(self, weights: Path = SHIPPED) -> None:
        self.weights = Path(weights)
        self.sha256, self.network = load_once(self.weights)

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Replace the column "pixels" by the answers; other columns stay.

        pixels: (n, 28, 28) or (n, 784), whole numbers from 0 to 255 of any type, ink 255 on 0. Raises ValueError for
        anything else. The answers, (n,) each: "digit" int8, the best guess even where it is uncertain; "confidence"
        float32, its probability; "uncertain" bool; "reason" object, why it is uncertain, or None.
        """
        pixels = as_pixels(batch["pixels"])
        probabilities = self.network.probabilities(pixels)
        doubted = doubts(probabilities, self.network.weights)
        answers = {
            "digit": doubted.digits.astype(np.int8),
            "confidence": probabilities[np.arange(len(pixels)), doubted.digits],
            "uncertain": doubted.is_uncertain,
            "reason": np.array(reasons(pixels, doubted), object),
        }
        return {name: column for name, column in batch.items() if name != "pixels"} | answers

    def __reduce__(self) -> tuple:
        return self.unpickled, (None if self.weights == SHIPPED else self.weights, self.sha256)

    @classmethod
    def unpickled(cls, weights: Path | None, sha256: str) -> Self:
        """What is unpickled; raises UnusableWeights where this machine has another file under the name."""
        scorer = cls(weights or SHIPPED)
        if scorer.sha256 != sha256:
            found, expected = scorer.sha256[:12], sha256[:12]
            raise UnusableWeights(f"{scorer.weights}: weights {found} on this machine, expected {expected}")
        return scorer


@functools.cache
def load_once(path: Path) -> tuple[str, Classifier]:
    """The checksum of a weights file and its network, once a process: engines may unpickle many scorers."""
    network = Classifier(load_weights(path))  # which says in words what is wrong with a file
    return hashlib.sha256(path.read_bytes()).hexdigest(), network


def as_pixels(values: np.ndarray) -> np.ndarray:
    """Whole numbers from 0 to 255 of any type, n rows of 784 -> (n, 28, 28) uint8; raises ValueError otherwise."""
    if values.dtype == object:  # rows that are arrays themselves, as engines pass columns of lists
        values = np.stack(values) if len(values) else np.empty((0, SIDE, SIDE), np.uint8)
    if values.shape[1:] not in ((SIDE, SIDE), (SIDE * SIDE,)):
        raise ValueError(f"expected pixels of shape (n, {SIDE}, {SIDE}) or (n, {SIDE * SIDE}), got {values.shape}")
    with np.errstate(invalid="ignore"):  # of numbers that uint8 does not hold, which the comparison finds
        pixels = values.astype(np.uint8)
    if pixels.dtype != values.dtype and not (pixels == values).all():
        raise ValueError("expected pixels that are whole numbers from 0 to 255")
    return pixels.reshape(-1, SIDE, SIDE)
