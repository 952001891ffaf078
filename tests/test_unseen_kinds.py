"""Pictures of unseen kinds, published areas under curves, and a classifier whose every answer is known."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageFont

from benchmarks.quality import unseen_kinds
from benchmarks.quality.unseen_kinds import (
    KINDS,
    TWO_DIGITS,
    area_under_roc,
    describe_unseen_kinds,
    measure_unseen_kinds,
)
from digit_recognizer_dl_model import frame
from digit_recognizer_dl_model.counts import Count
from digit_recognizer_dl_model.dataset import Dataset, read_csv
from digit_recognizer_dl_model.inference import Classifier
from digit_recognizer_dl_model.synthetic import handwriting, negatives
from digit_recognizer_dl_model.weights import load_weights

TEST_CSV = Path(__file__).parent.parent / "data" / "mnist_test.csv"


def pixels_of(count, seed, kind):
    """Pictures of a kind, that of two digits included."""
    rng = np.random.default_rng(seed)
    if kind != TWO_DIGITS:
        return unseen_kinds.make_pixels(count, rng, KINDS[kind])
    digits = handwriting.write_digits(50, np.random.default_rng(1)).pixels
    return unseen_kinds.make_pixels(count, rng, lambda rng: unseen_kinds.two_digits(digits, rng))


kinds = pytest.mark.parametrize("kind", [*KINDS, TWO_DIGITS])


@kinds
def test_a_kind_is_prepared_as_users_pictures_are(kind):
    pixels = pixels_of(20, 1, kind)
    assert (pixels.shape, pixels.dtype) == ((20, 28, 28), np.uint8)
    assert (pixels.max(axis=(1, 2)) == 255).all()
    for image in pixels:
        rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
        assert max(np.ptp(rows), np.ptp(columns)) < frame.BOX


@kinds
def test_a_seed_repeats_its_pictures_and_no_two_are_alike(kind):
    first, again, other = (pixels_of(6, seed, kind) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert len(np.unique(np.concatenate([first, other]).reshape(12, -1), axis=0)) == 12


def test_no_kind_is_one_that_the_rule_is_fitted_to():
    assert not {*KINDS, TWO_DIGITS} & set(negatives.KINDS)


def test_no_letter_is_one_that_may_be_a_digit():
    assert not {*unseen_kinds.LETTERS, *unseen_kinds.HAND_LETTERS} & set("BDGIJLOQSZbgijloqsz")


def test_the_font_has_every_character():
    font = ImageFont.load_default(40)
    missing = bytes(font.getmask("\uffff"))
    assert all(bytes(font.getmask(character)) != missing for character in unseen_kinds.LETTERS + unseen_kinds.SYMBOLS)


def test_every_letter_is_written_by_every_hand():
    for form in unseen_kinds.HAND_FORMS:
        for seed in range(30):
            strokes = handwriting.write_form(form, np.random.default_rng(seed))
            assert np.isfinite(np.concatenate(strokes)).all()


@pytest.mark.parametrize("kind", ["word in type", "number in type", TWO_DIGITS])
def test_several_characters_make_a_row(kind):
    pixels = pixels_of(40, 3, kind)
    heights, widths = (pixels.any(axis=axis).sum(axis=1) for axis in (2, 1))
    assert (widths >= heights).mean() > 0.7


def test_no_line_is_a_one():
    for image in pixels_of(30, 4, "lines"):
        rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
        assert np.ptp(columns) > np.ptp(rows) / 4


def test_another_picture_is_made_instead_of_a_blank_one():
    made = []

    def make(rng):
        made.append(Image.new("L", (40, 40), "white"))
        if len(made) % 2 == 0:
            made[-1].paste(0, (18, 8, 22, 32))
        return made[-1]

    pixels = unseen_kinds.make_pixels(3, np.random.default_rng(1), make)
    assert len(made) == 6
    assert pixels.any(axis=(1, 2)).all()


@pytest.mark.parametrize(
    ("negatives", "positives", "area"),
    [
        ([1, 2, 3], [4, 5], 1),
        ([4, 5], [1, 2, 3], 0),
        ([7, 7, 7], [7, 7], 0.5),
        ([1, 3], [2], 0.5),
        ([1, 2, 3, 4], [2.5, 4], (2 + 3.5) / 8),
        ([0, np.inf], [np.inf], 0.75),
    ],
)
def test_the_area_under_the_curve_is_that_counted_by_hand(negatives, positives, area):
    assert area_under_roc(np.array(negatives, float), np.array(positives, float)) == pytest.approx(area)


def test_the_area_under_the_curve_agrees_with_a_published_one():
    # Hanley & McNeil 1982, Radiology 143, table I: how surely 58 normal and 51 abnormal pictures were called abnormal.
    ratings = np.arange(1, 6)
    normal, abnormal = np.repeat(ratings, [33, 6, 6, 11, 2]), np.repeat(ratings, [3, 2, 2, 11, 33])
    assert area_under_roc(normal, abnormal) == pytest.approx(0.893, abs=5e-4)


def test_the_area_under_the_curve_is_the_fraction_of_pairs_in_order():
    rng = np.random.default_rng(5)
    negatives, positives = rng.integers(0, 20, 90), rng.integers(5, 25, 70)
    pairs = (positives[:, None] > negatives) + 0.5 * (positives[:, None] == negatives)
    assert area_under_roc(negatives, positives) == pytest.approx(pairs.mean())


def answering(*likeliest):
    """A classifier that answers image i with these two probabilities, of 3 and of 5; the rest is divided equally."""
    table = np.repeat((1 - np.array(likeliest, np.float32).sum(axis=1)[:, None]) / 8, 10, axis=1)
    table[:, [3, 5]] = likeliest
    weights = SimpleNamespace(uncertain_below=0.6, no_digit_above=0.1)
    return SimpleNamespace(probabilities=lambda pixels: table, weights=weights)


def test_doubt_is_more_than_one_where_either_limit_is_passed():
    classifier = answering((0.9, 0.05), (0.75, 0.05), (0.5, 0.45), (0.5, 0.3))
    doubted = unseen_kinds.Doubted.of(classifier, np.zeros((4, 28, 28), np.uint8))
    assert doubted.score == pytest.approx([0.5, 2, 1.25, 2], abs=1e-5)
    assert doubted.unsureness == pytest.approx([0.1, 0.25, 0.5, 0.5], abs=1e-5)
    assert doubted.is_refused.tolist() == [False, True, True, True]


@pytest.fixture(scope="module")
def figures():
    """The figures of a classifier that is sure of all pictures except shapes and those that are wider than high."""
    digits = handwriting.write_digits(40, np.random.default_rng(6))
    shapes = set()

    def probabilities(pixels):
        images = [image.tobytes() for image in pixels]
        wide = pixels.any(axis=1).sum(axis=1) >= pixels.any(axis=2).sum(axis=1)
        odd = wide | [image in shapes for image in images]
        return np.where(odd[:, None], 0.1, np.eye(10)[3])

    rng = np.random.default_rng([unseen_kinds.SEED, unseen_kinds.zlib.crc32(b"shape")])
    shapes |= {image.tobytes() for image in unseen_kinds.make_pixels(12, rng, KINDS["shape"])}
    weights = SimpleNamespace(uncertain_below=0.6, no_digit_above=0.1)
    return measure_unseen_kinds(SimpleNamespace(probabilities=probabilities, weights=weights), digits, 12)


def test_every_kind_is_counted(figures):
    assert [kind.name for kind in figures.kinds] == [*KINDS, TWO_DIGITS]
    assert {kind.count.total for kind in figures.kinds} == {12}
    shape = figures.kinds[list(KINDS).index("shape")]
    assert shape.count == Count(12, 12)
    assert figures.digits.total == 40
    assert shape.auroc == shape.auroc_of_confidence == pytest.approx(1 - figures.digits.wrong_fraction / 2)


def test_the_description_begins_with_the_kind_that_is_refused_least(figures):
    lines = describe_unseen_kinds(figures).splitlines()
    refused = [float(line.split("%")[0]) for line in lines[1:-2]]
    assert refused == sorted(refused)
    assert "               100.00%" in describe_unseen_kinds(figures)
    assert lines[-2].endswith("all kinds")
    assert f"{figures.digits.wrong_fraction:.2%}" in lines[-1]


@pytest.mark.slow
def test_the_shipped_weights_refuse_most_pictures_of_unseen_kinds():
    digits = Dataset(*(part[:2000] for part in read_csv(TEST_CSV)))
    figures = measure_unseen_kinds(Classifier(load_weights()), digits, 30)
    assert figures.pooled.auroc >= 0.985
    assert figures.pooled.auroc > figures.pooled.auroc_of_confidence
    assert figures.pooled.count.fraction >= 0.7
    assert figures.digits.wrong_fraction <= 0.015
