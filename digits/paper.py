"""What light, shadow and noise did to the paper of a picture is undone, so that what differs from it is ink."""

import functools

import numpy as np
from PIL import Image, ImageFilter

EVEN = 3  # grey levels that paper may differ by and still be taken for one level
STAINED = 0.04  # of the paper; less than this that is not level is faint ink rather than light
CELLS = 40  # along the longest side, the paper's brightness is told from as many averages
BROADEST = 13  # cells; of a stroke, which on the largest and thickest digits is a quarter of the longest side
INKED = 0.3  # of the darkest cell's ink; a cell with more says nothing of the paper
GUESSED = 0.1  # of the ink's contrast: what each cell of paper under ink counts as, beside edges left in the paper
DOUBT = 0.8  # ink is to leave less than this share of the edges that there are without
DARK = 30  # grey levels added to paper before ratios are taken, as there is little in those of nearly black ones
ENOUGH = 400  # pixels along the longest side; uneven pictures of more are reduced
SPECK = 20  # grey levels that an isolated pixel stands out by
SPECKS = 0.0005  # of the pixels; with fewer isolated ones a picture has no salt and pepper on it
CALM = 0.02  # of the ink's contrast; the noise's standard deviation that smoothing brings it to


def is_suspect(luminance: np.ndarray) -> bool:
    """Whether a picture (h, w) might be on uneven paper, told by its edges and some of its rows."""
    edge = rim(luminance)
    return edge.max() - edge.min() > EVEN or spiked(luminance)


def rim(luminance: np.ndarray) -> np.ndarray:
    """The pixels (n,) along the four edges."""
    return np.concatenate([luminance[0], luminance[-1], luminance[:, 0], luminance[:, -1]])


def spiked(luminance: np.ndarray) -> bool:
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
    paper, contrast = paper_of(clean, noise)
    level = np.median(paper)
    uneven = np.count_nonzero(np.abs(paper - level) > EVEN) > STAINED * paper.size
    if clean is small and not uneven and noise <= CALM * contrast:
        return luminance
    flat = (clean - paper) * ((level + DARK) / (paper + DARK)) + level
    return smooth(flat, noise, contrast)


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


def paper_of(luminance: np.ndarray, noise: float) -> tuple[np.ndarray, float]:
    """The brightness of the paper at each pixel (h, w), under the ink too, and about how far the ink is from it."""
    height, width = luminance.shape
    scale = min(1, CELLS / max(height, width))
    shape = max(1, round(height * scale)), max(1, round(width * scale))
    cells = np.asarray(Image.fromarray(luminance).resize(shape[::-1], Image.Resampling.BOX))
    # Dark ink, light ink or none? Light that changes slowly, or a shadow with an edge? A wrong guess leaves the ink's
    # edges in the paper, or takes much paper for ink.
    rest = np.stack([cells, cells - bowl(cells)])
    inks = strokes(np.concatenate([-rest, rest, 0 * rest[:1]]))  # (5, h, w)
    contrasts = np.append(np.tile(inks[:4].reshape(2, 2, -1).max(axis=(0, 2)), 2), 0)  # dark and light ink's in common
    known = largest(np.pad(inks, [(0, 0), (1, 1), (1, 1)]), 3) <= INKED * contrasts[:, None, None]
    left = [bends(cells, guess, 3 * noise * scale) for guess in known]
    cost = left + GUESSED * contrasts * np.count_nonzero(~known, axis=(1, 2))
    cost[-1] *= DOUBT
    best = cost.argmin()
    paper = fill(cells, known[best])
    # Continued by a cell on each side, so that it slopes down to the very edge of the picture.
    paper = Image.fromarray(np.pad(paper, 1, mode="reflect", reflect_type="odd"))
    inside = (1, 1, paper.width - 1, paper.height - 1)
    return np.asarray(paper.resize((width, height), Image.Resampling.BILINEAR, inside)), float(contrasts[best])


def bends(values: np.ndarray, known: np.ndarray, noise: float) -> float:
    """The sum of the second differences along rows and columns (h, w), less the noise, where all three are known."""
    total = 0.0
    for cells, told in ((values, known), (values.T, known.T)):
        second = np.abs(np.diff(cells, 2, axis=0))[told[2:] & told[1:-1] & told[:-2]]
        total += float(np.maximum(second - noise, 0).sum())
    return total


def strokes(values: np.ndarray) -> np.ndarray:
    """How far values (.., h, w) are above what an opening leaves of them: nothing that is narrower than BROADEST.

    The squares of the opening may lie across the rim, so that the tips of a shadow there are none.
    """
    margin = [(0, 0)] * (values.ndim - 2) + [(BROADEST - 1, BROADEST - 1)] * 2
    return values - largest(-largest(np.pad(-values, margin, constant_values=-np.inf), BROADEST), BROADEST)


def largest(values: np.ndarray, size: int) -> np.ndarray:
    """The largest value of each size x size squares (.., h, w), of which there are fewer than values."""
    for axis in (-2, -1):
        lines, reached = np.moveaxis(values, axis, 0), 1
        while reached < size:
            step = min(reached, size - reached)
            lines, reached = np.maximum(lines[:-step], lines[step:]), reached + step
        values = np.moveaxis(lines, 0, axis)
    return values


def bowl(cells: np.ndarray) -> np.ndarray:
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


def fill(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Unknown values (h, w) become the mean of known ones around them, from their borders inwards."""
    values = values.copy()
    weight = known.astype(np.float32)
    while not weight.all() and weight.any():
        total, count = around(values * weight), around(weight)
        new = (weight == 0) & (count > 0)
        values[new] = total[new] / count[new]
        weight[new] = 1
    return values


def around(values: np.ndarray) -> np.ndarray:
    """The sum of 3x3 values around each (h, w)."""
    padded = np.pad(values, 1)
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    return rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]


def noise_of(luminance: np.ndarray) -> float:
    """The standard deviation of the noise from pixel to pixel, which neither ink nor light adds much to."""
    steps = np.abs(np.diff(luminance[::4], 2, axis=1))
    return np.median(steps) / (0.6745 * 6**0.5) if steps.size else 0.0


def smooth(luminance: np.ndarray, noise: float, contrast: float) -> np.ndarray:
    """Average over neighbours until the noise is small beside the ink, or details as fine as a pen might go."""
    most = (max(luminance.shape) / 80) ** 2
    variance = min((noise / (3.545 * CALM * max(contrast, 1))) ** 2, most)  # of the Gaussian that is to be
    for _ in range(round(2 * variance)):
        padded = np.pad(luminance, 1, mode="edge")
        rows = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
        luminance = (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) / 4
    return luminance
