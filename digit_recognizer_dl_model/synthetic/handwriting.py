"""Synthetic handwriting, made stroke by stroke, in forms of digits that are rare in MNIST.

Few of MNIST's writers slashed their zeros, gave their ones a long flag or their sevens a bar, and a network trained on
MNIST alone misreads such digits. Here each digit is written in all its usual forms, in random hands, and prepared as
MNIST is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from ..dataset import Dataset
from ..frame import BOX, SIDE, place

THINNEST = 1.2  # pixels: a large digit drawn with a thin pen
THICKEST = 5.0  # pixels: a small digit drawn with a thick pen
SUPERSAMPLING = 3  # points along a pixel's side at which ink is computed
STEP = 0.02  # heights of a digit between the points of a written stroke
STEPS_A_SEGMENT = 8  # points of a curve from one control point to the next


@dataclass(frozen=True)
class Form:
    """One way to write a digit.

    strokes: control points `x,y` in hundredths of the digit's height, y down. `30~5` is a random number from 25 to 35,
    mostly near 30. A point that ends in `!` is a corner that some hands round off; a point that ends in `!!` is always
    a corner. `|` lifts the pen.
    frequency: how often it is written, relative to the digit's other forms.
    thickest: pixels; a thicker pen fills the form until it is unreadable.
    """

    digit: int
    strokes: str
    frequency: float = 1.0
    thickest: float = THICKEST

    @cached_property
    def control_points(self) -> list[tuple[np.ndarray, ...]]:
        """For each stroke its points (n, 2) and their spread (n, 2), in heights, and the number of `!` (n,)."""
        return [_parse(stroke.split()) for stroke in self.strokes.split("|")]

    def place_points(self, rng: np.random.Generator, rounded: bool = False) -> list[np.ndarray]:
        """Control points (n, 2) in heights for each stroke, at random within their spread.

        A corner is a point given twice; `rounded` leaves only those that end in `!!`.
        """
        strokes = []
        for points, spread, corner in self.control_points:
            placed = points + spread * (2 * rng.beta(2, 2, points.shape) - 1)
            strokes.append(np.repeat(placed, 1 + (corner > rounded), axis=0))
        return strokes


def _parse(points: list[str]) -> tuple[np.ndarray, ...]:
    numbers = [
        [[float(part) / 100 for part in [*number.split("~"), "0"][:2]] for number in point.strip("!").split(",")]
        for point in points
    ]
    table = np.array(numbers)  # (n, 2, 2): x and y, each with its spread
    return table[..., 0], table[..., 1], np.array([point.count("!") for point in points])


OVAL = "8~3,16 0~3,50 8~3,84 33~4,100 59~3,84 68~3,50 60~3,16"  # of a zero, without its top
ZERO = f"42~8,3~4 24~5,0 {OVAL} 38~12,1~5"
ROUND = "58~10,4~4 38~6,0 12~4,12 0~3,48 14~4,86 48~5,100 84~4,84 96~4,50 84~4,16 50~14,1~6"  # a zero as wide as high
BELLY = "27,39~4 50~6,56~4 52~7,81~5 25,100 -2~6,92~5"  # of a five
RING = "6,44~4 0~3,27~4 6,8 26,0~2 46,10 52~3,26~4"  # of a nine, clockwise from the bottom
HEAD = "48~3,14~4 26,0~2 5,10 0~3,27~4 8,44~4 25~3,50~4 44~3,38~4 51~3,10~5!"  # of a nine, to the top of its stem
SEVEN = "38,1~3 78~6,1~3! 49~7,48~4 24~12,100"  # without its beginning
BAR = "30~9,56~10 69~9,52~10"

# The flag of a one hangs down from the stem, and the longer it is the steeper it is; the top of a seven is level and at
# least about half as long as the stem. That keeps ones and sevens apart.
FORMS = {
    "zero": Form(0, ZERO, frequency=5),
    "zero open": Form(0, "30~8,-1~3 8~3,16 0~3,50 8~3,84 33~4,100 59~3,84 68~3,50 62~4,20~7", frequency=1.2),
    "zero overlapping": Form(0, f"50~7,1~5 26~5,0 {OVAL} 36~5,3~5 14~8,12~7", frequency=0.7),
    "zero crossing": Form(
        0, "64~8,-4~5 32~4,7~3 8~4,24~3 0~3,54 10,88~3 33~4,100 57,88~3 67~3,54 54~4,24~3 32~4,8~3 8~8,0~5", 0.4
    ),
    "zero curled": Form(0, f"50~5,8~4 26~5,0 {OVAL} 50~5,6~4 64~6,-3~5 86~10,-6~6", frequency=0.7),
    "zero slashed inside": Form(0, f"{ZERO} | 56~6,22~8 12~6,78~8", 2, 3.6),
    "zero slashed steeply": Form(0, f"{ZERO} | 50~6,8~12 20~6,92~12", 1, 3.2),
    "zero slashed across": Form(0, f"{ZERO} | 72~9,8~12 -4~9,92~12", 2, 3.6),
    "zero slashed backwards": Form(0, f"{ZERO} | 10~10,16~12 58~10,84~12", 0.5, 3.6),
    "zero slashed in one stroke": Form(0, f"54~6,6~5 26~5,0 {OVAL}! 0~10,90~12", 0.7, 3.6),
    "zero dotted": Form(0, f"{ZERO} | 34~5,48~6 36~4,53~6", 0.4, 3),
    "zero slashed far": Form(0, f"{ZERO} | 98~24,-24~22 -30~24,126~22", 2, 3.2),
    "zero slashed far and steeply": Form(0, f"{ZERO} | 54~13,-34~24 14~13,134~24", 1.5, 3),
    "zero slashed far and flat": Form(0, f"{ZERO} | 122~30,18~14 -52~28,86~14", 1.5, 3),
    "zero barred": Form(0, f"{ZERO} | -30~24,54~10 96~24,46~10", 1.2, 3.2),
    "zero with a tail": Form(0, f"{ZERO} | 34~12,58~14 88~18,116~16", 0.5, 3.4),
    "zero with a horn": Form(0, f"{ZERO} | 28~12,48~16 92~20,-24~16", 0.7, 3.4),
    "zero slashed far in one stroke": Form(0, f"54~6,6~5 26~5,0 {OVAL} 52~8,2~6 92~18,-24~14! -20~20,122~20", 1, 3.2),
    "zero round": Form(0, ROUND, 1.5),
    "zero round and slashed far": Form(0, f"{ROUND} | 130~30,-24~30 -34~30,124~30", 2, 3),
    "zero lying": Form(0, "84~16,8~5 50~8,0 16~5,14 0~4,50 18~6,88 70~8,100 122~8,84 140~6,50 122~8,14 62~24,1~8", 0.5),
    "one": Form(1, "0,0 0~3,50 0~4,100", frequency=2),
    "one with a short flag": Form(1, "-11~5,12~5 0,0! 0~3,50 0~5,100", frequency=2),
    "one with a flag": Form(1, "-18~5,22~5 -9~3,10~3 0,0! 0~3,50 0~5,100", frequency=2),
    "one with a long flag": Form(1, "-24~5,40~8 -11~3,19~4 0,0!! 0~3,50 0~5,100", frequency=2),
    "one with a flag down to its middle": Form(1, "-32~7,62~14 -15~3,30~6 0,0!! -6~5,50~3 -12~8,100", 2, 4),
    "one leaning with a long flag": Form(1, "-34~6,41~7 -17~3,19~4 0,0!! -11~5,50~3 -23~8,100", frequency=2),
    "one with flag and foot": Form(1, "-16~7,19~6 0,0! 0~3,50 0~4,100 | -24~9,100~3 24~9,100~3", frequency=2),
    "one with a foot": Form(1, "0,0 0~4,50 0~5,100 | -28~12,100~4 28~12,100~4", 1.5),
    "one with a level flag and foot": Form(1, "-28~9,9~9 -10~5,5~4 0,0! 0~4,50 0~6,100 | -26~12,100~4 26~12,100~4", 2),
    "one leaning with flag and foot": Form(1, "-26~9,22~12 0,0! -9~6,50 -18~10,100 | -48~14,101~5 12~14,99~5", 1.5),
    "one with a loose flag": Form(1, "-30~9,14~9 -5~5,0~4 | 0,2~4 0~4,50 0~6,100", 1),
    "one of parts": Form(1, "-40~9,10~9 -12~6,6~6 | 0,0~4 0~5,50 0~8,100 | -36~9,95~5 -6~6,94~5", 1),
    "one of two parts": Form(1, "-40~9,12~9 -10~5,5~5 | 0,0~4 0~5,50 0~8,100", 1),
    "one with a hooked flag and a broad foot": Form(
        1, "-24~8,24~7 -24~6,8~5 -4~5,0! 0~4,50 -6~7,98 | -52~16,104~6 50~16,102~6", 1.5
    ),
    "one with a broad foot": Form(1, "-26~8,16~8 0,0! 0~4,50 -4~6,96 | -52~16,101~5 50~16,100~5", 1.5),
    # This form and "seven short" look alike; the answer to such digits must be "not sure".
    "one with a long level flag": Form(1, "-38~10,9~8 -16~6,4~4 0,0! 0~4,50 -3~7,100", 1),
    "one with a level flag": Form(1, "-26~6,9~5 -10~4,4~3 0,0!! 0~3,50 0~4,100", 0.7),
    "two": Form(2, "2~6,22~9 17,3~3 40~4,3~4 50~7,28~5 32~5,63~5 0,100! 60~14,98~5", frequency=3),
    "two with a short foot": Form(2, "2~6,22~9 17,3~3 40~4,3~4 50~7,28~5 32~5,63~5 0,100! 26~12,98~5", frequency=1),
    "two looped": Form(
        2, "4~6,20~8 20,2~2 43~4,5~4 50~7,27~5 33~5,62~5 8,95~4 -5~4,91~4 6,82~4 26~4,92~4 46~6,99~3 66~10,91~5", 2, 4.2
    ),
    "three": Form(3, "0~6,15~6 20,0 42~5,9~4 41~6,32~4 18~8,46~4! 44~6,58~4 49~7,82~4 22,100 -4~6,88~6", frequency=3),
    "three flat": Form(3, "0,2~4 50~8,0~4! 20~8,40~4! 46~6,53~4 50~7,80~4 24,100 -4~6,88~6", frequency=2),
    "three looped": Form(
        3, "0~6,15~6 20,0 42~5,9~4 40~5,32~4 20~4,48~3 12~3,43~3 20,39~3 44~5,56~4 49~7,82~4 22,100 -4~6,88~6", 0.5, 4
    ),
    "three wobbly": Form(3, "0~6,8~6 40~7,0~4 40~8,34~5 26~8,48~4 46~7,70~6 30~8,98~4 -4~7,92~6", 1.5),
    "four open": Form(4, "10~9,2~7 0~5,58~7!! 60~8,58~7 | 46~4,12~12 42~6,100", 3, 4.5),
    "four open and round": Form(4, "5~6,2~6 0~4,38~5 8~4,56~4 30,58~4 54~8,52~6 | 50~4,8~8 44~6,100", frequency=1),
    "four continental": Form(4, "42~10,0 0,67~5!! 64~8,67~5 | 44~4,42~8 40~6,100", 2, 4.2),
    "four narrow": Form(4, "30~8,0 0~4,66~6! 44~6,64~5 | 35~4,40~9 26~5,100", 1, 4),
    "four closed": Form(4, "48~3,0 0,64~6!! 68~7,64~5 | 48~3,2~6 44~6,100", 1.5, 4.2),
    "four closed in one stroke": Form(4, "68~7,64~5 0,64~6!! 48~4,0!! 44~6,100", 1, 4.2),
    "four of parts": Form(4, "0~6,0~6 2~5,30~8! 40~10,32~7 | 58~8,20~12 56~8,100", 0.7, 4),
    "four like a y": Form(4, "0,0~6 0~4,34~6 14~5,50~5 36~5,46~6 50,0~8! 48~6,50 40~10,100", 1, 4),
    "four like a nine": Form(4, "48~4,2~4 0~5,34~6! 4~5,46~4! 46~6,44~5 | 50~3,0~6 48~5,100", 0.7, 4),
    "five": Form(5, f"10~5,0 5~5,44~5! {BELLY} | 12~8,-1~4 56~12,-3~6", frequency=3),
    "five with a loose hat": Form(5, f"10~5,0 5~5,44~5! {BELLY} | 22~5,-6~4 64~10,-9~5", frequency=0.7),
    "five in one stroke": Form(5, f"54~11,-2~5 11~5,0! 5~5,44~5! {BELLY}", frequency=2),
    "five wobbly": Form(5, "56~9,0~4 12~6,3~4 6~4,40~5 30~6,44~5 50~7,66~6 36~8,94~4 -4~7,94~6", 1.5),
    "five like an S": Form(5, "58~7,6~5 30~6,0~3 6~5,20~5 22~6,44~4 46~6,64~5 40~7,92~4 4~8,96~6", 0.7),
    "six": Form(
        6, "44~8,4~4 20~5,16~3 4~3,45~4 0~3,72~4 9,93 28,100 46~4,92 53~4,74~4 46,54~3 28~4,46~4 10~5,56~5 2~6,70~6", 3
    ),
    "six straight": Form(
        6, "38~12,0 16~4,40 2~3,68~4 8,92 27,100 46~4,92 53~4,74~4 46,55~3 28~3,48~3 10~5,58~4 2~5,70~6", 2
    ),
    "six cornered": Form(6, "40~9,0 2~4,54~6! 0~4,98~4! 44~6,99~4! 46~6,58~5! 4~5,60~6", 0.8, 4.2),
    "six of few turns": Form(6, "42~9,0 4~4,40~6 2~4,90~5 26~6,100 48~5,80~5 34~6,56~5 4~5,70~7", 1),
    "seven": Form(7, f"0,0~2 {SEVEN}", 3, 4.2),
    "seven wavy": Form(7, "0,8~3 20,-1~3 50,6~3 80~5,1~3! 50~7,48~4 24~12,100", 1, 3.4),
    "seven barred": Form(7, f"0,0~2 {SEVEN} | {BAR}", 3, 4.5),
    "seven narrow and barred": Form(7, "0,1~3 30,0~3 58~7,0~4! 42~6,48~4 24~10,100 | 25~8,56~10 65~8,52~10", 1.5, 4),
    "seven with serif": Form(7, f"-1~3,16~6 0,0! {SEVEN}", 1, 4.2),
    "seven with serif and bar": Form(7, f"-1~3,16~6 0,0! {SEVEN} | {BAR}", 1, 4.2),
    "seven with a hook": Form(7, f"0,3~4 {SEVEN}! 38~9,90~7", 1, 4),
    "seven short": Form(7, "-36~10,4~6 -14~6,1~3 0,0! -4~5,50 -12~8,100", 0.7, 4),
    "seven round": Form(7, "0~4,16~8 22~6,1~3 60~6,4~4 72~6,22~5 48~7,58~5 24~11,100", 1.2, 4.2),
    "seven round with a hook": Form(7, "0~4,16~8 22~6,1~3 60~6,4~4 72~6,22~5 48~7,58~5 22~9,100! 36~8,92~6", 1, 4),
    "seven barred from below": Form(7, f"0,0~2 {SEVEN} 4~8,86~7 22~9,60~6 70~9,52~8", 0.7, 3.8),
    "seven curled": Form(7, "6~5,24~6 0~4,8~4 16~5,0~3 38,4~3 78~6,2~4! 50~7,48~4 26~11,100", 0.8, 4),
    "eight": Form(
        8, "44~4,14~5 27,0 6~4,16 12,35~3 28,50~4 48~5,71~3 26,100 2~5,76~3 20,52~4 38,32~3 44~4,16~6", 3, 4.5
    ),
    "eight open": Form(
        8, "50~4,10~5 27,-1 6~4,16 12,35~3 28,50~4 48~5,71~3 26,100 2~5,76~3 20,52~4 32,34~3 38~5,20~4", 0.7, 4
    ),
    "eight of two circles": Form(
        8,
        "30~8,1~3 10,8 5~4,24 10,40 25,47~3 40,40 45~4,24 40,8 25~10,0~3 | "
        "30~8,46~3 6,56 -1~4,74 7,92 25,100 43,92 51~4,74 44,56 26~10,46~3",
        1.5,
        4.5,
    ),
    "nine": Form(9, f"44~5,38~5 25~3,50~4 {RING} 52~3,40 44~10,100", frequency=2),
    "nine cornered": Form(9, f"{HEAD} 44~10,100", frequency=2),
    "nine with a tail": Form(9, f"44~5,38~5 25~3,50~4 {RING} 51~3,58 44~4,88~4 22~5,100 -2~7,92~5", frequency=2),
    "nine with a flat tail": Form(9, f"{HEAD} 50~3,70 38,98 12,101 -12~8,99~4", frequency=1),
    "nine open": Form(9, "50~6,16~6 30~5,0~3 4~5,12~5 4~5,34~5 26~5,46~4 48~5,32~6 53~4,8~8! 50~4,50 40~12,100", 1),
    "nine with a flat head": Form(9, "60~8,4~5 30~6,0~3 2~5,10~5 24~8,22~6 56~6,8~5! 44~6,50 28~10,100", 0.8, 3.8),
    "nine curled": Form(9, "4~6,42~6 36~6,38~5 54~4,14~5 32~5,0~2 10~4,14~5 30~6,38~5 48~5,60~6 38~10,100", 0.6, 4),
}


def write_digits(count: int, rng: np.random.Generator, forms: Iterable[str] | None = None) -> Dataset:
    """Write `count` digits: pixels (count, 28, 28) uint8 and their labels.

    All digits are equally frequent, and the forms of a digit have their own frequencies. If `forms` names forms, only
    these are written, each with the same probability.
    """
    if forms is None:
        chosen = [_any_form(digit, rng) for digit in rng.permutation(np.arange(count) % 10)]
    else:
        chosen = rng.choice(list(forms), count).tolist()
    pixels = np.zeros((count, SIDE, SIDE), np.uint8)
    for image, name in zip(pixels, chosen, strict=True):
        thickness = THINNEST + (FORMS[name].thickest - THINNEST) * rng.beta(1.5, 2.5)  # mostly 2 to 3.5
        image[:] = render(write_form(FORMS[name], rng), thickness, rng)
    return Dataset(pixels, np.array([FORMS[name].digit for name in chosen], np.uint8))


def _any_form(digit: int, rng: np.random.Generator) -> str:
    names = [name for name, form in FORMS.items() if form.digit == digit]
    bounds = np.cumsum([FORMS[name].frequency for name in names])
    return names[np.searchsorted(bounds, rng.random() * bounds[-1], side="right")]


def write_form(form: Form, rng: np.random.Generator) -> list[np.ndarray]:
    """Write a form once in a random hand: strokes of points (n, 2), x and y in about heights of the digit, y down."""
    haste = rng.beta(2, 3)  # 0 draws with compass and ruler
    if rng.random() < 0.2:
        haste *= 1.7
    tension = rng.beta(1, 5)  # of the curves; at 1 they are straight from one control point to the next
    roundness = rng.integers(1, 5)  # of corners, in points to each side
    strokes = form.place_points(rng, rounded=rng.random() < 0.12)
    if rng.random() < 0.2 * haste:
        strokes[-1] = flick(strokes[-1], rng)
    strokes = [part for stroke in strokes for part in lift_pen(stroke, 0.12, rng)]
    strokes = [miss_ends(stroke, 0.04 * haste, rng) for stroke in strokes]
    strokes = [smooth(resample(curve(stroke, tension), STEP), roundness) for stroke in strokes]
    if len(strokes) > 1:
        strokes = [stroke + rng.normal(0, 0.02 * haste, 2) for stroke in strokes]
    ends = np.cumsum([len(stroke) for stroke in strokes])[:-1]
    written = np.split(bend(np.concatenate(strokes), haste, rng) @ posture(rng).T, ends)
    if rng.random() < 0.08:
        written = [coarse(stroke, rng.integers(12, 30)) for stroke in written]
    return written


def coarse(stroke: np.ndarray, steps: int) -> np.ndarray:
    """A stroke (n, 2) as a device records it that tells so many places of a digit's height apart."""
    return np.rint(stroke * steps) / steps


def lift_pen(stroke: np.ndarray, chance: float, rng: np.random.Generator) -> list[np.ndarray]:
    """Split a stroke (n, 2) at corners; at each, the writer lifts the pen with that chance."""
    corners = np.flatnonzero((np.diff(stroke, axis=0) == 0).all(axis=1)) + 1
    return np.split(stroke, corners[rng.random(len(corners)) < chance])


def miss_ends(stroke: np.ndarray, standard_deviation: float, rng: np.random.Generator) -> np.ndarray:
    """Begin and end a stroke (n, 2) too early or too late, along its own direction."""
    stroke = stroke.copy()
    for end, neighbour in ((0, 1), (-1, -2)):
        direction = stroke[end] - stroke[neighbour]
        stroke[end] += direction * rng.normal(0, standard_deviation) / max(np.hypot(*direction), 0.01)
    return stroke


def flick(stroke: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add a small hook, to either side, to the end of a stroke (n, 2)."""
    along = (stroke[-1] - stroke[-2]) / max(np.hypot(*(stroke[-1] - stroke[-2])), 0.01)
    aside = np.array([-along[1], along[0]]) * rng.choice([-1, 1])
    return np.vstack([stroke, stroke[-1] + rng.uniform(0.04, 0.09) * (aside - rng.uniform(0, 0.7) * along)])


def curve(points: np.ndarray, tension: float = 0.0) -> np.ndarray:
    """A smooth curve through control points, (n, 2) -> (8 (n - 1) + 1, 2).

    It is a cardinal spline in Hermite form. A tangent is as long as the segment it is used for, so that the curve does
    not overshoot where control points lie close together. A point given twice is a corner, because each of the two has
    the tangent of its own side.
    """
    chords = np.diff(points, axis=0)  # (n - 1, 2)
    lengths = np.hypot(*chords.T)[:, None]
    before, after = np.vstack([chords[:1], chords]), np.vstack([chords, chords[-1:]])  # (n, 2)
    tangents = before + after
    tangents /= np.maximum(np.hypot(*tangents.T), 1e-9)[:, None]
    t = (np.arange(STEPS_A_SEGMENT) / STEPS_A_SEGMENT)[:, None, None]
    pull = (1 - tension) * lengths * ((1 - t) * tangents[:-1] - t * tangents[1:])
    segments = points[:-1] + t * t * (3 - 2 * t) * chords + t * (1 - t) * pull  # (8, n - 1, 2)
    return np.vstack([segments.swapaxes(0, 1).reshape(-1, 2), points[-1:]])


def resample(points: np.ndarray, step: float) -> np.ndarray:
    """Points along a stroke (n, 2) at equal distances of at most `step`; both ends are among them."""
    way = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    places = np.linspace(0, way[-1], int(np.ceil(way[-1] / step)) + 1)
    return np.column_stack([np.interp(places, way, points[:, axis]) for axis in (0, 1)])


def smooth(points: np.ndarray, reach: int) -> np.ndarray:
    """Round the corners of a stroke (n, 2) by a weighted mean over `reach` points to each side; the ends stay."""
    reach = min(reach, len(points) - 1)
    start = 2 * points[0] - points[reach:0:-1]  # mirrored at the end, which therefore stays
    stop = 2 * points[-1] - points[-2 : -2 - reach : -1]
    padded = np.vstack([start, points, stop])
    weights = np.hanning(2 * reach + 3)[1:-1]
    weights /= weights.sum()
    return np.column_stack([np.convolve(padded[:, axis], weights, "valid") for axis in (0, 1)])


def bend(points: np.ndarray, haste: float, rng: np.random.Generator) -> np.ndarray:
    """Displace points (n, 2) by a sum of plane waves: long waves change the shape, short ones are tremor."""
    waves = 12
    wavelengths = 0.25 * 8 ** rng.random(waves)  # 0.25 to 2 heights
    angles, phases = rng.uniform(0, 2 * np.pi, (2, waves))
    numbers = np.stack([np.cos(angles), np.sin(angles)]) * (2 * np.pi / wavelengths)  # (2, waves)
    amplitudes = rng.normal(0, 0.02 * haste, (waves, 2)) * wavelengths[:, None] ** 1.5
    return points + np.sin(points @ numbers + phases) @ amplitudes


def posture(rng: np.random.Generator) -> np.ndarray:
    """A random matrix (2, 2) of width, slant and rotation; most hands lean to the right."""
    width = np.exp(np.clip(rng.normal(0, 0.2), -0.4, 0.45))
    slant = np.clip(rng.normal(0.1, 0.18), -0.25, 0.5)  # sideways per height
    angle = np.deg2rad(np.clip(rng.normal(0, 4), -9, 9))
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin], [sin, cos]]) @ np.array([[width, -slant], [0, 1]])


@cache
def _grid(box: int, supersampling: int) -> tuple[np.ndarray, np.ndarray]:
    """The points at which ink is computed: x, y and 1 for each, row by row, (3, n) float32, and x^2 + y^2, (n,)."""
    axis = (np.arange(box * supersampling) + 0.5) / supersampling
    y, x = np.meshgrid(axis, axis, indexing="ij")
    grid = np.stack([x.ravel(), y.ravel(), np.ones(x.size)]).astype(np.float32)
    return grid, (grid[:2] ** 2).sum(axis=0)


def render(strokes: list[np.ndarray], thickness: float, rng: np.random.Generator) -> np.ndarray:
    """Draw strokes of points (n, 2), in any unit, with a pen `thickness` pixels thick -> (28, 28) uint8, ink 255 on 0.

    The picture is prepared as MNIST was: the longest side of the ink is 20 pixels, averaged over areas, its centre of
    mass is moved to pixel 14 by whole pixels, and the strongest ink is 255. The pen's pressure and softness are random.
    """
    cells = draw_ink(strokes, thickness, rng)
    height, width = cells.shape
    pixels = np.zeros((SIDE, SIDE), np.uint8)
    top, left = place(cells.sum(axis=1)), place(cells.sum(axis=0))
    pixels[top : top + height, left : left + width] = np.rint(cells * (255 / cells.max()))
    return pixels


def draw_ink(
    strokes: list[np.ndarray],
    thickness: float,
    rng: np.random.Generator,
    box: int = BOX,
    supersampling: int = SUPERSAMPLING,
) -> np.ndarray:
    """Draw strokes of points (n, 2), in any unit, with a pen `thickness` pixels thick -> (height, width), 0-1.

    The longer side is `box` pixels; ink is computed at supersampling x supersampling points of each.
    """
    grid, grid_squared = _grid(box, supersampling)
    everything = np.concatenate(strokes)
    low, high = everything.min(axis=0), everything.max(axis=0)
    scale = (box - thickness) / max(*(high - low), 1e-9)
    span = (high - low) * scale
    width, height = np.clip(np.rint(span + thickness), 1, box).astype(int)
    points = np.concatenate([resample(stroke, 0.35 / scale) for stroke in strokes])  # discs this close make a line
    points = (points - low) * scale + ([width, height] - span) / 2

    pressure = 1 + rng.uniform(0, 0.15) * np.sin(points @ rng.normal(0, 0.3, 2) + rng.uniform(0, 2 * np.pi))
    radius = thickness / 2 * pressure
    sharpest = 1 / supersampling
    edge = rng.choice([sharpest, rng.uniform(sharpest, min(1.2, 0.6 * thickness))])  # pixels over which the ink fades
    # r^2 - |g - p|^2 = (2p, r^2 - |p|^2) . (g, 1) - |g|^2: one product for all discs p and all points g of the grid.
    discs = np.column_stack([2 * points, radius**2 - (points**2).sum(axis=1)]).astype(np.float32)  # (points, 3)
    depth = (discs @ grid).max(axis=0) - grid_squared  # near an edge: the thickness times the distance inwards
    ink = np.clip(0.5 + depth / (thickness * edge), 0, 1).reshape(box, supersampling, box, supersampling)
    return ink.mean(axis=(1, 3))[:height, :width]
