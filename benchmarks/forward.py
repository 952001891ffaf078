"""How long the forward pass takes beside ONNX Runtime and OpenVINO, which run the same weights, each on one thread.

Run as `python -m benchmarks.forward`; the last line is one JSON object. All take turns call by call, so that other work
of the machine slows each of them, and medians are compared. The measurement is made twice, each time in a process of
its own: with the instructions of this processor, and with AVX2 alone, as on processors without AVX-512. Variables tell
NumPy's BLAS and OpenVINO so; ONNX Runtime has none and keeps all its instructions, so that it runs ahead there.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial

from .environment import use_one_blas_thread

# The child process must not choose its instructions by the processor.
CHILD = "--in-this-process"
if CHILD not in sys.argv:
    use_one_blas_thread()

import numpy as np

os.environ.pop("OPENBLAS_CORETYPE", None)  # NumPy has read it; modules imported below would say that it is ignored

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
    sys.exit(f"benchmarks.forward compares with others ({error}): python -m pip install -r requirements-benchmarks.txt")

REPEATS = {1: 1000, 2: 700, 4: 400, 8: 250, 10: 250, 16: 200, 100: 40, 256: 25}  # by images in a batch
# The variables that limit the instructions, by the name of the variant.
VARIANTS = {"this processor": {}, "AVX2": {"OPENBLAS_CORETYPE": "Haswell", "ONEDNN_MAX_CPU_ISA": "AVX2"}}
SQUARE = 1024  # side of the matrices that measure how fast this machine multiplies
LARGEST_DIFFERENCE = 1e-3  # between logits; the largest logits are around 10


def onnx_model(weights: Weights, element: int) -> bytes:
    """The network as ONNX, batch normalisation folded; pixels (n, 1, 28, 28) of that element type -> logits (n, 11).

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


def openvino_runner(weights: Weights, hint: str) -> Callable[[np.ndarray], np.ndarray]:
    """A function from pixels to logits by OpenVINO on one thread; hint: LATENCY or THROUGHPUT."""
    core = openvino.Core()
    options = {
        "INFERENCE_NUM_THREADS": 1,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": hint,
        "INFERENCE_PRECISION_HINT": "f32",
    }
    model = core.read_model(onnx_model(weights, TensorProto.UINT8), b"")  # no weights beside those in the model
    request = core.compile_model(model, "CPU", options).create_infer_request()
    return lambda pixels: request.infer({0: pixels}, share_inputs=True)[0]


def medians(calls: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """The median microseconds of each call; they take turns, after a few turns that warm up."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(5 + repeats):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values[5:]) * 1e6 for name, values in times.items()}


def compare() -> dict[str, object]:
    """Measure in this process and print a table; returns its figures, times in microseconds an image."""
    weights = load_weights()
    classifier = Classifier(weights)
    peers = {
        "onnxruntime": [onnx_runner(weights, element) for element in (TensorProto.UINT8, TensorProto.FLOAT)],
        "openvino": [openvino_runner(weights, hint) for hint in ("LATENCY", "THROUGHPUT")],
    }
    rng = np.random.default_rng(0)
    shape = (max(REPEATS), SIDE, SIDE)
    pixels = np.where(rng.random(shape) < 0.2, rng.integers(1, 256, shape), 0).astype(np.uint8)  # as much ink as digits
    square = rng.random((SQUARE, SQUARE), np.float32)

    names = ("numpy_us", "onnxruntime_us", "openvino_us", "ratio", "openvino_ratio")
    figures: dict[str, dict[int, float]] = {name: {} for name in names}
    print("images   NumPy   ONNX Runtime   ratio   OpenVINO   ratio   (microseconds an image)")
    for n, repeats in REPEATS.items():
        batch, planes = pixels[:n], pixels[:n, None]
        ours = partial(classifier.logits, batch)
        taken = {}
        # One peer at a time: the more programs take turns, the less of the cache each of them finds as it left it.
        for name, runners in peers.items():
            inputs = (planes, planes / np.float32(255)) if name == "onnxruntime" else (planes, planes)
            calls = {
                f"{name}{place}": partial(run, x) for place, (run, x) in enumerate(zip(runners, inputs, strict=True))
            }
            for call in calls.values():
                difference = np.abs(ours() - call()).max()
                assert difference < LARGEST_DIFFERENCE, f"logits differ by {difference}"
            times = medians({"numpy": ours} | calls, repeats)
            taken[name] = times["numpy"] / n, min(times[call] for call in calls) / n
        numpy, onnx_time = taken["onnxruntime"]
        beside_openvino, openvino_time = taken["openvino"]
        row = (numpy, onnx_time, openvino_time, numpy / onnx_time, beside_openvino / openvino_time)
        for name, value in zip(names, row, strict=True):
            figures[name][n] = round(value, 2 if "ratio" in name else 1)
        print(f"{n:6} {row[0]:7.1f} {row[1]:14.1f} {row[3]:7.2f} {row[2]:10.1f} {row[4]:7.2f}")

    rate = 2 * SQUARE**3 / medians({"square": lambda: square @ square}, 20)["square"]  # operations a microsecond
    bound = 2 * multiplications(weights.architecture) / rate  # each with an addition
    print(f"Matrix products at {rate / 1e3:.0f} GFLOP/s would take {bound:.1f} µs for the network as it is defined.")
    return figures | {
        "gflops": round(rate / 1e3, 1),
        "gflops_bound_ratio": round(figures["numpy_us"][max(REPEATS)] / bound, 2),
    }


def main() -> None:
    result: dict[str, object] = {}
    for name, variables in VARIANTS.items():
        print(f"With the instructions of {name}:", flush=True)
        environment = os.environ | variables
        command = [sys.executable, "-m", "benchmarks.forward", CHILD]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        *table, last = done.stdout.splitlines()
        print(*table, sep="\n", flush=True)
        result[name] = json.loads(last)
    versions = {"python": platform.python_version(), "numpy": np.__version__, "onnx": onnx.__version__}
    versions |= {"onnxruntime": onnxruntime.__version__, "openvino": openvino.__version__}
    print(json.dumps(result["this processor"] | {"avx2": result["AVX2"]} | versions))


if __name__ == "__main__":
    if CHILD in sys.argv:
        print(json.dumps(compare()))
    else:
        main()
