"""LitServe with Pillow and ONNX Runtime: `python -m benchmarks.peers.litserve_app PORT`.

It takes a file or pixels at one address, and runs the network in a process beside the one that speaks HTTP, on all that
is waiting at once.
"""

import sys

import litserve
import numpy as np

from .preparation import SIDE, prepare
from .reader import Reader

MAX_BATCH = 16  # of those that are waiting; waiting for more would take longer


class Digits(litserve.LitAPI):
    def setup(self, device: str) -> None:
        self.reader = Reader.of_environment()

    def decode_request(self, request):  # by an annotation, LitServe would tell what a body must be
        if "file" in request:
            return request["file"].file.read()
        return np.array(request["pixels"], np.uint8).reshape(SIDE, SIDE)

    def predict(self, sent: list[bytes | np.ndarray]) -> list[dict]:
        return self.reader.read_batch(np.stack([prepare(each) if isinstance(each, bytes) else each for each in sent]))

    def batch(self, inputs: list[bytes | np.ndarray]) -> list[bytes | np.ndarray]:
        return inputs

    def unbatch(self, output: list[dict]) -> list[dict]:
        return output


if __name__ == "__main__":
    server = litserve.LitServer(
        Digits(max_batch_size=MAX_BATCH, batch_timeout=0), accelerator="cpu", workers_per_device=1
    )
    server.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        num_api_servers=1,
        generate_client_file=False,
        log_level="warning",
        access_log=False,
    )
