"""The layout of the map: features of many tiles become places on a plane, by t-SNE in NumPy alone.

t-SNE (van der Maaten & Hinton 2008, JMLR 9:2579) keeps the neighbours of each point near it. All pairs repel each
other, which is summed on a grid by the fast Fourier transform (Linderman et al. 2019, doi:10.1038/s41592-018-0308-4),
so that the time of a step grows with the number of points, not of pairs. It begins with the two largest principal
components (Kobak & Berens 2019, doi:10.1038/s41467-019-13056-x): nothing is random, and the large shape of the data
stays.
"""

from collections.abc import Callable, Iterator

import numpy as np

COMPONENTS = 30  # principal components that neighbours are searched in; the others are hardly more than noise
PERPLEXITY = 30  # how many neighbours count, about; see van der Maaten & Hinton
NEIGHBOURS = 3 * PERPLEXITY  # that any attraction is computed to
STEPS, EARLY_STEPS = 750, 250  # of the descent, and those of them in which neighbours attract more
EXAGGERATION = 12  # times the attraction, in the early steps
MOMENTUM, EARLY_MOMENTUM = 0.8, 0.5
LEAST_GAIN = 0.01  # of the step along one coordinate
NODES = 3  # of the interpolation, along each side of a cell of the grid
LEAST_CELLS = 50  # along each side of the grid
ROUNDS, ROUNDS_ALIKE = 60, 10  # of spreading out, and those for which the neighbours are searched once
CROWD = 16  # neighbours that a point is kept apart from
ROWS = 500  # of distances that are computed together, which takes 20 MB with ten thousand points


def principal_components(features: np.ndarray, count: int = COMPONENTS) -> np.ndarray:
    """Features (n, channels) -> their coordinates along the axes of most variance, (n, count) float32.

    Each axis points to where its largest weight is positive, so that the result does not depend on the solver.
    """
    centred = features - features.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T.astype(np.float64) @ centred)
    axes = axes[:, ::-1][:, :count]
    largest = np.abs(axes).argmax(axis=0)
    axes = axes * np.sign(axes[largest, np.arange(axes.shape[1])])
    return (centred @ axes).astype(np.float32)


def nearest(points: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The nearest other points of each of n points (n, d), nearest first: indices and squared distances, (n, count)."""
    n, count = len(points), min(count, len(points) - 1)
    indices, distances = np.empty((n, count), np.int64), np.empty((n, count), np.float32)
    for start, squared in squared_distances(points):
        rows = np.arange(len(squared))
        squared[rows, start + rows] = np.inf  # a point is no neighbour of itself
        found = np.argpartition(squared, count - 1, axis=1)[:, :count]
        order = np.take_along_axis(squared, found, axis=1).argsort(axis=1, kind="stable")
        indices[start : start + len(rows)] = found = np.take_along_axis(found, order, axis=1)
        distances[start : start + len(rows)] = np.take_along_axis(squared, found, axis=1)
    return indices, distances


def squared_distances(points: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """The squared distances of points (n, d) to all points, some rows at a time: the first row, (rows, n)."""
    lengths = np.einsum("nd,nd->n", points, points)
    for start in range(0, len(points), ROWS):
        some = points[start : start + ROWS]
        squared = lengths[start : start + ROWS, None] + lengths - 2 * some @ points.T
        yield start, np.maximum(squared, 0, out=squared)


def affinities(squared: np.ndarray, perplexity: float = PERPLEXITY) -> np.ndarray:
    """How much each point is drawn to its neighbours: squared distances (n, k) -> (n, k), each row summing to 1.

    The width of the Gaussian around a point is such that as many neighbours count as the perplexity says, found by
    bisection of its precision.
    """
    squared = squared - squared[:, :1]
    target = np.log(min(perplexity, squared.shape[1]))
    precision = np.ones((len(squared), 1)) / np.maximum(squared.mean(axis=1, keepdims=True), 1e-12)
    least, most = np.zeros_like(precision), np.full_like(precision, np.inf)
    for _ in range(60):
        weights = np.exp(-squared * precision)
        sums = weights.sum(axis=1, keepdims=True)
        entropy = np.log(sums) + precision * (squared * weights).sum(axis=1, keepdims=True) / sums
        is_wide = entropy > target
        least, most = np.where(is_wide, precision, least), np.where(is_wide, most, precision)
        precision = np.where(np.isinf(most), 2 * precision, (least + most) / 2)
    return weights / sums


class Attraction:
    """The forces between neighbours, as a sparse symmetric matrix of affinities that sums to 1."""

    def __init__(self, indices: np.ndarray, weights: np.ndarray) -> None:
        """indices, weights: (n, k), the neighbours of each point and how much it is drawn to each."""
        n, k = indices.shape
        here, there = np.repeat(np.arange(n), k), indices.ravel()
        # Both directions of each pair, with what they have in common added up.
        keys = np.concatenate([here * n + there, there * n + here])
        keys, places = np.unique(keys, return_inverse=True)
        sums = np.bincount(places, np.tile(weights.ravel(), 2))
        self._here, self._there = keys // n, keys % n
        self._weights = (sums / sums.sum()).astype(np.float32)
        self._starts = np.searchsorted(self._here, np.arange(n))

    def forces(self, places: np.ndarray) -> np.ndarray:
        """The pull at each place: (n, 2) -> (n, 2) float32. Each point has a neighbour at least."""
        between = places[self._here] - places[self._there]
        pull = self._weights / (1 + np.einsum("nd,nd->n", between, between))
        return np.add.reduceat(pull[:, None] * between, self._starts, axis=0)


def repulsion(places: np.ndarray) -> np.ndarray:
    """The push of all others at each place, divided by the sum over all pairs: (n, 2) float32 -> (n, 2) float32.

    The kernels 1 / (1 + d^2) and its square are interpolated by polynomials between the nodes of a grid. There, their
    sums over all points are a convolution.
    """
    low, high = places.min(), places.max()
    cells = max(LEAST_CELLS, int(np.ceil(high - low)))
    cells = quick_size(2 * NODES * cells) // (2 * NODES)
    side = NODES * cells
    scaled = (places - low) * (cells / (high - low + 1e-6))
    cell = np.minimum(scaled.astype(np.int64), cells - 1)
    basis = interpolation(scaled - cell)  # (n, 2, NODES)
    weights = (basis[:, 0, :, None] * basis[:, 1, None, :]).reshape(len(places), -1)  # (n, NODES ** 2)
    rows = NODES * cell[:, 0, None] + np.arange(NODES)
    columns = NODES * cell[:, 1, None] + np.arange(NODES)
    nodes = (rows[:, :, None] * side + columns[:, None, :]).reshape(len(places), -1)

    step = (high - low + 1e-6) / side
    offsets = np.minimum(np.arange(2 * side), 2 * side - np.arange(2 * side)) * step
    squared = (offsets[:, None] ** 2 + offsets**2).astype(np.float32)
    kernel = 1 / (1 + squared)
    charges = [np.ones(len(places), np.float32), places[:, 0], places[:, 1]]
    flat = nodes.ravel()
    grids = [np.bincount(flat, (weights * charge[:, None]).ravel(), side * side) for charge in charges]
    spectra = np.fft.rfft2(np.stack(grids).reshape(3, side, side).astype(np.float32), (2 * side, 2 * side))
    first, second = np.fft.rfft2(np.stack([kernel, kernel * kernel]))
    product = np.concatenate([spectra[:1] * first, spectra * second])
    potentials = np.fft.irfft2(product, (2 * side, 2 * side))[:, :side, :side].reshape(4, -1)
    values = np.einsum("nw,fnw->fn", weights, potentials[:, nodes])
    total = values[0].sum() - len(places)  # without each point's own 1
    return ((places * values[1][:, None] - values[2:].T) / total).astype(np.float32)


def interpolation(within: np.ndarray) -> np.ndarray:
    """Lagrange's polynomials for places within cells, 0 to 1: (n, 2) -> (n, 2, NODES), their values there."""
    nodes = (np.arange(NODES) + 0.5) / NODES
    factors = [
        np.prod([(within - other) / (node - other) for other in nodes if other != node], axis=0) for node in nodes
    ]
    return np.stack(factors, axis=-1).astype(np.float32)


def quick_size(least: int) -> int:
    """The next number with no prime factors but 2, 3 and 5 that is divisible by 2 * NODES, for quick transforms."""
    size = -(-least // (2 * NODES)) * 2 * NODES
    while True:
        rest = size
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return size
        size += 2 * NODES


def lay_out(features: np.ndarray, tell: Callable[[int], object] = lambda steps: None, steps: int = STEPS) -> np.ndarray:
    """Features (n, channels) of n > 3 tiles -> their places on the plane, (n, 2) float32; the same each time.

    tell: called after each step with 1.
    """
    reduced = principal_components(features)
    attraction = Attraction(*neighbourhoods(reduced))
    places = reduced[:, :2] / reduced[:, 0].std() * np.float32(1e-4)
    rate = len(places) / EXAGGERATION
    moves, gains = np.zeros_like(places), np.ones_like(places)
    for step in range(steps):
        is_early = step < EARLY_STEPS
        pull = np.float32(EXAGGERATION if is_early else 1)
        gradient = 4 * (pull * attraction.forces(places) - repulsion(places))
        gains = np.where(np.sign(gradient) != np.sign(moves), gains + 0.2, gains * 0.8).clip(LEAST_GAIN)
        momentum = EARLY_MOMENTUM if is_early else MOMENTUM
        moves = (momentum * moves - rate * gains * gradient).astype(np.float32)
        places = places + moves
        places -= places.mean(axis=0)
        tell(1)
    return places


def neighbourhoods(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest neighbours of each of n points (n, d), and how much it is drawn to each: (n, k) both."""
    indices, squared = nearest(points, NEIGHBOURS)
    return indices, affinities(squared.astype(np.float64))


def spread_out(places: np.ndarray, tell: Callable[[int], object] = lambda rounds: None) -> np.ndarray:
    """Push places (n, 2) apart that crowd each other, so that pictures there hardly overlap: (n, 2) float32.

    Two that are closer than the usual distance of neighbours each move by a part of what is missing, again and again.
    Crowds so take up the gaps beside them, and the neighbours stay the same but for those at the rim.
    """
    places = places.astype(np.float32)
    _, squared = nearest(places, CROWD)
    room = np.float32(np.median(np.sqrt(squared[:, -1])) * np.sqrt(np.pi / CROWD))
    for done in range(ROUNDS):
        if done % ROUNDS_ALIKE == 0:
            indices, _ = nearest(places, CROWD)
        between = places[:, None] - places[indices]  # (n, CROWD, 2)
        distances = np.maximum(np.hypot(between[..., 0], between[..., 1]), 1e-3 * room)
        missing = np.maximum(room - distances, 0) / distances
        places = places + 0.25 * (missing[..., None] * between).sum(axis=1)
        tell(1)
    return places
