"""The fast forward pass: normalisation folded into the weights, layers fused, buffers kept between calls.

Never imports training code: it reads the architecture from the weights file and needs nothing else.
"""

import threading
from typing import Protocol

import numpy as np

from .weights import UnusableWeights, Weights

SIDE = 28
# Images that go through the network together: their windows and activations stay within a core's own cache.
BLOCK = 4
# BatchNorm.EPSILON of the training side.
EPSILON = np.float32(1e-5)


class Classifier:
    """A trained network that answers for 28x28 pixels.

    Safe under threads: the weights are only read, and each thread has buffers of its own.
    """

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self._thread = threading.local()
        try:
            self._steps = fold(weights)
            shape = self.logits(np.zeros((1, SIDE, SIDE), np.uint8)).shape  # only a trial tells that the layers fit
        except UnusableWeights:
            raise
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UnusableWeights(f"the architecture of the weights can't run ({error!r})") from error
        if shape != (1, 10):
            raise UnusableWeights(f"the architecture of the weights ends in {shape[1:]} values an image, expected 10")

    def logits(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels (n, 28, 28) uint8, ink 255 on 0 -> logits (n, 10) float32."""
        if pixels.ndim != 3 or pixels.shape[1:] != (SIDE, SIDE) or pixels.dtype != np.uint8:
            raise ValueError(f"expected (n, 28, 28) uint8, got {pixels.shape} {pixels.dtype}")
        return np.concatenate(
            [self._forward(pixels[start : start + BLOCK]) for start in range(0, len(pixels), BLOCK)]
            or [np.empty((0, 10), np.float32)]
        )

    def probabilities(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels (n, 28, 28) uint8, ink 255 on 0 -> calibrated probabilities (n, 10) float32."""
        return softmax(self.logits(pixels) / np.float32(self.weights.temperature))

    def _forward(self, block: np.ndarray) -> np.ndarray:
        if not hasattr(self._thread, "buffers"):
            self._thread.buffers = {}
        x = block[..., None]  # (b, 28, 28, 1)
        for step in self._steps:
            x = step.run(x, self._thread.buffers)
        return x


class Step(Protocol):
    """A few layers fused into one: everything up to the next product."""

    def run(self, x: np.ndarray, buffers: dict) -> np.ndarray: ...


class ConvStep:
    """Convolution, batch normalisation, perhaps 2x2 pooling, ReLU: (b, h, w, c) -> (b, h', w', outputs).

    One matrix product per kernel row over windows that are copied along the width only; pooling comes before
    bias and ReLU, which then have a quarter of the work.
    """

    def __init__(self, kernel: np.ndarray, bias: np.ndarray, pools: bool) -> None:
        size, _, inputs, outputs = kernel.shape
        self.size, self.pools, self.bias = size, pools, bias
        self.rows = np.ascontiguousarray(kernel.reshape(size, size * inputs, outputs))

    def run(self, x: np.ndarray, buffers: dict) -> np.ndarray:
        key = (self, len(x))
        if key not in buffers:
            buffers[key] = self._allocate(x.shape)
        windows, product, total, pooled = buffers[key]
        width = windows.shape[2]
        for column in range(self.size):
            windows[:, :, :, column] = x[:, :, column : column + width]
        flat = windows.reshape(len(x), -1, self.rows.shape[1])  # (b, h * width, size * c)
        b, height, _, outputs = total.shape
        sums, products = (a.reshape(b, height * width, outputs) for a in (total, product))
        np.matmul(flat[:, : height * width], self.rows[0], out=sums)
        for row in range(1, self.size):
            sums += np.matmul(flat[:, row * width : (row + height) * width], self.rows[row], out=products)
        if self.pools:
            np.maximum(total[:, 0::2], total[:, 1::2], out=product[:, : height // 2])
            np.maximum(product[:, : height // 2, 0::2], product[:, : height // 2, 1::2], out=pooled)
            total = pooled
        total += self.bias
        return np.maximum(total, 0, out=total)

    def _allocate(self, shape: tuple[int, ...]) -> tuple[np.ndarray, ...]:
        b, h, w, c = shape
        height, width, outputs = h - self.size + 1, w - self.size + 1, self.rows.shape[2]
        return (
            np.empty((b, h, width, self.size, c), np.float32),
            np.empty((b, height, width, outputs), np.float32),
            np.empty((b, height, width, outputs), np.float32),
            np.empty((b, height // 2, width // 2, outputs), np.float32),
        )


class DenseStep:
    """Dense, perhaps batch normalisation and ReLU: any (b, ...) -> (b, outputs)."""

    def __init__(self, weight: np.ndarray, bias: np.ndarray, rectifies: bool) -> None:
        self.weight, self.bias, self.rectifies = np.ascontiguousarray(weight), bias, rectifies

    def run(self, x: np.ndarray, buffers: dict) -> np.ndarray:
        out = x.reshape(len(x), -1) @ self.weight
        out += self.bias
        return np.maximum(out, 0, out=out) if self.rectifies else out


def fold(weights: Weights) -> list[Step]:
    """Fuse the architecture's layers: batch normalisation and the scale of the pixels go into the products.

    Raises UnusableWeights for arrays that don't fit the architecture, or an order of layers it can't fuse.
    """
    steps: list[Step] = []
    layers = list(enumerate(weights.architecture))
    scale = np.float32(1 / 255)  # pixels are 0-255, the network was trained on 0-1
    while layers:
        index, layer = layers.pop(0)
        kind = layer.get("layer")
        if kind in ("Flatten", "Dropout"):
            continue  # no arithmetic at inference
        following = []
        while layers and layers[0][1].get("layer") in ("BatchNorm", "MaxPool2D", "ReLU"):
            following.append(layers.pop(0))
        names = [entry["layer"] for _, entry in following]
        if kind == "Conv2D" and names in (["BatchNorm", "ReLU"], ["BatchNorm", "MaxPool2D", "ReLU"]):
            size, inputs, outputs = layer["size"], layer["inputs"], layer["outputs"]
            kernel = weights.array(f"{index}.kernel", (size, size, inputs, outputs))
            factor, shift = normalisation(weights, following[0][0], outputs)
            steps.append(ConvStep(kernel * (scale * factor), shift, "MaxPool2D" in names))
        elif kind == "Dense" and names in ([], ["BatchNorm", "ReLU"]):
            outputs = layer["outputs"]
            weight = weights.array(f"{index}.weight", (layer["inputs"], outputs))
            bias = weights.array(f"{index}.bias", (outputs,))
            factor, shift = normalisation(weights, following[0][0], outputs) if names else (np.float32(1), 0)
            steps.append(DenseStep(weight * (scale * factor), bias * factor + shift, bool(names)))
        else:
            raise UnusableWeights(f"layer {index} of the architecture: can't run {[kind, *names]}")
        scale = np.float32(1)
    return steps


def normalisation(weights: Weights, index: int, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Batch normalisation with running statistics as x * factor + shift, both (channels,)."""
    scale, shift, mean, variance = (
        weights.array(f"{index}.{name}", (channels,)) for name in ("scale", "shift", "mean", "variance")
    )
    factor = scale / np.sqrt(variance + EPSILON)
    return factor, shift - mean * factor


def softmax(logits: np.ndarray) -> np.ndarray:
    """Logits (n, 10) -> probabilities (n, 10), each row summing to 1, safe for any finite logits."""
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)
