"""MNIST's frame, which every digit is placed in: 28x28 pixels, a box of 20, the centre of mass on pixel 14."""

import numpy as np

SIDE = 28  # pixels
BOX = 20  # pixels of the digit's longest side
CENTRE = 14  # the pixel on which the centre of mass lies
POSITIONS = np.arange(SIDE)


def place(mass: np.ndarray) -> int:
    """The first row or column of a digit whose centre of mass lies on pixel 14, clipped to the frame.

    mass: (n,), the ink in each row or column of the digit.
    """
    middle = np.add.reduce(POSITIONS[: len(mass)] * mass) / np.add.reduce(mass)
    return min(max(round(CENTRE - middle), 0), SIDE - len(mass))
