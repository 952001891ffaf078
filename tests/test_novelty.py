"""Novelty: a distance known in closed form, the directions that tell most, and features that tell nothing."""

import numpy as np
import pytest

from digit_recognizer_dl_model import novelty

N, K = 400, 5  # images of each digit, and their features
LABELS = np.arange(10 * N) % 10


@pytest.fixture
def rng():
    return np.random.default_rng(1)


@pytest.fixture
def digits(rng):
    """Features (n, k) of ten digits, each about a point of its own and spread in a way of its own."""
    centres, spreads = rng.normal(0, 5, (10, K)), rng.normal(0, 1, (10, K, K))
    noise = rng.normal(size=(len(LABELS), K))
    return centres[LABELS] + np.einsum("nk,nkl->nl", noise, spreads[LABELS])


def test_the_score_is_the_mahalanobis_distance_where_all_directions_are_kept(rng, digits):
    means, directions = novelty.fit(digits, LABELS, rng.normal(0, 9, (50, K)))
    own = np.stack([np.cov(digits[digit == LABELS].T, bias=True) for digit in range(10)])
    shared = own.mean(axis=0)
    pictures, answers = rng.normal(0, 9, (30, K)), rng.integers(0, 10, 30)
    scores = novelty.score(pictures, answers, means, directions)
    for picture, answer, score in zip(pictures, answers, scores, strict=True):
        deviation = picture - digits[answer == LABELS].mean(axis=0)
        covariance = 0.7 * own[answer] + 0.3 * shared + 1e-3 * np.trace(shared) / K * np.eye(K)
        assert score == pytest.approx(deviation @ np.linalg.inv(covariance) @ deviation, rel=1e-3)


def test_the_directions_kept_are_those_in_which_others_leave_the_digits(rng):
    digits = rng.normal(size=(len(LABELS), 3 * novelty.DIRECTIONS))
    others = rng.normal(size=(300, 3 * novelty.DIRECTIONS))
    others[:, :7] *= 10
    means, directions = novelty.fit(digits, LABELS, others)
    assert means.shape == (10, 96)
    assert directions.shape == (10, 96, 32)
    assert means.dtype == directions.dtype == np.float32
    along, elsewhere = np.zeros((2, 10, 96))
    along[:, :7], elsewhere[:, 7:] = 10, 10
    scores = [novelty.score(pictures, np.arange(10), means, directions) for pictures in (along, elsewhere)]
    assert scores[0] == pytest.approx(7 * 100, rel=0.3)  # each value is ten deviations off, and none is overlooked
    assert scores[1].max() < 0.8 * 89 * 100  # 25 directions are left for 89 values


def test_digits_score_about_the_number_of_directions_and_others_far_more(rng, digits):
    means, directions = novelty.fit(digits, LABELS, rng.normal(0, 20, (50, K)))
    assert K / 2 < np.median(novelty.score(digits, LABELS, means, directions)) < 2 * K
    assert np.median(novelty.score(rng.normal(0, 20, (99, K)), LABELS[:99], means, directions)) > 20 * K


def test_a_picture_is_scored_alike_alone_and_among_others(rng, digits):
    regions = novelty.fit(digits, LABELS, rng.normal(0, 9, (50, K)))
    together = novelty.score(digits[:30], LABELS[:30], *regions)
    alone = [novelty.score(digits[i : i + 1], LABELS[i : i + 1], *regions)[0] for i in range(30)]
    assert together.dtype == np.float32
    np.testing.assert_allclose(together, alone, rtol=1e-5)


def test_values_that_never_change_are_no_obstacle(rng, digits):
    digits[:, 2] = 0
    others = rng.normal(0, 9, (50, K))
    others[:, 2] = 0
    means, directions = novelty.fit(digits, LABELS, others)
    assert np.isfinite(directions).all()
    quiet, changed = np.zeros((2, 1, K))
    changed[0, 2] = 50
    answer = np.array([3])
    assert novelty.score(changed, answer, means, directions) > 100 + novelty.score(quiet, answer, means, directions)


def test_features_that_tell_nothing_are_no_obstacle():
    regions = novelty.fit(np.ones((20, 4)), np.arange(20) % 10, np.ones((5, 4)))
    assert novelty.score(np.ones((10, 4)), np.arange(10), *regions).tolist() == [0] * 10


def test_a_digit_without_images_is_refused(rng):
    with pytest.raises(ValueError, match="every digit needs images"):
        novelty.fit(rng.normal(size=(9, 4)), np.arange(9), rng.normal(size=(5, 4)))


def test_no_pictures_get_no_scores(rng, digits):
    regions = novelty.fit(digits, LABELS, digits)
    assert novelty.score(np.empty((0, K), np.float32), np.empty(0, int), *regions).shape == (0,)
