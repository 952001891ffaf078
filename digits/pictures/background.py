"""What light, shadow, noise and rulings did to the paper of a picture is undone: what differs from it is ink."""

import functools
import math

import numpy as np
from PIL import Image, ImageFilter

from . import rulings
from .morphology import components, dilate, erode, opening

EVEN = 3  # grey levels that paper may differ by and still be taken for one level
STAINED = 0.04  # of the paper; less than this that is not level is faint ink rather than light
CELLS = 40  # along the longest side, the paper's brightness is told from as many averages
BROADEST = 13  # cells; of a stroke, which on the largest and thickest digits is a quarter of the longest side
NARROW = 6  # cells; of a stroke that an edge in the paper touches: broader ones come out paler there
BESIDE = 3  # cells that an edge in the paper may lie away from where the cells have it
LIFTED = 2  # standard deviations of the noise that filling strokes takes paper too far from the ink
CORNER = 3  # cells; what covers as much in a corner of the picture is a shadow or what it leaves lit, not a digit
INKED = 0.3  # of the darkest cell's ink; a cell with more says nothing of the paper
GUESSED = 0.06  # of the ink's contrast: what each cell of paper under ink counts as, beside edges left in the paper
DOUBT = 0.8  # ink is to leave less than this share of the edges that there are without
DARK = 30  # grey levels added to paper before ratios are taken, as there is little in those of nearly black ones
ENOUGH = 400  # pixels along the longest side; uneven pictures of more are reduced
AS_DARK = 0.85  # of the darkest cell's ink: what touches the rim is a digit's if it is as dark as this
ELSEWHERE = 0.1  # of the ink: a digit that touches the rim leaves less than this away from it
FAINT = 0.15  # of the darkest cell's ink; cells with less, and beside none with more, are paper
SMALL = 0.1  # of the largest component of ink; less is dust
AT_RIM = 0.3  # what ink in a component that touches the rim counts as, beside ink that does not
LEAST = 45  # grey levels of ink in the darkest cell, where rulings were erased: fainter is what is left of them
SPECK = 20  # grey levels that an isolated pixel stands out by
SPECKS = 0.0005  # of the pixels; with fewer isolated ones a picture has no salt and pepper on it
CALM = 0.02  # of the ink's contrast; the noise's standard deviation that smoothing brings it to


def is_suspect(luminance: np.ndarray) -> bool:
    """Whether a picture (h, w) might be on uneven paper, told by its edges and some of its rows."""
    edge = rim(luminance)
    return edge.max() - edge.min() > EVEN or is_speckled(luminance)


def rim(luminance: np.ndarray) -> np.ndarray:
    """The pixels (n,) along the four edges."""
    return np.concatenate([luminance[0], luminance[-1], luminance[:, 0], luminance[:, -1]])


def is_speckled(luminance: np.ndarray) -> bool:
    """Whether single pixels stand out from both neighbours, in some of the rows."""
    rows = luminance[4::16]
    left, here, right = rows[:, :-2], rows[:, 1:-1], rows[:, 2:]
    over, under = here - np.maximum(left, right), np.minimum(left, right) - here
    return np.maximum(over, under).max(initial=0) > SPECK


def even_out(luminance: np.ndarray) -> np.ndarray:
    """A picture (h, w) on even paper: noise is smoothed, and what light and shadow did to the paper is undone.

    It comes back reduced where it is large, and as it is where nothing but ink is on even paper.
    """
    factor = -(-max(luminance.shape) // ENOUGH)
    small = np.asarray(Image.fromarray(luminance).reduce(factor)) if factor > 1 else luminance
    clean = despeckle(small)
    noise = noise_of(clean)
    if lines := rulings.find(clean, noise):
        clean = rulings.erase(clean, lines, noise)
    if columns := rulings.find(clean.T, noise):
        clean = rulings.erase(clean.T, columns, noise).T
    cells, contrast, sign = paper_of(clean, noise)
    level = np.median(cells)
    uneven = np.count_nonzero(np.abs(cells - level) > EVEN) > STAINED * cells.size
    if clean is small and not uneven and noise <= CALM * contrast:
        return luminance
    clean = smooth(clean, noise, contrast)
    paper = with_edges(cells, clean, sign, min(noise, CALM * contrast))
    depth = (clean - paper) * ((level + DARK) / (paper + DARK))
    edge = rim(depth)
    ink = np.abs(depth) - 3 * np.median(np.abs(edge - np.median(edge)))
    mask = digit_mask(depth, ruled=bool(lines or columns)) & (ink > 0)
    return np.where(mask, level + np.copysign(ink, depth), level)


def despeckle(luminance: np.ndarray) -> np.ndarray:
    """Salt and pepper (h, w) replaced by the median of 3x3 pixels; a picture without comes back as it is."""
    height, width = luminance.shape
    here = luminance[1:-1, 1:-1]
    others = [luminance[y : y + height - 2, x : x + width - 2] for y in range(3) for x in range(3) if (y, x) != (1, 1)]
    over, under = here - functools.reduce(np.maximum, others), functools.reduce(np.minimum, others) - here
    if np.count_nonzero(np.maximum(over, under) > SPECK) <= SPECKS * luminance.size:
        return luminance
    median = np.asarray(Image.fromarray(luminance).filter(ImageFilter.MedianFilter(3)))
    return np.where(np.abs(luminance - median) > SPECK, median, luminance)


def noise_of(luminance: np.ndarray) -> float:
    """The standard deviation of the noise from pixel to pixel, which neither ink nor light adds much to."""
    second = np.abs(np.diff(luminance[::4], 2, axis=1))
    # Of normal noise, the median is at 0.6745 standard deviations; second differences have root 6 times its own.
    return float(np.median(second)) / (0.6745 * math.sqrt(6)) if second.size else 0.0


def smooth(luminance: np.ndarray, noise: float, contrast: float) -> np.ndarray:
    """Average over neighbours until the noise is small beside the ink, or details as fine as a pen might go."""
    most = (max(luminance.shape) / 80) ** 2
    # A Gaussian divides noise by twice the root of pi times its own standard deviation.
    variance = min((noise / (2 * math.sqrt(math.pi) * CALM * max(contrast, 1))) ** 2, most)
    for _ in range(round(2 * variance)):  # each of which adds a half to the variance
        padded = np.pad(luminance, 1, mode="edge")
        rows = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
        luminance = (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) / 4
    return luminance


def cells_of(values: np.ndarray) -> np.ndarray:
    """The averages of values (h, w) in CELLS cells along the longest side; of fewer values, themselves."""
    height, width = values.shape
    scale = min(1, CELLS / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(values).resize(size, Image.Resampling.BOX))


def paper_of(luminance: np.ndarray, noise: float) -> tuple[np.ndarray, float, int]:
    """The brightness of the paper in each cell (h, w), under the ink too, and about how far the ink is from it.

    Last comes the ink's sign: 1 where it is lighter than the paper, -1 where it is darker.
    """
    cells = cells_of(luminance)
    scale = max(cells.shape) / max(luminance.shape)
    # Dark ink, light ink or none? Light that changes slowly, or a shadow with an edge? A wrong guess leaves the ink's
    # edges in the paper, or takes much paper for ink.
    flat = cells - quadratic(cells)
    signs = -1, -1, 1, 1, -1
    rests = np.stack([-cells, -flat, cells, flat, 0 * cells])
    everywhere, inside = (rests - opening(rests, BROADEST, across_rim) for across_rim in (False, True))
    pairs = zip(everywhere, inside, strict=True)
    inks = np.stack([ink if reaches_rim(ink, off_rim) else off_rim for ink, off_rim in pairs])
    dark, dark_on_flat, light, light_on_flat, none = inks.max(axis=(1, 2))
    contrasts = np.array([max(dark, light), max(dark_on_flat, light_on_flat)] * 2 + [none])
    known = dilate(np.pad(inks, [(0, 0), (1, 1), (1, 1)]), 3) <= INKED * contrasts[:, None, None]
    papers = [inpaint(cells, each) for each in known]
    edges = [curvature(paper, 3 * noise * scale) for paper in papers]
    cost = edges + GUESSED * contrasts * np.count_nonzero(~known, axis=(1, 2))
    cost[-1] *= DOUBT
    best = cost.argmin()
    return papers[best], float(contrasts[best]), signs[best]


def reaches_rim(ink: np.ndarray, off_rim: np.ndarray) -> bool:
    """Whether ink (h, w) at the rim is the digit's rather than a shadow; beside it comes what surely is none.

    A digit's is as dark as any, covers no corner, and none is elsewhere.
    """
    inked = ink > INKED * ink.max()
    first, last = slice(CORNER), slice(-CORNER, None)
    if any(inked[rows, columns].all() for rows in (first, last) for columns in (first, last)):
        return False
    at_rim = ink[inked & (off_rim <= INKED * ink.max())]
    if at_rim.max(initial=0) < AS_DARK * ink.max():
        return False
    numbers = components(inked)
    elsewhere = ~np.isin(numbers, np.unique(rim(numbers)))
    return ink[inked & elsewhere].sum() < ELSEWHERE * ink[inked].sum()


def quadratic(cells: np.ndarray) -> np.ndarray:
    """The surface of second degree (h, w) that most of the cells lie near."""
    y, x = (np.linspace(-1, 1, length) for length in cells.shape)
    y, x = (axis.ravel() for axis in np.meshgrid(y, x, indexing="ij"))
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y])  # (6, n)
    values = cells.ravel().astype(np.float64)
    weights = np.ones_like(values)
    for _ in range(8):
        weighted = terms * weights
        surface = np.linalg.lstsq(weighted @ terms.T, weighted @ values, rcond=None)[0] @ terms
        rest = np.abs(values - surface)
        weights = (1 + (rest / (3 * max(np.median(rest), 1))) ** 2) ** -2  # ink counts next to nothing
    return surface.reshape(cells.shape).astype(np.float32)


def inpaint(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Unknown values (h, w) become the mean of known ones around them, from their borders inwards."""
    values = values.copy()
    weight = known.astype(np.float32)
    while not weight.all() and weight.any():
        total, count = box_sum(values * weight), box_sum(weight)
        new = (weight == 0) & (count > 0)
        values[new] = total[new] / count[new]
        weight[new] = 1
    return values


def box_sum(values: np.ndarray) -> np.ndarray:
    """The sum of 3x3 values around each (h, w)."""
    padded = np.pad(values, 1)
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    return rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]


def curvature(values: np.ndarray, noise: float) -> float:
    """The sum of the second differences along rows and columns (h, w), less the noise."""
    second = np.abs(np.diff(values, 2, axis=0)), np.abs(np.diff(values, 2, axis=1))
    return sum(float(np.maximum(part - noise, 0).sum()) for part in second)


def with_edges(cells: np.ndarray, luminance: np.ndarray, sign: int, noise: float) -> np.ndarray:
    """The brightness of the paper at each pixel (h, w): the picture's with narrow strokes filled, near that of cells.

    Filling leaves an edge in the paper where it is, as on one side of it nothing is narrow.
    """
    size = round(NARROW * max(luminance.shape) / CELLS) | 1
    filled = sign * (opening(sign * luminance, size, across_rim=True) + LIFTED * noise)
    # Continued by some cells on each side, so that it slopes down to the very edge of the picture.
    beside = np.pad(cells, BESIDE, mode="reflect", reflect_type="odd")
    limits = (extreme(beside, 2 * BESIDE + 1) for extreme in (erode, dilate))
    shape, bilinear = luminance.shape[::-1], Image.Resampling.BILINEAR
    return filled.clip(*(np.asarray(Image.fromarray(limit).resize(shape, bilinear)) for limit in limits))


def digit_mask(depth: np.ndarray, ruled: bool) -> np.ndarray:
    """Where the digit is (h, w) bool: around cells of the largest component of ink and those not small beside it."""
    height, width = depth.shape
    cells = cells_of(np.abs(depth))
    if ruled and cells.max() < LEAST:
        return np.zeros_like(depth, bool)
    inked = cells > FAINT * cells.max()
    near = dilate(np.pad(inked, 1), 3)
    numbers = components(near)
    masses = np.bincount(numbers.ravel(), (cells * inked).ravel())
    masses[0] = 0
    masses[np.unique(rim(numbers))] *= AT_RIM
    kept = (masses > SMALL * masses.max())[numbers] & near
    kept = dilate(np.pad(kept, 1), 3)
    return np.asarray(Image.fromarray(kept).resize((width, height), Image.Resampling.NEAREST))
