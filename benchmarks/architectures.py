"""The accuracy and the cost of the architectures among which the shipped one was chosen.

Run as `python -m benchmarks.architectures`; each takes some minutes. All are trained in the same way, as in
`digit_recognizer_dl_model.train` but with fewer epochs, and measured on images and writers that they have not seen.
MNIST's test images are never read. The last line is one JSON object.
"""

from .environment import use_one_blas_thread

use_one_blas_thread()

import argparse
import json
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from benchmarks.quality.pens import measure_pens
from digit_recognizer_dl_model.dataset import DATA, Dataset, read_csv
from digit_recognizer_dl_model.inference import Classifier
from digit_recognizer_dl_model.network import ARCHITECTURE
from digit_recognizer_dl_model.recordings import fold_of_writers, read_recordings
from digit_recognizer_dl_model.synthetic.augmentation import Augmentation
from digit_recognizer_dl_model.train import SHARDS, Settings, Training, compose, hold_out

# Stronger than in training, so that a few images show the differences between networks.
DISTORTION = Augmentation(20.0, 0.2, 0.25, 2.5, 0.8, thinning=0.7, thickening=0.7)
COPIES = 4  # distorted copies of each validation image
DENSE = 128  # units between the convolutions and the last layer


def convolutional(*blocks: tuple[int, int, bool]) -> list[dict]:
    """An architecture of convolutions, each by its channels and size and whether it is pooled, and two dense layers."""
    architecture, channels, side = [], 1, 28
    for outputs, size, pools in blocks:
        architecture.append({"layer": "Conv2D", "inputs": channels, "outputs": outputs, "size": size})
        architecture.append({"layer": "BatchNorm", "channels": outputs})
        architecture += [{"layer": "MaxPool2D"}] if pools else []
        architecture.append({"layer": "ReLU"})
        channels, side = outputs, (side - size + 1) // (2 if pools else 1)
    return [
        *architecture,
        {"layer": "Flatten"},
        {"layer": "Dense", "inputs": channels * side * side, "outputs": DENSE},
        {"layer": "BatchNorm", "channels": DENSE},
        {"layer": "ReLU"},
        {"layer": "Dropout", "rate": 0.3},
        {"layer": "Dense", "inputs": DENSE, "outputs": 11},
    ]


ARCHITECTURES = {
    "shipped": ARCHITECTURE,
    "5x5 32 pooled, 64, 64 pooled": convolutional((32, 5, True), (64, 3, False), (64, 3, True)),
    "5x5 32 pooled, 96, 96 pooled": convolutional((32, 5, True), (96, 3, False), (96, 3, True)),
    "5x5 32 pooled, 64, 64, 96 pooled": convolutional((32, 5, True), (64, 3, False), (64, 3, False), (96, 3, True)),
    "32, 32 pooled, 64, 96 pooled": convolutional((32, 3, False), (32, 3, True), (64, 3, False), (96, 3, True)),
}


def multiplications(architecture: list[dict]) -> int:
    """The multiplications for one image by the definition of a convolution; Winograd's method saves some of them."""
    total, side = 0, 28
    for layer in architecture:
        if layer["layer"] == "Conv2D":
            side = side - layer["size"] + 1
            total += side * side * layer["size"] ** 2 * layer["inputs"] * layer["outputs"]
        elif layer["layer"] == "MaxPool2D":
            side //= 2
        elif layer["layer"] == "Dense":
            total += layer["inputs"] * layer["outputs"]
    return total


def microseconds(classifier: Classifier, pixels: np.ndarray, repeats: int) -> float:
    """The median time of one forward pass, divided by the number of images."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        classifier.logits(pixels)
        times.append(time.perf_counter() - start)
    return 1e6 * statistics.median(times) / len(pixels)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.architectures", description=__doc__)
    parser.add_argument("--epochs", type=int, default=6)
    options = parser.parse_args()
    settings = replace(Settings(), epochs=options.epochs, fold=0)
    mnist, validation = hold_out(read_csv(DATA / "mnist_train.csv"), settings.validation, settings.seed)
    recorded = read_recordings(DATA / "pen_digits.json.gz")
    unseen = fold_of_writers(recorded, settings.fold)
    dataset = compose(settings, mnist, [recording for recording in recorded if recording.writer not in unseen])
    recorded = [recording for recording in recorded if recording.writer in unseen]
    rng = np.random.default_rng(1)
    distorted = np.concatenate([np.rint(255 * DISTORTION(validation.pixels, rng)) for _ in range(COPIES)])
    distorted = Dataset(distorted.astype(np.uint8), np.tile(validation.labels, COPIES))

    print("parameters  multiplications  batch 1  batch 256  minutes  validation  distorted  unseen pens")
    rows = {}
    for name, architecture in ARCHITECTURES.items():
        training = Training(settings, dataset, architecture)
        start = time.monotonic()
        with ThreadPoolExecutor(SHARDS) as pool:
            while training.step < training.steps:
                training.advance(pool)
        minutes = (time.monotonic() - start) / 60
        classifier = Classifier(training.weights())
        fractions = [
            float((classifier.probabilities(images.pixels).argmax(axis=1) == images.labels).mean())
            for images in (validation, distorted)
        ]
        rows[name] = row = {
            "parameters": sum(array.size for array in training.network.parameters.values()),
            "multiplications": multiplications(architecture),
            "microseconds_1": microseconds(classifier, validation.pixels[:1], 500),
            "microseconds_256": microseconds(classifier, validation.pixels[:256], 10),
            "minutes": minutes,
            "validation": fractions[0],
            "distorted": fractions[1],
            "pens": measure_pens(classifier, recorded).accuracy.count.fraction,
        }
        print(
            f"{row['parameters']:10,}  {row['multiplications'] / 1e6:13.1f} M  {row['microseconds_1']:4.0f} us"
            f"  {row['microseconds_256']:6.0f} us  {minutes:7.1f}  {row['validation']:10.2%}  {row['distorted']:9.2%}"
            f"  {row['pens']:11.2%}  {name}",
            flush=True,
        )
    print(json.dumps({"epochs": settings.epochs, "architectures": rows}))


if __name__ == "__main__":
    main()
