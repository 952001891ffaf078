"""How a peer reads a digit: the usual preparation, the network in ONNX Runtime, and the answer.

It imports nothing of this site, so that a peer's memory and start are its own.
"""

import os

import numpy as np
import onnxruntime

from .preparation import prepare


class Reader:
    """Reads digits with the network in an ONNX file, on one thread."""

    def __init__(self, model: str) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        self._session = onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])
        self._temperature = float(self._session.get_modelmeta().custom_metadata_map["temperature"])

    @classmethod
    def of_environment(cls) -> "Reader":
        """The reader of the file that the variable ONNX_MODEL names."""
        return cls(os.environ["ONNX_MODEL"])

    def read_picture(self, file: bytes) -> dict:
        return self.read_pixels(prepare(file))

    def read_pixels(self, pixels: np.ndarray) -> dict:
        """The answer to pixels, (28, 28) uint8, ink 255 on 0."""
        return self.read_batch(pixels[None])[0]

    def read_batch(self, pixels: np.ndarray) -> list[dict]:
        """The answers to pixels, (n, 28, 28) uint8, from one run of the network."""
        [logits] = self._session.run(None, {"pixels": pixels[:, None]})
        exponentials = np.exp((logits - logits.max(axis=1, keepdims=True)) / self._temperature)
        outputs = exponentials / exponentials.sum(axis=1, keepdims=True)
        return list(map(answer, (outputs[:, :10] + outputs[:, 10:] / 10).tolist()))


def answer(probabilities: list[float]) -> dict:
    confidence = max(probabilities)
    return {
        "prediction": probabilities.index(confidence),
        "confidence": confidence,
        "probabilities": probabilities,
    }
