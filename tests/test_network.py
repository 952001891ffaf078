"""The whole network: its gradients, its replicas, and a run that learns ten digits by heart."""

from pathlib import Path

import numpy as np
import pytest

from digit_recognizer_dl_model import layers
from digit_recognizer_dl_model.dataset import Dataset, read_csv
from digit_recognizer_dl_model.loss import cross_entropy, targets_of
from digit_recognizer_dl_model.network import ARCHITECTURE, Network
from digit_recognizer_dl_model.optimizer import AdamW

TEST_CSV = Path(__file__).parent.parent / "data" / "mnist_test.csv"

# Images of 8 x 8, every kind of layer.
TINY = [
    {"layer": "Conv2D", "inputs": 1, "outputs": 3, "size": 3},
    {"layer": "BatchNorm", "channels": 3},
    {"layer": "MaxPool2D"},
    {"layer": "ReLU"},
    {"layer": "Flatten"},
    {"layer": "Dense", "inputs": 27, "outputs": 6},
    {"layer": "BatchNorm", "channels": 6},
    {"layer": "ReLU"},
    {"layer": "Dropout", "rate": 0.3},
    {"layer": "Dense", "inputs": 6, "outputs": 11},
]
SMALL = [
    {"layer": "Conv2D", "inputs": 1, "outputs": 4, "size": 5},
    {"layer": "BatchNorm", "channels": 4},
    {"layer": "MaxPool2D"},
    {"layer": "ReLU"},
    {"layer": "Flatten"},
    {"layer": "Dense", "inputs": 576, "outputs": 11},
]


@pytest.fixture
def ten_digits():
    """One image of each digit."""
    dataset = read_csv(TEST_CSV)
    first_of_each = [int(np.flatnonzero(dataset.labels == digit)[0]) for digit in range(10)]
    return Dataset(dataset.pixels[first_of_each], dataset.labels[first_of_each])


def differentiate(network, x, labels):
    """One forward and backward pass in training; the loss."""
    logits = network.forward(x, training=True, rng=np.random.default_rng(1))
    loss, d_logits = cross_entropy(logits, targets_of(labels, 0.05))
    network.backward(d_logits)
    return loss


def test_the_gradients_of_the_whole_network_agree_with_finite_differences(monkeypatch):
    monkeypatch.setattr(layers, "FLOAT", np.float64)
    rng = np.random.default_rng(2)
    network = Network(TINY, rng)
    for array in network.parameters.values():
        array += rng.normal(0, 0.3, array.shape)
    x, labels = rng.normal(size=(7, 8, 8, 1)), rng.integers(0, 10, 7)
    differentiate(network, x, labels)
    gradients = network.gradients
    assert gradients.keys() == network.parameters.keys()
    for name, parameter in network.parameters.items():
        reference = np.empty_like(parameter)
        for place in np.ndindex(parameter.shape):
            value, losses = parameter[place], []
            for moved in (value + 1e-5, value - 1e-5):
                parameter[place] = moved
                losses.append(differentiate(network, x, labels))
            parameter[place] = value
            reference[place] = (losses[0] - losses[1]) / 2e-5
        np.testing.assert_allclose(gradients[name], reference, rtol=1e-6, atol=1e-9, err_msg=name)


def test_a_small_network_learns_ten_digits_by_heart(ten_digits):
    network = Network(SMALL, np.random.default_rng(3))
    optimizer = AdamW(network.parameters, weight_decay=0)
    x = ten_digits.pixels[..., None].astype(np.float32) / 255
    for _ in range(60):
        loss, d_logits = cross_entropy(network.forward(x, training=True), targets_of(ten_digits.labels, 0))
        network.backward(d_logits)
        optimizer.step(network.gradients, 0.01)
    assert loss < 0.01
    assert network.forward(x).argmax(axis=1).tolist() == list(range(10))


@pytest.mark.parametrize("n", [1, 3])
def test_the_shipped_architecture_gives_a_logit_for_each_digit_and_one_for_none(n):
    rng = np.random.default_rng(4)
    logits = Network(ARCHITECTURE, rng).forward(rng.random((n, 28, 28, 1), np.float32))
    assert logits.shape == (n, 11)
    assert logits.dtype == np.float32
    assert np.isfinite(logits).all()
    assert logits.std() > 0.01


def test_the_shipped_architecture_has_the_size_that_its_comment_claims():
    parameters = Network(ARCHITECTURE, np.random.default_rng(5)).parameters
    assert sum(array.size for array in parameters.values()) == 198_059


def test_the_state_has_all_parameters_and_statistics():
    network = Network(TINY, np.random.default_rng(6))
    shapes = {name: array.shape for name, array in network.state.items()}
    assert shapes == {
        "0.kernel": (3, 3, 1, 3),
        **{f"1.{name}": (3,) for name in ("scale", "shift", "mean", "variance")},
        "5.weight": (27, 6),
        "5.bias": (6,),
        **{f"6.{name}": (6,) for name in ("scale", "shift", "mean", "variance")},
        "9.weight": (6, 11),
        "9.bias": (11,),
    }
    assert set(network.state) - set(network.parameters) == {"1.mean", "1.variance", "6.mean", "6.variance"}


def test_the_logits_depend_on_nothing_but_the_state():
    rng = np.random.default_rng(7)
    trained, fresh = Network(TINY, rng), Network(TINY, rng)
    x = rng.random((6, 8, 8, 1), np.float32)
    differentiate(trained, x, rng.integers(0, 10, 6))
    assert not np.allclose(trained.forward(x), fresh.forward(x))
    for name, array in fresh.state.items():
        array[...] = trained.state[name]
    np.testing.assert_array_equal(trained.forward(x), fresh.forward(x))


def test_another_seed_draws_another_network():
    kernels = [Network(TINY, np.random.default_rng(seed)).parameters["0.kernel"] for seed in (8, 8, 9)]
    assert np.array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[0], kernels[2])


def test_a_replica_follows_every_change_of_the_parameters():
    rng = np.random.default_rng(10)
    network = Network(TINY, rng)
    replica = network.replicate()
    x = rng.random((3, 8, 8, 1), np.float32)
    before = replica.forward(x)
    for name, array in network.parameters.items():
        assert replica.parameters[name] is array
        array += 1
    assert not np.allclose(replica.forward(x), before)
    np.testing.assert_array_equal(replica.forward(x), network.forward(x))


def test_a_replica_at_work_leaves_the_gradients_and_statistics_of_the_network_alone():
    rng = np.random.default_rng(11)
    network = Network(TINY, rng)
    replica = network.replicate()
    x, labels = rng.random((6, 8, 8, 1), np.float32), rng.integers(0, 10, 6)
    differentiate(network, x, labels)
    alone = {name: array.copy() for name, array in network.gradients.items()}
    statistics = {name: array.copy() for name, array in network.state.items() if name not in alone}

    logits = network.forward(x, training=True, rng=np.random.default_rng(1))
    for name, array in statistics.items():
        array[...] = network.state[name]
    differentiate(replica, rng.random((4, 8, 8, 1), np.float32), rng.integers(0, 10, 4))
    network.backward(cross_entropy(logits, targets_of(labels, 0.05))[1])

    for name, gradient in alone.items():
        np.testing.assert_array_equal(network.gradients[name], gradient)
        assert not np.shares_memory(network.gradients[name], replica.gradients[name])
    assert not np.allclose(network.gradients["0.kernel"], replica.gradients["0.kernel"])
    for name, array in statistics.items():
        np.testing.assert_array_equal(network.state[name], array)
        assert not np.array_equal(replica.state[name], array)
