"""How long the forward pass takes beside ONNX Runtime and OpenVINO, which run the same weights, each on one thread.

Run as `python -m benchmarks.forward`; the last line is one JSON object. The three take turns call by call, so that
other work of the machine slows all of them, and medians are compared. All of it is measured twice: as the processor is,
and with OpenBLAS, which multiplies for NumPy, limited to the instructions of processors without AVX-512.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np

from digit_recognizer_dl_model.frame import SIDE
from digit_recognizer_dl_model.inference import Classifier
from digit_recognizer_dl_model.weights import EPSILON, Weights, load_weights

from .architectures import multiplications

try:
    import onnx
    import onnxruntime
    import openvino
    from onnx import TensorProto, helper, numpy_helper
except ImportError as error:
    sys.exit(
        f"benchmarks.forward needs what it compares with ({error}):"
        " python -m pip install -r requirements-benchmarks.txt"
    )

REPEATS = {1: 1000, 2: 600, 4: 400, 8: 300, 16: 200, 100: 50, 256: 25}  # by images in a batch
# What OpenBLAS is told of the processor: nothing, or that it is one without AVX-512.
PROCESSORS = {"as it is": None, "without AVX-512": "Haswell"}
SQUARE = 1024  # side of the matrices that measure how fast this machine multiplies
LARGEST_DIFFERENCE = 1e-3  # between logits; the largest logits are around 10


def onnx_model(weights: Weights, element: int) -> bytes:
    """The network as ONNX, batch normalisation folded; pixels (n, 1, 28, 28) of that element type -> logits (n, 10).

    uint8 pixels are 0-255 and converted by the model, float32 ones are 0-1.
    """
    nodes, constants = [], []

    def constant(array: np.ndarray) -> str:
        constants.append(numpy_helper.from_array(array.astype(np.float32), f"constant{len(constants)}"))
        return constants[-1].name

    def node(kind: str, *inputs: str, **attributes: object) -> str:
        nodes.append(helper.make_node(kind, inputs, [f"value{len(nodes)}"], **attributes))
        return nodes[-1].output[0]

    def normalisation(index: int) -> tuple[np.ndarray, np.ndarray]:
        names = ("scale", "shift", "mean", "variance")
        scale, shift, mean, variance = (weights.arrays[f"{index}.{name}"] for name in names)
        factor = scale / np.sqrt(variance + EPSILON)
        return factor, shift - mean * factor

    layers = weights.architecture
    x, scale, side, channels = "pixels", 1.0, SIDE, 1
    if element == TensorProto.UINT8:
        x, scale = node("Cast", x, to=TensorProto.FLOAT), 1 / 255
    for index, layer in enumerate(layers):
        normalised = index + 1 < len(layers) and layers[index + 1]["layer"] == "BatchNorm"
        factor, shift = normalisation(index + 1) if normalised else (1.0, 0.0)
        if layer["layer"] == "Conv2D":
            kernel = weights.arrays[f"{index}.kernel"] * (scale * factor)
            x = node("Conv", x, constant(kernel.transpose(3, 2, 0, 1)), constant(shift))
            # ReLU comes before pooling here, which gives the same result: ONNX Runtime fuses it with the convolution.
            x = node("Relu", x)
            side, channels, scale = side - layer["size"] + 1, layer["outputs"], 1.0
        elif layer["layer"] == "MaxPool2D":
            x, side = node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2]), side // 2
        elif layer["layer"] == "Flatten":
            x = node("Flatten", x)
        elif layer["layer"] == "Dense":
            weight, bias = weights.arrays[f"{index}.weight"] * factor, weights.arrays[f"{index}.bias"] * factor + shift
            if side:  # the first: ONNX flattens channels first, the network flattens them last
                weight = weight.reshape(side, side, channels, -1).transpose(2, 0, 1, 3).reshape(weight.shape)
                side = 0
            x = node("Gemm", x, constant(weight), constant(bias))
            x = node("Relu", x) if normalised else x
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("pixels", element, ["n", 1, SIDE, SIDE])],
        [helper.make_tensor_value_info(x, TensorProto.FLOAT, ["n", 10])],
        constants,
    )
    # These versions of the format are so old that any recent runtime reads them.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


def onnx_runner(weights: Weights, element: int) -> Callable[[np.ndarray], np.ndarray]:
    """A function from pixels to logits, as fast as ONNX Runtime is on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(onnx_model(weights, element), options, ["CPUExecutionProvider"])
    return lambda pixels: session.run(None, {"pixels": pixels})[0]


def medians(calls: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """The median microseconds of each call; they take turns, after a few turns that warm up."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(5 + repeats):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values[5:]) * 1e6 for name, values in times.items()}


def openvino_runner(model: bytes, images: int) -> Callable[[np.ndarray], np.ndarray]:
    """A function from that many images' pixels to logits, as fast as OpenVINO is on one thread."""
    network = openvino.Core().read_model(model)
    network.reshape([images, 1, SIDE, SIDE])
    options = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"}
    options["INFERENCE_PRECISION_HINT"] = "f32"
    request = openvino.compile_model(network, "CPU", options).create_infer_request()
    return lambda pixels: request.infer([pixels], share_inputs=True, share_outputs=True)[0]


def measure() -> dict:
    """Measure all batches in this process, print a table, and return the figures."""
    weights = load_weights()
    classifier = Classifier(weights)
    kinds = {"bytes": TensorProto.UINT8, "floats": TensorProto.FLOAT}
    runtimes = {kind: onnx_runner(weights, element) for kind, element in kinds.items()}
    rng = np.random.default_rng(0)
    shape = (max(REPEATS), SIDE, SIDE)
    pixels = np.where(rng.random(shape) < 0.2, rng.integers(1, 256, shape), 0).astype(np.uint8)  # as much ink as digits

    figures: dict[str, dict[int, float]] = {
        name: {} for name in ("numpy_us", "onnxruntime_us", "openvino_us", "ratio", "ratio_to_openvino")
    }
    print("images   NumPy   ONNX Runtime   OpenVINO   ratio to each   (microseconds an image)")
    for n, repeats in REPEATS.items():
        batch, planes = pixels[:n], pixels[:n, None]
        inputs = {"bytes": planes, "floats": planes / np.float32(255)}
        calls: dict[str, Callable[[], np.ndarray]] = {"numpy": lambda batch=batch: classifier.logits(batch)}
        for kind, given in inputs.items():
            calls[kind] = lambda run=runtimes[kind], given=given: run(given)
            run = openvino_runner(onnx_model(weights, kinds[kind]), n)
            calls[f"openvino {kind}"] = lambda run=run, given=given: run(given)
        logits = {name: call().copy() for name, call in calls.items()}
        for name, those in logits.items():
            difference = np.abs(logits["numpy"] - those).max()
            assert difference < LARGEST_DIFFERENCE, f"logits of {name} differ by {difference}"
        taken = medians(calls, repeats)
        ours = taken["numpy"]
        theirs, openvinos = (min(taken[name + kind] for kind in kinds) for name in ("", "openvino "))
        for name, value in (("numpy_us", ours), ("onnxruntime_us", theirs), ("openvino_us", openvinos)):
            figures[name][n] = round(value / n, 1)
        figures["ratio"][n], figures["ratio_to_openvino"][n] = round(ours / theirs, 2), round(ours / openvinos, 2)
        print(f"{n:6} {ours / n:7.1f} {theirs / n:14.1f} {openvinos / n:10.1f}", end="")
        print(f" {ours / theirs:7.2f} {ours / openvinos:7.2f}", flush=True)

    square = rng.random((SQUARE, SQUARE), np.float32)
    rate = 2 * SQUARE**3 / medians({"square": lambda: square @ square}, 20)["square"]  # operations a microsecond
    bound = 2 * multiplications(weights.architecture) / rate  # each with an addition
    print(f"Matrix products at {rate / 1e3:.0f} GFLOP/s would take {bound:.1f} µs for the network as it is defined.")
    least = figures["numpy_us"][max(REPEATS)]
    return figures | {"gflops": round(rate / 1e3, 1), "gflops_bound_ratio": round(least / bound, 2)}


def measure_as(core_type: str | None) -> dict:
    """`measure` in a process of its own, as OpenBLAS looks at the variable once; prints its table."""
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"}
    environment |= {"OPENBLAS_CORETYPE": core_type} if core_type else {}
    command = [sys.executable, "-m", "benchmarks.forward", "--once"]
    printed = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    *table, figures = printed.splitlines()
    print("\n".join(table))
    return json.loads(figures)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forward", description=__doc__)
    parser.add_argument("--once", action="store_true", help="with the instructions that OPENBLAS_CORETYPE names")
    if parser.parse_args().once:
        print(json.dumps(measure()))
        return
    figures = {}
    for processor, core_type in PROCESSORS.items():
        print(f"The processor {processor}:")
        figures[processor] = measure_as(core_type)
    packages = {"numpy": np, "onnx": onnx, "onnxruntime": onnxruntime, "openvino": openvino}
    print(json.dumps(figures | {"python": platform.python_version()} | {n: m.__version__ for n, m in packages.items()}))


if __name__ == "__main__":
    main()
