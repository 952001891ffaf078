"""Negatives: synthetic pictures that do not show one digit, prepared as the digits of `handwriting` are.

The network has an output for them, beside those of the ten digits.
"""

from collections.abc import Callable

import numpy as np

from ..frame import BOX, SIDE, place
from .handwriting import FORMS, THICKEST, THINNEST, bend, curve, posture, render, write_form
from .letters import LETTERS


def make_negatives(count: int, rng: np.random.Generator, kind: str) -> np.ndarray:
    """Make `count` pictures of a kind in KINDS: (count, 28, 28) uint8, ink 255 on 0.

    A few of them look like a digit by chance, for example a scribble like a 6.
    """
    pixels = np.zeros((count, SIDE, SIDE), np.uint8)
    for image in pixels:
        image[:] = KINDS[kind](rng)
    return pixels


def numbers_of_kinds(total: int) -> dict[str, int]:
    """How many of about `total` negatives are of each kind."""
    shares = {kind: FREQUENT.get(kind, 1) for kind in KINDS}
    return {kind: total * share // sum(shares.values()) for kind, share in shares.items()}


def scribble(rng: np.random.Generator) -> np.ndarray:
    """The path of a pen whose speed of turning is a random walk."""
    steps = rng.integers(60, 400)
    turning = np.cumsum(rng.normal(0, rng.uniform(0.02, 0.1), steps))  # radians a step
    turning -= np.linspace(0, turning[-1], steps) + rng.normal(0, 0.1)
    direction = rng.uniform(0, 2 * np.pi) + np.cumsum(turning)
    path = np.cumsum(np.column_stack([np.cos(direction), np.sin(direction)]), axis=0)
    return draw_with_any_pen([path], rng)


def zigzag(rng: np.random.Generator) -> np.ndarray:
    """A line back and forth, as if to blacken a surface; its turns are sharp or round."""
    turns = rng.integers(5, 16)
    along = np.linspace(0, rng.uniform(0.3, 2), turns) + rng.normal(0, 0.05, turns)
    across = np.arange(turns) % 2 * rng.uniform(0.4, 1) + rng.normal(0, 0.1, turns)
    angle = rng.uniform(0, 2 * np.pi)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return draw_with_any_pen([curve(sharpened(np.column_stack([along, across]), 0.5, rng)) @ rotation], rng)


def strokes(rng: np.random.Generator) -> np.ndarray:
    """Two to six strokes anywhere, straight, bent or curved."""
    drawn = []
    for _ in range(rng.integers(2, 7)):
        points = rng.random(2) + np.cumsum(rng.normal(0, 0.3, (rng.integers(2, 5), 2)), axis=0)
        drawn.append(curve(sharpened(points, 0.4, rng)))
    return draw_with_any_pen(drawn, rng)


def several_digits(rng: np.random.Generator) -> np.ndarray:
    """Two to four digits in a row, as close as in a number or touching, often narrow."""
    forms = list(FORMS.values())
    row, right = [], 0.0  # strokes, and their right end
    narrow = rng.uniform(0.4, 1) if rng.random() < 0.7 else 1.0
    apart = rng.uniform(-0.1, 0.5)
    for _ in range(rng.choice([2, 3, 4], p=[0.75, 0.18, 0.07])):
        written = [stroke * [narrow, 1] for stroke in write_form(forms[rng.integers(len(forms))], rng)]
        x = np.concatenate(written)[:, 0]
        shift = np.array([right - x.min(), rng.normal(0, 0.08)])
        row += [stroke + shift for stroke in written]
        right += np.ptp(x) + narrow * apart + rng.normal(0, 0.05)
    return draw_with_any_pen(row, rng, thickest=4)


def fragment(rng: np.random.Generator) -> np.ndarray:
    """A digit with a part cut off, in forms whose rest is not a digit."""
    name, axis, keeps_more, middle = FRAGMENTS[rng.integers(len(FRAGMENTS))]
    written = write_form(FORMS[name], rng)
    places = np.concatenate(written)[:, axis]
    cut = places.min() + np.ptp(places) * (middle + rng.uniform(-0.06, 0.06))
    parts = [part for stroke in written for part in kept_runs(stroke, (stroke[:, axis] > cut) == keeps_more)]
    return draw_with_any_pen(parts, rng)


def turned_digit(rng: np.random.Generator) -> np.ndarray:
    """A digit on its side, upside down or mirrored, in forms that are not digits then."""
    name, turns = TURNED[rng.integers(len(TURNED))]
    matrix = TURNS[turns[rng.integers(len(turns))]]
    return draw_with_any_pen([stroke @ np.array(matrix).T for stroke in write_form(FORMS[name], rng)], rng)


def crossed_out(rng: np.random.Generator) -> np.ndarray:
    """A digit and two to four strokes across it, parallel or crossed; not 0, 1, 4 or 7, which may have one."""
    forms = [form for form in FORMS.values() if form.digit not in (0, 1, 4, 7)]
    written = write_form(forms[rng.integers(len(forms))], rng)
    points = np.concatenate(written)
    middle, reach = (points.min(axis=0) + points.max(axis=0)) / 2, np.ptp(points, axis=0).max() * rng.uniform(0.5, 0.7)
    angle, crosses = rng.uniform(-0.7, 0.7), rng.random() < 0.5
    for number in range(2 if crosses else rng.integers(2, 5)):
        tilt = angle + (number * rng.uniform(1, np.pi / 2) if crosses else rng.normal(0, 0.08))
        along, across = np.array([np.cos(tilt), np.sin(tilt)]), np.array([-np.sin(tilt), np.cos(tilt)])
        aside = rng.normal(0, 0.08) if crosses else (number - 1) * rng.uniform(0.15, 0.3)
        ends = middle + across * aside + np.outer([-1, 0, 1], along) * reach * rng.uniform(0.8, 1.1)
        written.append(curve(ends + rng.normal(0, 0.03, (3, 2))))
    return draw_with_any_pen(written, rng, thickest=3.5)


def glyph(rng: np.random.Generator) -> np.ndarray:
    """A character of an invented script: straight lines, arcs and small rings that mostly meet on a coarse grid."""
    across, down = rng.choice([2, 3]), rng.choice([2, 3], p=[0.3, 0.7])
    columns = np.linspace(0, rng.uniform(0.5, 1.1), across) + rng.normal(0, 0.03, across)
    rows = np.linspace(0, 1, down) + rng.normal(0, 0.05, down)
    nodes = np.array([[x, y] for x in columns for y in rows])
    met = [rng.integers(len(nodes))]  # the nodes that strokes touch
    drawn, pairs = [], set()
    for _ in range(rng.integers(4, 8)):
        start = met[rng.integers(len(met))] if rng.random() < 0.85 else rng.integers(len(nodes))
        if rng.random() < 0.1:
            drawn.append(oval(nodes[start], *rng.uniform(0.1, 0.2, 2)))
            continue
        end = (start + rng.integers(1, len(nodes))) % len(nodes)
        if frozenset((start, end)) in pairs:
            continue
        pairs.add(frozenset((start, end)))
        met += [start, end]
        way = nodes[end] - nodes[start]
        bulge = rng.choice([-1, 1]) * rng.uniform(0.25, 0.5) if rng.random() < 0.3 else 0
        middle = nodes[start] + way / 2 + bulge * np.array([-way[1], way[0]])
        drawn.append(curve(np.array([nodes[start], middle, nodes[end]])))
    if len(pairs) < 3 or np.ptp(np.concatenate(drawn)[:, 0]) < 0.3:  # a tick, or a one
        return glyph(rng)
    return draw_with_any_pen(by_hand(drawn, rng), rng, thickest=4)


def outline(rng: np.random.Generator) -> np.ndarray:
    """A closed line with corners or dents, and not narrow, as a zero is."""
    if rng.random() < 0.5:  # corners
        count = rng.integers(4, 8)
        angles = (np.arange(count) + rng.uniform(-0.35, 0.35, count)) * (2 * np.pi / count) + rng.uniform(0, 2 * np.pi)
        radii = rng.uniform(0.6, 1, count)
        radii[rng.integers(count)] *= rng.uniform(0.3, 3.6 / count)  # a dent: a polygon of many corners is round
        corners = np.column_stack([np.cos(angles), np.sin(angles)]) * radii[:, None]
        line = curve(np.repeat(np.vstack([corners, corners[:1]]), 2, axis=0))
    else:  # dents
        angles = np.linspace(0, 2 * np.pi, 80)
        waves = np.arange(3, 7)
        strength = rng.normal(0, 0.22, 4) + np.eye(4)[rng.integers(4)] * rng.choice([-1, 1]) * 0.25
        radii = np.exp(np.cos(angles[:, None] * waves + rng.uniform(0, 2 * np.pi, 4)) @ strength)
        line = np.column_stack([np.cos(angles), np.sin(angles)]) * radii[:, None]
    line = line / np.ptp(line, axis=0) * [rng.uniform(0.85, 1.5), 1]
    return draw_with_any_pen(by_hand([line], rng), rng, thickest=4)


def tangle(rng: np.random.Generator) -> np.ndarray:
    """A closed line that crosses itself: a sum of rotations of different speeds."""
    speeds = rng.choice([-5, -4, -3, -2, 3, 4, 5], rng.integers(2, 4), replace=False)
    radii = rng.uniform(0.4, 1.2, len(speeds))
    t = np.linspace(0, 2 * np.pi, 160)
    path = np.exp(1j * t) + np.exp(1j * (np.outer(t, speeds) + rng.uniform(0, 2 * np.pi, len(speeds)))) @ radii
    return draw_with_any_pen(by_hand([np.column_stack([path.real, path.imag])], rng), rng, thickest=3.5)


def rings(rng: np.random.Generator) -> np.ndarray:
    """Two or three rings that touch, overlap or lie within each other, or one ring with dots, bars or rays.

    A ring with a single dot or bar is left out, because it is a 0, and so are rings above each other, which are an 8.
    """
    size = np.array([rng.uniform(0.8, 1.25), 1])
    drawn = [oval(np.zeros(2), *size)]
    angle = rng.uniform(0, np.pi)
    along, aside = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    content = rng.choice(["dots", "bars", "rays", "inner", "beside"])
    if content == "dots":
        count = rng.integers(2, 5)
        turns = angle + (np.arange(count) + rng.uniform(-0.2, 0.2, count)) * (2 * np.pi / count)
        spots = np.column_stack([np.cos(turns), np.sin(turns)]) * rng.uniform(0.4, 0.6)
        drawn += [np.array([spot, spot + rng.normal(0, 0.05, 2)]) for spot in spots]
    elif content == "bars":
        count = rng.integers(2, 4)
        offsets = (np.arange(count) - (count - 1) / 2) * rng.uniform(0.5, 0.7)
        bars = [np.array([-along, along]) * rng.uniform(0.5, 0.9) + aside * offset for offset in offsets]
        crossed = [np.array([-way, way]) * rng.uniform(0.8, 1.2) for way in (along, aside)]
        drawn += crossed if rng.random() < 0.4 else bars
    elif content == "rays":
        count = rng.integers(3, 8)
        turns = angle + (np.arange(count) + rng.uniform(-0.25, 0.25, count)) * (2 * np.pi / count)
        ways = np.column_stack([np.cos(turns), np.sin(turns)])
        drawn += [np.outer([1, rng.uniform(1.3, 2)], way * size) for way in ways]
    elif content == "inner":
        drawn.append(oval(rng.normal(0, 0.1, 2), *(size * rng.uniform(0.45, 0.65))))
    else:
        for side in rng.permutation([-1, 1])[: rng.integers(1, 3)]:
            shift = side * rng.uniform(1, 2.1) * np.array([1, rng.uniform(-0.5, 0.5)])
            drawn.append(oval(shift, *(size * rng.uniform(0.6, 1.1))))
    return draw_with_any_pen(by_hand(drawn, rng), rng, thickest=3)


def letter(rng: np.random.Generator) -> np.ndarray:
    """A letter or a sign that no digit looks like, by the hands that write digits."""
    form = LETTERS[rng.integers(len(LETTERS))]
    return draw_with_any_pen(write_form(form, rng), rng, thickest=4)


def blot(rng: np.random.Generator) -> np.ndarray:
    """Smooth noise above a random level: islands, bays and holes, with hard or soft edges."""
    reach = rng.uniform(0.6, 5)  # pixels
    distance = np.arange(BOX) - np.arange(BOX)[:, None]
    blur = np.exp(-((distance / reach) ** 2))  # (BOX, BOX)
    height = blur @ rng.normal(size=(BOX, BOX)) @ blur.T
    height = (height - np.quantile(height, rng.uniform(0.2, 0.9))) / height.std()
    return print_cells(np.clip(height * rng.uniform(1, 20), 0, 1))


def noise(rng: np.random.Generator) -> np.ndarray:
    """Independent noise in every pixel."""
    ink = rng.random((BOX, BOX)) ** rng.uniform(0.3, 4)
    return print_cells(np.where(rng.random((BOX, BOX)) < rng.uniform(0.05, 1), ink, 0))


# The name of a form, the axis along which it is cut (0 for x, 1 for y), whether the part with the larger coordinates is
# kept, and the place of the cut as a fraction of the digit's extent.
FRAGMENTS = [
    ("zero", 1, False, 0.5),
    ("zero", 1, True, 0.5),
    ("two", 1, True, 0.5),
    ("four open", 1, False, 0.45),
    ("five", 1, False, 0.4),
    ("five in one stroke", 1, False, 0.4),
    ("eight", 0, False, 0.48),
    ("eight of two circles", 0, False, 0.48),
]
TURNS = {  # matrices (2, 2); y points down
    "left": [[0, 1], [-1, 0]],
    "right": [[0, -1], [1, 0]],
    "over": [[-1, 0], [0, -1]],
    "mirrored": [[-1, 0], [0, 1]],
}
SIDEWAYS = ("left", "right")
# Turns that give a digit again, or nearly, are left out: 2 and 5 mirrored, 6 and 9 upside down, and 6 and 9 on their
# sides, where they look like zeros with a curl.
TURNED = [
    ("two", SIDEWAYS),
    ("two looped", SIDEWAYS),
    ("three", ("left", "right", "over", "mirrored")),
    ("three flat", ("left", "right", "over", "mirrored")),
    ("four open", ("left", "right", "over")),
    ("four closed", ("left", "right", "over")),
    ("five", SIDEWAYS),
    ("five in one stroke", SIDEWAYS),
    ("seven", ("left", "right", "over", "mirrored")),
    ("seven barred", ("left", "right", "over", "mirrored")),
    ("eight", SIDEWAYS),
    ("nine", ("mirrored",)),
]

KINDS: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "scribble": scribble,
    "zigzag": zigzag,
    "strokes": strokes,
    "several digits": several_digits,
    "fragment": fragment,
    "turned digit": turned_digit,
    "crossed out": crossed_out,
    "glyph": glyph,
    "outline": outline,
    "tangle": tangle,
    "rings": rings,
    "letter": letter,
    "blot": blot,
    "noise": noise,
}
# How often a kind is made, relative to the others: letters and numbers are what people try.
FREQUENT = {"letter": 6, "several digits": 4}


def sharpened(points: np.ndarray, chance: float, rng: np.random.Generator) -> np.ndarray:
    """Points (n, 2) of a curve; with that chance all of them become corners, which are points given twice."""
    return np.repeat(points, 2, axis=0) if rng.random() < chance else points


def kept_runs(stroke: np.ndarray, kept: np.ndarray) -> list[np.ndarray]:
    """The runs of points of a stroke (n, 2) at which `kept`, (n,) bool, is true."""
    runs = np.split(np.arange(len(stroke)), np.flatnonzero(np.diff(kept)) + 1)
    return [stroke[run] for run in runs if kept[run[0]]]


def oval(middle: np.ndarray, width: float, height: float) -> np.ndarray:
    """An ellipse about a point (2,), as points (40, 2); `width` and `height` are its semi-axes."""
    angles = np.linspace(0, 2 * np.pi, 40)
    return middle + np.column_stack([width * np.cos(angles), height * np.sin(angles)])


def by_hand(strokes: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    """Draw strokes of points (n, 2) by hand: scale them to about unit height, bend and slant them."""
    ends = np.cumsum([len(stroke) for stroke in strokes])[:-1]
    points = np.concatenate(strokes)
    points = points / max(np.ptp(points, axis=0).max(), 1e-9)
    return np.split(bend(points, rng.beta(2, 3), rng) @ posture(rng).T, ends)


def draw_with_any_pen(lines: list[np.ndarray], rng: np.random.Generator, thickest: float = THICKEST) -> np.ndarray:
    """Draw strokes of points (n, 2), in any unit, with a random pen up to `thickest` pixels -> (28, 28) uint8."""
    return render(lines, THINNEST + (thickest - THINNEST) * rng.beta(1.5, 3.5), rng)


def print_cells(cells: np.ndarray) -> np.ndarray:
    """Centre ink (BOX, BOX), 0-1, as digits are -> (28, 28) uint8."""
    pixels = np.zeros((SIDE, SIDE), np.uint8)
    top, left = place(cells.sum(axis=1)), place(cells.sum(axis=0))
    pixels[top : top + BOX, left : left + BOX] = np.rint(cells * (255 / cells.max()))
    return pixels
