"""A picture becomes 28x28 pixels as MNIST prepares them; the only place where that happens."""

import io
import warnings
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from django.conf import settings
from PIL import ExifTags, Image, ImageDraw, PngImagePlugin

from digit_recognizer_dl_model.frame import BOX, SIDE, place

from . import paper
from .refusals import Blank, NotAPicture, Refusal, UnusablePicture

FORMATS = {"PNG": b"\x89PNG\r\n\x1a\n", "JPEG": b"\xff\xd8\xff"}

MIN_CONTRAST = 20  # grey levels of 255 between paper and ink; fainter is paper
FAINT = 0.1  # of the darkest ink; fainter pixels don't say how far the digit reaches
MIN_EXTENT = 0.09  # of the picture's longest side; smaller is a dot
THICK = 4  # pixels of the 20; strokes thicker than this, as in less than 1 % of MNIST's digits, are thinned
USUAL = 3  # pixels of the 20 that they are thinned to
INKED = 0.5  # of the darkest ink; what is thinned is to leave more than that somewhere
FINE = 100  # pixels of the longest side where they are; 20 would have closed the gaps between strokes

MAX_SCANS = 64  # of a JPEG picture; cameras make ten, and each may take as long as decoding a picture
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # what EXIF's orientations ask for

PAD_SIDE = 560  # pixels that strokes are drawn in: hard edges, so fine that the reduced digit's are soft

# The limits below are checked before decoding and are far stricter than Pillow's, which only warns at first.
Image.MAX_IMAGE_PIXELS = None
# Of the compressed text beside a picture, which nobody reads here.
PngImagePlugin.MAX_TEXT_MEMORY = PngImagePlugin.MAX_TEXT_CHUNK
# Of odd pictures that it reads all the same, Pillow warns; of EXIF data, it takes some damage for a reason to fail and
# some for one to warn.
warnings.filterwarnings("ignore", module=r"PIL\.")
warnings.filterwarnings("error", "(?i)(possibly )?corrupt exif", module=r"PIL\.")


class Stroke(NamedTuple):
    """A line of the pad's pen, in shares of the pad's side."""

    points: np.ndarray  # (n, 2)
    width: float


def prepare(data: bytes, batch: int = 1) -> np.ndarray:
    """An encoded picture, one of a batch of so many, as 28x28 uint8 pixels, ink 255 on 0; or raises a Refusal."""
    return centre(ink(decode(data, batch)))


def draw(strokes: Sequence[Stroke]) -> Image.Image:
    """Strokes of a pen as a picture, black on white.

    A pen that is thick for the digit is taken for one of the usual thickness: what it filled are loops to the strokes.
    """
    points = np.concatenate([on_pad(stroke.points) for stroke in strokes])
    usual = np.ptp(points, axis=0).max() * USUAL / (BOX - USUAL) if len(points) else 0
    picture = Image.new("L", (PAD_SIDE, PAD_SIDE), "white")
    for stroke in strokes:
        width = min(stroke.width, usual) or stroke.width  # a dot has no length
        line(picture, PAD_SIDE * stroke.points, PAD_SIDE * width)
    return picture


def on_pad(points: np.ndarray) -> np.ndarray:
    """The ends (m, 2) of all parts of a line (n, 2) that lie on the pad; what runs off it is not seen."""
    ways = np.diff(points, axis=0, append=points[-1:])  # the last leads nowhere, so that a dot counts
    # The shares of each way at which it passes the pad's edges; those that it is parallel to, it passes far away.
    passes = np.sort([(edge - points) / np.where(ways == 0, 1e-12, ways) for edge in (0, 1)], axis=0)
    comes, goes = passes[0].max(axis=1).clip(min=0), passes[1].min(axis=1).clip(max=1)
    ends = points + np.stack([comes, goes])[..., None] * ways
    return ends[:, comes <= goes].reshape(-1, 2)


def line(picture: Image.Image, points: np.ndarray, width: float, level: int = 0) -> None:
    """Draw along points (n, 2) with a round pen; points and width in pixels, the level of grey 0-255."""
    brush = ImageDraw.Draw(picture)
    path = [tuple(point) for point in points.tolist()]
    brush.line(path, fill=level, width=round(width), joint="curve")
    for x, y in (path[0], path[-1]):
        brush.ellipse([x - width / 2, y - width / 2, x + width / 2, y + width / 2], fill=level)


def normalize(picture: Image.Image) -> np.ndarray:
    """A picture as 28x28 uint8 pixels, ink 255 on 0; raises Blank where there is no ink."""
    return centre(ink(grey(picture)))


def decode(data: bytes, batch: int = 1) -> np.ndarray:
    """The luminance (h, w) float32 of a PNG or JPEG picture, the way up its EXIF data says."""
    if not data.startswith(tuple(FORMATS.values())):
        raise NotAPicture("This file is not a PNG or JPEG picture.")
    try:
        picture = Image.open(io.BytesIO(data), formats=list(FORMATS))
        check_size(picture, batch)
        if picture.format == "PNG" and not has_right_checksums(data):
            raise ValueError("a checksum is wrong")
        # In the compressed part, no other two bytes are these.
        if picture.format != "PNG" and data.count(b"\xff\xda") > MAX_SCANS:
            raise ValueError("too many scans")
        picture.load()
        turn = TURNS.get(picture.getexif().get(ExifTags.Base.Orientation))
        return grey(picture if turn is None else picture.transpose(turn))
    except Refusal:
        raise
    except Exception as error:  # Pillow answers damage, to EXIF data above all, with a dozen kinds of exception
        raise UnusablePicture("This picture is damaged or cut off: it can't be decoded.") from error


def check_size(picture: Image.Image, batch: int) -> None:
    """Refuse by what the picture's header declares, before memory is taken for its pixels."""
    size = f"This picture has {picture.width} x {picture.height} pixels"
    limit = min(settings.MAX_PICTURE_PIXELS, settings.MAX_BATCH_PIXELS // batch)
    if picture.width * picture.height > limit:
        raise UnusablePicture(f"{size}; {limit / 1024**2:.2g} megapixels are the most, and in large batches less.")
    if max(picture.size) > settings.MAX_PICTURE_SIDE:
        raise UnusablePicture(f"{size}; {settings.MAX_PICTURE_SIDE} are the most along a side.")


def has_right_checksums(png: bytes) -> bool:
    """Whether every chunk of a PNG file is there and undamaged; Pillow skips the checksums of the pixels."""
    view, start = memoryview(png), len(FORMATS["PNG"])
    while start < len(png):
        end = start + 8 + int.from_bytes(view[start : start + 4])
        if zlib.crc32(view[start + 4 : end]) != int.from_bytes(view[end : end + 4]):
            return False
        if view[start + 4 : end] == b"IEND":
            return True
        start = end + 4
    return False


def grey(picture: Image.Image) -> np.ndarray:
    """Luminance (h, w) float32, 0-255; what is transparent becomes paper that the ink stands out from."""
    if picture.mode.startswith("I"):  # 16 bits a pixel, of which Pillow would cut off those above 255
        luminance = np.asarray(picture, np.float32) / 257
        if "transparency" not in picture.info:
            return luminance
        alpha = (luminance != np.float32(picture.info["transparency"]) / 257).astype(np.float32)
    elif picture.has_transparency_data:
        colours = picture.convert("RGBA")
        alpha = np.asarray(colours.getchannel("A"), np.float32) / 255
        luminance = np.asarray(colours.convert("RGB").convert("L"), np.float32)
    else:
        return np.asarray(picture.convert("L"), np.float32)
    if not alpha.any():
        raise Blank("This picture is fully transparent.")
    beneath = 255 if np.average(luminance, weights=alpha) < 128 else 0
    return luminance * alpha + beneath * (1 - alpha)


def ink(luminance: np.ndarray) -> np.ndarray:
    """How much ink is at each pixel, (h, w) float32 in 0-1, whether dark on light or light on dark."""
    if max(luminance.shape) > 2 * SIDE and paper.is_suspect(luminance):
        luminance = paper.even_out(luminance)
    edge = paper.rim(luminance)
    level = np.median(edge)
    grain = 3 * np.median(np.abs(edge - level))
    darker, lighter = level - luminance.min(), luminance.max() - level
    depth = level - luminance if darker >= lighter else luminance - level
    depth -= grain  # in place, as fresh memory for a large picture takes longer than the arithmetic
    strongest = depth.max()
    if strongest < MIN_CONTRAST:
        raise Blank("There is no ink in this picture.")
    np.maximum(depth, 0, out=depth)
    depth /= strongest
    return depth


def centre(strength: np.ndarray) -> np.ndarray:
    """Crop to the ink, bring its longest side to 20 pixels and its centre of mass to pixel 14, as MNIST does.

    Strokes too thick for a digit of that size are thinned before it is reduced, while its loops are still open.
    """
    cropped = crop(strength)
    longest = max(cropped.shape)
    if longest < MIN_EXTENT * max(strength.shape):
        raise Blank("There is only a dot in this picture.")
    pixels = fit(cropped)
    # The reduced digit tells at next to no cost whether to look closer; a tile has no gaps to save.
    if longest > 2 * BOX and stroke_width(pixels / 255) > THICK:
        pixels = fit(crop(thin(cropped)))
    return pixels


def crop(strength: np.ndarray) -> np.ndarray:
    """The part of a picture (h, w) that the ink reaches to."""
    rows, columns = (extent(strength.max(axis=axis)) for axis in (1, 0))
    return strength[rows, columns]


def fit(cropped: np.ndarray) -> np.ndarray:
    """Ink (h, w) in 0-1 at the size and in the place of MNIST's, (28, 28) uint8."""
    small = resized(cropped, BOX)
    small = small / small.max()  # averaging greys a thin pen's line, which is to be as black as a thick one's

    pixels = np.zeros((SIDE, SIDE), np.uint8)
    height, width = small.shape
    top = place(small.sum(axis=1))
    left = place(small.sum(axis=0))
    pixels[top : top + height, left : left + width] = np.rint(small * 255)
    return pixels


def resized(ink: np.ndarray, longest: int) -> np.ndarray:
    """Ink (h, w) in 0-1 with its longest side of so many pixels."""
    scale = longest / max(ink.shape)
    height, width = (max(1, round(side * scale)) for side in ink.shape)
    # Shrinking averages over areas, as MNIST was made; enlarging by areas would leave steps.
    filter_ = Image.Resampling.BOX if scale <= 1 else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(ink).resize((width, height), filter_)).clip(0, 1)


def stroke_width(ink: np.ndarray) -> float:
    """How thick strokes (h, w) in 0-1 are in the mean, in pixels: their area divided by half their outline.

    Ink counts by its square, so that strokes that are out of focus don't count as thick.
    """
    framed = np.zeros((ink.shape[0] + 2, ink.shape[1] + 2), np.float32)
    framed[1:-1, 1:-1] = ink
    # Along both diagonals, which tells the length of an edge in any direction, hard or soft.
    falling, rising = framed[1:, 1:] - framed[:-1, :-1], framed[1:, :-1] - framed[:-1, 1:]
    return float(2 * (framed * framed).sum() / np.sqrt((falling * falling + rising * rising) / 2).sum())


def thin(ink: np.ndarray) -> np.ndarray:
    """Ink (h, w) with strokes of the usual thickness once the digit is 20 pixels long; if none are thick, as it is."""
    fine = resized(ink, FINE)
    share, wanted = stroke_width(fine) / FINE, USUAL / BOX  # of the longest side, which becomes shorter, too
    if share <= THICK / BOX:
        return ink
    for step in range(round(FINE * (share - wanted) / (2 * (1 - wanted)))):
        # Least of a cross and of a square in turns, two to one, take nearly as much off in all directions.
        fine = least(fine, diagonally=step % 3 == 1)
    return fine if fine.max() > INKED else ink  # what is full of holes, as no pen's stroke is, comes to nothing


def least(values: np.ndarray, diagonally: bool) -> np.ndarray:
    """The least of each value (h, w) and its four neighbours, or all eight; beyond the edge are zeros."""
    framed = np.pad(values, 1)
    upright = np.minimum(np.minimum(framed[:-2], framed[2:]), framed[1:-1])
    if diagonally:
        return np.minimum(np.minimum(upright[:, :-2], upright[:, 2:]), upright[:, 1:-1])
    middle = framed[1:-1]
    return np.minimum(np.minimum(middle[:, :-2], middle[:, 2:]), upright[:, 1:-1])


def extent(profile: np.ndarray) -> slice:
    """From the first to the last clearly inked row or column, with one faint one on each side: a digit's soft edge."""
    inked = np.flatnonzero(profile > FAINT)
    first, last = inked[0], inked[-1]
    if first > 0 and profile[first - 1] > 0:
        first -= 1
    if last < len(profile) - 1 and profile[last + 1] > 0:
        last += 1
    return slice(first, last + 1)


def box(pixels: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, width and height of the ink, in pixels."""
    left, top, right, bottom = Image.fromarray(pixels).getbbox()
    return left, top, right - left, bottom - top


def centre_of_mass(pixels: np.ndarray) -> tuple[float, float]:
    """x and y, in pixels from the upper left corner of the picture, of which a pixel's middle is at 0.5."""
    positions = np.arange(SIDE) + 0.5
    return tuple(float(pixels.sum(axis=axis) @ positions / pixels.sum()) for axis in (0, 1))
