"""The weights file: arrays, their architecture and the figures they reached, in one .npz without pickle."""

import hashlib
import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from .figures import Figures

SHIPPED = Path(__file__).with_name("digit_recognizer_weights.npz")
LINES = Path(__file__).with_name("line_recognizer_weights.npz")  # of the network that reads lines
FORMAT = 4
EPSILON = np.float32(1e-5)  # that batch normalisation adds to the variance, in training and afterwards
METADATA = "metadata"
TRAINED = ("kernel", "weight", "bias", "scale", "shift")  # arrays, unlike running statistics


class UnusableWeights(ValueError):
    """Weights that this version can't use; the message says why, and of a file that can't be read names it."""


@dataclass(frozen=True)
class Weights:
    """A trained network at rest.

    architecture: the list `network.ARCHITECTURE` it was trained with.
    arrays: parameters and running statistics, float32, by the names `Network.state` gives them.
    temperature: what logits are divided by, so that confidence is the fraction of right answers.
    uncertain_below: the confidence under which an answer is "not sure".
    no_digit_above: the probability beyond the two likeliest digits over which a picture "does not look like one digit".
    figures: how it was trained, and what was measured.
    """

    architecture: list[dict]
    arrays: dict[str, np.ndarray]
    temperature: float
    uncertain_below: float
    no_digit_above: float
    figures: Figures

    @property
    def parameters(self) -> int:
        """The number of trained parameters; running statistics are not among them."""
        return sum(array.size for name, array in self.arrays.items() if name.split(".")[-1] in TRAINED)

    @property
    def checksum(self) -> str:
        """The SHA-256 of architecture, arrays, temperature and limits. Measured figures do not change it."""
        limits = [self.temperature, self.uncertain_below, self.no_digit_above]
        digest = hashlib.sha256(json.dumps([self.architecture, limits]).encode())
        for name in sorted(self.arrays):
            digest.update(name.encode() + self.arrays[name].tobytes())
        return digest.hexdigest()

    @property
    def layers(self) -> list[str]:
        """The convolutions and dense layers, each in a few words."""
        names: list[str] = []
        for layer in self.architecture:
            if layer["layer"] == "Conv2D":
                names.append(f"{layer['size']}×{layer['size']} convolution, {layer['outputs']} channels")  # noqa: RUF001
            elif layer["layer"] == "Dense":
                names.append(f"dense, {layer['outputs']} outputs")
            elif layer["layer"] == "MaxPool2D":
                names[-1] += ", then pooling"
        return names

    def rounded(self) -> Self:
        """The same with kernels and weights as float16 holds them, which halves the file."""
        arrays = {
            name: array.astype(np.float16).astype(np.float32) if array.ndim > 1 else array
            for name, array in self.arrays.items()
        }
        return replace(self, arrays=arrays)

    def array(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """The array of that name; raises UnusableWeights where it is absent, misshapen or not finite."""
        array = self.arrays.get(name)
        if array is None or array.shape != shape or array.dtype != np.float32:
            raise UnusableWeights(f"the weights have no float32 array {name} of shape {shape}")
        if not np.isfinite(array).all():
            raise UnusableWeights(f"the array {name} of the weights is not finite")
        return array


def save_weights(path: Path, weights: Weights) -> None:
    """Write the file whole or not at all; arrays of which float16 loses nothing are stored as such."""
    metadata = {
        "format": FORMAT,
        "architecture": weights.architecture,
        "temperature": weights.temperature,
        "uncertain_below": weights.uncertain_below,
        "no_digit_above": weights.no_digit_above,
        "figures": weights.figures.to_json(),
    }
    arrays = {name: shortest(array) for name, array in weights.arrays.items()}
    save_npz(path, {METADATA: np.frombuffer(json.dumps(metadata).encode(), np.uint8), **arrays})


def shortest(array: np.ndarray) -> np.ndarray:
    """An array in float16 if that is exact, or as it is."""
    with np.errstate(over="ignore"):
        half = array.astype(np.float16)
    return half if np.array_equal(half, array) else array


def load_weights(path: Path = SHIPPED) -> Weights:
    """Read a weights file; raises UnusableWeights for a foreign, damaged, older or newer one."""
    try:
        arrays = load_npz(path)
    except FileNotFoundError as error:
        raise UnusableWeights(f"{path}: no such file") from error
    except (OSError, ValueError) as error:
        raise UnusableWeights(f"{path}: {error}") from error
    try:
        metadata = json.loads(arrays.pop(METADATA).tobytes())
        found = metadata["format"]
    except (KeyError, TypeError, ValueError) as error:
        raise UnusableWeights(f"{path}: an .npz file, but not a weights file of this project") from error
    if found != FORMAT:
        raise UnusableWeights(f"{path}: weights of format {found}, this version reads format {FORMAT}; train them anew")
    try:
        weights = Weights(
            architecture=list(metadata["architecture"]),
            arrays={
                name: array.astype(np.float32) if array.dtype == np.float16 else array for name, array in arrays.items()
            },
            temperature=float(metadata["temperature"]),
            uncertain_below=float(metadata["uncertain_below"]),
            no_digit_above=float(metadata["no_digit_above"]),
            figures=Figures.from_json(metadata["figures"]),
        )
        if not 0 < weights.temperature < math.inf:
            raise ValueError(f"a temperature of {weights.temperature}")
        for name, value in (("uncertain_below", weights.uncertain_below), ("no_digit_above", weights.no_digit_above)):
            if not 0 <= value <= 1:
                raise ValueError(f"{name} is {value}, no probability")
        return weights
    except (KeyError, TypeError, ValueError) as error:
        raise UnusableWeights(f"{path}: its metadata can't be used ({error!r})") from error


def save_npz(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Like np.savez, but an interruption leaves the old file as it was."""
    unfinished = path.with_name(path.name + ".part")
    try:
        with unfinished.open("wb") as file:
            np.savez(file, **arrays)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def load_npz(path: Path) -> dict[str, np.ndarray]:
    """All arrays of an .npz file; never unpickles. Raises OSError for no file, ValueError for any other content."""
    with path.open("rb") as file:  # np.load, given the path, leaves the file open where it fails
        try:
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ValueError("no .npz archive")
            arrays = {name: archive[name] for name in archive.files}
            if not all(isinstance(array, np.ndarray) for array in arrays.values()):
                raise ValueError("not only arrays in it")
        except MemoryError:  # which the file is not to blame for
            raise
        except Exception as error:  # NumPy and zipfile answer damage with a dozen kinds of exception
            raise ValueError(f"damaged, or no .npz file of arrays ({error})") from error
        return arrays
