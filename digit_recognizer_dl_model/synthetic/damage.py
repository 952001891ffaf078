"""Damage to training images: noise, specks, blur, haze, bands, spots, lines across, outlines alone, few levels.

Each kind is a broad family, from slight to nearly unreadable, and none is one of those that
`benchmarks/quality/corruptions.py` measures.
"""

from collections.abc import Callable

import numpy as np

from ..frame import SIDE

TWICE = 0.15  # fraction of the images that are damaged in two ways
AXIS = np.arange(SIDE) - (SIDE - 1) / 2  # pixels from the middle
FAINTEST = 0.1  # of full ink, up to which the strongest ink is raised again

Damage = Callable[[np.ndarray, np.random.Generator], np.ndarray]  # (28, 28) in 0-1, to the same, perhaps beyond


def damage(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An image (28, 28) float32 in 0-1 with one or two kinds of KINDS."""
    for _ in range(1 + (rng.random() < TWICE)):
        image = KINDS[rng.integers(len(KINDS))](image, rng).clip(0, 1)
    return image.astype(np.float32)


def grain(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Noise of all pixels, or of the ink alone."""
    noise = rng.normal(0, rng.uniform(0.05, 0.45), image.shape)
    return image + noise * (image if rng.random() < 0.3 else 1)


def specks(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Single pixels black or white, or of any level."""
    is_hit = rng.random(image.shape) < rng.uniform(0.02, 0.35)
    values = rng.integers(0, 2, image.shape) if rng.random() < 0.7 else rng.random(image.shape)
    return np.where(is_hit, values, image)


def movement(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The mean along a bent path of the hand."""
    angle, turn = rng.uniform(0, 2 * np.pi), rng.normal(0, 0.3)
    steps = rng.integers(3, 11)
    directions = angle + turn * np.arange(steps)
    path = np.cumsum(np.column_stack([np.sin(directions), np.cos(directions)]), axis=0)
    places = np.rint(path - path.mean(axis=0)).astype(int)
    return raised(np.mean([np.roll(image, tuple(place), (0, 1)) for place in places], axis=0))


def uneven_glass(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each pixel from a place near it."""
    rows, columns = np.indices(image.shape) + np.rint(rng.normal(0, rng.uniform(0.5, 2), (2, *image.shape))).astype(int)
    return soften(image[rows.clip(0, SIDE - 1), columns.clip(0, SIDE - 1)], rng.integers(0, 2))


def out_of_focus(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return raised(soften(image, rng.integers(2, 9)))


def haze(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A smooth field over the image, which takes contrast from it."""
    nodes = rng.integers(2, 7)
    spread = np.maximum(0, 1 - np.abs(np.linspace(0, nodes - 1, SIDE)[:, None] - np.arange(nodes)))  # (28, nodes)
    strength = rng.uniform(0.2, 0.8)
    hazy = image * (1 - 0.7 * strength) + strength * (spread @ rng.random((nodes, nodes)) @ spread.T)
    return raised(hazy - hazy.min())


def bands(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Parallel bands in which the image is inverted, covered or faded."""
    angle, period = rng.uniform(0, np.pi), rng.uniform(3, 14)
    across = np.cos(angle) * AXIS + np.sin(angle) * AXIS[:, None] + rng.uniform(0, SIDE)
    changed = [1 - image, np.full_like(image, rng.uniform(0.3, 1)), image * rng.uniform(0, 0.5)][rng.integers(3)]
    return np.where(across % period < rng.uniform(0.15, 0.5) * period, changed, image)


def spots(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Spots of ink, or of paper."""
    level = float(rng.random() < 0.6)
    for _ in range(rng.integers(3, 20)):
        x, y = rng.uniform(-14, 14, 2)
        spot = (rng.uniform(1, 3.1) - np.hypot(AXIS - x, AXIS[:, None] - y)).clip(0, 1)
        image = image + spot * (level - image)
    return image


def line_across(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A line of ink or of paper: straight, bent or jagged, whole or in pieces."""
    turns = rng.integers(2, 12)
    along = np.linspace(rng.uniform(-14, -6), rng.uniform(6, 14), turns)
    across = rng.uniform(-8, 8) + rng.normal(0, rng.uniform(0, 5), turns)
    places = np.linspace(0, turns - 1, 120)
    x, y = (np.interp(places, np.arange(turns), values) for values in rng.permutation([along, across]))
    if rng.random() < 0.4:
        is_kept = np.arange(len(places)) // rng.integers(3, 9) % 2 == 0
        x, y = x[is_kept], y[is_kept]
    distance = np.hypot(AXIS - x[:, None, None], AXIS[:, None] - y[:, None, None]).min(axis=0)
    line = (rng.uniform(0.9, 1.8) - distance).clip(0, 1)
    return image + line * (float(rng.random() < 0.75) - image)


def outlines(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The edges of the strokes alone, soft or hard."""
    framed = np.pad(image, 1)
    edges = raised(np.hypot(framed[1:-1, 2:] - framed[1:-1, :-2], framed[2:, 1:-1] - framed[:-2, 1:-1]))
    return edges if rng.random() < 0.5 else (edges > rng.uniform(0.2, 0.5)).astype(np.float32)


def few_levels(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Other contrast, and perhaps only some grey levels."""
    levels = rng.integers(1, 5) if rng.random() < 0.5 else 255
    return np.rint(image ** np.exp(rng.normal(0, 0.7)) * levels) / levels


def soften(image: np.ndarray, passes: int) -> np.ndarray:
    """Blur an image (28, 28); each pass adds a half to the variance, in square pixels."""
    for _ in range(passes):
        framed = np.pad(image, 1)
        rows = (framed[:-2] + 2 * framed[1:-1] + framed[2:]) / 4
        image = (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) / 4
    return image


def raised(image: np.ndarray) -> np.ndarray:
    """The image with its strongest ink at 1, as the preparation leaves it; what is blank stays so."""
    return image / max(image.max(), FAINTEST)


KINDS: list[Damage] = [  # what the preparation cannot take away comes twice or thrice
    grain,
    specks,
    movement,
    movement,
    uneven_glass,
    uneven_glass,
    out_of_focus,
    haze,
    bands,
    spots,
    spots,
    spots,
    line_across,
    line_across,
    line_across,
    outlines,
    outlines,
    few_levels,
]
