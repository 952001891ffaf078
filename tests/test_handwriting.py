"""Synthetic handwriting: in MNIST's frame, true to its forms, and never like another digit to a human reader."""

from itertools import pairwise

import numpy as np
import pytest

from digit_recognizer_dl_model.inference import Classifier
from digit_recognizer_dl_model.synthetic.handwriting import (
    FORMS,
    bend,
    curve,
    flick,
    lift_pen,
    miss_ends,
    posture,
    render,
    resample,
    smooth,
    write_digits,
    write_form,
)
from digit_recognizer_dl_model.weights import SHIPPED, load_weights
from digits.pictures.centring import Ink, centre, crop

# Of a stem and a flag alone, which only the flag tells from a seven.
FLAGGED_ONES = [
    name
    for name in FORMS
    if name.startswith("one") and "flag" in name and not any(word in name for word in ("foot", "loose", "level"))
]
SLASHED_ZEROS = [name for name in FORMS if name.startswith("zero slashed")]
PLAIN_SEVENS = ["seven", "seven barred"]  # their first point is the left end of the top
CORNER = np.array([[0, 0], [1, 0], [1, 0], [1, 2.0]])


class NoChance:
    """Stands in for a random generator: even pressure, a hard edge, no rotation, no tremor."""

    def uniform(self, low, high, size=None):
        return low if size is None else np.full(size, low, float)

    def normal(self, mean, standard_deviation, size=None):
        return mean if size is None else np.full(size, mean, float)

    def choice(self, choices):
        return choices[0]

    def random(self, size=None):
        return 0.5 if size is None else np.full(size, 0.5)


def hand(seed):
    return np.random.default_rng(seed)


def centre_of_mass(image):
    return image.sum(axis=1) @ np.arange(28) / image.sum(), image.sum(axis=0) @ np.arange(28) / image.sum()


def angle(vector):
    """Degrees below the horizontal, 0-90, for a vector to the left or right."""
    return np.degrees(np.arctan2(vector[1], abs(vector[0])))


def test_the_same_seed_gives_the_same_images():
    first, again, other = (write_digits(20, hand(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.pixels, again.pixels)
    np.testing.assert_array_equal(first.labels, again.labels)
    assert not np.array_equal(first.pixels, other.pixels)


def test_no_two_samples_of_a_form_are_alike():
    assert len({image.tobytes() for image in write_digits(30, hand(1), ["one"]).pixels}) == 30


def test_every_digit_is_equally_frequent():
    assert np.bincount(write_digits(200, hand(1)).labels).tolist() == [20] * 10


def test_digits_come_in_random_order():
    labels = write_digits(200, hand(1)).labels
    assert not np.array_equal(labels, np.sort(labels))
    assert not np.array_equal(labels, np.arange(200) % 10)


def test_given_forms_are_equally_frequent():
    labels = write_digits(300, hand(1), ["one", "two", "seven barred"]).labels
    assert np.bincount(labels, minlength=10)[[1, 2, 7]] == pytest.approx([100] * 3, abs=30)


def test_every_digit_has_several_forms():
    assert np.bincount([form.digit for form in FORMS.values()]).min() >= 2


@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_in_the_frame_of_mnist(name):
    pixels, labels = write_digits(15, hand(3), [name])
    digits = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    assert set(labels) == {digits.index(name.split()[0])}
    assert pixels.dtype == np.uint8
    assert pixels.shape == (15, 28, 28)
    for image in pixels:
        rows, columns = np.nonzero(image > 25)
        assert 19 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 20
        for axis, middle in enumerate(centre_of_mass(image)):
            inked = image.any(axis=1 - axis)
            assert middle == pytest.approx(14, abs=0.51) or inked[0] or inked[-1]
        assert image.max() == 255


@pytest.mark.parametrize("name", ["one with flag and foot", "two looped", "five", "zero slashed across"])
def test_rendering_agrees_with_how_pictures_are_prepared(name):
    """A picture ten times as large, by the distance of every pixel from every segment, through digits.pictures."""
    strokes = write_form(FORMS[name], hand(1))
    points = np.concatenate(strokes)
    y, x = np.mgrid[:240, :240] + 0.5
    picture = np.zeros((240, 240), np.float32)
    for stroke in strokes:
        for a, b in pairwise(30 + 170 * (stroke - points.min(axis=0)) / np.ptp(points, axis=0).max()):
            (run, rise), length = b - a, np.hypot(*(b - a))
            t = np.clip(((x - a[0]) * run + (y - a[1]) * rise) / length**2, 0, 1)
            picture[np.hypot(x - a[0] - t * run, y - a[1] - t * rise) <= 15] = 1
    expected = centre(Ink(crop(picture), 240)).astype(int)
    difference = np.abs(render(strokes, 3.0, NoChance()) - expected)[expected > 0]
    assert difference.mean() < 12  # of 255; a shift by one pixel would make it more than 50


@pytest.mark.parametrize("thickness", [1.5, 2.0, 3.0, 5.0])
def test_a_line_is_as_thick_as_asked(thickness):
    tilted = render([np.array([[0, 0], [0.3, 1]])], thickness, NoChance()) / 255
    across = tilted[10:18].sum() / 8  # ink in a row
    assert across * np.cos(np.arctan(0.3)) == pytest.approx(thickness, rel=0.12)


def test_the_pen_of_a_form_is_never_too_thick_for_it():
    assert all(2.5 <= form.thickest <= 5 for form in FORMS.values())
    assert max(FORMS[name].thickest for name in SLASHED_ZEROS) < 4


def test_a_single_dot_is_drawn():
    assert render([np.array([[3.0, 3.0]])], 2.0, NoChance()).max() == 255


def middles(names):
    """The ink of the four pixels in the middle of each digit's box."""
    pixels = write_digits(100, hand(4), names).pixels.astype(float)
    inner = []
    for image in pixels:
        rows, columns = np.nonzero(image > 25)
        y, x = (rows.min() + rows.max()) // 2, (columns.min() + columns.max()) // 2
        inner.append(image[y : y + 2, x : x + 2].max())
    return np.array(inner)


def test_a_slashed_zero_has_ink_in_its_middle_and_a_plain_one_has_not():
    assert (middles(SLASHED_ZEROS) > 150).mean() > 0.95
    assert (middles(["zero", "zero open", "zero overlapping"]) < 80).mean() > 0.95


def test_a_slash_across_reaches_beyond_the_oval_and_one_inside_does_not():
    def reach(name):
        """How far out the slash's ends are; the oval is at 1."""
        ends = np.array([FORMS[name].place_points(hand(seed))[1] for seed in range(100)])
        return np.hypot((ends[..., 0] - 0.34) / 0.34, (ends[..., 1] - 0.5) / 0.5)

    assert reach("zero slashed across").min() > 1
    assert np.quantile(reach("zero slashed inside"), 0.95) < 1


def test_a_barred_seven_has_its_bar_where_a_plain_one_has_none():
    def profile(name):
        """Mean ink of each row, from the digit's first."""
        tops = [(image, image.any(axis=1).argmax()) for image in write_digits(100, hand(5), [name]).pixels]
        return np.mean([image[top : top + 18].sum(axis=1) for image, top in tops], axis=0)

    ratio = profile("seven barred") / profile("seven")
    assert ratio[8:12].max() > 1.5
    assert ratio[:3].max() < 1.2  # the top
    assert ratio[15:].max() < 1.2  # the foot


def test_a_serif_hangs_from_the_left_end_of_a_sevens_top():
    for seed in range(50):
        serif = FORMS["seven with serif"].place_points(hand(seed))[0]
        assert serif[0, 1] - serif[1, 1] > 0.05
        assert serif[0, 0] < 0.1


@pytest.mark.parametrize("name", FLAGGED_ONES)
def test_a_ones_flag_is_short_or_steep_and_at_an_acute_angle_to_the_stem(name):
    for seed in range(150):
        points = np.concatenate(write_form(FORMS[name], hand([6, seed])))
        top, low = points[points[:, 1].argmin()], points[points[:, 1].argmax()]
        flag, stem = points[0] - top, low - top
        length = np.hypot(*flag) / np.hypot(*stem)
        assert length < 1
        assert length < 0.38 or angle(flag) > 15
        assert flag @ stem > 0 or length < 0.2


@pytest.mark.parametrize("name", PLAIN_SEVENS)
def test_a_sevens_top_is_level_and_long(name):
    for seed in range(150):
        points = np.concatenate(write_form(FORMS[name], hand([7, seed])))
        corner, low = points[(points[:, 0] - points[:, 1]).argmax()], points[points[:, 1].argmax()]
        top, stem = points[0] - corner, low - corner
        assert abs(angle(top)) < 22
        assert np.hypot(*top) > 0.38 * np.hypot(*stem)


def test_flagged_ones_are_steeper_than_sevens_are():
    ones = [np.concatenate(write_form(FORMS[name], hand([8, i]))) for i in range(100) for name in FLAGGED_ONES]
    sevens = [np.concatenate(write_form(FORMS[name], hand([8, i]))) for i in range(100) for name in PLAIN_SEVENS]
    flags = [angle(points[0] - points[points[:, 1].argmin()]) for points in ones]
    tops = [angle(points[0] - points[(points[:, 0] - points[:, 1]).argmax()]) for points in sevens]
    assert np.quantile(flags, 0.02) > np.quantile(tops, 0.98) + 5


def test_the_shipped_network_reads_ordinary_forms():
    ordinary = ["zero", "one", "two", "three", "four open", "five", "six", "seven", "eight", "nine"]
    pixels, labels = write_digits(300, hand(9), ordinary)
    answers = Classifier(load_weights(SHIPPED)).probabilities(pixels).argmax(axis=1)
    assert (answers == labels).mean() > 0.97


def test_a_curve_passes_through_its_control_points():
    points = hand(10).random((6, 2))
    np.testing.assert_allclose(curve(points, 0.3)[::8], points, atol=1e-12)


def test_a_curve_through_points_of_a_circle_is_round():
    angles = np.deg2rad(np.arange(0, 321, 40))
    round_ = curve(np.column_stack([np.cos(angles), np.sin(angles)]))
    np.testing.assert_allclose(np.hypot(*round_[8:-8].T), 1, atol=0.01)


def test_a_curve_does_not_overshoot_where_control_points_lie_close():
    assert curve(np.array([[0, 0], [1, 0], [1.02, 0], [2, 0.0]]))[:, 0].tolist() == pytest.approx(
        np.sort(curve(np.array([[0, 0], [1, 0], [1.02, 0], [2, 0.0]]))[:, 0])
    )


def test_a_point_given_twice_is_a_corner_between_straight_lines():
    line = curve(CORNER)
    np.testing.assert_allclose(line[:9, 1], 0, atol=1e-12)
    np.testing.assert_allclose(line[16:, 0], 1, atol=1e-12)


def test_resampled_points_are_equally_far_apart():
    points = resample(CORNER, 0.11)
    steps = np.hypot(*np.diff(points[:9], axis=0).T)  # along the first side
    np.testing.assert_allclose(steps, 3 / 28, atol=1e-12)
    np.testing.assert_array_equal(points[[0, -1]], CORNER[[0, -1]])


def test_smoothing_rounds_corners_and_keeps_ends_and_straight_lines():
    points = resample(CORNER, 0.1)
    rounded = smooth(points, 3)
    np.testing.assert_allclose(rounded[[0, -1]], points[[0, -1]], atol=1e-12)
    np.testing.assert_allclose(rounded[:7], points[:7], atol=1e-12)
    assert np.hypot(*(rounded - [1, 0]).T).min() > 0.03
    assert len(rounded) == len(points)


def test_the_pen_is_lifted_at_corners_only():
    assert [part.tolist() for part in lift_pen(CORNER, 1.0, hand(1))] == [[[0, 0], [1, 0]], [[1, 0], [1, 2]]]
    assert len(lift_pen(CORNER, 0.0, hand(1))) == 1
    assert len(lift_pen(CORNER[[0, 1, 3]], 1.0, hand(1))) == 1


def test_ends_are_missed_along_the_stroke():
    missed = miss_ends(CORNER, 0.1, hand(1))
    assert missed[0, 0] != 0
    assert missed[-1, 1] != 2
    assert missed[0, 1] == 0
    assert missed[-1, 0] == 1
    np.testing.assert_array_equal(missed[1:-1], CORNER[1:-1])


def test_a_flick_is_small_and_never_goes_on_straight():
    for seed in range(20):
        hook = flick(CORNER, hand(seed))[-1] - CORNER[-1]
        assert 0.03 < np.hypot(*hook) < 0.12
        assert hook[1] <= 0


def test_a_hand_without_haste_bends_nothing():
    np.testing.assert_array_equal(bend(CORNER, 0, hand(1)), CORNER)
    assert np.abs(bend(CORNER, 1, hand(1)) - CORNER).max() > 0.005


def test_most_hands_lean_to_the_right_and_none_turns_a_digit_over():
    foot = np.array([posture(hand(seed)) @ [0, 1] for seed in range(200)])
    assert (foot[:, 0] < 0).mean() > 0.6
    assert (foot[:, 1] > 0.9).all()
