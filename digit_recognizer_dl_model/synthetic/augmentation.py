"""Training images as other hands might have written them: moved, turned, slanted, bent, thinner, thicker or blurred."""

from dataclasses import dataclass

import numpy as np

from ..dataset import SIDE

CENTRE = (SIDE - 1) / 2
MARGIN = 4  # empty pixels around the image, so that no tap of the interpolation needs a check


@dataclass(frozen=True)
class Augmentation:
    """How far each random change may go; all ranges but those of lines are symmetric about none."""

    rotation_degrees: float = 15.0
    scale: float = 0.15  # of each axis on its own
    shear: float = 0.2  # pixels sideways per pixel down
    shift_pixels: float = 2.5
    elastic_pixels: float = 0.6  # standard deviation of the displacement at each node
    elastic_nodes: int = 7  # nodes along each side, between which the displacement is interpolated
    thinning: float = 0.5  # of the way to a line that is one pixel thinner on each side
    thickening: float = 0.8  # of the way to a line that is one pixel thicker on each side
    blurred: float = 0.25  # of the images, by any share of a blur of one pixel's standard deviation

    def __call__(self, pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Images (n, 28, 28) uint8 -> changed copies, (n, 28, 28) float32 in 0-1."""
        n = len(pixels)
        angle = np.deg2rad(rng.uniform(-self.rotation_degrees, self.rotation_degrees, n))
        scale_x, scale_y = rng.uniform(1 - self.scale, 1 + self.scale, (2, n))
        shear = rng.uniform(-self.shear, self.shear, n)
        shift_x, shift_y = rng.uniform(-self.shift_pixels, self.shift_pixels, (2, n))
        cos, sin = np.cos(angle), np.sin(angle)

        # Where each pixel of the result comes from: rotation . shear . scale about the centre, then the bend.
        offset = np.arange(SIDE) - CENTRE
        x = ((offset + 0 * offset[:, None]).ravel() - shift_x[:, None]) / scale_x[:, None]  # (n, 784)
        y = ((0 * offset + offset[:, None]).ravel() - shift_y[:, None]) / scale_y[:, None]
        x = x + shear[:, None] * y
        bend_x, bend_y = self._displacement(n, rng)
        source_x = cos[:, None] * x - sin[:, None] * y + CENTRE + bend_x
        source_y = sin[:, None] * x + cos[:, None] * y + CENTRE + bend_y
        images = thicken(sample(pixels, source_x, source_y), rng.uniform(-self.thinning, self.thickening, n))
        return blur(images, rng.uniform(0, 1, n) * (rng.random(n) < self.blurred))

    def _displacement(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Random smooth displacements in pixels, (2, n, 784): light elastic distortion (Simard et al. 2003)."""
        nodes = rng.normal(0, self.elastic_pixels, (2, n, self.elastic_nodes, self.elastic_nodes))
        position = np.linspace(0, self.elastic_nodes - 1, SIDE)
        spread = np.maximum(0, 1 - np.abs(position[:, None] - np.arange(self.elastic_nodes)))  # (28, nodes), linear
        return (spread @ nodes @ spread.T).reshape(2, n, -1)


def sample(pixels: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Read images between their pixels by bicubic interpolation (Keys 1981, a = -1/2); outside they are empty.

    pixels: (n, 28, 28) uint8; x, y: (n, 784), in pixels from the top left pixel's middle.
    Returns (n, 28, 28) float32 in 0-1.
    """
    n = len(pixels)
    side = SIDE + 2 * MARGIN
    padded = np.zeros((n, side, side), np.float32)
    padded[:, MARGIN:-MARGIN, MARGIN:-MARGIN] = pixels
    padded /= 255
    x = np.clip(x, -2, SIDE + 1).astype(np.float32) + MARGIN
    y = np.clip(y, -2, SIDE + 1).astype(np.float32) + MARGIN
    left, top = x.astype(np.intp), y.astype(np.intp)  # (n, 784)
    first = (np.arange(n) * side * side)[:, None] + (top - 1) * side + left - 1  # the top left of 4x4 taps
    weights_x, weights_y = cubic_weights(x - left), cubic_weights(y - top)  # four of (n, 784) each
    out = np.zeros_like(x)
    for row, weight_y in enumerate(weights_y):
        line = np.zeros_like(x)
        for column, weight_x in enumerate(weights_x):
            line += weight_x * padded.take(first + (row * side + column))
        out += weight_y * line
    return np.clip(out, 0, 1).reshape(n, SIDE, SIDE)


def thicken(images: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """Lines thicker or thinner by a share of a pixel on each side.

    images: (n, 28, 28) float32 in 0-1; amount: (n,), 1 is each pixel's darkest neighbour, -1 its lightest.
    """
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    neighbours = (padded[:, 1:-1, :-2], padded[:, 1:-1, 2:], padded[:, :-2, 1:-1], padded[:, 2:, 1:-1])
    thickest, thinnest = images, images
    for neighbour in neighbours:
        thickest, thinnest = np.maximum(thickest, neighbour), np.minimum(thinnest, neighbour)
    amount = amount.astype(np.float32)[:, None, None]
    return images + np.maximum(amount, 0) * (thickest - images) + np.minimum(amount, 0) * (images - thinnest)


def blur(images: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """Images (n, 28, 28) that fade into copies blurred by one pixel's standard deviation; amount: (n,), 0-1."""
    blurred = images
    for _ in range(2):  # each time by a variance of 1/2
        padded = np.pad(blurred, ((0, 0), (1, 1), (1, 1)))
        rows = (padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]) / np.float32(4)
        blurred = (rows[:, :, :-2] + 2 * rows[:, :, 1:-1] + rows[:, :, 2:]) / np.float32(4)
    return images + amount.astype(np.float32)[:, None, None] * (blurred - images)


def cubic_weights(t: np.ndarray) -> tuple[np.ndarray, ...]:
    """The weights of the pixels at -1, 0, 1 and 2 for a point at `t` (0-1) between 0 and 1."""
    t2, t3 = t * t, t * t * t
    half = np.float32(0.5)
    return (
        half * (-t3 + 2 * t2 - t),
        half * (3 * t3 - 5 * t2 + 2),
        half * (-3 * t3 + 4 * t2 + t),
        half * (t3 - t2),
    )
