"""A training small enough for tests: its settings, its network and its recordings."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digit_recognizer_dl_model.dataset import Dataset, read_csv
from digit_recognizer_dl_model.recordings import Recording
from digit_recognizer_dl_model.train import Settings

TEST_CSV = Path(__file__).parent.parent / "data" / "mnist_test.csv"
ARCHITECTURE = [
    {"layer": "Conv2D", "inputs": 1, "outputs": 2, "size": 5},
    {"layer": "BatchNorm", "channels": 2},
    {"layer": "MaxPool2D"},
    {"layer": "ReLU"},
    {"layer": "Flatten"},
    {"layer": "Dropout", "rate": 0.2},
    {"layer": "Dense", "inputs": 288, "outputs": 11},
]
# Two digits of each of six writers.
RECORDINGS = [
    Recording(label, writer, [np.array([[0.0, 0], [10.0 * writer, 5], [label, 90]])])
    for writer in range(6)
    for label in (writer, 9)
]


@dataclass(frozen=True)
class SmallSettings(Settings):
    """Two epochs of eight steps on 160 of 200 images."""

    epochs: int = 2
    batch: int = 20
    validation: int = 40
    handwriting: int = 20
    negatives: int = 22


def few_digits() -> Dataset:
    """The first 200 test images of MNIST."""
    dataset = read_csv(TEST_CSV)
    return Dataset(dataset.pixels[:200], dataset.labels[:200])
