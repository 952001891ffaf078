"""The network: its architecture as one list, and the layers of that list run forward and backward."""

from typing import Self

import numpy as np

from . import layers

# 198,059 parameters, 10 million multiply-adds an image. Pooling comes before ReLU: that gives the same result with a
# quarter of the work.
ARCHITECTURE = [
    # input                                                      28 x 28 x  1
    {"layer": "Conv2D", "inputs": 1, "outputs": 32, "size": 3},  # 26 x 26 x 32
    {"layer": "BatchNorm", "channels": 32},
    {"layer": "ReLU"},
    {"layer": "Conv2D", "inputs": 32, "outputs": 32, "size": 3},  # 24 x 24 x 32
    {"layer": "BatchNorm", "channels": 32},
    {"layer": "MaxPool2D"},  # 12 x 12 x 32
    {"layer": "ReLU"},
    {"layer": "Conv2D", "inputs": 32, "outputs": 64, "size": 3},  # 10 x 10 x 64
    {"layer": "BatchNorm", "channels": 64},
    {"layer": "ReLU"},
    {"layer": "Conv2D", "inputs": 64, "outputs": 64, "size": 3},  # 8 x 8 x 64
    {"layer": "BatchNorm", "channels": 64},
    {"layer": "MaxPool2D"},  # 4 x 4 x 64
    {"layer": "ReLU"},
    {"layer": "Flatten"},  # 1024
    {"layer": "Dense", "inputs": 1024, "outputs": 128},
    {"layer": "BatchNorm", "channels": 128},
    {"layer": "ReLU"},
    {"layer": "Dropout", "rate": 0.3},
    {"layer": "Dense", "inputs": 128, "outputs": 11},  # ten digits, and no digit
]


class Network:
    """The layers of an architecture in order, with parameters drawn from `rng`."""

    def __init__(self, architecture: list[dict], rng: np.random.Generator) -> None:
        self.architecture = architecture
        self.layers = [
            getattr(layers, entry["layer"])(**{k: v for k, v in entry.items() if k != "layer"}, rng=rng)
            for entry in architecture
        ]
        self.layers[0].is_first = True

    def forward(self, x: np.ndarray, training: bool = False, rng: np.random.Generator | None = None) -> np.ndarray:
        """Images (n, 28, 28, 1) float32, ink 1 on 0 -> logits (n, 11). `rng` drives dropout, in training only."""
        for layer in self.layers:
            x = layer.forward(x, training, rng)
        return x

    def backward(self, d_logits: np.ndarray) -> None:
        """Fill the gradients of all layers, given the gradient of the loss by the logits, (n, 11)."""
        for layer in reversed(self.layers):
            d_logits = layer.backward(d_logits)

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """The trained arrays themselves by name, such as `0.kernel`: writing into them changes the network."""
        return {f"{i}.{name}": a for i, layer in enumerate(self.layers) for name, a in layer.parameters.items()}

    @property
    def gradients(self) -> dict[str, np.ndarray]:
        """The gradients of the last backward pass, under the names of the parameters."""
        return {f"{i}.{name}": a for i, layer in enumerate(self.layers) for name, a in layer.gradients.items()}

    @property
    def state(self) -> dict[str, np.ndarray]:
        """The parameters and running statistics by name: all the arrays that inference needs."""
        statistics = {f"{i}.{name}": a for i, layer in enumerate(self.layers) for name, a in layer.statistics.items()}
        return self.parameters | statistics

    def replicate(self) -> Self:
        """A network that shares the parameter arrays, for another thread.

        It remembers its own forward pass, and has its own gradients and running statistics.
        """
        replica = type(self)(self.architecture, np.random.default_rng(0))
        for mine, theirs in zip(self.layers, replica.layers, strict=True):
            theirs.parameters = mine.parameters
        return replica
