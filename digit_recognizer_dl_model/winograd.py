"""Winograd's method of convolution: the matrices and tiles that inference and training share."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.polynomial.polynomial import polyfromroots

from .weights import UnusableWeights

# Where Winograd's method evaluates polynomials, "infinity" aside: small fractions that lose the fewest bits. Each
# further point would save less and round worse.
POINTS = (0, 1, -1, 2, -2, 1 / 2)


def pieces(x: np.ndarray, size: int, step: int, axis: int) -> np.ndarray:
    """A view of overlapping pieces of an axis, each begun `step` after the last: (.., n, ..) -> (.., m, size, ..)."""
    windows = np.moveaxis(sliding_window_view(x, size, axis), -1, axis + 1)
    return windows[(slice(None),) * axis + (slice(None, None, step),)]


def tile_side(length: int, size: int, pools: bool) -> int:
    """The side of the largest tiles that cover `length` pixels exactly; even, so that they can be pooled each alone."""
    sides = range(1, len(POINTS) + 3 - size)
    fitting = [side for side in sides if length % side == 0 and not (pools and side % 2)]
    if not fitting:
        raise UnusableWeights(f"can't run a convolution of size {size} that answers with {length} x {length} pixels")
    return fitting[-1]


def winograd(tile: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Matrices A, G, B with A @ (G @ kernel * (B @ x)) the correlation of x, `tile + size - 1` long, with the kernel.

    Toom and Cook's construction: G evaluates the kernel, as a polynomial, at each point, and A's transpose would do
    the same to a polynomial of `tile` coefficients; B's transpose would interpolate their product.
    """
    finite = np.array(POINTS[: tile + size - 2], np.float64)
    others = [np.delete(finite, index) for index in range(len(finite))]
    A = np.append(finite ** np.arange(tile)[:, None], np.eye(tile)[:, -1:], axis=1)  # (tile, points)
    G = np.append(finite[:, None] ** np.arange(size), np.eye(size)[-1:], axis=0)  # (points, size)
    G[:-1] /= np.reshape([np.prod(point - rest) for point, rest in zip(finite, others, strict=True)], (-1, 1))
    B = np.zeros((len(G), len(G)))  # (points, points)
    B[:-1, :-1] = [polyfromroots(rest) for rest in others]
    B[-1] = polyfromroots(finite)
    return A, G, B
