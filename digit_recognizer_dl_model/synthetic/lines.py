"""Synthetic lines: glyphs beside each other as people write numbers, on paper as it is.

A line is ink in a strip of HEIGHT pixels, as the preparation leaves it, and the symbols that are to be read from it.
Separators, signs and the paper's own lines are to be left out; a character that is no digit is read as OTHER.
"""

from typing import NamedTuple

import numpy as np

from ..strip import HEIGHT, MARGIN, NARROWEST, OTHER, STEP, strip_width
from .augmentation import blur, thicken
from .glyphs import FRAME, Glyphs
from .handwriting import Form, resample, write_form

WIDEST = NARROWEST + 11 * STEP  # pixels; what is wider is cut

TILE = 52  # pixels of the square into which a glyph is turned, slanted and scaled
SOLID = 0.25  # ink that counts where glyphs are moved together

# Marks that stand in numbers and are no digits: strokes in hundredths of the digits' height, y down from their top.
MARKS = {
    name: Form(-1, strokes)
    for name, strokes in {
        "dot": "0~4,96~6 3~3,98~3",
        "comma": "4~3,92~6 -3~5,114~8",
        "low dash": "0~4,88~8 20~10,87~8",
        "dash": "0~4,56~14 34~16,54~14",
        "long dash": "0~4,58~16 90~40,54~16",
        "double dash": "0~4,44~8 34~14,42~8 | 0~5,66~8 34~14,65~8",
        "apostrophe": "4~3,-4~6 -2~4,14~6",
        "colon": "0~3,50~8 2~2,52~3 | 0~3,92~6 2~2,94~3",
        "cross": "0~6,36~8 50~12,34~8 | 0~6,62~8 50~12,60~8 | 18~6,10~10 10~6,90~10 | 38~6,8~10 30~6,88~10",
        "star": "0~5,30~6 40~5,60~6 | 40~5,30~6 0~5,60~6 | 20~3,20~6 20~3,70~6",
        "dollar": "50~6,14~6 26~5,2~4 4~5,20~5 26~5,48~5 50~5,74~5 26~5,98~4 0~6,84~6 | 28~3,-14~6 25~3,114~6",
        "euro": (
            "60~6,12~6 36~5,0~4 12~5,26~5 10~4,70~5 34~5,100~4 60~6,86~6 | -4~5,40~5 44~6,38~5 | -4~5,60~5 40~6,58~5"
        ),
        "pound": "56~6,10~6 36~5,0~4 20~4,20~6 22~4,70~6 4~6,98~4! 60~8,98~4 | 2~5,52~5 44~6,50~5",
        "percent": (
            "14~4,8~4 26~4,0 38~4,12~4 24~4,26~4 14~4,8~4 | 84~8,0~4 8~8,100~4 | 66~4,82~4 78~4,70 90~4,84~4 78~4,98"
        ),
        "wave": "0~5,56~10 16~5,48~8 32~6,62~8 50~10,52~8",
        "double slash": "0~5,100~10 22~6,10~10 | 16~5,104~10 38~6,14~10 | -8~8,50~8 60~10,46~8",
    }.items()
}
BETWEEN = ["dot"] * 5 + ["comma"] * 3 + ["low dash", "dash", "apostrophe"]
AFTER = ["dot"] * 4 + ["dash"] * 4 + ["comma", "double dash", "long dash", "colon", "cross", "wave", "percent", "euro"]
AFTER += ["double slash", "double dash"]
BEFORE = ["dollar"] * 3 + ["double dash", "dash", "star", "cross", "euro", "pound", "double slash"]


class Line(NamedTuple):
    """A strip and what it says.

    ink: (HEIGHT, width) float32 in 0-1.
    symbols: 0-9 and OTHER, from left to right.
    """

    ink: np.ndarray
    symbols: np.ndarray


class Sources(NamedTuple):
    """The glyphs that lines are made of."""

    mnist: Glyphs
    recorded: Glyphs
    written: Glyphs
    others: Glyphs


def make_line(sources: Sources, rng: np.random.Generator) -> Line:
    """One line: mostly a number, sometimes a word, a number with a letter, scribbles, or paper alone."""
    chosen = choose_glyphs(sources, rng)
    height = rng.uniform(19, 34)  # pixels of a digit
    canvas = np.zeros((HEIGHT, round(len(chosen.labels) * TILE * 1.6) + 360), np.float32)
    left, right = compose(canvas, chosen, height, rng)
    narrow = min(height, right - left)
    left, right = max(left - border(narrow, rng), 0), right + border(narrow, rng)
    if rng.random() < 0.55:
        add_paper(canvas[:, left:right], height, rng)
    ink = canvas[:, left:right]
    ink = thicken(ink[None], rng.uniform(-0.4, 0.7, 1))
    ink = blur(ink, rng.uniform(0, 1, 1) * (rng.random(1) < 0.35))[0]
    ink = np.clip(ink * rng.uniform(0.75, 1.3) + rng.normal(0, rng.choice([0, 0.02, 0.06]), ink.shape), 0, 1)
    return Line(framed(ink, rng), chosen.labels)


def border(width: float, rng: np.random.Generator) -> int:
    """Pixels that a picture shows beyond the ink at one of its ends.

    They are less than 0 where the picture's edge cuts a digit, of which `width` pixels at least are inked.
    """
    return -round(rng.uniform(0, 0.2) * width) if rng.random() < 0.06 else int(rng.integers(-1, 14))


def framed(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Ink (HEIGHT, w) in a strip of one of the usual widths, anywhere between its margins."""
    ink = ink[:, : WIDEST - 2 * MARGIN]
    width = strip_width(ink.shape[1])
    left = rng.integers(MARGIN, width - MARGIN - ink.shape[1] + 1)
    strip = np.zeros((HEIGHT, width), np.float32)
    strip[:, left : left + ink.shape[1]] = ink
    return strip


def choose_glyphs(sources: Sources, rng: np.random.Generator) -> Glyphs:
    """The characters of a line, all or most by one hand."""
    kind = rng.choice(["number", "word", "mixed", "scribble", "nothing"], p=[0.86, 0.06, 0.03, 0.03, 0.02])
    if kind == "nothing":
        return Glyphs(np.zeros((0, FRAME, FRAME), np.uint8), np.zeros(0, int))
    if kind in ("word", "scribble"):
        count = rng.integers(2, 8) if kind == "word" else 1
        chosen = rng.integers(len(sources.others.labels), size=count)
        return Glyphs(sources.others.ink[chosen], sources.others.labels[chosen])
    count = rng.choice([1, 2, 3, 4, 5, 6, 7, 8, 10, 12], p=[0.07, 0.12, 0.15, 0.2, 0.2, 0.12, 0.06, 0.04, 0.02, 0.02])
    digits = rng.integers(10, size=count)
    if rng.random() < 0.25:
        digits[rng.integers(1, count + 1) :] = 0
    if rng.random() < 0.1:  # runs of the same digit
        digits[rng.integers(count) :] = rng.integers(10)
    hands = [sources.mnist, sources.recorded, sources.written]
    hand = rng.choice(4, p=[0.27, 0.2, 0.38, 0.15])
    parts = [pick(hands[hand if hand < 3 else rng.integers(3)], digit, rng) for digit in digits]
    if kind == "mixed":
        for _ in range(rng.integers(1, 3)):
            parts.insert(rng.choice([0, len(parts), rng.integers(len(parts) + 1)]), pick(sources.others, OTHER, rng))
    return Glyphs(np.stack([glyph for glyph, _ in parts]), np.array([label for _, label in parts]))


def pick(glyphs: Glyphs, label: int, rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """A random glyph with that label."""
    return glyphs.ink[rng.choice(np.flatnonzero(glyphs.labels == label))], label


def compose(canvas: np.ndarray, chosen: Glyphs, height: float, rng: np.random.Generator) -> tuple[int, int]:
    """Place glyphs and marks on the canvas, (HEIGHT, w); returns the first and the last column of the ink."""
    start = TILE
    pen = height * rng.uniform(0.06, 0.14)  # pixels
    slope, middle = rng.normal(0, 0.03), HEIGHT / 2 + rng.normal(0, 0.6) + (34 - height) * rng.uniform(-0.3, 0.3)
    count = len(chosen.labels)
    sizes = sizes_of(chosen.labels, rng)
    tiles = warp(chosen.ink, height * sizes, rng) if count else np.zeros((0, TILE, TILE), np.float32)
    drop = rng.choice([0.5, 0, -0.4], p=[0.75, 0.15, 0.1])  # small digits stand on the line, mostly
    gap = rng.choice([rng.uniform(1, 8), rng.uniform(-4, 1), rng.uniform(8, 20)], p=[0.6, 0.25, 0.15])
    separated = separators(count, rng)
    x, end = start, start
    before = np.full(HEIGHT, -np.inf)  # the right edge of the ink so far in each row
    if count and rng.random() < 0.12:
        end = draw_mark(canvas, BEFORE[rng.integers(len(BEFORE))], start, middle, height, pen, rng)
        before[:] = end + rng.uniform(0, 8)
    for index, tile in enumerate(tiles):
        lowered = drop * (1 - sizes[index]) + rng.normal(0, 0.04)
        top = round(middle + slope * (x - start) + lowered * height - TILE / 2)
        rows = np.arange(HEIGHT) - top
        visible = (rows >= 0) & (rows < TILE)
        shown = np.zeros((HEIGHT, TILE), np.float32)
        shown[visible] = tile[rows[visible]]
        is_solid = shown > SOLID
        inked = is_solid.any(axis=1)
        if not inked.any():
            continue
        first = np.where(inked, is_solid.argmax(axis=1), TILE * 4)
        if np.isfinite(before).any():
            near = np.maximum.reduce([np.roll(before, shift) for shift in (-2, -1, 0, 1, 2)])
            fitting = (near - first).max() + gap + rng.normal(0, 1.2)
            behind = np.max(before) - np.flatnonzero(is_solid.any(axis=0))[0] - 0.45 * height
            x = round(max(fitting, behind, 0))
        x = min(x, canvas.shape[1] - TILE)
        canvas[:, x : x + TILE] = np.maximum(canvas[:, x : x + TILE], shown)
        last = TILE - 1 - is_solid[:, ::-1].argmax(axis=1) + x
        before = np.where(inked, np.maximum(before, last), before)
        end = max(end, int(np.max(before)))
        if index + 1 < count and rng.random() < 0.06:
            join(canvas, before, middle, height, pen, rng)
        if separated[index]:
            place = end + rng.uniform(-0.1, 0.25) * height
            row = middle + slope * (x - start)
            if separated[index] != "space":
                mark_end = draw_mark(canvas, separated[index], place, row, height, pen, rng)
                if rng.random() < 0.6:
                    before = np.maximum(before, mark_end - rng.uniform(0, 0.2) * height)
            else:
                before = np.maximum(before, end + rng.uniform(0.2, 0.8) * height)
    if count and rng.random() < 0.3:
        for _ in range(1 + (rng.random() < 0.35)):
            place = end + rng.uniform(-0.05, 0.5) * height
            name = AFTER[rng.integers(len(AFTER))]
            end = draw_mark(canvas, name, place, middle + slope * (end - start), height, pen, rng)
    columns = np.flatnonzero((canvas > SOLID).any(axis=0))
    if not len(columns):
        return start, start + int(rng.integers(30, 120))
    return int(columns[0]), int(columns[-1]) + 1


def sizes_of(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The sizes of digits as fractions of the usual one, (n,): the zeros at the end, or the cents, may be smaller."""
    sizes = np.ones(len(labels))
    zeros = len(labels) - len(np.trim_zeros(labels, "b"))
    if 0 < zeros < len(labels) and rng.random() < 0.4:
        sizes[-zeros:] = rng.uniform(0.5, 0.9)
    elif rng.random() < 0.1:
        sizes[len(labels) // 2 :] = rng.uniform(0.55, 0.8)
    return sizes


def separators(count: int, rng: np.random.Generator) -> list[str]:
    """For each of `count` digits the mark that follows it, or an empty text."""
    out = [""] * count
    style = rng.random()
    if style < 0.45:
        return out
    mark = BETWEEN[rng.integers(len(BETWEEN))] if rng.random() < 0.85 else "space"
    if style < 0.8:  # thousands
        for place in range(count - 4, -1, -3):
            out[place] = mark
        return out
    for place in range(count - 1):
        if rng.random() < 0.25:
            out[place] = mark
    return out


def warp(glyphs: np.ndarray, heights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Glyphs (n, FRAME, FRAME) uint8 in one slant, each a little different: (n, TILE, TILE) float32 in 0-1."""
    n = len(glyphs)
    scale = heights / 30 * np.exp(rng.normal(0, 0.06, n))
    width = scale * np.exp(rng.normal(0, 0.12) + rng.normal(0, 0.07, n))
    shear = rng.normal(0.04, 0.16) + rng.normal(0, 0.05, n)
    angle = np.deg2rad(rng.normal(0, 3, n))
    offset = (np.arange(TILE) - (TILE - 1) / 2).astype(np.float32)
    x, y = np.meshgrid(offset, offset)
    cos, sin = (each[:, None, None].astype(np.float32) for each in (np.cos(angle), np.sin(angle)))
    turned_x, turned_y = cos * x - sin * y, sin * x + cos * y
    source_y = turned_y / scale[:, None, None].astype(np.float32)
    source_x = turned_x / width[:, None, None].astype(np.float32) + shear[:, None, None].astype(np.float32) * source_y
    padded = np.pad(glyphs, ((0, 0), (1, 1), (1, 1)))
    side = FRAME + 2
    source_x = (source_x + (side - 1) / 2).clip(0, side - 1.001)
    source_y = (source_y + (side - 1) / 2).clip(0, side - 1.001)
    left, top = source_x.astype(np.int32), source_y.astype(np.int32)
    right, bottom = source_x - left, source_y - top
    first = np.arange(n, dtype=np.int32)[:, None, None] * side * side + top * side + left
    flat = padded.ravel()
    upper = flat.take(first) * (1 - right) + flat.take(first + 1) * right
    lower = flat.take(first + side) * (1 - right) + flat.take(first + side + 1) * right
    tiles = (upper + bottom * (lower - upper)) / np.float32(255)
    return (tiles * rng.uniform(0.8, 1, (n, 1, 1))).astype(np.float32)


def draw_mark(
    canvas: np.ndarray, name: str, x: float, middle: float, height: float, pen: float, rng: np.random.Generator
) -> float:
    """Draw one of MARKS at x, beside digits of that height and middle; returns its right end."""
    strokes = write_form(MARKS[name], rng)
    left = min(stroke[:, 0].min() for stroke in strokes)
    strength = rng.uniform(0.7, 1)
    end = x
    for stroke in strokes:
        points = (stroke - [left, 0.5]) * height + [x, middle]
        stamp(canvas, points, pen / 2 * rng.uniform(0.85, 1.15), strength)
        end = max(end, points[:, 0].max())
    return end


def join(
    canvas: np.ndarray, before: np.ndarray, middle: float, height: float, pen: float, rng: np.random.Generator
) -> None:
    """A stroke from the digit on the left to where the next one will be."""
    rows = np.flatnonzero(np.isfinite(before))
    row = rows[rng.integers(len(rows))]
    ways = rng.normal([[0.2, 0], [0.2, 0]], [[0.02, 0.08], [0.08, 0.1]]) * height
    points = np.cumsum([[before[row] - 1, row], *ways], axis=0)
    stamp(canvas, points, pen / 2 * rng.uniform(0.6, 1), rng.uniform(0.6, 1))


def stamp(canvas: np.ndarray, points: np.ndarray, radius: float, strength: float) -> None:
    """Draw a stroke of points (n, 2) in pixels, x and y, with a round pen."""
    points = resample(points, 0.6)
    low = np.floor(points.min(axis=0) - radius - 1).astype(int).clip(0)
    high = (np.ceil(points.max(axis=0) + radius + 2).astype(int)).clip(None, canvas.shape[::-1])
    if (high <= low).any():
        return
    x, y = np.arange(low[0], high[0]), np.arange(low[1], high[1])
    distance = (points[:, 0, None, None] - x) ** 2 + (points[:, 1, None, None] - y[:, None]) ** 2
    ink = (radius + 0.5 - np.sqrt(distance.min(axis=0))).clip(0, 1) * strength
    part = canvas[low[1] : high[1], low[0] : high[0]]
    np.maximum(part, ink, out=part)


def add_paper(ink: np.ndarray, height: float, rng: np.random.Generator) -> None:
    """Add to ink (HEIGHT, w) what paper leaves in it: rulings, boxes, a pattern, shadows, ends of other lines."""
    for part, chance in ((rulings, 0.3), (boxes, 0.1), (pattern, 0.5), (shadow, 0.25), (neighbours, 0.15)):
        if rng.random() < chance:
            np.maximum(ink, part(ink.shape, height, rng), out=ink)
    if rng.random() < 0.3:
        ink += rng.normal(0, rng.uniform(0.01, 0.12), ink.shape).astype(np.float32)


def rulings(shape: tuple[int, int], height: float, rng: np.random.Generator) -> np.ndarray:
    """One to three lines along the strip, or many as on lined or squared paper."""
    rows = np.arange(shape[0])[:, None] + rng.normal(0, 0.02) * np.arange(shape[1])
    strength, thickness = rng.uniform(0.2, 1), rng.uniform(0.4, 1.4)
    places = rng.choice([rng.uniform(0, 8), rng.uniform(38, HEIGHT), rng.uniform(0, HEIGHT)], rng.integers(1, 4))
    if rng.random() < 0.3:
        distance = rng.uniform(6, 24)
        places = np.arange(rng.uniform(0, distance), shape[0], distance)
    ink = (thickness + 0.5 - np.abs(rows[..., None] - places).min(axis=-1)).clip(0, 1) * strength
    if rng.random() < 0.35:  # squared paper
        distance = rng.uniform(6, 24)
        columns = (np.arange(shape[1]) + rng.uniform(0, distance)) % distance
        ink = np.maximum(ink, (thickness + 0.5 - np.minimum(columns, distance - columns)).clip(0, 1) * strength)
    if rng.random() < 0.2:  # dotted
        ink = ink * (np.arange(shape[1]) % rng.integers(3, 7) < 2)
    return ink.astype(np.float32)


def boxes(shape: tuple[int, int], height: float, rng: np.random.Generator) -> np.ndarray:
    """Frames of the fields of a form, or one frame around all."""
    ink = np.zeros(shape, np.float32)
    thickness, strength = rng.integers(1, 3), rng.uniform(0.3, 1)
    top, bottom = rng.integers(0, 5), shape[0] - 1 - rng.integers(0, 5)
    ink[top : top + thickness] = ink[bottom : bottom + thickness] = strength
    if rng.random() < 0.6:
        ink[:, rng.integers(0, 3) :][:, :thickness] = strength
        ink[:, -rng.integers(1, 4) - thickness :][:, :thickness] = strength
    ink[:top], ink[bottom + thickness :] = 0, 0
    return ink


def pattern(shape: tuple[int, int], height: float, rng: np.random.Generator) -> np.ndarray:
    """The pattern of a cheque: wavy lines in one or two directions, a screen of dots, or a fine texture."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    strength = rng.uniform(0.08, 0.6)
    kind = rng.choice(["waves", "dots", "texture"], p=[0.6, 0.2, 0.2])
    if kind == "texture":
        noise = blur(rng.random((1, *shape), np.float32), rng.uniform(0, 1, 1))[0]
        return np.clip((noise - 0.5) * rng.uniform(1, 4) + 0.2, 0, 1) * strength
    ink = np.zeros(shape, np.float32)
    for _ in range(rng.integers(1, 3) if kind == "waves" else 2):
        angle = rng.uniform(-0.5, 0.5) + rng.choice([0, np.pi / 2, rng.uniform(0, np.pi)], p=[0.6, 0.2, 0.2])
        across, along = x * np.sin(angle) + y * np.cos(angle), x * np.cos(angle) - y * np.sin(angle)
        wave = rng.uniform(0, 4) * np.sin(along * 2 * np.pi / rng.uniform(10, 90) + rng.uniform(0, 6.28))
        phase = (across + wave) * (2 * np.pi / rng.uniform(2.5, 9))
        line = np.clip(np.cos(phase + rng.uniform(0, 6.28)) * rng.uniform(0.7, 3) - rng.uniform(-0.2, 0.8), 0, 1)
        ink = line * ink if kind == "dots" and ink.any() else np.maximum(ink, line)
    return (ink * strength).astype(np.float32)


def shadow(shape: tuple[int, int], height: float, rng: np.random.Generator) -> np.ndarray:
    """What is left of uneven light: a slope, or the edge of a shadow."""
    x = np.linspace(-1, 1, shape[1]) * rng.choice([-1, 1])
    steepness = rng.choice([1, 10])
    return np.broadcast_to(rng.uniform(0.1, 0.45) / (1 + np.exp(-steepness * (x - rng.uniform(-1, 1)))), shape).astype(
        np.float32
    )


def neighbours(shape: tuple[int, int], height: float, rng: np.random.Generator) -> np.ndarray:
    """The ends of strokes from the line above or below."""
    ink = np.zeros(shape, np.float32)
    edge = rng.choice([0, shape[0] - 1])
    for _ in range(rng.integers(1, 5)):
        start = np.array([rng.uniform(0, shape[1]), edge])
        way = np.array([rng.normal(0, 6), rng.uniform(2, 7) * (1 if edge == 0 else -1)])
        points = np.array([start - way, start, start + way, start + way + [rng.normal(0, 8), rng.normal(0, 1)]])
        stamp(ink, points, rng.uniform(0.6, 1.8), rng.uniform(0.4, 1))
    return ink
