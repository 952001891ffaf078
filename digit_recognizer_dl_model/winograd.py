"""Winograd's method of convolution: the matrices and the tiles, which inference and training share."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.polynomial.polynomial import polyfromroots

from .weights import UnusableWeights

# The points at which Winograd's method evaluates polynomials, besides infinity. Small fractions lose the fewest bits;
# each further point would save less and round worse.
POINTS = (0, 1, -1, 2, -2, 1 / 2)


def pieces(x: np.ndarray, size: int, step: int, axis: int) -> np.ndarray:
    """A view of overlapping pieces of an axis: (.., n, ..) -> (.., m, size, ..); piece i begins at i * step."""
    windows = np.moveaxis(sliding_window_view(x, size, axis), -1, axis + 1)
    return windows[(slice(None),) * axis + (slice(None, None, step),)]


def tile_side(length: int, size: int, pools: bool) -> int:
    """The side of the largest tiles that divide `length` pixels of the output without a remainder.

    It is even where 2x2 pooling follows, so that each tile can be pooled by itself. Raises UnusableWeights where no
    tile fits, because the kernel is too large.
    """
    sides = range(1, len(POINTS) + 3 - size)
    fitting = [side for side in sides if length % side == 0 and not (pools and side % 2)]
    if not fitting:
        raise UnusableWeights(f"can't run a convolution of size {size} whose output has {length} x {length} pixels")
    return fitting[-1]


def winograd(tile: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The matrices A, G and B for which A @ ((G @ kernel) * (B @ x)) is the correlation of x with the kernel.

    A: (tile, points), G: (points, size), B: (points, points), where points = tile + size - 1 is also the length of x.
    Toom and Cook's construction: G evaluates the kernel, as a polynomial, at each point, and the transpose of A would
    evaluate a polynomial of `tile` coefficients; the transpose of B would interpolate their product. Source: Lavin &
    Gray 2015, arXiv:1509.09308.
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
