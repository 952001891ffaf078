"""The network at work, as the panel below the pad shows it: the activations of a drawing, and once the weights.

Both are bytes in base64, which the page's script reads. Each layer's bytes are fractions of its largest value.
"""

import base64
import functools
import json
from typing import NamedTuple

import numpy as np

from digit_recognizer_dl_model.frame import SIDE

from .recognizer import Activity, activity, links

LINKS = 6  # of a filter or neuron to the layer before, the strongest


class Layer(NamedTuple):
    """A layer as the panel shows it, with the links of its units to the layer before."""

    name: str
    unit: str  # what one of its units is called
    units: int
    side: int  # pixels of a unit's map, 1 for neurons
    links: int = 0  # of each unit
    reach: int = 0  # pixels of the side of what a link sees of a map
    scale: float = 0  # the weight that the byte 127 stands for


def activations_context(pixels: np.ndarray) -> dict:
    """The activations for pixels (28, 28) uint8 as `_activations.html` sends them."""
    computed = activity(pixels)
    scales, values = quantised_activations(pixels, computed)
    return {
        "values": base64.b64encode(values).decode(),
        "scales": json.dumps([float(f"{scale:.4g}") for scale in scales]),
        "outputs": json.dumps([round(float(output), 4) for output in computed.outputs]),
    }


def quantised_activations(pixels: np.ndarray, computed: Activity) -> tuple[list[float], bytes]:
    """The largest activation of each layer, and the activations of all in order as bytes up to 255, map by map.

    The first layer is the picture itself, full ink 1. The outputs are left out.
    """
    scales, parts = [1.0], [pixels.tobytes()]
    for layer in (*computed.maps, computed.features):
        largest = float(layer.max())
        quantised = np.rint(layer * (255 / largest if largest else 0)).astype(np.uint8)
        parts.append(np.moveaxis(quantised, -1, 0).tobytes())
        scales.append(largest)
    return scales, b"".join(parts)


@functools.cache
def panel_context() -> dict:
    """The layers and the strongest weights of their units as `_network.html` sends them, made once a process."""
    found = links(LINKS)
    layers = [Layer("Input", "picture", 1, SIDE)]
    parts = []
    for (name, unit, units, side), (sources, weights) in zip(kinds_of_layers(), found, strict=True):
        scale = float(f"{np.abs(weights).max():.4g}")
        layers.append(Layer(name, unit, units, side, sources.shape[1], weights.shape[2], scale))
        parts += [sources.astype(np.uint8), np.rint(weights * (127 / scale)).clip(-127, 127).astype(np.int8)]
    return {
        "layers": json.dumps([layer._asdict() for layer in layers]),
        "weights": base64.b64encode(b"".join(part.tobytes() for part in parts)).decode(),
    }


def kinds_of_layers() -> list[tuple[str, str, int, int]]:
    """The layers after the input, in order: their names, what their units are called, their number and map side."""
    maps, features, outputs = activity(np.zeros((SIDE, SIDE), np.uint8))
    convolutions = [(f"Convolution {i}", "filter", each.shape[2], each.shape[0]) for i, each in enumerate(maps, 1)]
    return [*convolutions, ("Dense layer", "neuron", len(features), 1), ("Outputs", "output", len(outputs), 1)]
