"""How well MNIST's images are read when they are sent damaged: as PNG files of 28x28 pixels, ink 255 on 0.

Run as `python -m benchmarks.quality.corruptions`. The kinds are those that people test digit readers with (Mu & Gilmer
2019, arXiv:1906.02337), made anew. They are for measuring alone: nothing may be trained on them.
"""

from .. import environment

environment.use_one_blas_thread()

import argparse
import os
import zlib
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("DJANGO_DEBUG", "1")

import django

django.setup()

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from digit_recognizer_dl_model.counts import Count
from digit_recognizer_dl_model.dataset import DATA, Dataset, read_csv
from digit_recognizer_dl_model.doubt import doubts
from digit_recognizer_dl_model.figures import Row
from digit_recognizer_dl_model.frame import SIDE
from digit_recognizer_dl_model.inference import Classifier
from digit_recognizer_dl_model.weights import SHIPPED, load_weights
from digits.pictures import pngs

from .reading import prepare_all

IMAGES = 1000
SEED = 20_261_126
WIDE = 4  # pixels of a drawing along a pixel of MNIST's, so that lines across have soft edges

Corruption = Callable[[np.ndarray, np.random.Generator], np.ndarray]  # (28, 28) float64 in 0-1, to the same


def shot_noise(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As of few photons: the lighter, the noisier."""
    return rng.poisson(image * 5) / 5


def impulse_noise(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Salt and pepper on a third of the pixels."""
    return np.where(rng.random(image.shape) < 0.33, rng.integers(0, 2, image.shape), image)


def gaussian_noise(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return image + rng.normal(0, 0.25, image.shape)


def glass_blur(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Neighbours change places, between two slight blurs."""
    image = filtered(image, ImageFilter.GaussianBlur(0.7)).copy()
    for y in range(SIDE - 2, 1, -1):
        for x in range(SIDE - 2, 1, -1):
            down, right = rng.integers(-2, 2, 2)
            other = min(y + down, SIDE - 1), min(x + right, SIDE - 1)
            image[y, x], image[other] = image[other], image[y, x]
    return filtered(image, ImageFilter.GaussianBlur(0.7))


def motion_blur(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    angle = rng.uniform(-np.pi / 4, np.pi / 4)
    places = np.linspace(-4, 4, 17)
    picture = Image.fromarray(image.astype(np.float32))
    copies = [
        np.asarray(
            picture.transform(
                picture.size,
                Image.Transform.AFFINE,
                (1, 0, place * np.cos(angle), 0, 1, place * np.sin(angle)),
                Image.Resampling.BILINEAR,
            )
        )
        for place in places
    ]
    return np.mean(copies, axis=0)


def defocus(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return filtered(image, ImageFilter.GaussianBlur(1.8))


def fog(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A cloud whose strength falls with frequency, over the picture."""
    frequencies = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE))
    cloud = np.fft.irfft2(np.fft.rfft2(rng.normal(size=image.shape)) * np.maximum(frequencies, 1 / SIDE) ** -1.5)
    cloud = (cloud - cloud.min()) / np.ptp(cloud)
    return (image + 1.5 * cloud) / 2.5


def stripe(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The left and the right of the picture light and dark in turn: half of it is inverted."""
    inverted = image.copy()
    inverted[:, :7] = 1 - inverted[:, :7]
    inverted[:, 21:] = 1 - inverted[:, 21:]
    return inverted


def spatter(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Drops where smooth noise is high."""
    noise = filtered(rng.normal(0.5, 0.3, image.shape), ImageFilter.GaussianBlur(1.2))
    drops = np.clip((noise - np.quantile(noise, 0.82)) * 12, 0, 1)
    return np.maximum(image, drops)


def dotted_line(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    start, end = rng.integers(1, 13, 2) * WIDE, rng.integers(14, 27, 2) * WIDE
    places = np.linspace(0, 1, 14)[:, None]
    dots = start + places * (end - start)
    return drawn_over(image, lambda brush: [brush.ellipse([*(dot - 2.5), *(dot + 2.5)], fill=255) for dot in dots])


def zigzag(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A jagged line from one side of the picture to the other."""
    turns = 8
    along = np.linspace(1, SIDE - 1, turns) * WIDE
    across = (rng.uniform(9, 19) + 2.5 * (-1.0) ** np.arange(turns) + rng.normal(0, 0.7, turns)) * WIDE
    points = list(zip(along.tolist(), across.tolist(), strict=True))
    if rng.random() < 0.5:
        points = [(y, x) for x, y in points]
    return drawn_over(image, lambda brush: brush.line(points, fill=255, width=WIDE))


def outlines(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The edges of the strokes as lines of a pixel, as an edge detector leaves them."""
    smooth = filtered(image, ImageFilter.GaussianBlur(0.8))
    down, right = np.gradient(smooth)
    strength = np.hypot(down, right)
    padded = np.pad(strength, 1)
    rows, columns = np.indices(image.shape) + 1
    step_down, step_right = (np.rint(part / np.maximum(strength, 1e-9)).astype(int) for part in (down, right))
    ahead = padded[rows + step_down, columns + step_right]
    behind = padded[rows - step_down, columns - step_right]
    return ((strength > 0.12) & (strength >= ahead) & (strength >= behind)).astype(float)


def brightness(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return image * 0.5 + 0.5


def faint(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return image * 0.25


def coarse(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Pixels of twice the size."""
    return image.reshape(SIDE // 2, 2, SIDE // 2, 2).mean(axis=(1, 3)).repeat(2, axis=0).repeat(2, axis=1)


def black_and_white(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return (image > 0.5).astype(float)


def filtered(image: np.ndarray, kernel: ImageFilter.Filter) -> np.ndarray:
    grey = Image.fromarray(np.rint(image.clip(0, 1) * 255).astype(np.uint8))
    return np.asarray(grey.filter(kernel)) / 255


def drawn_over(image: np.ndarray, draw: Callable[[ImageDraw.ImageDraw], object]) -> np.ndarray:
    """The image with what `draw` draws on a sheet WIDE times as large."""
    sheet = Image.new("L", (SIDE * WIDE, SIDE * WIDE))
    draw(ImageDraw.Draw(sheet))
    return np.maximum(image, np.asarray(sheet.reduce(WIDE)) / 255)


CORRUPTIONS: dict[str, Corruption] = {
    "as it is": lambda image, rng: image,
    "shot noise": shot_noise,
    "impulse noise": impulse_noise,
    "gaussian noise": gaussian_noise,
    "glass blur": glass_blur,
    "motion blur": motion_blur,
    "defocus": defocus,
    "fog": fog,
    "stripe": stripe,
    "spatter": spatter,
    "dotted line": dotted_line,
    "zigzag": zigzag,
    "outlines": outlines,
    "brightness": brightness,
    "faint": faint,
    "coarse": coarse,
    "black and white": black_and_white,
}
DAMAGE = [name for name in CORRUPTIONS if name != "as it is"]


def corrupted(pixels: np.ndarray, name: str) -> list[bytes]:
    """Images (n, 28, 28) uint8 with one kind of damage, as PNG files."""
    rng = np.random.default_rng([SEED, zlib.crc32(name.encode())])  # a kind stays as it is when others are added
    images = (CORRUPTIONS[name](image / 255, rng) for image in pixels)
    return [pngs.png(np.rint(image.clip(0, 1) * 255).astype(np.uint8)) for image in images]


def measure(classifier: Classifier, dataset: Dataset, name: str) -> tuple[float, float, float]:
    """The fractions of images that are right, right and sure, and wrong and sure."""
    pixels, refused = prepare_all(corrupted(dataset.pixels, name), classifier)
    doubted = doubts(classifier.probabilities(pixels), classifier.weights)
    is_right = (doubted.digits == dataset.labels) & ~refused
    is_sure = ~doubted.is_uncertain & ~refused
    return float(is_right.mean()), float((is_right & is_sure).mean()), float((~is_right & is_sure).mean())


def some_of(test: Dataset, count: int) -> Dataset:
    """So many of the test images, chosen once at random."""
    chosen = np.random.default_rng(SEED).permutation(len(test.pixels))[:count]
    return Dataset(test.pixels[chosen], test.labels[chosen])


def measure_damaged(
    classifier: Classifier,
    test: Dataset,
    count: int = IMAGES,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Row, ...]:
    """Read `count` of the test images with each kind of damage; `progress` is told how many kinds are done."""
    images = some_of(test, count)
    rows = []
    for name in DAMAGE:
        right, _, _ = measure(classifier, images, name)
        rows.append(Row(name, Count(round(right * len(images.pixels)), len(images.pixels))))
        progress(len(rows), len(DAMAGE))
    return tuple(rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.corruptions", description=__doc__)
    parser.add_argument("--weights", type=Path, default=SHIPPED, help="the network that reads (the shipped one)")
    parser.add_argument("--images", type=int, default=IMAGES, help=f"of MNIST's test set, for each kind ({IMAGES})")
    options = parser.parse_args()
    dataset = some_of(read_csv(DATA / "mnist_test.csv"), options.images)
    classifier = Classifier(load_weights(options.weights))
    print(f"{'':16} {'right':>8} {'of it sure':>11} {'sure, wrong':>12}")
    rows = {name: measure(classifier, dataset, name) for name in CORRUPTIONS}
    for name, (right, sure, wrong) in rows.items():
        print(f"{name:16} {right:8.1%} {sure:11.1%} {wrong:12.1%}")
    damaged = np.mean([rows[name] for name in DAMAGE], axis=0)
    print(f"{'mean of damage':16} {damaged[0]:8.1%} {damaged[1]:11.1%} {damaged[2]:12.1%}")


if __name__ == "__main__":
    main()
