"""MNIST's frame, which every digit is placed in: 28x28 pixels, a box of 20, the centre of mass on pixel 14."""

import numpy as np

SIDE = 28  # pixels
BOX = 20  # pixels of the digit's longest side
CENTRE = 14  # the pixel on which the centre of mass lies


def place(mass: np.ndarray) -> int:
    """The first row or column of a digit whose centre of mass lies on pixel 14, clipped to the frame.

    mass: (n,), the ink in each row or column of the digit.
    """
    middle = (np.arange(len(mass)) * mass).sum() / mass.sum()
    return int(np.clip(round(CENTRE - middle), 0, SIDE - len(mass)))
