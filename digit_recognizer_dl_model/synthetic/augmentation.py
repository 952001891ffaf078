"""Augmentation of training images: moved, turned, slanted, bent, thinner, thicker or blurred copies of them."""

from dataclasses import dataclass

import numpy as np

from ..dataset import SIDE

CENTRE = (SIDE - 1) / 2
MARGIN = 4  # empty pixels around the image, so that the interpolation never reads outside the array


@dataclass(frozen=True)
class Augmentation:
    """How far each random change may go; the ranges of all but thinning, thickening and blur are symmetric."""

    rotation_degrees: float = 15.0
    scale: float = 0.15  # fraction by which each axis grows or shrinks, independently
    shear: float = 0.2  # pixels sideways per pixel down
    shift_pixels: float = 2.5
    elastic_pixels: float = 0.6  # standard deviation of the displacement at each node
    elastic_nodes: int = 7  # nodes along each side, between which the displacement is interpolated
    thinning: float = 0.5  # pixels on each side of a line
    thickening: float = 0.8  # pixels on each side of a line
    blurred: float = 0.25  # fraction of the images; each fades partly into a copy blurred by one pixel

    def __call__(self, pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Images (n, 28, 28) uint8 -> changed copies, (n, 28, 28) float32 in 0-1."""
        n = len(pixels)
        angle = np.deg2rad(rng.uniform(-self.rotation_degrees, self.rotation_degrees, n))
        scale_x, scale_y = rng.uniform(1 - self.scale, 1 + self.scale, (2, n))
        shear = rng.uniform(-self.shear, self.shear, n)
        shift_x, shift_y = rng.uniform(-self.shift_pixels, self.shift_pixels, (2, n))
        cos, sin = np.cos(angle), np.sin(angle)

        # The place from which each pixel is read: rotation . shear . scale about the centre, then the displacement.
        offset = np.arange(SIDE) - CENTRE
        x = ((offset + 0 * offset[:, None]).ravel() - shift_x[:, None]) / scale_x[:, None]  # (n, 784)
        y = ((0 * offset + offset[:, None]).ravel() - shift_y[:, None]) / scale_y[:, None]
        x = x + shear[:, None] * y
        bend_x, bend_y = self._displacement(n, rng)
        source_x = cos[:, None] * x - sin[:, None] * y + CENTRE + bend_x
        source_y = sin[:, None] * x + cos[:, None] * y + CENTRE + bend_y
        images = thicken(interpolate(pixels, source_x, source_y), rng.uniform(-self.thinning, self.thickening, n))
        return blur(images, rng.uniform(0, 1, n) * (rng.random(n) < self.blurred))

    def _displacement(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Random smooth displacements along x and y in pixels, (2, n, 784).

        Source: a light form of the elastic distortion in Simard et al. 2003, ICDAR.
        """
        nodes = rng.normal(0, self.elastic_pixels, (2, n, self.elastic_nodes, self.elastic_nodes))
        position = np.linspace(0, self.elastic_nodes - 1, SIDE)
        spread = np.maximum(0, 1 - np.abs(position[:, None] - np.arange(self.elastic_nodes)))  # (28, nodes), linear
        return (spread @ nodes @ spread.T).reshape(2, n, -1)


def interpolate(pixels: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Read images at points between their pixels by bicubic interpolation (Keys 1981, a = -1/2).

    pixels: (n, 28, 28) uint8; x, y: (n, 784), in pixels from the middle of the top left pixel. Images are empty
    outside their edges. Returns (n, 28, 28) float32 in 0-1.
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
    """Make lines thicker or thinner by a fraction of a pixel on each side.

    images: (n, 28, 28) float32 in 0-1; amount: (n,) pixels. At 1 each pixel becomes the strongest of itself and its
    four neighbours, at -1 the weakest.
    """
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    neighbours = (padded[:, 1:-1, :-2], padded[:, 1:-1, 2:], padded[:, :-2, 1:-1], padded[:, 2:, 1:-1])
    thickest, thinnest = images, images
    for neighbour in neighbours:
        thickest, thinnest = np.maximum(thickest, neighbour), np.minimum(thinnest, neighbour)
    amount = amount.astype(np.float32)[:, None, None]
    return images + np.maximum(amount, 0) * (thickest - images) + np.minimum(amount, 0) * (images - thinnest)


def blur(images: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """Fade images (n, 28, 28) into blurred copies by an amount (n,), 0-1; 1 is a standard deviation of one pixel."""
    blurred = images
    for _ in range(2):  # each time by a variance of 1/2
        padded = np.pad(blurred, ((0, 0), (1, 1), (1, 1)))
        rows = (padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]) / np.float32(4)
        blurred = (rows[:, :, :-2] + 2 * rows[:, :, 1:-1] + rows[:, :, 2:]) / np.float32(4)
    return images + amount.astype(np.float32)[:, None, None] * (blurred - images)


def cubic_weights(t: np.ndarray) -> tuple[np.ndarray, ...]:
    """The weights of the pixels at -1, 0, 1 and 2 for a point at `t`, 0-1 (Keys 1981, equation 15)."""
    t2, t3 = t * t, t * t * t
    half = np.float32(0.5)
    return (
        half * (-t3 + 2 * t2 - t),
        half * (3 * t3 - 5 * t2 + 2),
        half * (-3 * t3 + 4 * t2 + t),
        half * (t3 - t2),
    )
