"""AdamW against an implementation for single numbers, and the schedule of the learning rate."""

import math

import numpy as np
import pytest

from digit_recognizer_dl_model.optimizer import AdamW, one_cycle


def adamw_of_one_number(value, gradients, rates, decay):
    """Algorithm 2 of Loshchilov & Hutter 2019, line by line."""
    m = v = 0.0
    for t, (g, rate) in enumerate(zip(gradients, rates, strict=True), start=1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
        value = value - rate * m_hat / (math.sqrt(v_hat) + 1e-8) - rate * decay * value
    return value


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 1, 2), (5,)])
def test_adamw_agrees_with_an_implementation_number_by_number(shape):
    rng = np.random.default_rng(1)
    before = rng.normal(size=shape)
    gradients = rng.normal(0, 5, (8, *shape))
    rates = rng.uniform(0.001, 0.1, 8).tolist()
    parameter = before.copy()
    optimizer = AdamW({"p": parameter}, weight_decay=0.3)
    for gradient, rate in zip(gradients, rates, strict=True):
        optimizer.step({"p": gradient}, rate)
    decay = 0.3 if len(shape) > 1 else 0.0
    for place in np.ndindex(shape):
        history = gradients[(slice(None), *place)].tolist()
        expected = adamw_of_one_number(before[place].item(), history, rates, decay)
        assert parameter[place] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("size", [1e-4, 1.0, 1e6])
def test_the_first_step_is_the_learning_rate_whatever_the_size_of_the_gradient(size):
    parameter = np.zeros(2)
    AdamW({"p": parameter}, weight_decay=0).step({"p": np.array([size, -size])}, 0.01)
    np.testing.assert_allclose(parameter, [-0.01, 0.01], rtol=0.005)


def test_only_matrices_and_kernels_decay():
    parameters = {
        "kernel": np.full((3, 3, 1, 2), 2, np.float32),
        "weight": np.full((4, 2), 2, np.float32),
        "bias": np.full(2, 2, np.float32),
    }
    optimizer = AdamW(parameters, weight_decay=0.5)
    for _ in range(2):
        optimizer.step({name: np.zeros_like(array) for name, array in parameters.items()}, 0.1)
    np.testing.assert_allclose(parameters["kernel"], 2 * 0.95**2, rtol=1e-6)
    np.testing.assert_allclose(parameters["weight"], 2 * 0.95**2, rtol=1e-6)
    np.testing.assert_array_equal(parameters["bias"], 2)
    assert {array.dtype for array in parameters.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("progress", "rate"),
    [
        (0.0, 0.04 / 25),
        (0.1, (0.04 / 25 + 0.04) / 2),
        (0.2, 0.04),
        (0.6, 0.02),
        (1.0, 0.0),
    ],
    ids=["start", "middle of the rise", "peak", "middle of the fall", "end"],
)
def test_the_learning_rate_starts_low_peaks_and_ends_at_0(progress, rate):
    assert one_cycle(progress, peak=0.04, warm_up=0.2) == pytest.approx(rate, abs=1e-12)


@pytest.mark.parametrize("warm_up", [0.1, 0.2, 0.5])
def test_the_learning_rate_rises_until_the_peak_and_falls_after_it(warm_up):
    progress = np.linspace(0, 1, 201)
    rates = np.array([one_cycle(p, 1.0, warm_up) for p in progress])
    changes = np.diff(rates)
    assert (changes[progress[1:] < warm_up] > 0).all()
    assert (changes[progress[:-1] >= warm_up] < 0).all()
    assert np.abs(changes).max() < 0.2  # no jump


def test_without_warm_up_the_learning_rate_starts_at_the_peak():
    assert one_cycle(0.0, 0.5, 0.0) == 0.5
