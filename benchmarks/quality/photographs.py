"""How well digits on paper are read that somebody photographs: in bad light, on lines or squares, in pencil, in chalk.

The photographs are synthetic: MNIST's images and synthetic handwriting on paper, as JPEG files of a phone, prepared
like every picture that is sent.
"""

import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from PIL import Image, ImageFilter

from digit_recognizer_dl_model.dataset import Dataset
from digit_recognizer_dl_model.figures import Row
from digit_recognizer_dl_model.frame import BOX, SIDE
from digit_recognizer_dl_model.inference import Classifier
from digit_recognizer_dl_model.synthetic import handwriting

from .reading import count_right
from .strokes import draw_strokes, extent, fit

PHOTOGRAPHS = 100  # of each kind
SEED = 20_240_302

SIZES = ((480, 640), (600, 800), (720, 960), (960, 1280))  # pixels; either way up
DIGIT_SIZES = (0.35, 0.75)  # fractions of the shorter side that a digit fills
PEN_WIDTHS = (0.04, 0.1)  # heights of the digit
ENLARGEMENT = 4  # pixels of a smooth digit along a pixel of MNIST's
FULL = 255  # the level of a pixel that is all ink
ORIENTATION = 0x0112  # EXIF tag

Value = TypeVar("Value")

BLACK, BLUE, GRAPHITE, CHALK = (32, 32, 38), (38, 58, 140), (118, 118, 122), (222, 222, 214)
WHITE, CREAM, BOARD = (240, 240, 236), (238, 230, 208), (52, 72, 62)
RULINGS = ((150, 178, 214), (176, 180, 188), (196, 168, 182))  # blue, grey, reddish

Digit = np.ndarray | list[np.ndarray]  # pixels (28, 28) uint8, or strokes of (n, 2) points, y down


@dataclass(frozen=True)
class Scene:
    """The subject and the circumstances of a photograph.

    grain: the fraction of the ink that is missing where the paper is one standard deviation rough.
    lines, columns: millimetres from one ruling to the next; 0 if there are none.
    height: the digit's, in millimetres.
    darkest: the light at the darker side, 1 being even.
    shadow: the light inside a shadow across part of the picture, 1 without one; its edge is `softness` pictures wide.
    stains: the standard deviation of the paper's lightness from place to place.
    turn, tilt: the camera's, in degrees and as the change of scale across the picture.
    """

    paper: tuple[int, int, int]
    ink: tuple[int, int, int]
    height: float
    turn: float
    tilt: float
    darkest: float
    grain: float = 0.1
    lines: float = 0.0
    columns: float = 0.0
    ruling: tuple[int, int, int] = RULINGS[0]
    shadow: float = 1.0
    softness: float = 0.1
    stains: float = 0.006
    orientation: int = 1


def measure_photographs(
    classifier: Classifier,
    dataset: Dataset,
    count: int = PHOTOGRAPHS,
    progress: Callable[[int, int], None] = lambda done, kinds: None,
) -> tuple[Row, ...]:
    """Read `count` photographs of each of `KINDS`; a photograph that is refused is not read right.

    Every other photograph shows an image of the dataset, chosen at random by a fixed seed, and the rest show synthetic
    handwriting from a seed that training does not use. `progress` is told after each kind how many are done, and of how
    many.
    """
    rows = []
    for kind in KINDS:
        rng = np.random.default_rng([SEED, zlib.crc32(kind.encode())])  # a kind stays as it is when others are added
        rows.append(Row(kind, count_right(classifier, take_photographs(kind, dataset, count, rng))))
        progress(len(rows), len(KINDS))
    return tuple(rows)


def take_photographs(kind: str, dataset: Dataset, count: int, rng: np.random.Generator) -> Iterator[tuple[bytes, int]]:
    """JPEG files of a kind with their labels: by turns of an image of the dataset and of synthetic handwriting."""
    for number in range(count):
        digit, label = choose_image(dataset, rng) if number % 2 == 0 else write_digit(rng)
        yield take_photograph(KINDS[kind](rng), digit, rng), label


def choose_image(dataset: Dataset, rng: np.random.Generator) -> tuple[Digit, int]:
    index = rng.integers(len(dataset.pixels))
    return dataset.pixels[index], dataset.labels[index]


def write_digit(rng: np.random.Generator) -> tuple[Digit, int]:
    form = handwriting.FORMS[rng.choice(list(handwriting.FORMS))]
    return handwriting.write_form(form, rng), form.digit


def plain(rng: np.random.Generator) -> Scene:
    """A pen on white paper in nearly even light, the camera held nearly straight."""
    return Scene(
        paper=choose((WHITE, CREAM), rng),
        ink=choose((BLACK, BLUE), rng),
        height=rng.uniform(9, 25),
        turn=rng.normal(0, 2),
        tilt=rng.uniform(0, 0.08),
        darkest=rng.uniform(0.75, 0.95),
    )


def in_uneven_light(rng: np.random.Generator) -> Scene:
    return replace(plain(rng), darkest=rng.uniform(0.3, 0.6))


def shadowed(rng: np.random.Generator) -> Scene:
    return replace(plain(rng), shadow=rng.uniform(0.4, 0.75), softness=rng.uniform(0.02, 0.3))


def hard_shadowed(rng: np.random.Generator) -> Scene:
    """Near a lamp or in the sun, where the edge of a shadow is as sharp as a stroke."""
    return replace(plain(rng), shadow=rng.uniform(0.4, 0.75), softness=rng.uniform(0.005, 0.06))


def lined(rng: np.random.Generator) -> Scene:
    spacing = rng.uniform(7, 9.5)
    return replace(plain(rng), lines=spacing, height=spacing * rng.uniform(0.8, 3), ruling=choose(RULINGS, rng))


def squared(rng: np.random.Generator) -> Scene:
    height = 5 * rng.uniform(1, 4)
    return replace(plain(rng), lines=5.0, columns=5.0, height=height, ruling=choose(RULINGS, rng))


def pencilled(rng: np.random.Generator) -> Scene:
    return replace(plain(rng), ink=GRAPHITE, grain=0.35)


def blue(rng: np.random.Generator) -> Scene:
    return replace(plain(rng), ink=tuple(int(part + rng.uniform(0, 30)) for part in BLUE), grain=0.2)


def chalked(rng: np.random.Generator) -> Scene:
    return replace(plain(rng), paper=BOARD, ink=CHALK, grain=0.4, stains=0.04, darkest=rng.uniform(0.5, 0.9))


def tilted(rng: np.random.Generator) -> Scene:
    return replace(plain(rng), turn=rng.uniform(-10, 10), tilt=rng.uniform(0.2, 0.5))


def stored_turned(rng: np.random.Generator) -> Scene:
    return replace(plain(rng), orientation=choose((3, 6, 8), rng))


def everything(rng: np.random.Generator) -> Scene:
    """Lines or squares, a pen or a pencil, in a shadow and uneven light, tilted and stored turned."""
    return replace(
        choose((lined, squared), rng)(rng),
        ink=choose((BLACK, BLUE, GRAPHITE), rng),
        grain=0.25,
        turn=rng.uniform(-4, 4),
        tilt=rng.uniform(0, 0.2),
        darkest=rng.uniform(0.6, 0.9),
        shadow=rng.uniform(0.55, 0.85),
        softness=rng.uniform(0.05, 0.3),
        orientation=choose((1, 3, 6, 8), rng),
    )


KINDS: dict[str, Callable[[np.random.Generator], Scene]] = {
    "paper in uneven light": in_uneven_light,
    "paper in a shadow": shadowed,
    "paper in a hard shadow": hard_shadowed,
    "lined paper": lined,
    "squared paper": squared,
    "grey pencil": pencilled,
    "blue ink": blue,
    "chalk on a board": chalked,
    "tilted camera": tilted,
    "turned by EXIF": stored_turned,
    "everything at once": everything,
}


def choose(values: Sequence[Value], rng: np.random.Generator) -> Value:
    return values[rng.integers(len(values))]


def take_photograph(scene: Scene, digit: Digit, rng: np.random.Generator) -> bytes:
    """Photograph a scene with a digit on it: a JPEG file."""
    picture, _ = expose(scene, digit, rng)
    return encode(picture, scene.orientation, rng)


def expose(scene: Scene, digit: Digit, rng: np.random.Generator) -> tuple[Image.Image, np.ndarray]:
    """What the camera sees of a scene with a digit on it, and where the ink is, (h, w) float32 in 0-1."""
    shape = choose(SIZES, rng)[:: rng.choice([-1, 1])]  # height, width
    to_paper = view(scene, shape, rng)
    rulings = ruled(scene, shape, to_paper, rng)
    inked = ink_of_digit(digit, shape, to_paper, rng)
    ink = inked * (1 - scene.grain * np.abs(roughness(shape, 3, rng))).clip(0, 1)
    shade = (
        1 + 0.012 * roughness(shape, 2, rng) + scene.stains * (roughness(shape, 50, rng) + roughness(shape, 120, rng))
    )
    shade *= light(scene, shape, rng)
    noise = rng.uniform(1.5, 5) * rng.standard_normal(shape, np.float32)
    warmth, colourful = rng.uniform(-0.04, 0.04), rng.uniform(0, 3)
    picture = np.empty((*shape, 3), np.uint8)
    for channel, balance in enumerate((1 + warmth, 1, 1 - warmth)):
        paper, ruling, pen = (colour[channel] for colour in (scene.paper, scene.ruling, scene.ink))
        seen = paper - rulings * (paper * (1 - ruling / 255))
        seen += ink * (pen - seen)
        seen *= shade * balance
        seen += noise + colourful * roughness(shape, 4, rng)
        picture[..., channel] = np.rint(seen).clip(0, 255)
    return Image.fromarray(picture).filter(ImageFilter.BoxBlur(rng.uniform(0.3, 0.9))), inked


def encode(picture: Image.Image, orientation: int, rng: np.random.Generator) -> bytes:
    """Store a picture turned in a JPEG file, with the EXIF orientation that turns it back."""
    turns = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    if orientation in turns:
        picture = picture.transpose(turns[orientation])
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=int(rng.integers(65, 93)), exif=exif)
    return file.getvalue()


def view(scene: Scene, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """The homography (3, 3) from pixels of the picture to the page, in heights from the digit's middle."""
    height, width = shape
    size = rng.uniform(*DIGIT_SIZES) * min(shape)
    room = (np.array([width, height]) - size) / 2
    middle = np.array([width, height]) / 2 + rng.uniform(-0.7, 0.7, 2) * room
    towards = rng.uniform(0, 2 * np.pi)
    slope = scene.tilt / max(shape) * np.array([np.cos(towards), np.sin(towards)])
    cos, sin = np.cos(np.deg2rad(scene.turn)) / size, np.sin(np.deg2rad(scene.turn)) / size
    turned = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    tilted = np.array([[1, 0, 0], [0, 1, 0], [*slope, 1]])
    return turned @ tilted @ np.array([[1, 0, -middle[0]], [0, 1, -middle[1]], [0, 0, 1]])


def ink_of_digit(digit: Digit, shape: tuple[int, int], to_paper: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The ink of a digit, (h, w) float32 in 0-1."""
    height, width = shape
    scale = 1 / np.hypot(*to_paper[:2, 0])  # pixels of one height, near the digit
    if isinstance(digit, list):
        pen = rng.uniform(*PEN_WIDTHS)
        fitted = fit(digit, 1 - pen)
        middle = extent(fitted) / 2
        places = [project(stroke - middle, np.linalg.inv(to_paper)) for stroke in fitted]
        sheet = draw_strokes((width, height), places, pen * scale, ink=FULL, paper=0)
        return np.asarray(sheet.filter(ImageFilter.GaussianBlur(1)), np.float32) / FULL
    rows, columns = np.flatnonzero(digit.max(axis=1)), np.flatnonzero(digit.max(axis=0))
    middle = (columns[0] + columns[-1] + 1) / 2, (rows[0] + rows[-1] + 1) / 2
    matrix = np.array([[BOX, 0, middle[0]], [0, BOX, middle[1]], [0, 0, 1]]) @ to_paper
    # Smoothed and enlarged, the outline keeps nothing of MNIST's pixels; a threshold makes it as sharp as a pen's.
    source = Image.fromarray(digit).resize((SIDE * ENLARGEMENT, SIDE * ENLARGEMENT), Image.Resampling.BICUBIC)
    source = source.filter(ImageFilter.GaussianBlur(0.6 * ENLARGEMENT))
    coefficients = (np.diag([ENLARGEMENT, ENLARGEMENT, 1]) @ matrix / matrix[2, 2]).ravel()[:8]
    sheet = source.transform((width, height), Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BILINEAR)
    ink = np.asarray(sheet, np.float32) / 255
    return (0.5 + (ink - rng.uniform(0.35, 0.55)) * (scale / BOX / 3)).clip(0, 1)


def project(points: np.ndarray, homography: np.ndarray) -> np.ndarray:
    """Points (n, 2) mapped by a homography (3, 3)."""
    mapped = np.column_stack([points, np.ones(len(points))]) @ homography.T
    return mapped[:, :2] / mapped[:, 2:]


def ruled(scene: Scene, shape: tuple[int, int], to_paper: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The ink of the rulings, (h, w) float32 in 0-1."""
    coverage = np.zeros(shape, np.float32)
    thickness = rng.uniform(0.2, 0.4)  # millimetres
    x, y = np.arange(shape[1], dtype=np.float32) + 0.5, np.arange(shape[0], dtype=np.float32)[:, None] + 0.5
    far, across, down = ((a * x + (b * y + c)).astype(np.float32) for a, b, c in to_paper[[2, 0, 1]])
    resolution = 1 / (np.hypot(*to_paper[:2, 0]) * scene.height)  # pixels of a millimetre
    for spacing, place in ((scene.lines, down), (scene.columns, across)):
        if spacing:
            way = (place / far * (scene.height / spacing) + rng.random()) % 1
            beside = np.abs(way - 0.5) * spacing  # millimetres to the nearest ruling
            np.maximum(coverage, ((thickness / 2 - beside) * resolution + 0.5).clip(0, 1), out=coverage)
    return coverage


def light(scene: Scene, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """The light on each pixel (h, w) float32: falling to one side, and in a shadow."""
    y, x = (np.linspace(-1, 1, length, dtype=np.float32) for length in shape)

    def across(angle: float) -> np.ndarray:
        return x * np.float32(np.cos(angle)) + (y * np.float32(np.sin(angle)))[:, None]

    along = across(rng.uniform(0, 2 * np.pi))
    falling = 1 - (1 - scene.darkest) * ((along - along.min()) / np.ptp(along)) ** np.float32(rng.uniform(0.7, 1.5))
    if scene.shadow == 1:
        return falling
    angle = rng.uniform(0, 2 * np.pi)
    edge = rng.uniform(-0.5, 0.5) + rng.uniform(-0.3, 0.3) * across(angle + np.pi / 2) ** 2  # of an arm or a head
    covered = (0.5 + (across(angle) - edge) / (2 * scene.softness)).clip(0, 1)
    return falling * (1 - (1 - scene.shadow) * covered * covered * (3 - 2 * covered))


def roughness(shape: tuple[int, int], size: int, rng: np.random.Generator) -> np.ndarray:
    """Noise of unit standard deviation whose lumps are about `size` pixels wide, (h, w) float32."""
    height, width = shape
    lumps = rng.standard_normal((height // size + 2, width // size + 2), np.float32)
    return np.asarray(Image.fromarray(lumps).resize((width, height), Image.Resampling.BICUBIC))
