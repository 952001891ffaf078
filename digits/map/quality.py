"""How well a map keeps what is near in the network's features near each other."""

from typing import NamedTuple

import numpy as np

from ..gallery import UNLABELLED
from .tsne import nearest, squared_distances

NEIGHBOURS = 10


class Quality(NamedTuple):
    """Figures of a layout, each from 0 to 1."""

    same_label: (
        float | None
    )  # of the 10 nearest tiles on the map, how many have the label of the tile; None without labels
    same_label_in_features: float | None  # the same in the network's features, which the map is made from
    trustworthiness: float


def quality_of(features: np.ndarray, places: np.ndarray, labels: np.ndarray) -> Quality:
    """Measure places (n, 2) of tiles with features (n, channels) and labels (n,) uint8."""
    plane = places.astype(np.float32) / np.float32(np.ptp(places) or 1)
    on_map, _ = nearest(plane, NEIGHBOURS)
    in_features, _ = nearest(features, NEIGHBOURS)
    shares = [same_label(found, labels) for found in (on_map, in_features)]
    return Quality(*shares, trustworthiness(features, on_map))


def same_label(found: np.ndarray, labels: np.ndarray) -> float | None:
    """The share of found tiles (n, k) that have the label of the tile in whose row they are; None without labels."""
    is_known = labels != UNLABELLED
    if not is_known.any():
        return None
    return float((labels[found[is_known]] == labels[is_known, None]).mean())


def trustworthiness(features: np.ndarray, on_map: np.ndarray) -> float:
    """1 where all neighbours on the map, (n, k), are the nearest in features (n, channels), too.

    Less by how far down the order of distances the others are (Venna & Kaski 2001, doi:10.1007/3-540-44668-0_68).
    """
    n, k = on_map.shape
    penalty = 0
    for start, squared in squared_distances(features):
        rows = np.arange(len(squared))
        squared[rows, start + rows] = -1  # first in the order, so that ranks of others begin with 1
        ranks = np.empty(squared.shape, np.int32)
        np.put_along_axis(ranks, squared.argsort(axis=1, kind="stable"), np.arange(n, dtype=np.int32)[None], axis=1)
        penalty += np.maximum(np.take_along_axis(ranks, on_map[start : start + len(rows)], axis=1) - k, 0).sum()
    return float(1 - 2 * penalty / (n * k * (2 * n - 3 * k - 1)))
