"""Each change does to a picture what its name says and leaves the digit a digit, and the table counts right."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from benchmarks.quality import robustness
from benchmarks.quality.robustness import (
    DISTORTIONS,
    ENLARGEMENT,
    INK,
    PAPER,
    SHEET,
    Distortion,
    enlarge,
    measure_robustness,
    skeleton,
)
from digit_recognizer_dl_model.counts import Count
from digit_recognizer_dl_model.dataset import Dataset
from digit_recognizer_dl_model.figures import Change
from digit_recognizer_dl_model.inference import Classifier
from digit_recognizer_dl_model.weights import load_weights
from digits import pictures
from digits.gallery import gallery

BAR = np.zeros((28, 28), np.uint8)
BAR[4:24, 13:16] = 255
RING = np.uint8(255) * (np.abs(np.hypot(*(np.indices((28, 28)) - 13.5)) - 8.5) < 1.5)


def distorted(name: str, pixels: np.ndarray = BAR, seed: int = 1) -> np.ndarray:
    picture = DISTORTIONS[name].change(pixels, np.random.default_rng(seed))
    assert picture.dtype == np.uint8
    assert picture.shape == (SHEET, SHEET)
    return picture


def prepare(picture: np.ndarray) -> np.ndarray:
    return pictures.prepare_image(Image.fromarray(picture))


def box(picture: np.ndarray) -> tuple[int, int, int, int]:
    """Top, bottom, left, right of what is nearer to ink than to paper; bottom and right are behind it."""
    dark = picture <= (PAPER + INK) / 2
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    return rows[0], rows[-1] + 1, columns[0], columns[-1] + 1


def test_a_digit_is_drawn_enlarged_in_the_middle_of_light_paper():
    picture = distorted("as drawn")
    assert (picture[0, 0], picture.min()) == (PAPER, INK)
    top, bottom, left, right = box(picture)
    assert (bottom - top, right - left) == (20 * ENLARGEMENT, 3 * ENLARGEMENT)
    assert (top + bottom, left + right) == (SHEET, SHEET)


def test_a_digit_that_is_drawn_unchanged_is_prepared_much_as_it_was():
    alike = []
    for index in range(0, 1000, 50):
        pixels = gallery().pixels(index)
        prepared = prepare(distorted("as drawn", pixels))
        alike.append(np.corrcoef(prepared.ravel(), pixels.ravel())[0, 1])
    assert np.median(alike) > 0.9
    assert min(alike) > 0.65  # the centre of mass may be rounded to another pixel


@pytest.mark.parametrize("degrees", [-20, -10, 10, 20])
def test_a_turned_digit_is_turned_anticlockwise_by_the_degrees(degrees):
    ink = PAPER - distorted(f"turned by {degrees:+} degrees").astype(float)
    rows, columns = np.indices(ink.shape) - (SHEET - 1) / 2
    # The angle of the bar's principal axis to the vertical.
    angle = np.arctan2(2 * (ink * rows * columns).sum(), (ink * (rows**2 - columns**2)).sum()) / 2
    assert np.rad2deg(angle) == pytest.approx(degrees, abs=0.5)


@pytest.mark.parametrize("scale", [0.7, 0.85, 1.15, 1.3])
def test_a_scaled_digit_is_longer_by_the_scale(scale):
    top, bottom, _, _ = box(distorted(f"{scale} of its size"))
    assert bottom - top == pytest.approx(scale * 20 * ENLARGEMENT, abs=1)


def test_a_moved_digit_lies_anywhere_whole_and_touches_edges_if_it_must():
    places = set()
    for seed in range(20):
        top, bottom, left, right = box(distorted("anywhere on the picture", seed=seed))
        assert (bottom - top, right - left) == (20 * ENLARGEMENT, 3 * ENLARGEMENT)
        places.add((top, left))
        for name, touching in (("touching an edge", 1), ("touching two edges", 2)):
            top, bottom, left, right = box(distorted(name, seed=seed))
            assert sum([top == 0, bottom == SHEET, left == 0, right == SHEET]) >= touching
            assert (bottom - top, right - left) == (20 * ENLARGEMENT, 3 * ENLARGEMENT)
    assert len(places) == 20


@pytest.mark.parametrize("thickness", [1.2, 2, 3, 4, 5])
def test_redrawn_strokes_have_their_thickness_when_they_reach_the_network(thickness, monkeypatch):
    monkeypatch.setattr("digits.pictures.centring.THICK", 20)  # no stroke is thinned
    prepared = prepare(distorted(f"strokes of {thickness} pixels", np.maximum(BAR, BAR.T))) / 255.0
    assert prepared[6:9].sum(axis=1) == pytest.approx(thickness, abs=0.3)
    assert prepared[:, 6:9].sum(axis=0) == pytest.approx(thickness, abs=0.3)


@pytest.mark.parametrize("thickness", [1.2, 2, 3, 4])
def test_round_strokes_are_redrawn_as_thick_too(thickness, monkeypatch):
    monkeypatch.setattr("digits.pictures.centring.THICK", 20)
    prepared = prepare(distorted(f"strokes of {thickness} pixels", RING)) / 255.0
    length = np.pi * (20 - thickness)  # of the ring's middle line
    assert prepared.sum() / length == pytest.approx(thickness, rel=0.12)


def neighbours(mask: np.ndarray) -> np.ndarray:
    steps = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if down or right]
    return sum(np.roll(mask, step, axis=(0, 1)).astype(int) for step in steps)


def test_a_skeleton_is_thin_whole_and_in_the_middle():
    ink = enlarge(BAR) > 0.5
    thin = skeleton(ink)
    assert (thin <= ink).all()
    assert thin.sum(axis=1).max() == 1
    rows, columns = np.nonzero(thin)
    assert np.ptp(rows) == len(rows) - 1  # no gap
    assert len(rows) >= 16 * ENLARGEMENT
    assert np.abs(columns + 0.5 - SHEET / 2).max() <= 1
    ring = skeleton(enlarge(RING) > 0.5)
    assert not ring[SHEET // 2 - 10 : SHEET // 2 + 10, SHEET // 2 - 10 : SHEET // 2 + 10].any()
    assert (neighbours(ring)[ring] >= 2).all()  # closed, and without spurs


def test_a_blurred_edge_is_the_wider_the_more_it_is_blurred():
    steepest = [np.abs(np.diff(distorted(f"blurred by {by} pixels")[SHEET // 2].astype(int))).max() for by in (0.5, 1)]
    # The slope of a blurred step is its height over the standard deviation and the square root of 2 pi.
    for by, slope in zip((0.5, 1), steepest, strict=True):
        assert slope == pytest.approx((PAPER - INK) / (by * ENLARGEMENT * np.sqrt(2 * np.pi)), rel=0.2)


@pytest.mark.parametrize("deviation", [10, 20])
def test_noise_has_the_standard_deviation_it_is_named_for(deviation):
    ink = distorted("as drawn") == INK
    assert distorted(f"noise of {deviation} grey levels")[ink].std() == pytest.approx(deviation, rel=0.1)


@pytest.mark.parametrize("fraction", [0.01, 0.05])
def test_salt_and_pepper_lie_on_the_fraction_they_are_named_for(fraction):
    changed = distorted(f"salt and pepper on {fraction:.1%}")
    assert (changed == 0).mean() == pytest.approx(fraction / 2, rel=0.3)
    assert (changed == 255).mean() == pytest.approx(fraction / 2, rel=0.3)
    same = (changed != 0) & (changed != 255)
    assert (changed[same] == distorted("as drawn")[same]).all()


@pytest.mark.parametrize(("tone", "paper"), [("dark", 90), ("light", 240)])
@pytest.mark.parametrize("contrast", [80, 40, 25])
def test_faint_ink_is_darker_than_its_paper_by_the_levels(tone, paper, contrast):
    picture = distorted(f"ink {contrast} levels darker than {tone} paper")
    assert (picture.max(), picture.min()) == (paper, paper - contrast)


@pytest.mark.parametrize("name", ["light falling to 50%", "corners lit by 50%", "soft shadow of 50%"])
def test_uneven_light_darkens_paper_down_to_the_fraction_it_is_named_for(name):
    blank = np.zeros((28, 28), np.uint8)
    blank[13, 13] = 1  # nothing to see, but a middle to draw around
    picture = distorted(name, blank)
    assert picture.max() == pytest.approx(PAPER, abs=2)
    assert picture.min() == pytest.approx(PAPER / 2, abs=2)
    assert np.abs(np.diff(picture.astype(int), axis=0)).max() <= 6


def test_chalk_is_lighter_than_the_board():
    picture = distorted("chalk, light falling to 50%")
    assert picture[SHEET // 2, SHEET // 2] > picture[0].max()


@pytest.mark.slow
def test_changed_digits_are_still_digits():
    tiles = [gallery().tile(index) for index in range(12)]
    pixels = np.stack([gallery().pixels(tile.index) for tile in tiles])
    dataset = Dataset(pixels, np.array([tile.label for tile in tiles], np.uint8))
    changes = measure_robustness(Classifier(load_weights()), dataset)
    assert {change.name for change in changes if change.count.wrong > 1} == set()


@pytest.fixture
def dataset():
    """Two images, a bar and a ring; only the bar is labelled as `sevens` will answer."""
    return Dataset(np.stack([BAR, RING]), np.array([7, 0], np.uint8))


@pytest.fixture
def sevens():
    """A classifier that answers 7 to every picture."""
    return SimpleNamespace(probabilities=lambda pixels: np.repeat(np.eye(10)[[7]], len(pixels), axis=0))


def test_the_table_has_a_row_for_each_change(sevens, dataset):
    steps = []
    changes = measure_robustness(sevens, dataset, progress=lambda done, total: steps.append((done, total)))
    assert changes == tuple(Change(name, Count(1, 2), distortion.group) for name, distortion in DISTORTIONS.items())
    assert steps == [(done, len(DISTORTIONS)) for done in range(1, len(DISTORTIONS) + 1)]


def changing(note):
    """Two changes that leave every picture as it is and note what they see."""

    def change(name, pixels, rng):
        note(name, pixels, rng)
        return pixels

    return {name: Distortion("group", partial(change, name)) for name in ("first", "second")}


def test_all_rows_show_the_same_images(sevens, monkeypatch):
    seen = []
    dataset = Dataset(np.stack([BAR, RING] * 6), np.array([7, 0] * 6, np.uint8))
    changes = changing(lambda name, pixels, rng: seen.append((name, pixels.sum())))
    monkeypatch.setattr(robustness, "DISTORTIONS", changes)
    rows = measure_robustness(sevens, dataset, count=5)
    assert [pixels for name, pixels in seen if name == "first"] == [pixels for name, pixels in seen if name == "second"]
    assert [row.count.total for row in rows] == [5, 5]


def test_a_row_is_the_same_at_each_run_whatever_rows_come_before_it(sevens, dataset, monkeypatch):
    drawn = []
    changes = changing(lambda name, pixels, rng: drawn.append(rng.random()))
    monkeypatch.setattr(robustness, "DISTORTIONS", changes)
    measure_robustness(sevens, dataset, count=1)
    monkeypatch.setattr(robustness, "DISTORTIONS", {"second": changes["second"]})
    measure_robustness(sevens, dataset, count=1)
    assert drawn[0] != drawn[1] == drawn[2]
