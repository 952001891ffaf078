"""The steps of the fast forward pass, with convolutions by Winograd's method, and the program that runs them.

A program is a list of few NumPy calls on memory that is laid out once.

Arrays are (height, width, b, channels) float32. The b images that are computed together lie beside each other, so that
an operation which is the same for all channels is the same for all images, on rows b times as long.
"""

import functools
import math
from collections.abc import Callable
from typing import Protocol

import numpy as np

from .frame import SIDE
from .winograd import pieces, winograd


class Program:
    """The forward pass of b images as a list of NumPy calls on arrays that are made once.

    Images are so small that making the views and the memory for a call would take as long as the call itself.
    """

    def __init__(self, steps: list["Step"], b: int, shape: tuple[int, int] = (SIDE, SIDE)) -> None:
        self._calls: list[tuple[Callable, tuple[np.ndarray, ...], np.ndarray]] = []
        self._halves = [empty(0), empty(0)]
        self._pixels = np.zeros((b, *shape), np.float32)
        x = self._pixels.transpose(1, 2, 0)[..., None]  # (height, width, b, 1)
        self.outputs: list[np.ndarray] = []  # of each step; no later step writes into them
        for step in steps:
            x = step.lay_out(x, self)
            self.outputs.append(x)
        self.logits = x  # (b, outputs), or (columns, b, outputs) of a line

    def run(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels (b, height, width) -> logits, which the next run overwrites."""
        self._pixels[...] = pixels
        for function, inputs, out in self._calls:
            function(*inputs, out=out)
        return self.logits

    def scratch(self, half: int, *shape: int) -> np.ndarray:
        """Memory for what only the next call reads, half 0 or 1.

        All steps share the two halves: a call reads one and writes the other, so that the cache has little to hold.
        """
        size = math.prod(shape)
        if size > self._halves[half].size:
            self._halves[half] = empty(size)
        return self._halves[half][:size].reshape(shape)

    def add(self, function: Callable, *inputs: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Have each run call `function(*inputs, out=out)`; returns `out`."""
        self._calls.append((function, inputs, out))
        return out

    def pool(self, x: np.ndarray) -> np.ndarray:
        """The largest of each 2x2 square: (h, w, ...) -> (h / 2, w / 2, ...)."""
        height, width, *rest = x.shape
        rows = self.add(np.maximum, x[0::2], x[1::2], out=empty(height // 2, width, *rest))
        return self.add(np.maximum, rows[:, 0::2], rows[:, 1::2], out=empty(height // 2, width // 2, *rest))


class Step(Protocol):
    """A few layers fused into one: a matrix product and everything up to the next one.

    Bias and ReLU take one call, because max(x + bias, 0) = max(x, -bias) + bias. The step computes the first term,
    where -bias is its "floor"; `fuse` adds the contribution of the second term to the bias of the next step.
    """

    def lay_out(self, x: np.ndarray, program: Program) -> np.ndarray:
        """Add the calls of this step to the program.

        x: the array in which the step finds its input in each run. Returns the array in which it leaves its output.
        """


class PixelStep:
    """Convolution of the pixels, 2x2 pooling where `pools`, floor: (h, w, b, 1) -> (h', w', b, outputs).

    There is one product for each row of the output. The pixels are copied once for each column of the kernel, shifted
    along the width; a strided view of these copies is the transposed matrix of a row's windows.

    kernel: (size, size, 1, outputs); floor: (outputs,).
    """

    def __init__(self, kernel: np.ndarray, floor: np.ndarray, pools: bool) -> None:
        self.size, _, _, outputs = kernel.shape
        self.kernel = kernel.reshape(self.size**2, outputs).astype(np.float32)
        self.floor, self.pools = floor.astype(np.float32), pools

    def lay_out(self, x: np.ndarray, program: Program) -> np.ndarray:
        """(h, w, b, 1) -> (h - size + 1, w - size + 1, b, outputs), half as high and wide where it pools."""
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
    """Convolution, 2x2 pooling where `pools`, floor: (h, w, b, inputs) -> (h', w', b, outputs).

    Winograd's method (Lavin & Gray 2015, arXiv:1509.09308) divides the output into tiles of tile x tile pixels and the
    input into overlapping tiles of points x points pixels. In between, a tile is the values of a polynomial at
    points x points points, where convolution is multiplication. It takes a quarter of the multiplications and copies no
    windows.

    kernel: (size, size, inputs, outputs); floor: (outputs,).
    """

    def __init__(self, kernel: np.ndarray, floor: np.ndarray, pools: bool, tile: int) -> None:
        size, _, inputs, outputs = kernel.shape
        A, G, B = winograd(tile, size)
        self.A, self.B = A.astype(np.float32), B.astype(np.float32)
        kernels = np.einsum("ik,jl,klcf->ijcf", G, G, kernel)  # (points, points, inputs, outputs)
        self.kernels = kernels.reshape(-1, inputs, outputs).astype(np.float32)
        self.floor, self.pools = floor.astype(np.float32), pools

    def lay_out(self, x: np.ndarray, program: Program) -> np.ndarray:
        """(h, w, b, inputs) -> (h - size + 1, w - size + 1, b, outputs), half as high and wide where it pools."""
        A, B, kernels = self.A, self.B, self.kernels
        tile, points = A.shape
        _, inputs, outputs = kernels.shape
        height, width, b, _ = x.shape
        down, across = (height - points) // tile + 1, (width - points) // tile + 1

        # From pixels to points, first down the rows, then along them.
        bands = pieces(x.reshape(height, -1), points, tile, axis=0)  # (down, points, width * b * inputs)
        rows = program.add(np.matmul, B, bands, out=program.scratch(0, *bands.shape))
        rows = rows.reshape(down, points, width, b * inputs)
        tiles = pieces(rows, points, tile, axis=2)  # (down, points, across, points, b * inputs)
        values = program.scratch(1, points, points, down, across, b * inputs)
        program.add(np.matmul, B, tiles, out=values.transpose(2, 0, 3, 1, 4))

        # At each point, a product over the channels.
        products = program.scratch(0, points * points, down * across, b, outputs)
        values = values.reshape(*products.shape[:3], inputs)
        multiply(values, kernels, program, out=products)

        # From points to pixels, again one axis after the other; pixels at the same place in their tiles lie together.
        rows = program.add(
            np.matmul, A, products.reshape(points, -1), out=program.scratch(1, tile, products.size // points)
        )
        rows = rows.reshape(tile, points, -1)
        out = program.add(np.matmul, A, rows, out=program.scratch(0, tile, tile, rows.shape[2]))
        if self.pools:
            out, tile = program.pool(out), tile // 2

        # Back to the order of the image.
        out = out.reshape(tile, tile, down, across, b * outputs).transpose(2, 0, 3, 1, 4)
        image = empty(down * tile, across * tile, b, outputs)
        floor = spread(self.floor, image.shape)
        program.add(np.maximum, out, floor.reshape(out.shape), out=image.reshape(out.shape))
        return image


class BandStep:
    """What ConvStep does, with fewer and longer products, which suits few tiles without AVX-512.

    It takes Winograd's method down the rows alone, and copies windows along them. That saves half of the
    multiplications rather than three quarters. But with AVX2, OpenBLAS copies both factors of each product
    before it multiplies, and here are 6 or 7 products instead of 36 or 49, with fewer bytes of kernels to read.

    kernel: (size, size, inputs, outputs); floor: (outputs,).
    """

    def __init__(self, kernel: np.ndarray, floor: np.ndarray, pools: bool, tile: int) -> None:
        self.size, _, inputs, outputs = kernel.shape
        A, G, B = winograd(tile, self.size)
        self.A, self.B = A.astype(np.float32), B.astype(np.float32)
        kernels = np.einsum("ik,klcf->ilcf", G, kernel)  # (points, size, inputs, outputs)
        self.kernels = kernels.reshape(len(G), self.size * inputs, outputs).astype(np.float32)
        self.floor, self.pools = floor.astype(np.float32), pools

    def lay_out(self, x: np.ndarray, program: Program) -> np.ndarray:
        """(h, w, b, inputs) -> (h - size + 1, w - size + 1, b, outputs), half as high and wide where it pools."""
        A, B, kernels = self.A, self.B, self.kernels
        tile, points = A.shape
        outputs = kernels.shape[-1]
        height, width, b, inputs = x.shape
        down, across = (height - points) // tile + 1, width - self.size + 1

        # From pixels to points, down the rows.
        bands = pieces(x.reshape(height, -1), points, tile, axis=0)  # (down, points, width * b * inputs)
        rows = program.scratch(0, points, down, width * b * inputs)
        program.add(np.matmul, B, bands, out=rows.swapaxes(0, 1))

        # At each point, a product over the channels of windows of one row: (points * down, across, b, size, inputs).
        windows = pieces(rows.reshape(points * down, width, b, inputs), self.size, 1, axis=1).swapaxes(2, 3)
        windows = program.add(copy, windows, out=program.scratch(1, *windows.shape))
        products = program.scratch(0, points, down * across, b, outputs)
        multiply(windows.reshape(*products.shape[:3], -1), kernels, program, out=products)

        # From points to pixels.
        out = program.add(np.matmul, A, products.reshape(points, -1), out=program.scratch(1, tile, products[0].size))
        if self.pools:  # first the rows of pairs, which are whole in memory, then the columns
            tile, across = tile // 2, across // 2
            out = program.add(np.maximum, out[0::2], out[1::2], out=program.scratch(0, tile, out.shape[1]))
            out = out.reshape(tile, down, across, 2, -1)
            pooled = program.scratch(1, tile, down, across, b * outputs)
            out = program.add(np.maximum, out[..., 0, :], out[..., 1, :], out=pooled)

        # Back to the order of the image.
        image = empty(down * tile, across, b, outputs)
        ordered = image.reshape(down, tile, -1)
        floor = spread(self.floor, image.shape).reshape(ordered.shape)
        program.add(np.maximum, out.reshape(tile, down, -1).swapaxes(0, 1), floor, out=ordered)
        return image


class FlattenStep:
    """Each image as one row: (h, w, b, channels) -> (b, h * w * channels)."""

    def lay_out(self, x: np.ndarray, program: Program) -> np.ndarray:
        """(h, w, b, channels) -> (b, h * w * channels), a view of the input where b is 1."""
        x = x.transpose(2, 0, 1, 3)  # (b, h, w, channels)
        if len(x) > 1:  # a single image lies in one row already
            x = program.add(copy, x, out=empty(*x.shape))
        return x.reshape(len(x), -1)


class ColumnsStep:
    """Each `reach` columns beside each other as one row, as `layers.Columns` does.

    The output of dense layers for the columns of a line, (w, b, channels), is as one row of pixels.
    """

    def __init__(self, reach: int) -> None:
        self.reach = reach

    def lay_out(self, x: np.ndarray, program: Program) -> np.ndarray:
        """(h, w, b, channels) or (w, b, channels) -> (w - reach + 1, b, h * reach * channels)."""
        if x.ndim == 3:
            x = x[None]
        windows = pieces(x, self.reach, 1, axis=1).transpose(1, 3, 0, 2, 4)  # (w', b, h, reach, channels)
        return program.add(copy, windows, out=empty(*windows.shape)).reshape(*windows.shape[:2], -1)


class DenseStep:
    """A dense layer with its bias, or with a floor in place of the bias where it `rectifies`.

    weight: (inputs, outputs); bias: (outputs,).
    """

    def __init__(self, weight: np.ndarray, bias: np.ndarray, rectifies: bool) -> None:
        # With each output's weights together, a single image's product is faster by a tenth.
        self.weight = np.asfortranarray(weight, np.float32)
        self.bias, self.rectifies = bias.astype(np.float32), rectifies

    def lay_out(self, x: np.ndarray, program: Program) -> np.ndarray:
        """(b, inputs) -> (b, outputs), or (w, b, inputs) -> (w, b, outputs) for the columns of lines."""
        out = empty(*x.shape[:-1], len(self.bias))
        # One product for each image, so that its result is rounded as it is without the others.
        x, products = (x[:, None], out[:, None]) if x.ndim == 2 else (x.swapaxes(0, 1), out.swapaxes(0, 1))
        program.add(np.matmul, x, self.weight, out=products)
        if self.rectifies:
            return program.add(np.maximum, out, spread(-self.bias, out.shape), out=out)
        return program.add(np.add, out, spread(self.bias, out.shape), out=out)


def multiply(values: np.ndarray, kernels: np.ndarray, program: Program, out: np.ndarray) -> None:
    """Add the products of a convolution to the program, one at each point.

    values: (points, tiles, b, inputs); kernels: (points, inputs, outputs); out: (points, tiles, b, outputs).
    There is one product for all images, or one for each where that rounds differently.
    """
    points, tiles, b, inputs = values.shape
    if rounds_alike():
        values, out = values.reshape(points, tiles * b, inputs), out.reshape(points, tiles * b, -1)
        program.add(np.matmul, values, kernels, out=out)
    else:
        program.add(np.matmul, values.swapaxes(1, 2), kernels[:, None], out=out.swapaxes(1, 2))


def empty(*shape: int) -> np.ndarray:
    return np.empty(shape, np.float32)


def copy(x: np.ndarray, out: np.ndarray) -> None:
    np.copyto(out, x)


def spread(channels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Repeat one number for each channel, (channels,), over the other axes of a shape (..., channels).

    NumPy is fastest on two arrays of the same shape.
    """
    return np.broadcast_to(channels, shape).copy()


@functools.cache
def rounds_alike() -> bool:
    """Whether BLAS rounds a row of a product in the same way wherever the row stands and however many rows there are.

    OpenBLAS does so with AVX-512. With AVX2 it alternates between kernels that round differently: an image would get
    other logits in a batch than alone. So this also tells where BandStep is faster.
    """
    numbers = np.sin(np.arange(65 * 64, dtype=np.float32)).reshape(65, 64)
    row, matrix = numbers[:1], numbers[1:]
    products = [np.repeat(row, rows, axis=0) @ matrix for rows in (4, 16, 36, 144)]
    return all((product == products[0][0]).all() for product in products)
