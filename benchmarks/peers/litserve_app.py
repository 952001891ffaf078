"""LitServe with Pillow and ONNX Runtime: `python -m benchmarks.peers.litserve_app PORT`.

It takes a file or pixels at one address, and runs the network in a process beside the one that speaks HTTP.
"""

import sys

import litserve
import numpy as np

from .preparation import SIDE
from .reader import Reader


class Digits(litserve.LitAPI):
    def setup(self, device: str) -> None:
        self.reader = Reader.of_environment()

    def decode_request(self, request):  # by an annotation, LitServe would tell what a body must be
        if "file" in request:
            return request["file"].file.read()
        return np.array(request["pixels"], np.uint8).reshape(SIDE, SIDE)

    def predict(self, sent: bytes | np.ndarray) -> dict:
        return self.reader.read_picture(sent) if isinstance(sent, bytes) else self.reader.read_pixels(sent)


if __name__ == "__main__":
    server = litserve.LitServer(Digits(), accelerator="cpu", workers_per_device=1)
    server.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        num_api_servers=1,
        generate_client_file=False,
        log_level="warning",
        access_log=False,
    )
