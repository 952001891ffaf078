"""The characters of a strip: where each is, and what each looks like alone."""

import numpy as np

from digit_recognizer_dl_model.frame import SIDE
from digit_recognizer_dl_model.strip import HEIGHT

from . import centring

FINER = 2  # pixels of a finer strip, from which characters are cut, for one of the strip, in which they are found
PAPER = 25  # of 255; what is fainter is left out of a character that is looked at alone
CLEAR = 100  # of 255; fainter pixels belong to no character's extent
WIDEST, GAP = 30, 3  # pixels from a character's middle to its edge, at most; between its parts
NOTHING = 8, 29  # pixels of the extent of a character without ink, its width and height
ASIDE = 6  # grey levels of ink that a cut goes through rather than a pixel farther from half-way, in each row
SLANT = 0.2  # pixels by which a cut may lean beyond the middles of its characters, for each row from the strip's middle

Extent = tuple[int, int, int, int]  # left, upper, right and lower edge in pixels of the strip


def extents(ink: np.ndarray, places: np.ndarray) -> list[Extent]:
    """The extent of the character at each place of a strip (46, w) uint8.

    A character ends half-way to its neighbours, or before where there is a gap in the ink.
    """
    bounds = [0, *half_way(places).tolist(), ink.shape[1]]
    return [extent(ink, *each) for each in zip(places.tolist(), bounds, bounds[1:], strict=False)]


def half_way(places: np.ndarray) -> np.ndarray:
    """The columns half-way between neighbours, (length - 1,)."""
    return np.rint((places[:-1] + places[1:]) / 2).astype(int)


def extent(ink: np.ndarray, middle: float, start: int, stop: int) -> Extent:
    """The extent of the character with that middle, between two columns of a strip (46, w) uint8."""
    place = round(middle)
    first, last = max(start, place - WIDEST), min(stop, place + WIDEST + 1)
    is_inked = ink > CLEAR
    columns = first + np.flatnonzero(is_inked[:, first:last].any(axis=0))
    if not len(columns):
        width, height = NOTHING
        return place - width // 2, (HEIGHT - height) // 2, place + width // 2, (HEIGHT + height) // 2
    nearest = int(np.abs(columns - place).argmin())
    gaps = np.flatnonzero(np.diff(columns) > GAP)
    before, after = gaps[gaps < nearest], gaps[gaps >= nearest]
    left = int(columns[before[-1] + 1] if len(before) else columns[0])
    right = int(columns[after[0]] if len(after) else columns[-1]) + 1
    rows = np.flatnonzero(is_inked[:, left:right].any(axis=1))
    return left, int(rows[0]), right, int(rows[-1]) + 1


def cut_upright(ink: np.ndarray, finer: np.ndarray, places: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Some characters of a strip (46, w) as single digits, (n, 28, 28) uint8, cut half-way to their neighbours.

    finer: the same strip with FINER times as many pixels along each side: what is sharp in the picture stays so.
    places: the middles of all characters in the strip; chosen: whether each is wanted, (length,) bool.
    """
    return cut_at(np.repeat(half_way(places)[:, None], HEIGHT, axis=1), ink, finer, places, chosen)


def cut_around(ink: np.ndarray, finer: np.ndarray, places: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Some characters of a strip as `cut_upright` gives them, but cut through the least ink between neighbours."""
    return cut_at(seams(ink, places, chosen), ink, finer, places, chosen)


def cut_at(edges: np.ndarray, ink: np.ndarray, finer: np.ndarray, places: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Some characters of a strip as `cut_upright` gives them, cut at other places.

    edges: (length - 1, 46), for each two neighbours and each row the first column of the right one.
    """
    columns = np.arange(ink.shape[1])
    beyond = np.full((1, HEIGHT), ink.shape[1])
    bounds = np.concatenate([np.zeros_like(beyond), edges, beyond])[..., None]
    pixels = np.zeros((np.count_nonzero(chosen), SIDE, SIDE), np.uint8)
    for picture, index in zip(pixels, np.flatnonzero(chosen), strict=True):
        is_own = (bounds[index] <= columns) & (columns < bounds[index + 1])
        left, top, right, bottom = extent(np.where(is_own, ink, 0), places[index], 0, ink.shape[1])
        is_part = is_own[top:bottom, left:right].repeat(FINER, axis=0).repeat(FINER, axis=1)
        part = np.where(is_part, finer[FINER * top : FINER * bottom, FINER * left : FINER * right], 0)
        if part.max(initial=0) > PAPER:
            picture[...] = centring.fit(np.where(part > PAPER, part, 0) / np.float32(255))
    return pixels


def seams(ink: np.ndarray, places: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """The columns (length - 1, 46) at which the chosen characters are cut from their neighbours, through little ink.

    A cut goes at most one column aside from row to row. Source: Avidan & Shamir 2007, doi:10.1145/1275808.1276390.
    """
    edges = np.repeat(half_way(places)[:, None], HEIGHT, axis=1)
    wanted = np.flatnonzero(chosen[:-1] | chosen[1:])
    lean = SLANT * np.abs(np.arange(HEIGHT) - (HEIGHT - 1) / 2)
    reach = np.diff(places)[wanted] / 2 + lean[:, None]  # (46, cuts)
    most = int(reach.max(initial=0))
    aside = np.arange(-most, most + 1, dtype=np.float32)
    columns = (edges[wanted, 0, None] + aside.astype(int)).clip(0, ink.shape[1] - 1)
    cost = ink[:, columns] + ASIDE * np.abs(aside)  # (46, cuts, columns)
    cost[np.abs(aside) > reach[..., None]] = np.inf
    above = np.full((len(wanted), len(aside) + 2), np.inf, np.float32)
    for row in range(1, HEIGHT):
        above[:, 1:-1] = cost[row - 1]
        cost[row] += np.minimum(np.minimum(above[:, :-2], above[:, 1:-1]), above[:, 2:])
    for number, rows in zip(wanted, cost.swapaxes(0, 1).tolist(), strict=True):
        place = int(np.argmin(rows[-1]))
        for row in range(HEIGHT - 1, -1, -1):
            near = range(max(place - 1, 0), min(place + 2, len(aside)))
            place = min(near, key=rows[row].__getitem__)
            edges[number, row] += place - most
    return edges
