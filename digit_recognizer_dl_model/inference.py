"""The fast forward pass of the network that reads digits.

It never imports training code: it reads the architecture from the weights file and needs nothing else.
"""

from typing import NamedTuple

import numpy as np

from .frame import SIDE
from .fusion import fuse
from .program import BandStep, ConvStep, DenseStep, PixelStep, Program, empty
from .weights import UnusableWeights, Weights

DIGITS = 10
# Images that are computed together. With fewer, the cost of each NumPy call is shared by fewer; more outgrow a core's
# cache.
BATCH = 4


class Trace(NamedTuple):
    """The outputs of all layers for one image, from one forward pass."""

    maps: list[np.ndarray]  # of each convolution after pooling and ReLU: (height, width, channels) float32, at least 0
    features: np.ndarray  # of the last hidden dense layer after ReLU: (neurons,) float32, at least 0
    logits: np.ndarray  # (11,) float32


class Classifier:
    """A trained network that reads 28x28 pixels.

    Threads may share it: the weights are only read, and a program, which has buffers, is run by one thread at a time.
    Raises UnusableWeights for weights whose architecture and arrays do not lead from 28x28 pixels to ten or eleven
    logits.
    """

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        # The programs that no thread runs at the moment, by their number of images; list.pop and append are atomic.
        self._idle: list[list[Program]] = [[] for _ in range(BATCH + 1)]
        try:
            self._steps = fuse(weights)
            program = Program(self._steps, 1)  # fails where the shapes of two steps do not fit
        except UnusableWeights:
            raise
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UnusableWeights(f"the architecture of the weights can't run ({error!r})") from error
        shape = program.logits.shape[1:]
        if shape not in ((DIGITS,), (DIGITS + 1,)):
            raise UnusableWeights(
                f"the architecture of the weights ends in shape {shape} for an image, expected (10,) or (11,)"
            )
        self._outputs = shape[0]
        self._idle[1].append(program)

    def logits(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels (n, 28, 28) uint8, ink 255 on 0 -> logits (n, 11) float32: of ten digits, and of no digit.

        Weights that were trained without an output for no digit have ten.
        The logits of an image do not depend on the batch it comes in, not even in the last bit. Raises ValueError for
        another shape or type.
        """
        if pixels.ndim != 3 or pixels.shape[1:] != (SIDE, SIDE) or pixels.dtype != np.uint8:
            raise ValueError(f"expected (n, 28, 28) uint8, got {pixels.shape} {pixels.dtype}")
        logits = empty(len(pixels), self._outputs)
        for start in range(0, len(pixels), BATCH):
            batch = pixels[start : start + BATCH]
            program = self._idle_program(len(batch))
            logits[start : start + BATCH] = program.run(batch)
            self._idle[len(batch)].append(program)
        return logits

    def probabilities(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels (n, 28, 28) uint8, ink 255 on 0 -> calibrated probabilities of the ten digits, (n, 10) float32.

        The probability of no digit is spread over all of them, so a picture without a digit makes none likelier.
        """
        outputs = self.outputs(pixels)
        digits = outputs[:, :DIGITS]
        if self._outputs > DIGITS:
            digits += outputs[:, DIGITS:] / np.float32(DIGITS)
        return digits

    def outputs(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels (n, 28, 28) uint8, ink 255 on 0 -> calibrated probabilities of all outputs, (n, 11) float32."""
        return softmax(self.logits(pixels) / np.float32(self.weights.temperature))

    def trace(self, pixels: np.ndarray) -> Trace:
        """The outputs of all layers for one image, (28, 28) uint8, ink 255 on 0, as `logits` computes them.

        Raises ValueError for a network without a hidden dense layer.
        """
        program = self._idle_program(1)
        logits = program.run(pixels[None])[0].copy()
        trace = Trace(self._maps(program), self._features(program)[0], logits)
        self._idle[1].append(program)
        return trace

    def activations(self, pixels: np.ndarray) -> list[np.ndarray]:
        """The feature maps of one image: the output of each convolution after pooling and ReLU.

        Pixels (28, 28) uint8, ink 255 on 0 -> for each convolution (height, width, channels) float32, at least 0.
        """
        program = self._idle_program(1)
        program.run(pixels[None])
        maps = self._maps(program)
        self._idle[1].append(program)
        return maps

    def features(self, pixels: np.ndarray) -> np.ndarray:
        """What the logits are computed from: the output of the last hidden layer after ReLU.

        Pixels (n, 28, 28) uint8, ink 255 on 0 -> (n, channels) float32; those of an image do not depend on its batch.
        Weights without a hidden dense layer give what their only one is computed from, up to a constant a channel.
        There must be an image at least.
        """
        step, rows = self._steps[-2], []
        for start in range(0, len(pixels), BATCH):
            batch = pixels[start : start + BATCH]
            program = self._idle_program(len(batch))
            program.run(batch)
            rows.append(program.outputs[-2].reshape(len(batch), -1).copy())  # the next run writes over it
            self._idle[len(batch)].append(program)
        features = np.concatenate(rows)
        return features + step.bias if isinstance(step, DenseStep) and step.rectifies else features

    # What a program has computed; each adds the bias that a step left to the next one, see Step.

    def _maps(self, program: Program) -> list[np.ndarray]:
        return [
            out[:, :, 0] - step.floor
            for step, out in zip(self._steps, program.outputs, strict=True)
            if isinstance(step, PixelStep | ConvStep | BandStep)
        ]

    def _features(self, program: Program) -> np.ndarray:
        hidden = [
            out + step.bias
            for step, out in zip(self._steps, program.outputs, strict=True)
            if isinstance(step, DenseStep) and step.rectifies
        ]
        if not hidden:
            raise ValueError("this network has no hidden dense layer")
        return hidden[-1]

    def _idle_program(self, b: int) -> "Program":
        """A program for b images that no thread runs; the caller appends it to `_idle` again after running it."""
        try:
            return self._idle[b].pop()
        except IndexError:
            return Program(self._steps, b)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Logits (n, outputs) -> probabilities (n, outputs), each row summing to 1, safe for any finite logits."""
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)
