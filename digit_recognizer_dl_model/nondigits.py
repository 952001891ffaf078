"""Pictures that are no single digit, made up and prepared as the digits of `handwriting` are: what is to be refused."""

from collections.abc import Callable

import numpy as np

from . import handwriting
from .frame import BOX, SIDE, place
from .handwriting import THICKEST, THINNEST, curve, render, write


def sample(count: int, rng: np.random.Generator, kind: str) -> np.ndarray:
    """`count` pictures of a kind in KINDS, (count, 28, 28) uint8, ink 255 on 0.

    By chance a few come out as digits: a scribble, say, that is a 6.
    """
    pixels = np.zeros((count, SIDE, SIDE), np.uint8)
    for image in pixels:
        image[:] = KINDS[kind](rng)
    return pixels


def scribble(rng: np.random.Generator) -> np.ndarray:
    """A pen that wanders: how fast it turns is a random walk."""
    steps = rng.integers(60, 400)
    turning = np.cumsum(rng.normal(0, rng.uniform(0.02, 0.1), steps))  # radians a step
    turning -= np.linspace(0, turning[-1], steps) + rng.normal(0, 0.1)
    direction = rng.uniform(0, 2 * np.pi) + np.cumsum(turning)
    path = np.cumsum(np.column_stack([np.cos(direction), np.sin(direction)]), axis=0)
    return draw([path], rng)


def zigzag(rng: np.random.Generator) -> np.ndarray:
    """A hand that goes back and forth, as if to blacken a surface; its turns are sharp or round."""
    turns = rng.integers(5, 16)
    along = np.linspace(0, rng.uniform(0.3, 2), turns) + rng.normal(0, 0.05, turns)
    across = np.arange(turns) % 2 * rng.uniform(0.4, 1) + rng.normal(0, 0.1, turns)
    angle = rng.uniform(0, 2 * np.pi)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return draw([curve(sharpened(np.column_stack([along, across]), 0.5, rng)) @ rotation], rng)


def strokes(rng: np.random.Generator) -> np.ndarray:
    """Two to six strokes anywhere, straight, bent or curved."""
    drawn = []
    for _ in range(rng.integers(2, 7)):
        points = rng.random(2) + np.cumsum(rng.normal(0, 0.3, (rng.integers(2, 5), 2)), axis=0)
        drawn.append(curve(sharpened(points, 0.4, rng)))
    return draw(drawn, rng)


def several_digits(rng: np.random.Generator) -> np.ndarray:
    """Two to four digits in a row, as close as in a number or touching."""
    names = list(handwriting.FORMS)
    row, right = [], 0.0  # strokes, and how far they reach
    for _ in range(rng.choice([2, 3, 4], p=[0.7, 0.2, 0.1])):
        written = write(names[rng.integers(len(names))], rng)
        x = np.concatenate(written)[:, 0]
        shift = np.array([right - x.min(), rng.normal(0, 0.08)])
        row += [stroke + shift for stroke in written]
        right += np.ptp(x) + rng.uniform(-0.1, 0.5)
    return draw(row, rng)


def blot(rng: np.random.Generator) -> np.ndarray:
    """Smooth noise, cut off at some level: islands, bays and holes, with hard or soft edges."""
    reach = rng.uniform(0.6, 5)  # pixels
    distance = np.arange(BOX) - np.arange(BOX)[:, None]
    blur = np.exp(-((distance / reach) ** 2))  # (BOX, BOX)
    height = blur @ rng.normal(size=(BOX, BOX)) @ blur.T
    height = (height - np.quantile(height, rng.uniform(0.2, 0.9))) / height.std()
    return print_cells(np.clip(height * rng.uniform(1, 20), 0, 1))


def noise(rng: np.random.Generator) -> np.ndarray:
    """Every pixel for itself."""
    ink = rng.random((BOX, BOX)) ** rng.uniform(0.3, 4)
    return print_cells(np.where(rng.random((BOX, BOX)) < rng.uniform(0.05, 1), ink, 0))


KINDS: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "scribble": scribble,
    "zigzag": zigzag,
    "strokes": strokes,
    "several digits": several_digits,
    "blot": blot,
    "noise": noise,
}


def sharpened(points: np.ndarray, chance: float, rng: np.random.Generator) -> np.ndarray:
    """Points (n, 2) of a curve, by that chance all of them corners, which come twice."""
    return np.repeat(points, 2, axis=0) if rng.random() < chance else points


def draw(lines: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Strokes of (n, 2) points, in any unit, with any pen -> (28, 28) uint8."""
    return render(lines, THINNEST + (THICKEST - THINNEST) * rng.beta(1.5, 3.5), rng)


def print_cells(cells: np.ndarray) -> np.ndarray:
    """Ink 0-1 on (BOX, BOX) pixels, centred as digits are -> (28, 28) uint8."""
    pixels = np.zeros((SIDE, SIDE), np.uint8)
    top, left = place(cells.sum(axis=1)), place(cells.sum(axis=0))
    pixels[top : top + BOX, left : left + BOX] = np.rint(cells * (255 / cells.max()))
    return pixels
