"""The layers of an architecture fused into the steps of the fast forward pass.

Normalisation is folded into the weights, and a product takes in everything up to the next one.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .frame import SIDE
from .program import BandStep, ColumnsStep, ConvStep, DenseStep, FlattenStep, PixelStep, Step, rounds_alike
from .weights import EPSILON, UnusableWeights, Weights
from .winograd import tile_side

# An image has few tiles if copying the kernels for a product takes longer than multiplying them by so many rows.
FEW_TILES = 16


class Block(NamedTuple):
    """The layers of an architecture that become one step."""

    layers: list[dict]
    places: list[int]  # in the architecture, by which the arrays of a layer are named

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(layer.get("layer") for layer in self.layers)


class Carry(NamedTuple):
    """What one step leaves for the next product to do, and the size of its images."""

    side: int  # pixels of their height
    scale: float  # by which the input of the next product must still be multiplied
    missing: np.ndarray  # (channels,) or (1,), must still be added to each channel, see Step


def fuse(weights: Weights, height: int = SIDE) -> list[Step]:
    """Fuse the layers of the architecture into steps, for images that are so many pixels high.

    The width must be the same, or such that the tiles that divide the height divide it as well.
    Batch normalisation and the scale of the pixels become part of the products. Raises UnusableWeights for arrays that
    do not fit the architecture, and for an order of layers that is not in FUSIBLE.
    """
    steps: list[Step] = []
    carry = Carry(height, 1 / 255, np.zeros(1))  # pixels are 0-255, and the network was trained on 0-1
    for block in blocks_of(weights.architecture):
        if block.kinds not in FUSIBLE:
            raise UnusableWeights(f"layer {block.places[0]} of the architecture: can't run {list(block.kinds)}")
        step, carry = FUSIBLE[block.kinds](weights, block, carry)
        steps.append(step)
    if carry.missing.any():
        raise UnusableWeights("the architecture of the weights ends in ReLU, expected logits")
    return steps


def blocks_of(architecture: list[dict]) -> list[Block]:
    """Begin a block with each layer except those that the step before can take in; leave out dropout."""
    blocks: list[Block] = []
    for place, layer in enumerate(architecture):
        kind = layer.get("layer")
        if kind == "Dropout":  # does nothing at inference
            continue
        if not blocks or kind not in ("BatchNorm", "MaxPool2D", "ReLU"):
            blocks.append(Block([], []))
        blocks[-1].layers.append(layer)
        blocks[-1].places.append(place)
    return blocks


def fuse_convolution(weights: Weights, block: Block, carry: Carry) -> tuple[Step, Carry]:
    """Convolution, batch normalisation, 2x2 pooling where the block has it, and ReLU."""
    size, inputs, outputs = (block.layers[0][name] for name in ("size", "inputs", "outputs"))
    kernel = weights.array(f"{block.places[0]}.kernel", (size, size, inputs, outputs))
    factor, shift = normalisation(weights, block.places[1], outputs)
    kernel = kernel * (carry.scale * factor)
    bias = shift + response(kernel, carry.missing)
    pools, side = "MaxPool2D" in block.kinds, carry.side - size + 1
    step = PixelStep(kernel, -bias, pools) if inputs == 1 else convolution(kernel, -bias, pools, side)
    return step, Carry(side // 2 if pools else side, 1, bias)


def convolution(kernel: np.ndarray, floor: np.ndarray, pools: bool, side: int) -> Step:
    """The faster way of convolution on this processor; side: pixels of the output before pooling."""
    tile = tile_side(side, len(kernel), pools)
    suits_bands = not rounds_alike() and (side // tile) ** 2 < FEW_TILES
    return (BandStep if suits_bands else ConvStep)(kernel, floor, pools, tile)


def fuse_flatten(weights: Weights, block: Block, carry: Carry) -> tuple[Step, Carry]:
    """Flatten, which computes nothing and so leaves everything to the next step."""
    return FlattenStep(), carry


def fuse_columns(weights: Weights, block: Block, carry: Carry) -> tuple[Step, Carry]:
    """Columns of a line, which only copies and so leaves everything to the next step."""
    return ColumnsStep(block.layers[0]["reach"]), carry


def fuse_dense(weights: Weights, block: Block, carry: Carry) -> tuple[Step, Carry]:
    """A dense layer; batch normalisation and ReLU where the block has them."""
    inputs, outputs = (block.layers[0][name] for name in ("inputs", "outputs"))
    weight = weights.array(f"{block.places[0]}.weight", (inputs, outputs))
    bias = weights.array(f"{block.places[0]}.bias", (outputs,))
    rectifies = "ReLU" in block.kinds
    factor, shift = normalisation(weights, block.places[1], outputs) if rectifies else (1, 0)
    weight = weight * (carry.scale * factor)
    bias = bias * factor + shift + response(weight, carry.missing)
    return DenseStep(weight, bias, rectifies), Carry(carry.side, 1, bias if rectifies else np.zeros(1))


FUSIBLE: dict[tuple[str, ...], Callable[[Weights, Block, Carry], tuple[Step, Carry]]] = {
    ("Conv2D", "BatchNorm", "ReLU"): fuse_convolution,
    ("Conv2D", "BatchNorm", "MaxPool2D", "ReLU"): fuse_convolution,
    ("Flatten",): fuse_flatten,
    ("Columns",): fuse_columns,
    ("Dense",): fuse_dense,
    ("Dense", "BatchNorm", "ReLU"): fuse_dense,
}


def normalisation(weights: Weights, place: int, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Batch normalisation by the running statistics as x * factor + shift: factor and shift, (channels,) float64.

    place: where the layer stands in the architecture. Raises UnusableWeights where one of its arrays is unusable.
    """
    scale, shift, mean, variance = (
        weights.array(f"{place}.{name}", (channels,)).astype(np.float64)
        for name in ("scale", "shift", "mean", "variance")
    )
    factor = scale / np.sqrt(variance + EPSILON)
    return factor, shift - mean * factor


def response(kernel: np.ndarray, channels: np.ndarray) -> np.ndarray:
    """The output, (outputs,), of a kernel or of dense weights for an image that is uniform in each channel.

    kernel: (size, size, inputs, outputs) or (h * w * inputs, outputs); channels: (inputs,), or (1,) for all of them.
    """
    return channels @ kernel.reshape(-1, len(channels), kernel.shape[-1]).sum(axis=0)
