"""The fast forward pass: normalisation folded into the weights, convolutions by Winograd's method, few NumPy calls.

Never imports training code: it reads the architecture from the weights file and needs nothing else.

Inside, images are (height, width, b, channels) float32: the b images of a block lie beside each other, so that what
treats all channels alike treats all images alike, in rows b times as long.
"""

import functools
import math
from collections.abc import Callable
from typing import Protocol

import numpy as np

from .frame import SIDE
from .weights import EPSILON, UnusableWeights, Weights
from .winograd import pieces, tile_side, winograd

# Images that go through the network together: fewer share the cost of a call with fewer, more outgrow a core's cache.
BLOCK = 4


class Classifier:
    """A trained network that answers for 28x28 pixels.

    Safe under threads: the weights are only read, and a program, which has buffers, is run by one thread at a time.
    """

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        # By number of images, the programs that no thread runs now; list.pop and list.append are atomic.
        self._idle: list[list[Program]] = [[] for _ in range(BLOCK + 1)]
        try:
            self._steps = fold(weights)
            program = Program(self._steps, 1)  # only a trial tells that the layers fit
        except UnusableWeights:
            raise
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UnusableWeights(f"the architecture of the weights can't run ({error!r})") from error
        if program.logits.shape != (1, 10):
            values = program.logits.shape[1:]
            raise UnusableWeights(f"the architecture of the weights ends in {values} values an image, expected 10")
        self._idle[1].append(program)

    def logits(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels (n, 28, 28) uint8, ink 255 on 0 -> logits (n, 10) float32, of each image the same in any batch."""
        if pixels.ndim != 3 or pixels.shape[1:] != (SIDE, SIDE) or pixels.dtype != np.uint8:
            raise ValueError(f"expected (n, 28, 28) uint8, got {pixels.shape} {pixels.dtype}")
        logits = empty(len(pixels), 10)
        for start in range(0, len(pixels), BLOCK):
            block = pixels[start : start + BLOCK]
            program = self._idle_program(len(block))
            logits[start : start + BLOCK] = program.run(block)
            self._idle[len(block)].append(program)
        return logits

    def probabilities(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels (n, 28, 28) uint8, ink 255 on 0 -> calibrated probabilities (n, 10) float32."""
        return softmax(self.logits(pixels) / np.float32(self.weights.temperature))

    def activations(self, pixels: np.ndarray) -> list[np.ndarray]:
        """What each convolution answers to one image, after pooling and ReLU.

        Pixels (28, 28) uint8, ink 255 on 0 -> for each convolution (height, width, channels) float32, at least 0.
        """
        program = self._idle_program(1)
        program.run(pixels[None])
        activations = [
            out[:, :, 0] - step.floor  # the bias that the step left to the next one, see Step
            for step, out in zip(self._steps, program.outputs, strict=True)
            if isinstance(step, PixelStep | ConvStep)
        ]
        self._idle[1].append(program)
        return activations

    def _idle_program(self, b: int) -> "Program":
        """A program for b images that no thread runs now; to be appended to `_idle` when it has run."""
        try:
            return self._idle[b].pop()
        except IndexError:
            return Program(self._steps, b)


class Program:
    """The forward pass of b images as a list of NumPy calls on arrays that lie ready.

    On this little data, making views and memory anew for each call would cost as much as the call itself.
    """

    def __init__(self, steps: list["Step"], b: int) -> None:
        self._calls: list[tuple[Callable, tuple[np.ndarray, ...], np.ndarray]] = []
        self._pixels = np.zeros((b, SIDE, SIDE), np.float32)
        x = self._pixels.transpose(1, 2, 0)[..., None]  # (28, 28, b, 1)
        self.outputs: list[np.ndarray] = []  # of each step; no later step writes into them
        for step in steps:
            x = step.lay_out(x, self)
            self.outputs.append(x)
        self.logits = x  # (b, 10)

    def run(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels (b, 28, 28) -> logits (b, 10), which the next run overwrites."""
        self._pixels[...] = pixels
        for function, inputs, out in self._calls:
            function(*inputs, out=out)
        return self.logits

    def add(self, function: Callable, *inputs: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Have each run call the function; returns `out`."""
        self._calls.append((function, inputs, out))
        return out

    def pool(self, x: np.ndarray) -> np.ndarray:
        """The largest of each 2x2 square: (h, w, ...) -> (h / 2, w / 2, ...)."""
        height, width, *rest = x.shape
        rows = self.add(np.maximum, x[0::2], x[1::2], out=empty(height // 2, width, *rest))
        return self.add(np.maximum, rows[:, 0::2], rows[:, 1::2], out=empty(height // 2, width // 2, *rest))


class Step(Protocol):
    """A few layers fused into one: everything up to the next product.

    Bias and ReLU are one call, as max(x + bias, 0) is max(x, -bias) + bias: the step answers with the first term, where
    -bias is its "floor", and `fold` gives the second one to the next step's bias.
    """

    def lay_out(self, x: np.ndarray, program: Program) -> np.ndarray:
        """Add the calls of this step to the program, given the array it finds its input in; returns its output's."""


class PixelStep:
    """Convolution of the pixels, perhaps 2x2 pooling, floor: (h, w, b, 1) -> (h', w', b, outputs).

    One product for each row of the output: copies of the pixels, shifted along the width, lie such that the
    windows of a row are a transposed matrix without copying them along the height too.
    """

    def __init__(self, kernel: np.ndarray, floor: np.ndarray, pools: bool) -> None:
        self.size, _, _, outputs = kernel.shape
        self.kernel = kernel.reshape(self.size**2, outputs).astype(np.float32)
        self.floor, self.pools = floor.astype(np.float32), pools

    def lay_out(self, x: np.ndarray, program: Program) -> np.ndarray:
        images = x[..., 0].transpose(2, 0, 1)  # (b, h, w)
        b, height, width = images.shape
        size, width, outputs = self.size, width - self.size + 1, self.kernel.shape[1]
        shifted = program.add(copy, pieces(images, width, 1, axis=2), out=empty(b, height, size, width))
        shifted = shifted.reshape(b, height * size, width)
        windows = pieces(shifted, size * size, size, axis=1)  # (b, h', size * size, w')
        out = empty(height - size + 1, width, b, outputs)
        program.add(np.matmul, windows.swapaxes(2, 3), self.kernel, out=out.transpose(2, 0, 1, 3))
        if self.pools:
            out = program.pool(out)
        return program.add(np.maximum, out, spread(self.floor, out.shape), out=out)


class ConvStep:
    """Convolution, perhaps 2x2 pooling, floor: (h, w, b, inputs) -> (h', w', b, outputs).

    By Winograd's method (Lavin & Gray 2015, arXiv:1509.09308): the output falls into tiles of tile x tile pixels, and
    the input into overlapping ones of points x points; in between, a tile's pixels are values at points x points
    points, where convolving is multiplying. A quarter of the multiplications is left, and no windows are copied.
    """

    def __init__(self, kernel: np.ndarray, floor: np.ndarray, pools: bool, tile: int) -> None:
        size, _, inputs, outputs = kernel.shape
        A, G, B = winograd(tile, size)
        self.A, self.B = A.astype(np.float32), B.astype(np.float32)
        kernels = np.einsum("ik,jl,klcf->ijcf", G, G, kernel)  # (points, points, inputs, outputs)
        self.kernels = kernels.reshape(-1, inputs, outputs).astype(np.float32)
        self.floor, self.pools = floor.astype(np.float32), pools

    def lay_out(self, x: np.ndarray, program: Program) -> np.ndarray:
        A, B, kernels = self.A, self.B, self.kernels
        tile, points = A.shape
        _, inputs, outputs = kernels.shape
        height, width, b, _ = x.shape
        down, across = (height - points) // tile + 1, (width - points) // tile + 1
        # Each product reads one half of this memory and writes the other: less of it to keep in cache.
        halves = empty(2, points**2 * down * across * b * max(inputs, outputs))

        def half(index: int, *shape: int) -> np.ndarray:
            return halves[index, : math.prod(shape)].reshape(shape)

        # Pixels to points, first down the rows, then along them.
        bands = pieces(x.reshape(height, -1), points, tile, axis=0)  # (down, points, width * b * inputs)
        rows = program.add(np.matmul, B, bands, out=half(0, *bands.shape))
        rows = rows.reshape(down, points, width, b * inputs)
        tiles = pieces(rows, points, tile, axis=2)  # (down, points, across, points, b * inputs)
        values = half(1, points, points, down, across, b * inputs)
        program.add(np.matmul, B, tiles, out=values.transpose(2, 0, 3, 1, 4))

        # At each point, a product over the channels: one for all images or, where that rounds otherwise, one for each.
        products = half(0, points * points, down * across, b, outputs)
        values = values.reshape(*products.shape[:3], inputs)
        if rounds_alike():
            rows = (points * points, -1)
            program.add(np.matmul, values.reshape(*rows, inputs), kernels, out=products.reshape(*rows, outputs))
        else:
            program.add(np.matmul, values.swapaxes(1, 2), kernels[:, None], out=products.swapaxes(1, 2))

        # Points to pixels, again by one axis after the other; what a tile's pixels have in common lies together.
        rows = program.add(np.matmul, A, products.reshape(points, -1), out=half(1, tile, products.size // points))
        rows = rows.reshape(tile, points, -1)
        out = program.add(np.matmul, A, rows, out=half(0, tile, tile, rows.shape[2]))
        if self.pools:
            out, tile = program.pool(out), tile // 2

        # Back to the order of the image.
        out = out.reshape(tile, tile, down, across, b * outputs).transpose(2, 0, 3, 1, 4)
        image = empty(down * tile, across * tile, b, outputs)
        floor = spread(self.floor, image.shape)
        program.add(np.maximum, out, floor.reshape(out.shape), out=image.reshape(out.shape))
        return image


class FlattenStep:
    """All values of an image in a row: (h, w, b, channels) -> (b, h * w * channels)."""

    def lay_out(self, x: np.ndarray, program: Program) -> np.ndarray:
        x = x.transpose(2, 0, 1, 3)  # (b, h, w, channels)
        if len(x) > 1:  # one image's values lie in a row already
            x = program.add(copy, x, out=empty(*x.shape))
        return x.reshape(len(x), -1)


class DenseStep:
    """Dense, perhaps floor, which takes the bias's place: (b, inputs) -> (b, outputs)."""

    def __init__(self, weight: np.ndarray, bias: np.ndarray, rectifies: bool) -> None:
        # With each output's weights together, a single image's product is faster by a tenth.
        self.weight = np.asfortranarray(weight, np.float32)
        self.bias, self.rectifies = bias.astype(np.float32), rectifies

    def lay_out(self, x: np.ndarray, program: Program) -> np.ndarray:
        out = empty(len(x), len(self.bias))
        # One product an image, so that each is rounded as it is alone.
        program.add(np.matmul, x[:, None], self.weight, out=out[:, None])
        if self.rectifies:
            return program.add(np.maximum, out, spread(-self.bias, out.shape), out=out)
        return program.add(np.add, out, spread(self.bias, out.shape), out=out)


def empty(*shape: int) -> np.ndarray:
    return np.empty(shape, np.float32)


def copy(x: np.ndarray, out: np.ndarray) -> None:
    np.copyto(out, x)


def spread(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The values, repeated along all axes but the last: NumPy is fastest where two arrays run in step for long."""
    return np.broadcast_to(values, shape).copy()


@functools.cache
def rounds_alike() -> bool:
    """Whether BLAS rounds a row of a product alike wherever it stands among however many rows.

    With AVX-512 OpenBLAS does; with AVX2 it has kernels that round differently take turns. An image would then get
    other answers in a batch than alone, and a product for each image costs batches a tenth.
    """
    numbers = np.sin(np.arange(65 * 64, dtype=np.float32)).reshape(65, 64)
    row, matrix = numbers[:1], numbers[1:]
    products = [np.repeat(row, rows, axis=0) @ matrix for rows in (4, 16, 36, 144)]
    return all((product == products[0][0]).all() for product in products)


def fold(weights: Weights) -> list[Step]:
    """Fuse the architecture's layers: batch normalisation and the scale of the pixels go into the products.

    Raises UnusableWeights for arrays that don't fit the architecture, or an order of layers it can't fuse.
    """
    steps: list[Step] = []
    layers = list(enumerate(weights.architecture))
    side = SIDE  # of the images that reach the next step
    scale = 1 / 255  # pixels are 0-255, the network was trained on 0-1
    missing = np.zeros(1)  # what each channel of the last step's output lacks, see Step
    while layers:
        index, layer = layers.pop(0)
        kind = layer.get("layer")
        if kind == "Dropout":
            continue  # no arithmetic at inference
        if kind == "Flatten":
            steps.append(FlattenStep())
            continue
        following = []
        while layers and layers[0][1].get("layer") in ("BatchNorm", "MaxPool2D", "ReLU"):
            following.append(layers.pop(0))
        names = [entry["layer"] for _, entry in following]
        if kind == "Conv2D" and names in (["BatchNorm", "ReLU"], ["BatchNorm", "MaxPool2D", "ReLU"]):
            size, inputs, outputs = layer["size"], layer["inputs"], layer["outputs"]
            kernel = weights.array(f"{index}.kernel", (size, size, inputs, outputs))
            factor, bias = normalisation(weights, following[0][0], outputs)
            kernel = kernel * (scale * factor)
            bias = bias + response(kernel, missing)
            pools, side = "MaxPool2D" in names, side - size + 1
            if steps:
                steps.append(ConvStep(kernel, -bias, pools, tile_side(side, size, pools)))
            else:
                steps.append(PixelStep(kernel, -bias, pools))
            side = side // 2 if pools else side
        elif kind == "Dense" and names in ([], ["BatchNorm", "ReLU"]):
            outputs = layer["outputs"]
            weight = weights.array(f"{index}.weight", (layer["inputs"], outputs))
            bias = weights.array(f"{index}.bias", (outputs,))
            factor, shift = normalisation(weights, following[0][0], outputs) if names else (1, 0)
            weight = weight * (scale * factor)
            bias = bias * factor + shift + response(weight, missing)
            steps.append(DenseStep(weight, bias, bool(names)))
        else:
            raise UnusableWeights(f"layer {index} of the architecture: can't run {[kind, *names]}")
        scale, missing = 1, bias if following else np.zeros(1)
    if missing.any():
        raise UnusableWeights("the architecture of the weights ends in ReLU, expected logits")
    return steps


def normalisation(weights: Weights, index: int, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Batch normalisation with running statistics as x * factor + shift, both (channels,) float64."""
    scale, shift, mean, variance = (
        weights.array(f"{index}.{name}", (channels,)).astype(np.float64)
        for name in ("scale", "shift", "mean", "variance")
    )
    factor = scale / np.sqrt(variance + EPSILON)
    return factor, shift - mean * factor


def response(kernel: np.ndarray, values: np.ndarray) -> np.ndarray:
    """What (..., inputs, outputs) or dense weights answer to an image of one value a channel: (outputs,)."""
    return values @ kernel.reshape(-1, len(values), kernel.shape[-1]).sum(axis=0)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Logits (n, 10) -> probabilities (n, 10), each row summing to 1, safe for any finite logits."""
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)
