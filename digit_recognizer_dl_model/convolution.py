"""The two ways in which `layers.Conv2D` convolves in training, each forward and, right below it, backward.

Images are (n, height, width, channels), kernels (size, size, inputs, outputs), and h and w are the sides of the output.
"""

import math
from typing import Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .winograd import pieces, tile_side, winograd

# Images that are convolved together: with fewer the products are short, more outgrow a core's cache.
BLOCK = 8


class Convolution(Protocol):
    """Correlation of images with a kernel, without padding."""

    def forward(self, x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        """Images (n, height, width, inputs) -> (n, h, w, outputs); remembers what `backward` needs."""

    def backward(
        self, d_out: np.ndarray, kernel: np.ndarray, wants_input: bool
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """The gradients of the loss for the last forward pass.

        d_out: (n, h, w, outputs), the gradient by the output. Returns the gradient by the kernel, in the kernel's
        shape, and the gradient by the input, (n, height, width, inputs), or None unless `wants_input`.
        """


class Direct:
    """One product with a copy of the window of each output pixel: best for images of one channel, such as pixels."""

    def forward(self, x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        """Images (n, height, width, inputs) -> (n, h, w, outputs)."""
        size, _, inputs, outputs = kernel.shape
        windows = sliding_window_view(x, (size, size), axis=(1, 2))  # (n, h, w, inputs, size, size)
        self._windows = windows.transpose(4, 5, 3, 0, 1, 2).reshape(size * size * inputs, -1)
        return (self._windows.T @ kernel.reshape(-1, outputs)).reshape(*windows.shape[:3], outputs)

    def backward(
        self, d_out: np.ndarray, kernel: np.ndarray, wants_input: bool
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """The gradients by the kernel and, or None, by the input; each window adds its gradient to the input's."""
        n, height, width, outputs = d_out.shape
        size, _, inputs, _ = kernel.shape
        flat = d_out.reshape(-1, outputs)
        d_kernel = (self._windows @ flat).reshape(kernel.shape)
        if not wants_input:
            return d_kernel, None
        d_windows = (kernel.reshape(-1, outputs) @ flat.T).reshape(size, size, inputs, n, height, width)
        d_x = np.zeros((n, height + size - 1, width + size - 1, inputs), d_out.dtype)
        for row, column in np.ndindex(size, size):
            d_x[:, row : row + height, column : column + width] += d_windows[row, column].transpose(1, 2, 3, 0)
        return d_kernel, d_x


class Winograd:
    """Winograd's method as in `program.ConvStep`, which takes a quarter of the multiplications.

    Every step is a product, so the backward pass goes through the same steps from the last to the first, with the
    matrices transposed, and saves the same. Images are convolved in blocks of b, which lie beside each other as
    (height, width, b, channels): that makes the rows of these products b times as long.
    """

    def __init__(self) -> None:
        self._shape, self._dtype = None, None

    def _lay_out(self, shape: tuple[int, ...], kernel: np.ndarray) -> None:
        """Make the matrices, and the memory that all blocks of all training steps share."""
        n, height, width, inputs = shape
        size, _, _, outputs = kernel.shape
        self._shape, self._dtype = shape, kernel.dtype
        h, w = height - size + 1, width - size + 1
        tile = tile_side(math.gcd(h, w), size, pools=False)
        A, G, B = winograd(tile, size)
        self.A, self.B, self.G = (matrix.astype(kernel.dtype) for matrix in (A, B, np.kron(G, G)))
        points, down, across = len(G), h // tile, w // tile
        b = max(b for b in range(1, BLOCK + 1) if n % b == 0)
        tiles = down * across * b

        def empty(*shape: int) -> np.ndarray:
            return np.empty(shape, kernel.dtype)

        # In the order in which `forward` fills them; `backward` overwrites most of them with the gradients by them.
        self._kernels = empty(points**2, inputs, outputs)
        self._image = empty(height, width, b, inputs)
        self._rows = empty(down, points, width, b * inputs)
        self._values = empty(n // b, points**2, tiles, inputs)  # of all blocks: the gradient by the kernel needs them
        self._products = empty(points**2, tiles, outputs)
        self._columns = empty(tile, points, tiles * outputs)
        self._pixels = empty(tile, tile, down, across, b, outputs)
        self._d_values = empty(points**2, tiles, inputs)
        self._d_rows = empty(down, points, across, points, b * inputs)
        self._d_image = empty(down, points, width * b * inputs)

    def forward(self, x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        """Images (n, height, width, inputs) -> (n, h, w, outputs)."""
        if (x.shape, kernel.dtype) != (self._shape, self._dtype):
            self._lay_out(x.shape, kernel)
        size, _, inputs, outputs = kernel.shape
        tile, points = self.A.shape
        _, _, down, across, b, _ = self._pixels.shape
        np.matmul(self.G, kernel.reshape(size**2, -1), out=self._kernels.reshape(points**2, -1))
        out = np.empty((len(x) // b, b, down, tile, across, tile, outputs), kernel.dtype)
        bands = pieces(self._image.reshape(len(self._image), -1), points, tile, axis=0)  # (down, points, ...)
        tiles = pieces(self._rows, points, tile, axis=2)  # (down, points, across, points, b * inputs)
        for images, values, answers in zip(x.reshape(-1, b, *x.shape[1:]), self._values, out, strict=True):
            self._image[...] = images.transpose(1, 2, 0, 3)
            # From pixels to points, first down the rows, then along them.
            np.matmul(self.B, bands, out=self._rows.reshape(bands.shape))
            by_point = values.reshape(points, points, down, across, b * inputs)
            np.matmul(self.B, tiles, out=by_point.transpose(2, 0, 3, 1, 4))
            # At each point, a product over the channels.
            np.matmul(values, self._kernels, out=self._products)
            # From points to pixels, again one axis after the other, and back to the order of the images.
            np.matmul(self.A, self._products.reshape(points, -1), out=self._columns.reshape(tile, -1))
            np.matmul(self.A, self._columns, out=self._pixels.reshape(tile, tile, -1))
            answers[...] = self._pixels.transpose(4, 2, 0, 3, 1, 5)
        return out.reshape(len(x), down * tile, across * tile, outputs)

    def backward(
        self, d_out: np.ndarray, kernel: np.ndarray, wants_input: bool
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """The gradients by the kernel and, or None, by the input, block by block through the steps of `forward`."""
        *_, inputs, outputs = kernel.shape
        tile, points = self.A.shape
        _, _, down, across, b, _ = self._pixels.shape
        height = len(self._image)
        transposed = self._kernels.transpose(0, 2, 1).copy()  # products read a copy faster than a view
        d_kernels = np.zeros_like(self._kernels)
        d_x = np.empty((len(self._values), b, *self._shape[1:]), d_out.dtype)
        blocks = d_out.reshape(-1, b, down, tile, across, tile, outputs)
        for answers, values, images in zip(blocks, self._values, d_x, strict=True):
            self._pixels[...] = answers.transpose(2, 4, 1, 3, 0, 5)
            np.matmul(self.A.T, self._pixels.reshape(tile, tile, -1), out=self._columns)
            np.matmul(self.A.T, self._columns.reshape(tile, -1), out=self._products.reshape(points, -1))
            d_kernels += values.transpose(0, 2, 1) @ self._products
            if not wants_input:
                continue
            np.matmul(self._products, transposed, out=self._d_values)
            by_point = self._d_values.reshape(points, points, down, across, b * inputs)
            np.matmul(self.B.T, by_point.transpose(2, 0, 3, 1, 4), out=self._d_rows)
            add_pieces(self._d_rows, tile, axis=2, out=self._rows)
            np.matmul(self.B.T, self._rows.reshape(down, points, -1), out=self._d_image)
            add_pieces(self._d_image, tile, axis=0, out=self._image.reshape(height, -1))
            images[...] = self._image.transpose(2, 0, 1, 3)
        d_kernel = (self.G.T @ d_kernels.reshape(points**2, -1)).reshape(kernel.shape)
        return d_kernel, d_x.reshape(self._shape) if wants_input else None


def add_pieces(d_pieces: np.ndarray, step: int, axis: int, out: np.ndarray) -> None:
    """Add up overlapping pieces of an axis where `winograd.pieces` takes them: (.., m, size, ..) -> (.., n, ..)."""
    before = (slice(None),) * axis
    count, size = d_pieces.shape[axis : axis + 2]
    out[(*before, slice(step * count, None))] = 0  # the first pieces to reach the others overwrite them
    for place in range(size):
        seen = out[(*before, slice(place, place + step * count, step))]
        d_seen = d_pieces[(*before, slice(None), place)]
        if place < step:
            seen[...] = d_seen
        else:
            seen += d_seen
