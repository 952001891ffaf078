"""Every layer's forward pass against a naive one, and its gradients against finite differences."""

import itertools

import numpy as np
import pytest

from digit_recognizer_dl_model import layers

LAYERS = [
    ("Conv2D", {"inputs": 2, "outputs": 3, "size": 3}, (2, 5, 7, 2)),
    ("Conv2D", {"inputs": 3, "outputs": 2, "size": 2}, (3, 3, 2, 3)),
    ("Conv2D", {"inputs": 1, "outputs": 4, "size": 5}, (1, 5, 6, 1)),
    ("Conv2D", {"inputs": 2, "outputs": 3, "size": 1}, (2, 3, 4, 2)),
    ("Conv2D", {"inputs": 2, "outputs": 3, "size": 3}, (9, 6, 10, 2)),  # three blocks of images, large tiles
    ("Conv2D", {"inputs": 2, "outputs": 1, "size": 5}, (2, 7, 10, 2)),
    ("Dense", {"inputs": 7, "outputs": 3}, (5, 7)),
    ("Dense", {"inputs": 4, "outputs": 3}, (2, 1, 5, 4)),
    ("BatchNorm", {"channels": 3}, (5, 3)),
    ("BatchNorm", {"channels": 2}, (2, 3, 5, 2)),
    ("ReLU", {}, (3, 5)),
    ("ReLU", {}, (2, 3, 1, 2)),
    ("MaxPool2D", {}, (2, 4, 6, 3)),
    ("Flatten", {}, (2, 3, 5, 2)),
    ("Columns", {"reach": 3}, (2, 2, 7, 3)),
    ("Dropout", {"rate": 0.3}, (7, 9)),
]
NAMES = [f"{kind}-{'x'.join(map(str, shape))}" for kind, _, shape in LAYERS]


@pytest.fixture
def double_precision(monkeypatch):
    """Finite differences need more digits than the float32 that the network runs in."""
    monkeypatch.setattr(layers, "FLOAT", np.float64)


def build(kind, options, rng):
    """A layer whose parameters are all random, instead of 0 or 1."""
    layer = getattr(layers, kind)(**options, rng=rng)
    for array in layer.parameters.values():
        array += rng.normal(0, 0.5, array.shape).astype(array.dtype)
    return layer


def central_differences(function, array, step=1e-5):
    """The gradient of a scalar function by an array that it reads."""
    gradient = np.empty_like(array)
    for place in np.ndindex(array.shape):
        value = array[place]
        array[place] = value + step
        above = function()
        array[place] = value - step
        below = function()
        array[place] = value
        gradient[place] = (above - below) / (2 * step)
    return gradient


def relative_error(gradient, reference):
    return np.abs(gradient - reference).max() / np.abs(reference).max()


@pytest.mark.parametrize(("kind", "options", "shape"), LAYERS, ids=NAMES)
def test_the_gradients_agree_with_finite_differences(double_precision, kind, options, shape):
    rng = np.random.default_rng(4)
    layer = build(kind, options, rng)
    x = rng.normal(size=shape)

    def forward():
        return layer.forward(x, training=True, rng=np.random.default_rng(5))

    d_out = rng.normal(size=forward().shape)
    d_x = layer.backward(d_out)
    gradients = dict(layer.gradients)

    def loss():
        return (forward() * d_out).sum()

    assert d_x.shape == x.shape
    assert relative_error(d_x, central_differences(loss, x)) < 1e-6
    assert gradients.keys() == layer.parameters.keys()
    for name, parameter in layer.parameters.items():
        assert gradients[name].shape == parameter.shape
        assert relative_error(gradients[name], central_differences(loss, parameter)) < 1e-6, name


@pytest.mark.parametrize(("kind", "options", "shape"), LAYERS, ids=NAMES)
@pytest.mark.parametrize("training", [True, False], ids=["training", "inference"])
def test_single_precision_stays_single_precision(kind, options, shape, training):
    rng = np.random.default_rng(6)
    layer = build(kind, options, rng)
    out = layer.forward(rng.random(shape, np.float32), training, rng)
    arrays = {"out": out, **layer.parameters, **layer.statistics}
    if training:
        arrays |= {"d_x": layer.backward(np.ones_like(out)), **layer.gradients}
    assert {name: array.dtype for name, array in arrays.items()} == dict.fromkeys(arrays, np.dtype(np.float32))


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        (3, (2, 5, 7, 2)),
        (3, (9, 6, 10, 2)),
        (2, (3, 3, 2, 3)),
        (5, (1, 5, 6, 1)),
        (5, (2, 7, 10, 2)),
        (1, (2, 2, 3, 2)),
    ],
)
def test_convolution_agrees_with_one_written_as_loops(double_precision, size, shape):
    rng = np.random.default_rng(7)
    n, height, width, inputs = shape
    layer = layers.Conv2D(inputs, 3, size, rng)
    x = rng.normal(size=shape)
    kernel = layer.parameters["kernel"]
    expected = np.zeros((n, height - size + 1, width - size + 1, 3))
    for image, row, column, output in np.ndindex(expected.shape):
        for down, right, channel in itertools.product(range(size), range(size), range(inputs)):
            pixel = x[image, row + down, column + right, channel]
            expected[image, row, column, output] += pixel * kernel[down, right, channel, output]
    np.testing.assert_allclose(layer.forward(x, training=False, rng=None), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("inputs", [1, 2])
def test_the_first_convolution_of_a_network_skips_only_the_gradient_by_its_input(inputs):
    rng = np.random.default_rng(20)
    layer = layers.Conv2D(inputs, 3, 3, rng)
    out = layer.forward(rng.random((4, 6, 6, inputs), np.float32), training=True, rng=None)
    d_out = rng.random(out.shape, np.float32)
    assert layer.backward(d_out).shape == (4, 6, 6, inputs)
    d_kernel = layer.gradients["kernel"]
    layer.is_first = True
    assert layer.backward(d_out) is None
    np.testing.assert_array_equal(layer.gradients["kernel"], d_kernel)


def test_a_convolution_follows_the_number_of_images_and_the_kernel():
    rng = np.random.default_rng(21)
    layer = layers.Conv2D(2, 3, 3, rng)
    x = rng.random((12, 6, 6, 2), np.float32)
    whole = layer.forward(x, training=False, rng=None)
    np.testing.assert_allclose(layer.forward(x[:5], training=False, rng=None), whole[:5], atol=1e-5)
    layer.parameters["kernel"] *= 2
    np.testing.assert_allclose(layer.forward(x, training=False, rng=None), 2 * whole, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "options", "fan_in"),
    [("Conv2D", {"inputs": 8, "outputs": 96, "size": 5}, 200), ("Dense", {"inputs": 200, "outputs": 96}, 200)],
)
def test_first_weights_have_the_spread_that_keeps_the_signal_alive(kind, options, fan_in):
    layer = getattr(layers, kind)(**options, rng=np.random.default_rng(8))
    weight = next(iter(layer.parameters.values()))
    assert weight.std() == pytest.approx(np.sqrt(2 / fan_in), rel=0.02)
    assert abs(weight.mean()) < 0.003


def test_dense_is_a_weighted_sum_and_a_bias():
    layer = layers.Dense(2, 3, np.random.default_rng(9))
    layer.parameters["weight"][...] = [[1, 2, 3], [10, 20, 30]]
    layer.parameters["bias"][...] = [0.5, 0, -1]
    out = layer.forward(np.array([[1, 0], [2, -1]], np.float32), training=False, rng=None)
    assert out.tolist() == [[1.5, 2, 2], [-7.5, -16, -25]]


def test_relu_keeps_positive_numbers_and_their_gradients():
    layer = layers.ReLU(rng=np.random.default_rng(10))
    assert layer.forward(np.array([-2.0, -0.0, 0.0, 3.0]), training=True, rng=None).tolist() == [0, 0, 0, 3]
    assert layer.backward(np.array([5.0, 6.0, 7.0, 8.0])).tolist() == [0, 0, 0, 8]


def test_pooling_takes_the_largest_of_each_square():
    rng = np.random.default_rng(11)
    x = rng.normal(size=(2, 4, 6, 3))
    out = layers.MaxPool2D(rng).forward(x, training=False, rng=None)
    assert out.shape == (2, 2, 3, 3)
    for image, row, column, channel in np.ndindex(out.shape):
        square = x[image, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2, channel]
        assert out[image, row, column, channel] == square.max()


@pytest.mark.parametrize("largest", [c for n in (1, 2, 3, 4) for c in itertools.combinations(range(4), n)])
def test_only_one_of_several_equal_maxima_gets_the_gradient(largest):
    square = np.zeros(4)
    square[list(largest)] = 1
    layer = layers.MaxPool2D(np.random.default_rng(12))
    layer.forward(square.reshape(1, 2, 2, 1), training=True, rng=None)
    d_x = layer.backward(np.full((1, 1, 1, 1), 7.0)).ravel()
    assert sorted(d_x) == [0, 0, 0, 7]
    assert d_x.argmax() in largest


@pytest.mark.parametrize("shape", [(40, 3), (6, 5, 4, 3)])
def test_batch_normalisation_gives_mean_0_and_variance_1_in_training(shape):
    rng = np.random.default_rng(13)
    x = rng.normal([5, -300, 0.1], [2, 30, 1], shape)
    out = layers.BatchNorm(3, rng).forward(x, training=True, rng=None).reshape(-1, 3)
    np.testing.assert_allclose(out.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(out.var(axis=0), 1, atol=1e-4)


def test_batch_normalisation_scales_and_shifts_after_normalising():
    rng = np.random.default_rng(14)
    x = rng.normal(size=(40, 2)).astype(np.float32)
    layer = layers.BatchNorm(2, rng)
    normalised = layer.forward(x, training=True, rng=None)
    layer.parameters["scale"][...], layer.parameters["shift"][...] = [3, -1], [0, 10]
    np.testing.assert_allclose(layer.forward(x, training=True, rng=None), normalised * [3, -1] + [0, 10], atol=1e-5)


def test_running_statistics_move_a_tenth_of_the_way_to_the_batch():
    rng = np.random.default_rng(15)
    x = rng.normal([5, -3], [2, 0.5], (60, 2))
    layer = layers.BatchNorm(2, rng)
    layer.statistics["mean"][...], layer.statistics["variance"][...] = [1, 2], [3, 4]
    layer.forward(x, training=True, rng=None)
    mean, variance = layer.statistics["mean"], layer.statistics["variance"]
    np.testing.assert_allclose(mean, 0.9 * np.array([1, 2]) + 0.1 * x.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(variance, 0.9 * np.array([3, 4]) + 0.1 * x.var(axis=0), rtol=1e-5)
    for _ in range(200):
        layer.forward(x, training=True, rng=None)
    np.testing.assert_allclose(mean, x.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(variance, x.var(axis=0), rtol=1e-5)


def test_batch_normalisation_uses_the_running_statistics_at_inference_and_leaves_them():
    rng = np.random.default_rng(16)
    layer = build("BatchNorm", {"channels": 2}, rng)
    layer.statistics["mean"][...], layer.statistics["variance"][...] = [1, -2], [4, 0.25]
    x = rng.normal(size=(3, 5, 5, 2))
    out = layer.forward(x, training=False, rng=None)
    normalised = (x - [1, -2]) / np.sqrt(np.array([4, 0.25]) + 1e-5)
    np.testing.assert_allclose(out, normalised * layer.parameters["scale"] + layer.parameters["shift"], atol=1e-6)
    assert layer.statistics["mean"].tolist() == [1, -2]
    assert layer.statistics["variance"].tolist() == [4, 0.25]


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.75])
def test_dropout_keeps_the_expected_value(rate):
    rng = np.random.default_rng(17)
    x = np.full((400, 250), 3, np.float32)
    out = layers.Dropout(rate, rng).forward(x, training=True, rng=rng)
    assert out.mean() == pytest.approx(3, rel=0.02)
    assert (out == 0).mean() == pytest.approx(rate, abs=0.01)
    np.testing.assert_allclose(out[out != 0], 3 / (1 - rate), rtol=1e-6)


def test_dropout_does_nothing_at_inference():
    x = np.random.default_rng(18).normal(size=(4, 9)).astype(np.float32)
    out = layers.Dropout(0.5, np.random.default_rng(19)).forward(x, training=False, rng=None)
    np.testing.assert_array_equal(out, x)
