"""The rulings of lined and squared paper, and the lines of forms, are found and erased; ink on them stays."""

import numpy as np
from PIL import Image

from .levels import quantile
from .morphology import closing_of_rows, components, opening_of_rows

STRIPS = 64  # across the picture, a power of two: rulings are followed from one to the next, and fall by less rows
THICKEST = 0.0175  # of the longest side: from the middle of a ruling to where there is surely none
LIGHTEST = 3  # grey levels that a ruling differs by from what is above and below
INKLIKE = 0.7  # of the darkest ink's contrast, from which a single line is the stroke of a digit that fills the picture
UNBROKEN = 0.7  # of a ruling is seen; a digit lies on the rest
LONGEST_STROKE = 1.5, 0.6  # of the picture's height, and of its width: what is level and longer is no stroke of a digit
SHORTEST = 40  # pixels of such a line, at least; in fewer, the arcs of a wide zero are as level
PARTS = 3  # that are level, at most, in a line that is not


def find(luminance: np.ndarray, noise: float) -> list[tuple[float, float]]:
    """The dark lines that run from rim to rim, nearly level: the row where each crosses the middle, and its slope."""
    height, width = luminance.shape
    reach = reach_of(luminance)
    if min(height, width) < 2 * STRIPS:
        return []
    padded = np.pad(luminance, [(reach, reach), (0, 0)], mode="reflect")
    thin = np.minimum(padded[: -2 * reach], padded[2 * reach :]) - luminance
    strips = np.asarray(Image.fromarray(thin).resize((STRIPS, height), Image.Resampling.BOX))
    hits = strips > max(LIGHTEST, 1.5 * noise)
    if not hits.any():
        return []
    depth = strips.clip(0, 2 * np.median(strips[hits]))
    hits[1:-1] |= hits[:-2] | hits[2:]
    told = np.pad(np.stack([hits, np.ones_like(hits), depth]), [(0, 0), (STRIPS, STRIPS), (0, 0)])
    rising, falling = radon(told[..., ::-1]), radon(told)  # (STRIPS, 3, h + 2 STRIPS)
    seen, whole, depth = np.concatenate([rising[:0:-1], falling]).swapaxes(0, 1)  # (2 STRIPS - 1, h + 2 STRIPS) each
    found = np.nonzero((seen >= UNBROKEN * whole) & (3 * whole >= STRIPS))
    lines: list[tuple[float, float]] = []
    for index in np.argsort(-(depth / np.maximum(whole, 1))[found], kind="stable"):
        drop, row = int(found[0][index]) - STRIPS + 1, int(found[1][index]) - STRIPS
        middle = row + abs(drop) / 2
        if all(abs(middle - other) > 2 * reach for other, _ in lines):
            lines.append((middle, drop / width))
    if len(lines) == 1 and not is_ruling(luminance, *lines[0], hits):
        return []
    return lines


def is_ruling(luminance: np.ndarray, middle: float, slope: float, hits: np.ndarray) -> bool:
    """Whether a single line is a ruling, which is seen at both edges of the picture (h, w) and is lighter than ink."""
    height, width = luminance.shape
    left, right = (round(middle + slope * side * width / 2) for side in (-1, 1))
    inside = min(left, right) >= 0 and max(left, right) < height
    if not (inside and hits[left, :4].all() and hits[right, -4:].all()):
        return False
    x = np.arange(width)
    row = np.rint(middle + slope * (x + 0.5 - width / 2)).astype(int)
    line = np.median(luminance[(row + np.arange(-2, 3)[:, None]).clip(0, height - 1), x].min(axis=0))
    paper, darkest = np.median(luminance), np.percentile(luminance, 0.5)
    return bool(paper - line < INKLIKE * (paper - darkest))


def radon(values: np.ndarray) -> np.ndarray:
    """The sums (n, .., h) along lines through values (.., h, n): from each row at the left, 0 to n - 1 rows down.

    The lines are put together from halves that many share; n is a power of two.

    Source: Martin L. Brady, "A fast discrete approximation algorithm for the Radon transform", 1998.
    """
    parts = np.moveaxis(values, -1, 0)[:, None]  # (n, 1, .., h): parts beside each other, rows down
    while len(parts) > 1:
        left, right = parts[::2], parts[1::2]
        joined = np.zeros((len(left), 2 * parts.shape[1], *parts.shape[2:]), parts.dtype)
        for drop in range(joined.shape[1]):
            down = (drop + 1) // 2
            joined[:, drop, ..., : values.shape[-2] - down] = right[:, drop // 2, ..., down:]
            joined[:, drop] += left[:, drop // 2]
        parts = joined
    return parts[0]


def reach_of(luminance: np.ndarray) -> int:
    """Pixels from the middle of a ruling to where there is surely none."""
    return max(2, round(max(luminance.shape) * THICKEST))


def erase(luminance: np.ndarray, lines: list[tuple[float, float]], noise: float) -> np.ndarray:
    """A picture (h, w) without its rulings; ink on them stays."""
    luminance = luminance.copy()
    height, width = luminance.shape
    x, reach = np.arange(width), reach_of(luminance) + 2
    for start, slope in lines:
        middle = np.rint(start + slope * (x + 0.5 - width / 2)).astype(int)
        y = middle + np.arange(-reach, reach + 1)[:, None]  # (2 reach + 1, w)
        place = y.clip(0, height - 1), x
        seen = luminance[place]
        rest = between(seen) - seen
        profile = np.median(rest[:, (middle >= 0) & (middle < height)], axis=1)
        dark = np.flatnonzero(profile > max(0.1 * profile.max(), 0.5))
        if not len(dark):
            continue
        first, last = max(dark[0] - 1, 0), min(dark[-1] + 1, len(y) - 1)
        band = seen[first : last + 1]
        paper = between(band)
        ruling = np.median((paper - band).max(axis=0)) * paper / max(np.median(paper), 1)
        ink = paper - band > 1.6 * ruling + 3 * noise
        luminance[place[0][first : last + 1], x] = np.where(ink, band, paper)
    return luminance


def between(band: np.ndarray) -> np.ndarray:
    """What a band (h, w) would be if it went straight from its first row to its last."""
    return np.linspace(0, 1, len(band))[:, None] * (band[-1] - band[0]) + band[0]


def long_lines(mask: np.ndarray) -> np.ndarray:
    """Where ink (h, w) is nearly level and longer than strokes of digits, with its edges; not where ink crosses it."""
    height, width = mask.shape
    longest = max(min(LONGEST_STROKE[0] * height, LONGEST_STROKE[1] * width), SHORTEST)
    # A line that is not quite level goes on in the next row.
    level = mask & opening_of_rows(with_rows_beside(mask), round(longest / PARTS))
    if not level.any():
        return level
    parts = components(level)
    columns = np.nonzero(parts)[1]
    first, last = np.full(parts.max() + 1, width), np.zeros(parts.max() + 1, int)
    np.minimum.at(first, parts[parts > 0], columns)
    np.maximum.at(last, parts[parts > 0], columns)
    lines = (last - first + 1 >= longest)[parts]
    rest = mask & ~lines
    thickness = int(quantile(lines.sum(axis=0), 0.9))
    crossing = mask & closing_of_rows(rest.T, 2 * thickness + 1).T
    return with_rows_beside(lines & ~crossing) & ~crossing


def with_rows_beside(mask: np.ndarray) -> np.ndarray:
    """The True (h, w), and the pixels above and below them."""
    wider = mask.copy()
    wider[1:] |= mask[:-1]
    wider[:-1] |= mask[1:]
    return wider
