"""What each unit of a network looks at: the units of the layer before that it weighs most, and their weights."""

from typing import NamedTuple

import numpy as np

from .fusion import Block, blocks_of, normalisation
from .weights import Weights


class Links(NamedTuple):
    """The strongest connections of a layer's units to those of the layer before, the strongest first.

    A weight says how much an activation of 1, or full ink, adds to the unit: batch normalisation is part of it.
    """

    sources: np.ndarray  # (units, links) int: places of the units in the layer before
    weights: np.ndarray  # (units, links, height, width) float64: of each pixel of the source that the unit sees


def anatomy(weights: Weights, most: int) -> list[Links]:
    """The links of all layers with weights, in order, at most so many for each unit; of the last layer all.

    Connections are compared by the square root of the sum of their squared weights.
    """
    kernels = kernels_of(weights)
    return [strongest(kernel, most) for kernel in kernels[:-1]] + [strongest(kernels[-1], len(kernels[-1][0, 0]))]


def kernels_of(weights: Weights) -> list[np.ndarray]:
    """The weights of each layer as a unit sees the layer before: (height, width, inputs, outputs) float64."""
    kernels, channels = [], 1
    for block in blocks_of(weights.architecture):
        match block.kinds[0]:
            case "Conv2D":
                size, channels = block.layers[0]["size"], block.layers[0]["outputs"]
                kernels.append(normalised(weights, block, "kernel", (size, size, block.layers[0]["inputs"], channels)))
            case "Dense":
                inputs, outputs = block.layers[0]["inputs"], block.layers[0]["outputs"]
                side = round((inputs / channels) ** 0.5)  # of the maps before, 1 where those are neurons
                kernel = normalised(weights, block, "weight", (inputs, outputs))
                kernels.append(kernel.reshape(side, side, channels, outputs))
                channels = outputs
    return kernels


def normalised(weights: Weights, block: Block, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """An array of a block's first layer, whose last axis is its outputs, with the batch normalisation after it."""
    array = weights.array(f"{block.places[0]}.{name}", shape).astype(np.float64)
    if "BatchNorm" not in block.kinds:
        return array
    factor, _ = normalisation(weights, block.places[block.kinds.index("BatchNorm")], shape[-1])
    return array * factor


def strongest(kernel: np.ndarray, most: int) -> Links:
    """The links of a kernel (height, width, inputs, outputs), at most so many for each output."""
    by_unit = kernel.transpose(3, 2, 0, 1)  # (outputs, inputs, height, width)
    strength = np.square(by_unit).sum(axis=(2, 3))
    sources = np.argsort(-strength, axis=1, kind="stable")[:, :most]
    return Links(sources, np.take_along_axis(by_unit, sources[:, :, None, None], axis=1))
