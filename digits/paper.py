"""What light, shadow, noise and rulings did to the paper of a picture is undone: what differs from it is ink."""

import functools

import numpy as np
from PIL import Image, ImageFilter

EVEN = 3  # grey levels that paper may differ by and still be taken for one level
STAINED = 0.04  # of the paper; less than this that is not level is faint ink rather than light
CELLS = 40  # along the longest side, the paper's brightness is told from as many averages
BROADEST = 13  # cells; of a stroke, which on the largest and thickest digits is a quarter of the longest side
INKED = 0.3  # of the darkest cell's ink; a cell with more says nothing of the paper
GUESSED = 0.02  # of the ink's contrast: what each cell of paper under ink counts as, beside edges left in the paper
DOUBT = 0.8  # ink is to leave less than this share of the edges that there are without
DARK = 30  # grey levels added to paper before ratios are taken, as there is little in those of nearly black ones
ENOUGH = 400  # pixels along the longest side; uneven pictures of more are reduced
AS_DARK = 0.85  # of the darkest cell's ink: what touches the rim is a digit's if it is as dark as this
ELSEWHERE = 0.1  # of the ink: a digit that touches the rim leaves less than this away from it
FAINT = 0.15  # of the darkest cell's ink; cells with less, and beside none with more, are paper
SMALL = 0.1  # of the largest group of ink; groups of less are dust
AT_RIM = 0.3  # what ink in a group that touches the rim counts as, beside ink that does not
LEAST = 45  # grey levels of ink in the darkest cell, where rulings were erased: fainter is what is left of them
STRIPS = 64  # across the picture, a power of two: rulings are followed from one to the next, and fall by less rows
THICKEST = 0.0175  # of the longest side: from the middle of a ruling to where there is surely none
LIGHTEST = 3  # grey levels that a ruling differs by from what is above and below
UNBROKEN = 0.7  # of a ruling is seen; a digit lies on the rest
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
    if lines := rulings(clean, noise):
        clean = erase(clean, lines, noise)
    if columns := rulings(clean.T, noise):
        clean = erase(clean.T, columns, noise).T
    paper, contrast = paper_of(clean, noise)
    level = np.median(paper)
    uneven = np.count_nonzero(np.abs(paper - level) > EVEN) > STAINED * paper.size
    if clean is small and not uneven and noise <= CALM * contrast:
        return luminance
    flat = (clean - paper) * ((level + DARK) / (paper + DARK)) + level
    depth = smooth(flat, noise, contrast) - level
    edge = rim(depth)
    ink = np.abs(depth) - 3 * np.median(np.abs(edge - np.median(edge)))
    return np.where(drawn(depth, ruled=bool(lines or columns)) & (ink > 0), level + np.copysign(ink, depth), level)


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


def rulings(luminance: np.ndarray, noise: float) -> list[tuple[float, float]]:
    """The dark lines that run from rim to rim, nearly level: the row where each crosses the middle, and its slope.

    A single one counts only where it is seen at both rims, as otherwise it may be a digit's.
    """
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
    rising, falling = sums(told[..., ::-1]), sums(told)  # (STRIPS, 3, h + 2 STRIPS)
    seen, whole, depth = np.concatenate([rising[:0:-1], falling]).swapaxes(0, 1)  # (2 STRIPS - 1, h + 2 STRIPS) each
    found = np.nonzero((seen >= UNBROKEN * whole) & (3 * whole >= STRIPS))
    lines: list[tuple[float, float]] = []
    for index in np.argsort(-(depth / np.maximum(whole, 1))[found], kind="stable"):
        drop, row = int(found[0][index]) - STRIPS + 1, int(found[1][index]) - STRIPS
        middle = row + abs(drop) / 2
        if all(abs(middle - other) > 2 * reach for other, _ in lines):
            lines.append((middle, drop / width))
    if len(lines) == 1:
        middle, slope = lines[0]
        left, right = (round(middle + slope * side * width / 2) for side in (-1, 1))
        inside = min(left, right) >= 0 and max(left, right) < height
        if not (inside and hits[left, :4].all() and hits[right, -4:].all()):
            return []
    return lines


def sums(values: np.ndarray) -> np.ndarray:
    """The sums (n, .., h) along lines through values (.., h, n): from each row at the left, 0 to n - 1 rows down.

    The lines are put together from halves that many share (Brady 1998); n is a power of two.
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
        rest = (np.linspace(0, 1, len(y))[:, None] * (seen[-1] - seen[0]) + seen[0]) - seen
        profile = np.median(rest[:, (middle >= 0) & (middle < height)], axis=1)
        dark = np.flatnonzero(profile > max(0.1 * profile.max(), 0.5))
        if not len(dark):
            continue
        first, last = max(dark[0] - 1, 0), min(dark[-1] + 1, len(y) - 1)
        between = np.linspace(0, 1, last - first + 1)[:, None] * (seen[last] - seen[first]) + seen[first]
        band = seen[first : last + 1]
        ruling = np.median((between - band).max(axis=0)) * between / max(np.median(between), 1)
        ink = between - band > 1.6 * ruling + 3 * noise
        luminance[place[0][first : last + 1], x] = np.where(ink, band, between)
    return luminance


def paper_of(luminance: np.ndarray, noise: float) -> tuple[np.ndarray, float]:
    """The brightness of the paper at each pixel (h, w), under the ink too, and about how far the ink is from it."""
    height, width = luminance.shape
    scale = min(1, CELLS / max(height, width))
    shape = max(1, round(height * scale)), max(1, round(width * scale))
    cells = np.asarray(Image.fromarray(luminance).resize(shape[::-1], Image.Resampling.BOX))
    # Dark ink, light ink or none? Light that changes slowly, or a shadow with an edge? A wrong guess leaves the ink's
    # edges in the paper, or takes much paper for ink.
    rest = np.stack([cells, cells - bowl(cells)])
    rest = np.concatenate([-rest, rest, 0 * rest[:1]])
    guesses = zip(strokes(rest, crossing=False), strokes(rest, crossing=True), strict=True)
    inks = np.stack([whole if touches(whole, inside) else inside for whole, inside in guesses])  # (5, h, w)
    contrasts = np.append(np.tile(inks[:4].reshape(2, 2, -1).max(axis=(0, 2)), 2), 0)  # dark and light ink's in common
    near = largest(np.pad(inks, [(0, 0), (1, 1), (1, 1)]), 3)
    known = near <= INKED * contrasts[:, None, None]
    papers = [fill(cells, guess) for guess in known]
    left = [bends(guess, 3 * noise * scale) for guess in papers]
    cost = left + GUESSED * contrasts * np.count_nonzero(~known, axis=(1, 2))
    cost[-1] *= DOUBT
    best = cost.argmin()
    paper = papers[best]
    # Continued by a cell on each side, so that it slopes down to the very edge of the picture.
    paper = Image.fromarray(np.pad(paper, 1, mode="reflect", reflect_type="odd"))
    inside = (1, 1, paper.width - 1, paper.height - 1)
    paper = np.asarray(paper.resize((width, height), Image.Resampling.BILINEAR, inside))
    return paper, float(contrasts[best])


def drawn(ink: np.ndarray, ruled: bool) -> np.ndarray:
    """Where the digit is (h, w) bool: around cells of the largest group of ink and of those not small beside it."""
    height, width = ink.shape
    scale = min(1, CELLS / max(height, width))
    shape = max(1, round(height * scale)), max(1, round(width * scale))
    cells = np.asarray(Image.fromarray(np.abs(ink)).resize(shape[::-1], Image.Resampling.BOX))
    if ruled and cells.max() < LEAST:
        return np.zeros_like(ink, bool)
    inked = cells > FAINT * cells.max()
    near = largest(np.pad(inked, 1), 3)
    groups = groups_of(near)
    masses = np.bincount(groups.ravel(), (cells * inked).ravel())
    masses[0] = 0
    masses[np.unique(rim(groups))] *= AT_RIM
    kept = (masses > SMALL * masses.max())[groups] & near
    kept = largest(np.pad(kept, 1), 3)
    return np.asarray(Image.fromarray(kept).resize((width, height), Image.Resampling.NEAREST))


def bends(values: np.ndarray, noise: float) -> float:
    """The sum of the second differences along rows and columns (h, w), less the noise."""
    second = np.abs(np.diff(values, 2, axis=0)), np.abs(np.diff(values, 2, axis=1))
    return sum(float(np.maximum(part - noise, 0).sum()) for part in second)


def strokes(values: np.ndarray, crossing: bool) -> np.ndarray:
    """How far values (.., h, w) are above what an opening leaves of them: nothing that is narrower than BROADEST.

    When crossing, the squares of the opening may lie across the rim, so that no tip of a shadow there is a stroke, but
    neither is what a digit has there.
    """
    margin = [(0, 0)] * (values.ndim - 2) + [(BROADEST // 2, BROADEST // 2)] * 2
    if crossing:
        margin = [(before * 2, after * 2) for before, after in margin]
        return values - largest(-largest(np.pad(-values, margin, constant_values=-np.inf), BROADEST), BROADEST)
    smallest = -largest(np.pad(-values, margin, mode="edge"), BROADEST)
    return values - largest(np.pad(smallest, margin, mode="edge"), BROADEST)


def touches(ink: np.ndarray, inside: np.ndarray) -> bool:
    """Whether ink (h, w) at the rim is the digit's rather than a shadow: as dark as any, and none is elsewhere."""
    inked = ink > INKED * ink.max()
    at_rim = ink[inked & (inside <= INKED * ink.max())]
    if at_rim.max(initial=0) < AS_DARK * ink.max():
        return False
    groups = groups_of(inked)
    elsewhere = ~np.isin(groups, np.unique(rim(groups)))
    return ink[inked & elsewhere].sum() < ELSEWHERE * ink[inked].sum()


def groups_of(inked: np.ndarray) -> np.ndarray:
    """A number for each cell (h, w) of ink, the same for cells that touch, and 0 for paper."""
    groups = inked * np.arange(1, inked.size + 1).reshape(inked.shape)
    while True:
        spread = largest(np.pad(groups, 1), 3) * inked
        if (spread == groups).all():
            return groups
        groups = spread


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
