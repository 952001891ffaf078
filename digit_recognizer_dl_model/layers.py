"""The layers of the network, each with its forward pass and, right below it, its backward pass.

Images are (n, height, width, channels) float32. A layer keeps what its backward pass needs from the last forward
pass; `backward` takes the gradient of the loss by the layer's output, leaves the gradients of the parameters in
`gradients` and returns the gradient by the layer's input.
"""

import numpy as np

FLOAT = np.float32


class Layer:
    """What all layers share: named parameters, their gradients, and running statistics that are not trained."""

    def __init__(self) -> None:
        self.parameters: dict[str, np.ndarray] = {}
        self.gradients: dict[str, np.ndarray] = {}
        self.statistics: dict[str, np.ndarray] = {}


class Conv2D(Layer):
    """Convolution without padding and without bias (batch normalisation follows and has one).

    kernel: (size, size, inputs, outputs), drawn from He's normal distribution (He et al. 2015, arXiv:1502.01852).
    """

    def __init__(self, inputs: int, outputs: int, size: int, rng: np.random.Generator) -> None:
        super().__init__()
        scale = np.sqrt(2 / (size * size * inputs))
        self.parameters["kernel"] = rng.normal(0, scale, (size, size, inputs, outputs)).astype(FLOAT)

    def forward(self, x: np.ndarray, training: bool, rng: np.random.Generator | None) -> np.ndarray:
        kernel = self.parameters["kernel"]
        self._windows = windows_along_width(x, len(kernel))  # (n, h, w - size + 1, size * inputs)
        return correlate(self._windows, kernel)  # (n, h - size + 1, w - size + 1, outputs)

    def backward(self, d_out: np.ndarray) -> np.ndarray:
        kernel = self.parameters["kernel"]
        size, _, inputs, outputs = kernel.shape
        n, height, width, _ = d_out.shape
        windows = self._windows.reshape(n, -1, size * inputs)  # (n, h * width, size * inputs)
        flat = d_out.reshape(n, height * width, outputs)
        d_kernel = np.empty_like(kernel)
        for row in range(size):
            seen = windows[:, row * width : (row + height) * width]  # (n, height * width, size * inputs)
            d_kernel[row] = (seen.transpose(0, 2, 1) @ flat).sum(axis=0).reshape(size, inputs, outputs)
        self.gradients["kernel"] = d_kernel
        # Every input pixel was seen by the outputs around it: the same correlation with the kernel turned by 180
        # degrees, inputs and outputs exchanged.
        margin = size - 1
        padded = np.zeros((n, height + 2 * margin, width + 2 * margin, outputs), FLOAT)
        padded[:, margin : margin + height, margin : margin + width] = d_out
        turned = np.ascontiguousarray(kernel[::-1, ::-1].transpose(0, 1, 3, 2))  # (size, size, outputs, inputs)
        return correlate(windows_along_width(padded, size), turned)


def windows_along_width(x: np.ndarray, size: int) -> np.ndarray:
    """Copy, for each pixel, the `size` pixels from it to the right: (n, h, w, c) -> (n, h, w - size + 1, size * c)."""
    n, height, width, channels = x.shape
    windows = np.empty((n, height, width - size + 1, size, channels), FLOAT)
    for column in range(size):
        windows[:, :, :, column] = x[:, :, column : column + width - size + 1]
    return windows.reshape(n, height, width - size + 1, size * channels)


def correlate(windows: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Slide the kernel over the image: one matrix product per kernel row, summed.

    windows: (n, h, width, size * inputs) of `windows_along_width`; kernel: (size, size, inputs, outputs).
    Returns (n, h - size + 1, width, outputs). Rows of windows lie one after the other in memory, so shifting by a
    kernel row is a slice; a full im2col would copy `size` times as much.
    """
    n, rows, width, _ = windows.shape
    size, _, inputs, outputs = kernel.shape
    height = rows - size + 1
    flat = windows.reshape(n, rows * width, size * inputs)
    weights = kernel.reshape(size, size * inputs, outputs)
    out = flat[:, : height * width] @ weights[0]  # (n, height * width, outputs)
    for row in range(1, size):
        out += flat[:, row * width : (row + height) * width] @ weights[row]
    return out.reshape(n, height, width, outputs)


class Dense(Layer):
    """Every output is a weighted sum of all inputs: (n, inputs) -> (n, outputs)."""

    def __init__(self, inputs: int, outputs: int, rng: np.random.Generator) -> None:
        super().__init__()
        self.parameters["weight"] = rng.normal(0, np.sqrt(2 / inputs), (inputs, outputs)).astype(FLOAT)
        self.parameters["bias"] = np.zeros(outputs, FLOAT)

    def forward(self, x: np.ndarray, training: bool, rng: np.random.Generator | None) -> np.ndarray:
        self._x = x
        return x @ self.parameters["weight"] + self.parameters["bias"]

    def backward(self, d_out: np.ndarray) -> np.ndarray:
        self.gradients["weight"] = self._x.T @ d_out
        self.gradients["bias"] = d_out.sum(axis=0)
        return d_out @ self.parameters["weight"].T


class BatchNorm(Layer):
    """Each channel to mean 0 and variance 1 over the batch, then scaled and shifted as learned.

    Works on any shape whose last axis is the channel. Source: Ioffe & Szegedy 2015, arXiv:1502.03167.
    """

    EPSILON = FLOAT(1e-5)
    MOMENTUM = FLOAT(0.9)

    def __init__(self, channels: int, rng: np.random.Generator) -> None:
        super().__init__()
        self.parameters["scale"] = np.ones(channels, FLOAT)
        self.parameters["shift"] = np.zeros(channels, FLOAT)
        self.statistics["mean"] = np.zeros(channels, FLOAT)
        self.statistics["variance"] = np.ones(channels, FLOAT)

    def forward(self, x: np.ndarray, training: bool, rng: np.random.Generator | None) -> np.ndarray:
        flat = x.reshape(-1, x.shape[-1])  # (m, channels)
        scale, shift = self.parameters["scale"], self.parameters["shift"]
        if not training:
            factor = scale / np.sqrt(self.statistics["variance"] + self.EPSILON)
            return (flat * factor + (shift - self.statistics["mean"] * factor)).reshape(x.shape)
        mean = column_sums(flat) / FLOAT(len(flat))
        centred = flat - mean
        variance = column_sums(centred * centred) / FLOAT(len(flat))
        self._inverse_deviation = 1 / np.sqrt(variance + self.EPSILON)
        centred *= self._inverse_deviation
        self._normalised = centred
        for name, value in (("mean", mean), ("variance", variance)):
            self.statistics[name] *= self.MOMENTUM
            self.statistics[name] += (1 - self.MOMENTUM) * value
        return (centred * scale + shift).reshape(x.shape)

    def backward(self, d_out: np.ndarray) -> np.ndarray:
        flat = d_out.reshape(-1, d_out.shape[-1])  # (m, channels)
        d_shift = column_sums(flat)
        d_scale = column_sums(flat * self._normalised)
        self.gradients["scale"], self.gradients["shift"] = d_scale, d_shift
        # Mean and variance depend on every input, which takes the parts along 1 and along the output out again.
        d_x = self._normalised * (d_scale / FLOAT(-len(flat)))
        d_x += flat
        d_x -= d_shift / FLOAT(len(flat))
        d_x *= self.parameters["scale"] * self._inverse_deviation
        return d_x.reshape(d_out.shape)


def column_sums(x: np.ndarray) -> np.ndarray:
    """Sum over rows as a matrix product, which is faster and rounds less than float32 `sum(axis=0)`."""
    return np.ones(len(x), FLOAT) @ x


class ReLU(Layer):
    """max(x, 0)."""

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__()

    def forward(self, x: np.ndarray, training: bool, rng: np.random.Generator | None) -> np.ndarray:
        self._positive = x > 0
        return np.maximum(x, 0)

    def backward(self, d_out: np.ndarray) -> np.ndarray:
        return d_out * self._positive


class MaxPool2D(Layer):
    """The largest of each 2x2 square: (n, h, w, c) -> (n, h / 2, w / 2, c)."""

    CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__()

    def forward(self, x: np.ndarray, training: bool, rng: np.random.Generator | None) -> np.ndarray:
        top = np.maximum(x[:, 0::2, 0::2], x[:, 0::2, 1::2])
        bottom = np.maximum(x[:, 1::2, 0::2], x[:, 1::2, 1::2])
        out = np.maximum(top, bottom)
        self._x, self._out = x, out
        return out

    def backward(self, d_out: np.ndarray) -> np.ndarray:
        d_x = np.empty_like(self._x)
        free = np.ones(d_out.shape, bool)  # of equal largest values, the first alone gets the gradient
        for row, column in self.CORNERS:
            largest = (self._x[:, row::2, column::2] == self._out) & free
            d_x[:, row::2, column::2] = d_out * largest
            free &= ~largest
        return d_x


class Flatten(Layer):
    """(n, h, w, c) -> (n, h * w * c)."""

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__()

    def forward(self, x: np.ndarray, training: bool, rng: np.random.Generator | None) -> np.ndarray:
        self._shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, d_out: np.ndarray) -> np.ndarray:
        return d_out.reshape(self._shape)


class Dropout(Layer):
    """In training, a share `rate` of the inputs becomes 0 and the others grow to make up for it.

    Source: Srivastava et al. 2014, JMLR 15, in the inverted form that leaves inference alone.
    """

    def __init__(self, rate: float, rng: np.random.Generator) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: np.ndarray, training: bool, rng: np.random.Generator | None) -> np.ndarray:
        if not training:
            return x
        self._factor = (rng.random(x.shape, FLOAT) >= self.rate).astype(FLOAT) / FLOAT(1 - self.rate)
        return x * self._factor

    def backward(self, d_out: np.ndarray) -> np.ndarray:
        return d_out * self._factor
