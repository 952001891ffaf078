"""Augmentation: changes of known size move ink as geometry says, and interpolation agrees with a naive one."""

import numpy as np
import pytest

from digit_recognizer_dl_model.synthetic.augmentation import Augmentation, blur, cubic_weights, interpolate, thicken

NOTHING = {"rotation_degrees": 0, "scale": 0, "shear": 0, "shift_pixels": 0, "elastic_pixels": 0}
NOTHING |= {"thinning": 0, "thickening": 0, "blurred": 0}
CENTRE = 13.5


class Furthest:
    """Stands in for a random generator: every change is the largest that its range allows."""

    def uniform(self, low, high, size):
        return np.full(size, high, float)

    def random(self, size):
        return np.zeros(size)

    def normal(self, mean, standard_deviation, size):
        return np.full(size, mean + standard_deviation, float)


def blob_at(x, y):
    """A soft dot with its centre of mass x pixels right of the image's centre and y below it."""
    offset = np.arange(28) - CENTRE
    ink = 250 * np.exp(-((offset - x) ** 2 + (offset[:, None] - y) ** 2) / 4)
    return ink.round().astype(np.uint8)[None]


def centre_of_mass(image):
    offset = np.arange(28) - CENTRE
    return (image.sum(axis=0) @ offset / image.sum(), image.sum(axis=1) @ offset / image.sum())


@pytest.fixture
def noise():
    return np.random.default_rng(1).integers(0, 256, (5, 28, 28), dtype=np.uint8)


def test_no_range_changes_nothing(noise):
    out = Augmentation(**NOTHING)(noise, np.random.default_rng(2))
    np.testing.assert_allclose(out, noise / 255, rtol=0, atol=1e-6)


# A rotation by 30 degrees takes (8, 0) to (8 cos 30, -8 sin 30): counterclockwise, as y points down.
@pytest.mark.parametrize(
    ("change", "before", "after"),
    [
        ({"rotation_degrees": 90}, (6, 2), (2, -6)),
        ({"rotation_degrees": 30}, (8, 0), (6.93, -4)),
        ({"rotation_degrees": 180}, (-5, 3), (5, -3)),
        ({"scale": 0.25}, (4, -6), (5, -7.5)),
        ({"shear": 0.5}, (1, 6), (-2, 6)),
        ({"shift_pixels": 2.5}, (-3, 1), (-0.5, 3.5)),
        ({"elastic_pixels": 1.5}, (2, 3), (0.5, 1.5)),  # every node moves alike, so what lies between them does too
        ({"rotation_degrees": 90, "shift_pixels": 2}, (6, 2), (4, -4)),  # turned first, then shifted
        ({"rotation_degrees": 90, "scale": 0.5}, (4, 2), (3, -6)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else str(value),
)
def test_a_dot_moves_to_where_geometry_says(change, before, after):
    out = Augmentation(**NOTHING | change)(blob_at(*before), Furthest())
    assert centre_of_mass(out[0]) == pytest.approx(after, abs=0.05)


def test_ink_that_is_shifted_out_of_the_image_leaves_it_empty(noise):
    assert not Augmentation(**NOTHING | {"shift_pixels": 100})(noise, Furthest()).any()


@pytest.mark.parametrize("strength", [1, 10], ids=["as in training", "far too strong"])
def test_images_stay_in_range_and_single_precision(noise, strength):
    augmentation = Augmentation(15 * strength, 0.09 * strength, 0.2 * strength, 2.5 * strength, 0.6 * strength)
    before = noise.copy()
    out = augmentation(noise, np.random.default_rng(3))
    assert out.dtype == np.float32
    assert out.shape == noise.shape
    assert out.min() >= 0
    assert out.max() <= 1
    assert out.std() > 0.05
    np.testing.assert_array_equal(noise, before)


def test_the_same_seed_gives_the_same_images(noise):
    first, again, other = (Augmentation()(noise, np.random.default_rng(seed)) for seed in (4, 4, 5))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_every_image_of_a_batch_is_changed_in_its_own_way():
    same = np.repeat(blob_at(3, 4), 6, axis=0)
    out = Augmentation()(same, np.random.default_rng(6))
    assert len({image.tobytes() for image in out}) == 6


@pytest.mark.parametrize(("right", "down"), [(0, 0), (3, 0), (0, -2), (-5, 4), (27, 27), (28, 0), (-40, 40)])
def test_interpolation_shifts_by_whole_pixels_exactly(noise, right, down):
    column, row = np.tile(np.arange(28), 28), np.repeat(np.arange(28), 28)
    out = interpolate(noise, np.tile(column - right, (5, 1)), np.tile(row - down, (5, 1)))
    expected = np.zeros((5, 28, 28), np.float32)
    for r, c in np.ndindex(28, 28):
        if 0 <= r - down < 28 and 0 <= c - right < 28:
            expected[:, r, c] = noise[:, r - down, c - right].astype(np.float32) / np.float32(255)
    np.testing.assert_array_equal(out, expected)


def keys_kernel(distance):
    """Keys 1981, equation 15: the weight of a pixel at that distance."""
    s = abs(distance)
    if s < 1:
        return 1.5 * s**3 - 2.5 * s**2 + 1
    return -0.5 * s**3 + 2.5 * s**2 - 4 * s + 2 if s < 2 else 0.0


def test_interpolation_agrees_with_a_naive_bicubic_interpolation(noise):
    rng = np.random.default_rng(7)
    x, y = rng.uniform(-4, 32, (2, 1, 784))
    out = interpolate(noise[:1], x, y).ravel()
    for place in range(784):
        across = np.array([keys_kernel(x[0, place] - column) for column in range(28)])
        down = np.array([keys_kernel(y[0, place] - row) for row in range(28)])
        expected = np.clip(down @ (noise[0] / 255) @ across, 0, 1)
        assert out[place] == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize("power", [0, 1, 2], ids=["sum to one", "keep straight lines", "keep parabolas"])
def test_the_cubic_weights(power):
    t = np.linspace(0, 1, 101)
    total = sum(
        weight * float(position) ** power for weight, position in zip(cubic_weights(t), (-1, 0, 1, 2), strict=True)
    )
    np.testing.assert_allclose(total, t**power, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("amount", "middle", "side", "corner"),
    [(0, 1, 0, 0), (1, 1, 1, 0), (0.25, 1, 0.25, 0), (-1, 0, 0, 0), (-0.5, 0.5, 0, 0)],
)
def test_a_line_grows_and_shrinks_by_a_fraction_of_a_pixel_on_each_side(amount, middle, side, corner):
    image = np.zeros((1, 28, 28), np.float32)
    image[0, 10, 10] = 1
    out = thicken(image, np.array([amount]))[0]
    assert out.dtype == np.float32
    assert out[10, 10] == middle
    assert [out[9, 10], out[11, 10], out[10, 9], out[10, 11]] == [side] * 4
    assert out[9, 9] == corner


def test_each_image_has_a_thickness_of_its_own():
    images = np.random.default_rng(1).random((2, 28, 28), np.float32)
    out = thicken(images, np.array([0, 1]))
    assert (out[0] == images[0]).all()
    assert (out[1] >= images[1]).all()
    assert (out[1] > images[1]).any()


def test_ink_at_the_edge_grows_no_further():
    full = np.ones((1, 28, 28), np.float32)
    assert (thicken(full, np.array([1])) == 1).all()


def test_a_blurred_dot_keeps_its_ink_and_has_a_standard_deviation_of_one_pixel():
    image = np.zeros((1, 28, 28), np.float32)
    image[0, 14, 14] = 1
    out = blur(image, np.array([1]))[0]
    assert out.dtype == np.float32
    assert out.sum() == pytest.approx(1)
    for axis in (0, 1):
        assert (out.sum(axis=axis) * (np.arange(28) - 14) ** 2).sum() == pytest.approx(1)


def test_each_image_is_blurred_by_its_own_amount():
    images = np.random.default_rng(1).random((3, 28, 28), np.float32)
    out = blur(images, np.array([0, 0.5, 1]))
    fully = blur(images, np.array([1, 1, 1]))
    np.testing.assert_array_equal(out[0], images[0])
    np.testing.assert_allclose(out[1], (images[1] + fully[1]) / 2, atol=1e-6)
    np.testing.assert_array_equal(out[2], fully[2])
    assert fully.std() < 0.5 * images.std()


def test_a_fraction_of_the_images_is_blurred():
    images = np.random.default_rng(1).integers(0, 256, (400, 28, 28), dtype=np.uint8)
    out = Augmentation(**NOTHING | {"blurred": 0.3})(images, np.random.default_rng(2))
    changed = (np.abs(out - images / np.float32(255)).max(axis=(1, 2)) > 1e-4).mean()
    assert changed == pytest.approx(0.3, abs=0.07)
