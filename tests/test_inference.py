"""The fast forward pass against the plain one, alone and in batches, on one thread and on several."""

import os
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from digit_recognizer_dl_model import fusion, program
from digit_recognizer_dl_model.figures import Figures
from digit_recognizer_dl_model.fusion import fuse
from digit_recognizer_dl_model.inference import Classifier, softmax
from digit_recognizer_dl_model.network import ARCHITECTURE, Network
from digit_recognizer_dl_model.weights import UnusableWeights, Weights
from digit_recognizer_dl_model.winograd import winograd

SMALL = [
    {"layer": "Conv2D", "inputs": 1, "outputs": 3, "size": 5},
    {"layer": "BatchNorm", "channels": 3},
    {"layer": "MaxPool2D"},
    {"layer": "ReLU"},
    {"layer": "Dropout", "rate": 0.1},
    {"layer": "Conv2D", "inputs": 3, "outputs": 2, "size": 2},
    {"layer": "BatchNorm", "channels": 2},
    {"layer": "ReLU"},
    {"layer": "Flatten"},
    {"layer": "Dense", "inputs": 242, "outputs": 10},
]
LINEAR = [{"layer": "Flatten"}, {"layer": "Dense", "inputs": 784, "outputs": 10}]

BOTTLENECK = [LINEAR[0], LINEAR[1] | {"outputs": 7}, {"layer": "Dense", "inputs": 7, "outputs": 10}]

architectures = pytest.mark.parametrize(
    "architecture", [ARCHITECTURE, SMALL, LINEAR, BOTTLENECK], ids=["shipped", "small", "linear", "bottleneck"]
)


def random_network(architecture, seed=1):
    """A network whose arrays are all random, as if trained, running statistics included."""
    rng = np.random.default_rng(seed)
    network = Network(architecture, rng)
    for name, array in network.state.items():
        if name.endswith("variance"):
            array[...] = rng.uniform(0.3, 3, array.shape)
        elif name.endswith(("scale", "shift", "mean", "bias")):
            array[...] = rng.normal(0, 1, array.shape)
    return network


def weights_of(network, temperature=1.0):
    return Weights(network.architecture, dict(network.state), temperature, 0.5, 0.5, Figures())


@pytest.fixture
def pixels():
    """Nine images with about the ink of digits."""
    rng = np.random.default_rng(2)
    return np.where(rng.random((9, 28, 28)) < 0.2, rng.integers(1, 256, (9, 28, 28)), 0).astype(np.uint8)


@pytest.fixture(params=[True, False], ids=["with AVX-512", "without"])
def convolutions(request, monkeypatch):
    """Either way of convolution, whatever the processor; in bits, results may then differ in a batch."""
    for module in (fusion, program):
        monkeypatch.setattr(module, "rounds_alike", lambda: request.param)


@pytest.mark.usefixtures("convolutions")
@architectures
def test_the_fast_forward_pass_agrees_with_the_plain_one(architecture, pixels):
    network = random_network(architecture)
    expected = network.forward(pixels[..., None].astype(np.float32) / 255)
    logits = Classifier(weights_of(network)).logits(pixels)
    assert logits.dtype == np.float32
    assert expected.std() > 0.1
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.usefixtures("convolutions")
@architectures
def test_activations_agree_with_the_plain_forward_pass(architecture, pixels):
    network = random_network(architecture)
    expected, x = [], pixels[:1, ..., None].astype(np.float32) / 255
    for entry, layer in zip(architecture, network.layers, strict=True):
        x = layer.forward(x, False, None)
        if entry["layer"] == "ReLU" and x.ndim == 4:
            expected.append(x[0])
    activations = Classifier(weights_of(network)).activations(pixels[0])
    assert len(activations) == len(expected)
    for activation, reference in zip(activations, expected, strict=True):
        assert activation.dtype == np.float32
        assert activation.min() >= 0
        np.testing.assert_allclose(activation, reference, rtol=1e-4, atol=1e-4)


@pytest.mark.usefixtures("convolutions")
def test_a_trace_agrees_with_the_plain_forward_pass_in_all_layers(pixels):
    network = random_network(ARCHITECTURE)
    maps, hidden, x = [], [], pixels[:1, ..., None].astype(np.float32) / 255
    for entry, layer in zip(ARCHITECTURE, network.layers, strict=True):
        x = layer.forward(x, False, None)
        if entry["layer"] == "ReLU":
            (maps if x.ndim == 4 else hidden).append(x[0])
    trace = Classifier(weights_of(network)).trace(pixels[0])
    for found, reference in zip(trace.maps, maps, strict=True):
        np.testing.assert_allclose(found, reference, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(trace.features, hidden[-1], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(trace.logits, x[0], rtol=1e-4, atol=1e-4)
    assert (trace.features > 0).any()
    assert (trace.features == 0).any()


def test_the_trace_of_an_image_is_its_own_when_another_is_read(pixels):
    classifier = Classifier(weights_of(random_network(ARCHITECTURE)))
    first = classifier.trace(pixels[0])
    kept = [first.logits.copy(), first.features.copy(), *(maps.copy() for maps in first.maps)]
    classifier.trace(pixels[1])
    for now, then in zip([first.logits, first.features, *first.maps], kept, strict=True):
        assert (now == then).all()


def test_features_of_a_batch_are_those_of_each_image_bit_by_bit(pixels):
    classifier = Classifier(weights_of(random_network(ARCHITECTURE)))
    singles = np.stack([classifier.trace(image).features for image in pixels])
    assert (classifier.features(pixels) == singles).all()


def test_a_network_without_a_hidden_layer_has_no_trace(pixels):
    classifier = Classifier(weights_of(random_network(LINEAR)))
    with pytest.raises(ValueError, match="hidden"):
        classifier.trace(pixels[0])


def test_probabilities_are_the_softmax_of_the_logits_at_the_temperature(pixels):
    classifier = Classifier(weights_of(random_network(SMALL), temperature=2.5))
    exponentials = np.exp(classifier.logits(pixels).astype(float) / 2.5)
    expected = exponentials / exponentials.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(classifier.probabilities(pixels), expected, rtol=0, atol=1e-6)


def test_the_probability_of_no_digit_is_spread_over_all_digits(pixels):
    eleven = [LINEAR[0], LINEAR[1] | {"outputs": 11}]
    classifier = Classifier(weights_of(random_network(eleven)))
    outputs = classifier.outputs(pixels)
    assert outputs.shape == (len(pixels), 11)
    np.testing.assert_allclose(classifier.probabilities(pixels), outputs[:, :10] + outputs[:, 10:] / 10, atol=1e-7)
    np.testing.assert_allclose(classifier.probabilities(pixels).sum(axis=1), 1, atol=1e-6)


def test_softmax_is_safe_for_any_finite_logits():
    logits = np.zeros((2, 10), np.float32)
    logits[0, 3], logits[1, 4] = 1e30, -1e30
    assert softmax(logits)[0].tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    np.testing.assert_allclose(softmax(logits)[1], [1 / 9] * 4 + [0] + [1 / 9] * 5, rtol=1e-6)


@pytest.mark.parametrize("processor", ["this", "Haswell"])
def test_a_batch_gets_the_same_logits_as_single_images_bit_by_bit(processor):
    code = """
from pathlib import Path
import numpy as np
from digit_recognizer_dl_model.dataset import read_csv
from digit_recognizer_dl_model.inference import Classifier
from digit_recognizer_dl_model.weights import load_weights
from tests.test_inference import SMALL, random_network, weights_of
pixels = read_csv(Path("data/mnist_test.csv")).pixels[:50]
for name, weights in (("shipped", load_weights()), ("small", weights_of(random_network(SMALL)))):
    classifier = Classifier(weights)
    alone = np.concatenate([classifier.logits(image[None]) for image in pixels])
    for n in (*range(1, 10), 50):
        assert (classifier.logits(pixels[:n]) == alone[:n]).all(), (name, n)
"""
    # OpenBLAS chooses its kernels when NumPy is imported, by the processor or by this variable.
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"}
    environment |= {} if processor == "this" else {"OPENBLAS_CORETYPE": processor}
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[1], env=environment, check=True)


def test_results_stay_as_they_are_when_the_next_image_is_read(pixels):
    classifier = Classifier(weights_of(random_network(SMALL)))
    first = [classifier.logits(pixels[:1]), *classifier.activations(pixels[0])]
    before = [array.copy() for array in first]
    classifier.logits(pixels[1:2])
    classifier.activations(pixels[1])
    for array, copy in zip(first, before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_a_strided_view_gets_the_logits_of_its_copy(pixels):
    classifier = Classifier(weights_of(random_network(SMALL)))
    mirrored = pixels[:, :, ::-1]
    np.testing.assert_array_equal(classifier.logits(mirrored), classifier.logits(mirrored.copy()))


def test_threads_that_share_a_classifier_get_the_probabilities_of_one(pixels):
    weights = weights_of(random_network(ARCHITECTURE))
    expected = Classifier(weights).probabilities(pixels)
    shared, start = Classifier(weights), threading.Barrier(4)

    def ask(order):
        start.wait(timeout=30)
        return [shared.probabilities(pixels[order]) for _ in range(10)]

    orders = [np.random.default_rng(seed).permutation(9) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for order, answers in zip(orders, pool.map(ask, orders), strict=True):
            np.testing.assert_array_equal(answers, [expected[order]] * 10)


def test_threads_that_share_a_classifier_get_the_activations_of_one(pixels):
    weights = weights_of(random_network(SMALL))
    expected = [Classifier(weights).activations(image) for image in pixels]
    shared, start = Classifier(weights), threading.Barrier(4)

    def ask(place):
        start.wait(timeout=30)
        return [shared.activations(pixels[place]) for _ in range(100)]

    with ThreadPoolExecutor(4) as pool:
        for place, answers in enumerate(pool.map(ask, range(4))):
            for answer in answers:
                for activation, reference in zip(answer, expected[place], strict=True):
                    np.testing.assert_array_equal(activation, reference)


def test_an_empty_batch_gives_empty_arrays():
    classifier = Classifier(weights_of(random_network(SMALL)))
    nothing = np.empty((0, 28, 28), np.uint8)
    assert classifier.logits(nothing).shape == (0, 10)
    assert classifier.probabilities(nothing).shape == (0, 10)
    assert classifier.probabilities(nothing).dtype == np.float32


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((28, 28), np.uint8),
        ((1, 28, 28, 1), np.uint8),
        ((1, 27, 28), np.uint8),
        ((1, 28, 29), np.uint8),
        ((1, 784), np.uint8),
        ((28,), np.uint8),
        ((), np.uint8),
        ((1, 28, 28), np.float32),
        ((1, 28, 28), np.int64),
        ((1, 28, 28), bool),
    ],
)
def test_other_shapes_and_types_are_refused(shape, dtype):
    classifier = Classifier(weights_of(random_network(SMALL)))
    with pytest.raises(ValueError, match=r"expected \(n, 28, 28\) uint8, got"):
        classifier.logits(np.zeros(shape, dtype))


SPOILED = {
    "missing": lambda array: None,
    "misshapen": lambda array: array[..., :-1],
    "flat": lambda array: array[None],
    "not a number": lambda array: np.where(np.arange(array.size).reshape(array.shape) == 1, np.float32("nan"), array),
    "infinite": lambda array: array + np.float32("inf"),
    "in double precision": lambda array: array.astype(np.float64),
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED.keys())
def test_an_unusable_array_is_refused_by_name(spoil):
    state = random_network(SMALL).state
    for name, array in state.items():
        spoiled = {**state, name: spoil(array)}
        arrays = {each: value for each, value in spoiled.items() if value is not None}
        with pytest.raises(UnusableWeights, match=re.escape(name)):
            fuse(Weights(SMALL, arrays, 1.0, 0.5, 0.5, Figures()))


CONV, NORM, DENSE = SMALL[5], SMALL[6], SMALL[9]
POOL, RELU = {"layer": "MaxPool2D"}, {"layer": "ReLU"}


@pytest.mark.parametrize(
    "order",
    [
        [{"layer": "LSTM"}],
        [{"kind": "Conv2D"}],
        [RELU],
        [NORM],
        [POOL],
        [CONV],
        [CONV, RELU],
        [CONV, NORM],
        [CONV, RELU, NORM],
        [CONV, NORM, RELU, POOL],
        [CONV, NORM, POOL, POOL, RELU],
        [DENSE, RELU],
        [DENSE, NORM],
        [DENSE, POOL],
        [DENSE, {"layer": "Dropout", "rate": 0.5}, RELU],
    ],
    ids=lambda order: " ".join(str(entry.get("layer")) for entry in order),
)
def test_layers_in_an_order_that_cannot_be_fused_are_refused(order):
    # All arrays are there, so that only the order can be refused.
    state = random_network(SMALL).state
    arrays = {f"{index}.{name.split('.')[1]}": array for index in range(5) for name, array in state.items()}
    weights = Weights(order, arrays, 1.0, 0.5, 0.5, Figures())
    with pytest.raises(UnusableWeights, match="can't run"):
        fuse(weights)


@pytest.mark.parametrize(
    "architecture",
    [
        [],
        ["Conv2D"],
        [{"layer": "Dense", "outputs": 10}],
        [*SMALL[:5], *SMALL[8:]],
        SMALL[:8],
        SMALL[:4],
        [{"layer": "Flatten"}],
    ],
    ids=["none", "names only", "no inputs", "a gap", "no dense layer", "one convolution", "only flatten"],
)
def test_layers_that_do_not_lead_from_an_image_to_ten_logits_are_refused(architecture):
    state = random_network(SMALL).state
    arrays = {name: array for name, array in state.items() if int(name.split(".")[0]) < len(architecture)}
    arrays |= {f"{len(architecture) - 1}.{name}": state[f"9.{name}"] for name in ("weight", "bias")}
    with pytest.raises(UnusableWeights, match="the architecture of the weights"):
        Classifier(Weights(architecture, arrays, 1.0, 0.5, 0.5, Figures()))


def test_an_architecture_that_ends_in_relu_is_refused():
    architecture = [*LINEAR, {"layer": "BatchNorm", "channels": 10}, {"layer": "ReLU"}]
    with pytest.raises(UnusableWeights, match="ends in ReLU"):
        Classifier(weights_of(random_network(architecture)))


def test_importing_inference_imports_no_training_code():
    root = Path(__file__).parent.parent
    command = "import sys, digit_recognizer_dl_model.inference; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", command], cwd=root, capture_output=True, text=True, check=True)
    imported = set(done.stdout.split())
    package = {name for name in imported if name.startswith("digit_recognizer_dl_model.")}
    assert package == {
        f"digit_recognizer_dl_model.{name}"
        for name in (
            *("counts", "figures", "frame", "fusion", "inference", "program", "records", "strip", "weights"),
            "winograd",
        )
    }
    assert not imported & {"django", "PIL"}


@pytest.mark.parametrize(("tile", "size"), [(1, 1), (1, 2), (2, 5), (4, 3), (5, 3), (6, 2)])
def test_winograds_matrices_correlate(tile, size):
    A, G, B = winograd(tile, size)
    rng = np.random.default_rng(4)
    x, kernel = rng.normal(size=tile + size - 1), rng.normal(size=size)
    np.testing.assert_allclose(A @ ((G @ kernel) * (B @ x)), np.correlate(x, kernel, "valid"), atol=1e-12)
