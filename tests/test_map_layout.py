"""The mathematics of the map: neighbours, forces, the layout and how its quality is measured."""

import numpy as np
import pytest

from digits.map import tsne
from digits.map.placing import median
from digits.map.quality import same_label, trustworthiness
from digits.map.tile_map import densest, reduced, regions

BLOBS = np.repeat(12 * np.eye(3, 6), 40, axis=0) + np.random.default_rng(7).normal(size=(120, 6))
BLOBS = BLOBS.astype(np.float32)
KINDS = np.repeat(np.arange(3), 40)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(8)


def exact_repulsion(places: np.ndarray) -> np.ndarray:
    """The sum over all pairs, as van der Maaten & Hinton write it."""
    between = places[:, None] - places[None]
    kernel = 1 / (1 + (between**2).sum(axis=2))
    np.fill_diagonal(kernel, 0)
    return (kernel[..., None] ** 2 * between).sum(axis=1) / kernel.sum()


@pytest.mark.parametrize("spread", [0.01, 3, 12])
def test_the_repulsion_on_the_grid_is_that_of_all_pairs(spread, rng):
    places = (spread * rng.normal(size=(300, 2))).astype(np.float32)
    expected = exact_repulsion(places.astype(np.float64))
    found = tsne.repulsion(places)
    assert np.abs(found - expected).max() < 0.1 * np.abs(expected).max()


def test_the_attraction_is_that_of_all_pairs_of_neighbours(rng):
    indices, weights = tsne.neighbourhoods(BLOBS)
    both = np.zeros((len(BLOBS), len(BLOBS)))
    np.put_along_axis(both, indices, weights, axis=1)
    both = (both + both.T) / (both + both.T).sum()
    places = rng.normal(size=(len(BLOBS), 2)).astype(np.float32)
    between = places[:, None] - places[None]
    expected = ((both / (1 + (between**2).sum(axis=2)))[..., None] * between).sum(axis=1)
    assert tsne.Attraction(indices, weights).forces(places) == pytest.approx(expected, abs=1e-6)


def test_as_many_neighbours_count_as_the_perplexity_says():
    _, squared = tsne.nearest(BLOBS, 60)
    weights = tsne.affinities(squared.astype(np.float64), perplexity=10)
    assert weights.sum(axis=1) == pytest.approx(1)
    entropy = -(weights * np.log(np.maximum(weights, 1e-300))).sum(axis=1)
    assert np.exp(entropy) == pytest.approx(10, rel=1e-3)


def test_the_nearest_are_found_without_the_point_itself(monkeypatch):
    monkeypatch.setattr(tsne, "ROWS", 50)  # so that there are several parts
    indices, squared = tsne.nearest(BLOBS, 5)
    distances = ((BLOBS[:, None] - BLOBS[None]) ** 2).sum(axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (indices == distances.argsort(axis=1)[:, :5]).all()
    assert squared == pytest.approx(np.sort(distances, axis=1)[:, :5], rel=1e-3)


def test_principal_components_are_those_of_most_variance(rng):
    stretched = rng.normal(size=(500, 4)) @ np.diag([1, 9, 3, 0.1]) + 5
    components = tsne.principal_components(stretched.astype(np.float32), 2)
    assert components.std(axis=0) == pytest.approx([9, 3], rel=0.1)
    assert components.mean(axis=0) == pytest.approx([0, 0], abs=1e-3)


@pytest.mark.slow
def test_what_is_alike_lies_together_and_the_layout_is_the_same_each_time():
    told = []
    places = tsne.lay_out(BLOBS, told.append, steps=150)
    assert sum(told) == 150
    indices, _ = tsne.nearest(places, 10)
    assert (KINDS[indices] == KINDS[:, None]).mean() > 0.98
    assert (tsne.lay_out(BLOBS, steps=5) == tsne.lay_out(BLOBS, steps=5)).all()


def test_crowded_places_are_spread_out_and_keep_their_neighbours(rng):
    places = rng.normal(size=(400, 2)).astype(np.float32)
    spread = tsne.spread_out(places)

    def closest(points: np.ndarray) -> float:
        _, squared = tsne.nearest(points, 1)
        return float(np.sqrt(np.quantile(squared, 0.1)))

    assert closest(spread) > 3 * closest(places)
    assert np.abs(spread - places).max() < 1


def test_a_place_that_is_trusted_has_the_neighbours_of_its_features(rng):
    indices, _ = tsne.nearest(BLOBS, 10)
    assert trustworthiness(BLOBS, indices) == 1
    scrambled = rng.permuted(np.tile(np.arange(120), (120, 1)), axis=1)[:, :10]
    assert trustworthiness(BLOBS, scrambled) < 0.6


def test_the_share_of_the_same_label_leaves_out_tiles_without_one():
    found = np.array([[1, 2], [0, 2], [0, 1]])
    assert same_label(found, np.array([4, 4, 9], np.uint8)) == pytest.approx(1 / 3)
    assert same_label(found, np.full(3, 255, np.uint8)) is None


def test_regions_are_of_one_size_but_for_one_and_hold_everything_once(rng):
    places = rng.integers(0, 65_535, (1030, 2)).astype(np.uint16)
    found = list(regions(places, 100))
    assert sorted(map(len, found)) == [30] + [100] * 10
    assert sorted(np.concatenate(found)) == list(range(1030))
    spans = [np.ptp(places[region].astype(int), axis=0).max() for region in found]
    assert np.median(spans) < 65_535 / 2


def test_a_digit_stands_on_its_larger_island(rng):
    large, small = rng.normal(20_000, 900, (300, 2)), rng.normal(50_000, 900, (80, 2))
    assert np.abs(densest(np.concatenate([large, small])) - 20_000).max() < 500


def test_a_drawing_between_two_islands_lies_on_the_one_with_most_of_its_neighbours():
    places = np.array([[0, 0], [100, 0], [0, 100], [60_000, 60_000]], float)
    assert np.abs(median(places, np.ones(4))).max() < 150


def test_pictures_are_reduced_by_the_mean_of_each_square():
    pixels = np.zeros((1, 4, 4), np.uint8)
    pixels[0, :2, :2] = [[0, 255], [255, 255]]
    assert reduced(pixels, 2).tolist() == [[[191, 0], [0, 0]]]
