"""The frame that every digit is brought into, as MNIST's were: 28x28 pixels, a box of 20, the centre of mass on 14."""

import numpy as np

SIDE = 28  # pixels
BOX = 20  # pixels of the digit's longest side
CENTRE = 14  # the pixel that the centre of mass comes to


def place(mass: np.ndarray) -> int:
    """Where a digit with this ink per row or column begins for its centre of mass to come to pixel 14."""
    middle = (np.arange(len(mass)) * mass).sum() / mass.sum()
    return int(np.clip(round(CENTRE - middle), 0, SIDE - len(mass)))
