"""The layers of the network, each with its forward pass and, right below it, its backward pass.

Images are (n, height, width, channels) float32. A layer keeps what its backward pass needs from the last forward
pass; `backward` takes the gradient of the loss by the layer's output, leaves the gradients of the parameters in
`gradients` and returns the gradient by the layer's input.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .convolution import Convolution, Direct, Winograd
from .weights import EPSILON

FLOAT = np.float32


class Layer:
    """The base of all layers: named parameters, their gradients, and running statistics, which are not trained.

    Every constructor takes the `rng` that draws the parameters, so that a network can make all layers in one way.
    """

    def __init__(self) -> None:
        self.parameters: dict[str, np.ndarray] = {}
        self.gradients: dict[str, np.ndarray] = {}
        self.statistics: dict[str, np.ndarray] = {}
        self.is_first = False  # in its network: `backward` may return None, as nothing needs the gradient by the pixels

    def forward(self, x: np.ndarray, training: bool, rng: np.random.Generator | None) -> np.ndarray:
        """The output for a batch x; dropout needs `rng`, in training only."""
        raise NotImplementedError

    def backward(self, d_out: np.ndarray) -> np.ndarray | None:
        """The gradient by the input of the last forward pass, from the gradient by its output; fills `gradients`."""
        raise NotImplementedError


class Conv2D(Layer):
    """Convolution without padding: (n, h, w, inputs) -> (n, h - size + 1, w - size + 1, outputs).

    It has no bias, because batch normalisation follows and has one.

    kernel: (size, size, inputs, outputs), drawn from He's normal distribution (He et al. 2015, arXiv:1502.01852).
    """

    def __init__(self, inputs: int, outputs: int, size: int, rng: np.random.Generator) -> None:
        super().__init__()
        scale = np.sqrt(2 / (size * size * inputs))
        self.parameters["kernel"] = rng.normal(0, scale, (size, size, inputs, outputs)).astype(FLOAT)
        self._method = Direct if inputs == 1 else Winograd
        self._convolutions: dict[tuple[int, ...], Convolution] = {}  # one for each shape, as it keeps its memory

    def forward(self, x: np.ndarray, training: bool, rng: np.random.Generator | None) -> np.ndarray:
        if x.shape not in self._convolutions:
            self._convolutions[x.shape] = self._method()
        self._convolution = self._convolutions[x.shape]
        return self._convolution.forward(x, self.parameters["kernel"])  # (n, h - size + 1, w - size + 1, outputs)

    def backward(self, d_out: np.ndarray) -> np.ndarray:
        kernel = self.parameters["kernel"]
        self.gradients["kernel"], d_x = self._convolution.backward(d_out, kernel, wants_input=not self.is_first)
        return d_x


class Dense(Layer):
    """Every output is a weighted sum of all inputs and a bias: (..., inputs) -> (..., outputs).

    weight: (inputs, outputs), drawn from He's normal distribution as the kernels of Conv2D are; bias: (outputs,), which
    starts at 0.
    """

    def __init__(self, inputs: int, outputs: int, rng: np.random.Generator) -> None:
        super().__init__()
        self.parameters["weight"] = rng.normal(0, np.sqrt(2 / inputs), (inputs, outputs)).astype(FLOAT)
        self.parameters["bias"] = np.zeros(outputs, FLOAT)

    def forward(self, x: np.ndarray, training: bool, rng: np.random.Generator | None) -> np.ndarray:
        self._x = x
        return x @ self.parameters["weight"] + self.parameters["bias"]

    def backward(self, d_out: np.ndarray) -> np.ndarray:
        flat = d_out.reshape(-1, d_out.shape[-1])
        self.gradients["weight"] = self._x.reshape(len(flat), -1).T @ flat
        self.gradients["bias"] = flat.sum(axis=0)
        return d_out @ self.parameters["weight"].T


class BatchNorm(Layer):
    """Normalise each channel to mean 0 and variance 1 over the batch, then scale and shift it as learned.

    It takes any shape whose last axis is the channel. Source: Ioffe & Szegedy 2015, arXiv:1502.03167; but the running
    variance is the variance of the m numbers in the batch, which the paper multiplies by m / (m - 1).
    """

    MOMENTUM = FLOAT(0.9)  # the fraction of their old value that running statistics keep: 1 - PyTorch's momentum

    def __init__(self, channels: int, rng: np.random.Generator) -> None:
        super().__init__()
        self.parameters["scale"] = np.ones(channels, FLOAT)
        self.parameters["shift"] = np.zeros(channels, FLOAT)
        self.statistics["mean"] = np.zeros(channels, FLOAT)
        self.statistics["variance"] = np.ones(channels, FLOAT)

    def forward(self, x: np.ndarray, training: bool, rng: np.random.Generator | None) -> np.ndarray:
        scale, shift = self.parameters["scale"], self.parameters["shift"]
        if not training:
            factor = scale / np.sqrt(self.statistics["variance"] + EPSILON)
            return x * factor + (shift - self.statistics["mean"] * factor)
        m = FLOAT(x.size // len(scale))
        mean = channel_sums(x) / m
        self._centred = x - along(mean, x)
        variance = channel_sums(self._centred * self._centred) / m
        self._inverse_standard_deviation = 1 / np.sqrt(variance + EPSILON)
        for name, value in (("mean", mean), ("variance", variance)):
            self.statistics[name] *= self.MOMENTUM
            self.statistics[name] += (1 - self.MOMENTUM) * value
        out = self._centred * along(scale * self._inverse_standard_deviation, x)
        out += along(shift, x)
        return out

    def backward(self, d_out: np.ndarray) -> np.ndarray:
        m = FLOAT(d_out.size // d_out.shape[-1])
        d_shift = channel_sums(d_out)
        d_scale = channel_sums(d_out * self._centred) * self._inverse_standard_deviation
        self.gradients["scale"], self.gradients["shift"] = d_scale, d_shift
        # Mean and variance depend on every input: that subtracts the gradient's components along 1 and the output.
        d_x = self._centred * along(d_scale * self._inverse_standard_deviation / -m, d_out)
        d_x += d_out
        d_x -= along(d_shift / m, d_out)
        d_x *= along(self.parameters["scale"] * self._inverse_standard_deviation, d_out)
        return d_x


def along(channels: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Repeat one number for each channel, (channels,), to the shape of one image of x, (h, w, channels).

    NumPy is faster on a long row than on many short ones.
    """
    return np.broadcast_to(channels, x.shape[1:]).copy()


def channel_sums(x: np.ndarray) -> np.ndarray:
    """Sum over all axes but the last, (channels,): a matrix product is faster and more exact than `sum` in float32."""
    flat = x.reshape(-1, x.shape[-1])
    return np.ones(len(flat), FLOAT) @ flat


class ReLU(Layer):
    """max(x, 0)."""

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__()

    def forward(self, x: np.ndarray, training: bool, rng: np.random.Generator | None) -> np.ndarray:
        self._positive = x > 0
        return x * self._positive  # faster than np.maximum

    def backward(self, d_out: np.ndarray) -> np.ndarray:
        return d_out * self._positive


class MaxPool2D(Layer):
    """The largest of each 2x2 square: (n, h, w, c) -> (n, h / 2, w / 2, c); h and w must be even."""

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__()

    def forward(self, x: np.ndarray, training: bool, rng: np.random.Generator | None) -> np.ndarray:
        rows = np.maximum(x[:, 0::2], x[:, 1::2])  # (n, h / 2, w, c)
        out = np.maximum(rows[:, :, 0::2], rows[:, :, 1::2])
        self._upper, self._left = x[:, 0::2] == rows, rows[:, :, 0::2] == out
        return out

    def backward(self, d_out: np.ndarray) -> np.ndarray:
        # Where two numbers are equal, only the first gets the gradient.
        n, height, width, channels = d_out.shape
        d_rows = np.empty((n, height, 2 * width, channels), d_out.dtype)
        np.multiply(d_out, self._left, out=d_rows[:, :, 0::2])
        np.subtract(d_out, d_rows[:, :, 0::2], out=d_rows[:, :, 1::2])
        d_x = np.empty((n, 2 * height, 2 * width, channels), d_out.dtype)
        np.multiply(d_rows, self._upper, out=d_x[:, 0::2])
        np.subtract(d_rows, d_x[:, 0::2], out=d_x[:, 1::2])
        return d_x


class Columns(Layer):
    """Each `reach` columns beside each other as one row: (n, h, w, c) -> (n, 1, w - reach + 1, h * reach * c).

    A dense layer that follows is a convolution over the whole height of the image.
    """

    def __init__(self, reach: int, rng: np.random.Generator) -> None:
        super().__init__()
        self.reach = reach

    def forward(self, x: np.ndarray, training: bool, rng: np.random.Generator | None) -> np.ndarray:
        self._shape = x.shape
        windows = sliding_window_view(x, self.reach, axis=2).transpose(0, 2, 1, 4, 3)  # (n, w', h, reach, c)
        return windows.reshape(len(x), 1, windows.shape[1], -1)

    def backward(self, d_out: np.ndarray) -> np.ndarray:
        n, height, _, channels = self._shape
        width = d_out.shape[2]
        d_windows = d_out.reshape(n, width, height, self.reach, channels).transpose(3, 0, 2, 1, 4)
        d_x = np.zeros(self._shape, d_out.dtype)
        for place, d_column in enumerate(d_windows):
            d_x[:, :, place : place + width] += d_column
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
    """In training, each input becomes 0 with probability `rate`, and the others are divided by 1 - rate.

    Source: Srivastava et al. 2014, JMLR 15, in the inverted form, which does nothing at inference.
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
