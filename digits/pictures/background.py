"""Background correction: what noise, rulings, shadows and uneven light did to the paper is taken out of a picture.

The picture is divided into cells. Their brightness, with the strokes filled in, is the paper; what differs from it is
ink. Whether strokes are dark or light is not known beforehand: both hypotheses, and that there are none, are tried on
the cells, and the one that leaves the smoothest paper wins.
"""

import functools
import math
from typing import NamedTuple

import numpy as np
from PIL import Image

from . import levels, rulings
from .levels import border, noise_of
from .morphology import box_sum, components, dilate, erode, median, opening

# When paper is uneven.
EVEN = 3  # grey levels within which paper counts as even
STAINED = 0.04  # fraction of cells off the level from which the light is uneven; fewer are faint ink
SPECK = 20  # grey levels that a single pixel differs by from all of its neighbours to count as a speck
SPECKS = 0.0005  # fraction of specks among the pixels from which a picture has salt-and-pepper noise
CALM = 0.02  # fraction of the ink's contrast that smoothing brings the noise's standard deviation down to
ENOUGH = 400  # pixels along the longest side; larger uneven pictures are reduced to it
STRIP = 16  # rows of a reduced picture that are made at a time

# The cells, and how broad a stroke can be among them.
CELLS = 40  # along the longest side
BROADEST = 13  # cells across a stroke; on the largest and thickest digits a stroke is a quarter of the longest side
NARROW = 6  # cells across a stroke that keeps its full depth where an edge in the light touches it
BESIDE = 3  # cells that an edge in the light may lie away from where the cells have it
CORNER = 3  # cells along each side of a corner; ink that covers all of them is a shadow, or what it leaves lit

# How hypotheses about the paper are compared, in fractions of the ink's contrast unless told otherwise.
CELL_INKED = 0.3  # ink from which a cell tells nothing about the paper
GUESSED = 0.06  # the cost of each cell whose paper is guessed, beside the cost of edges left in the paper
DOUBT = 0.8  # fraction of the cost without any ink that a hypothesis with ink must stay below

# How ink is measured against the paper.
LIFTED = 2  # standard deviations of the noise that filling strokes takes the paper too far from the ink
DARK = 30  # grey levels added to the paper before ratios are taken, because nearly black paper has few

# Which components of ink are the digit, in fractions of the darkest cell's ink unless told otherwise.
CELL_FAINT = 0.15  # ink below which a cell is paper
SMALL = 0.1  # fraction of the largest component below which a component is dust
AT_BORDER = 0.3  # weight of a component that touches the border, beside one that does not
LEAST = 45  # grey levels; fainter ink is the rest of rulings where rulings were erased


class Paper(NamedTuple):
    """What a hypothesis says of the paper."""

    cells: np.ndarray  # (h, w) brightness of the paper in each cell, under the ink too
    contrast: float  # grey levels between the paper and the darkest (or lightest) ink
    polarity: int  # 1 where ink is lighter than the paper, -1 where it is darker


def may_be_uneven(luminance: np.ndarray) -> bool:
    """Whether a picture (h, w) may have uneven or noisy paper, judged quickly by its border and some of its rows."""
    return np.ptp(border(luminance)) > EVEN or has_specks(luminance)


def has_specks(luminance: np.ndarray) -> bool:
    """Whether single pixels stand out from both neighbours in some of the rows (h, w)."""
    rows = luminance[4::16].astype(np.float32)
    left, here, right = rows[:, :-2], rows[:, 1:-1], rows[:, 2:]
    above, below = here - np.maximum(left, right), np.minimum(left, right) - here
    return np.maximum(above, below).max(initial=0) > SPECK


def depth_on_uneven_paper(luminance: np.ndarray, looks_closely: bool = False) -> np.ndarray | None:
    """How many grey levels each pixel of the digit stands out from its paper, (h', w') float32; 0 on the paper.

    A large picture comes back reduced. None means that the paper of the picture (h, w) is even and free of noise after
    all.
    """
    small = reduced(luminance)
    clean = without_specks(small)
    noise = noise_of(clean)
    clean, is_ruled = without_rulings(clean, noise)
    paper = paper_of(clean, noise)
    level = np.median(paper.cells)
    is_uneven = np.count_nonzero(np.abs(paper.cells - level) > EVEN) > STAINED * paper.cells.size
    if not looks_closely and clean is small and not is_uneven and noise <= CALM * paper.contrast:
        return None
    clean = smooth(clean, noise, paper.contrast)
    brightness = with_edges(paper, clean, min(noise, CALM * paper.contrast))
    difference = (clean - brightness) * ((level + DARK) / (brightness + DARK))  # as it would be in even light
    edge = border(difference)
    strength = np.abs(difference) - 3 * np.median(np.abs(edge - np.median(edge)))
    strength[~digit_mask(difference, is_ruled) | (strength < 0)] = 0
    signed = np.copysign(strength, difference)
    return -signed if -signed.min() >= signed.max() else signed


def reduced(luminance: np.ndarray) -> np.ndarray:
    """A picture (h, w) at the size at which its paper is estimated, (h', w') float32.

    In strips: a float32 copy of a large picture would not fit in a cache, and its memory takes long to get.
    """
    factor = -(-max(luminance.shape) // ENOUGH)
    if factor <= 1:
        return luminance.astype(np.float32, copy=False)
    strips = (luminance[top : top + STRIP * factor] for top in range(0, len(luminance), STRIP * factor))
    pictures = (Image.fromarray(strip.astype(np.float32, copy=False)) for strip in strips)
    return np.concatenate([np.asarray(picture.reduce(factor)) for picture in pictures])


def without_specks(luminance: np.ndarray) -> np.ndarray:
    """Replace salt-and-pepper noise by the median of 3x3 pixels (h, w); a picture without it comes back itself."""
    height, width = luminance.shape
    here = luminance[1:-1, 1:-1]
    others = [luminance[y : y + height - 2, x : x + width - 2] for y in range(3) for x in range(3) if (y, x) != (1, 1)]
    above, below = here - functools.reduce(np.maximum, others), functools.reduce(np.minimum, others) - here
    if np.count_nonzero(np.maximum(above, below) > SPECK) <= SPECKS * luminance.size:
        return luminance
    medians = median(luminance)
    return np.where(np.abs(luminance - medians) > SPECK, medians, luminance)


def smooth(luminance: np.ndarray, noise: float, contrast: float) -> np.ndarray:
    """Average over neighbours (h, w) until the noise is small beside the ink, but less far than a fine pen is wide."""
    most = (max(luminance.shape) / 80) ** 2
    # A Gaussian divides noise by twice the root of pi times its own standard deviation.
    variance = min((noise / (2 * math.sqrt(math.pi) * CALM * max(contrast, 1))) ** 2, most)
    for _ in range(round(2 * variance)):  # each pass adds a half to the variance
        padded = np.pad(luminance, 1, mode="edge")
        rows = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
        luminance = (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) / 4
    return luminance


def cells_of(values: np.ndarray) -> np.ndarray:
    """The means of values (h, w) in cells, CELLS along the longest side; fewer values than that are their own means."""
    return levels.reduced(values, CELLS)


def without_rulings(luminance: np.ndarray, noise: float) -> tuple[np.ndarray, bool]:
    """Erase level and upright rulings (h, w); tells whether there were any, and returns the picture itself if not."""
    rows = rulings.find(luminance, noise)
    if rows:
        luminance = rulings.erase(luminance, rows, noise)
    columns = rulings.find(luminance.T, noise)
    if columns:
        luminance = rulings.erase(luminance.T, columns, noise).T
    return luminance, bool(rows or columns)


def paper_of(luminance: np.ndarray, noise: float) -> Paper:
    """The paper of a picture (h, w) under the best hypothesis: dark ink, light ink, no ink.

    A wrong one leaves the edges of ink in the paper, or takes much paper for ink and has to guess it.
    """
    cells = cells_of(luminance)
    scale = max(cells.shape) / max(luminance.shape)
    polarities = -1, 1, -1
    peaks = np.stack([-cells, cells, 0 * cells])  # ink stands up in each of them
    with_border, without_border = (peaks - opening(peaks, BROADEST, across_border) for across_border in (False, True))
    inks = np.stack(
        [inner if covers_corner(ink) else ink for ink, inner in zip(with_border, without_border, strict=True)]
    )
    contrasts = inks.max() * np.array([1, 1, 0])
    known = dilate(np.pad(inks, [(0, 0), (1, 1), (1, 1)]), 3) <= CELL_INKED * contrasts[:, None, None]
    papers = [inpaint(cells, each) for each in known]
    edges = [curvature(paper, 3 * noise * scale) for paper in papers]
    costs = edges + GUESSED * contrasts * np.count_nonzero(~known, axis=(1, 2))
    costs[-1] *= DOUBT
    best = costs.argmin()
    return Paper(papers[best], float(contrasts[best]), polarities[best])


def covers_corner(ink: np.ndarray) -> bool:
    """Whether ink covers all of a corner of the cells (h, w), as a shadow does, but no digit that fills the picture."""
    inked = ink > CELL_INKED * ink.max()
    first, last = slice(CORNER), slice(-CORNER, None)
    return any(inked[rows, columns].all() for rows in (first, last) for columns in (first, last))


def inpaint(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Replace unknown values (h, w) by the mean of the known ones around them, from their borders inwards."""
    values = values.copy()
    weight = known.astype(np.float32)
    while not weight.all() and weight.any():
        total, count = box_sum(values * weight), box_sum(weight)
        new = (weight == 0) & (count > 0)
        values[new] = total[new] / count[new]
        weight[new] = 1
    return values


def curvature(values: np.ndarray, noise: float) -> float:
    """How much values (h, w) bend: the sum of their second differences along rows and columns, less the noise."""
    second = np.abs(np.diff(values, 2, axis=0)), np.abs(np.diff(values, 2, axis=1))
    return sum(float(np.maximum(part - noise, 0).sum()) for part in second)


def with_edges(paper: Paper, luminance: np.ndarray, noise: float) -> np.ndarray:
    """The brightness of the paper at each pixel (h, w): the picture with its narrow strokes filled, near the cells'.

    Filling keeps an edge in the light where it is, because nothing narrow lies on one side of it.
    """
    size = round(NARROW * max(luminance.shape) / CELLS) | 1
    filled = paper.polarity * (opening(paper.polarity * luminance, size, across_border=True) + LIFTED * noise)
    # The cells continue beyond each side, so that they slope down to the very edge of the picture.
    beside = np.pad(paper.cells, BESIDE, mode="reflect", reflect_type="odd")
    limits = (extreme(beside, 2 * BESIDE + 1) for extreme in (erode, dilate))
    shape, bilinear = luminance.shape[::-1], Image.Resampling.BILINEAR
    return filled.clip(*(np.asarray(Image.fromarray(limit).resize(shape, bilinear)) for limit in limits))


def digit_mask(difference: np.ndarray, is_ruled: bool = False) -> np.ndarray:
    """Where the digit is, (h, w) bool: the largest component of ink, those not small beside it, and a cell around."""
    height, width = difference.shape
    cells = cells_of(np.abs(difference))
    if is_ruled and cells.max() < LEAST:
        return np.zeros_like(difference, bool)
    inked = cells > CELL_FAINT * cells.max()
    near = dilate(np.pad(inked, 1), 3)
    numbers = components(near)
    masses = np.bincount(numbers.ravel(), (cells * inked).ravel())
    masses[0] = 0  # the paper
    masses[np.unique(border(numbers))] *= AT_BORDER
    kept = (masses > SMALL * masses.max())[numbers] & near
    kept = dilate(np.pad(kept, 1), 3)
    return np.asarray(Image.fromarray(kept).resize((width, height), Image.Resampling.NEAREST))
