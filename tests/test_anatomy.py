"""What each unit of a network looks at: its weights, and which of them are the strongest."""

import numpy as np
import pytest

from digit_recognizer_dl_model.anatomy import anatomy, kernels_of, strongest
from digit_recognizer_dl_model.inference import Classifier
from digit_recognizer_dl_model.weights import load_weights


@pytest.fixture(scope="module")
def weights():
    return load_weights()


def test_the_weights_of_a_unit_tell_how_much_more_it_computes_for_more_of_its_input(weights, tiles):
    """By the weights alone, the outputs differ between two pictures by what the neurons before them differ."""
    classifier = Classifier(weights)
    one, other = (classifier.trace(pixels) for pixels in tiles[:2])
    by_weights = (one.features - other.features) @ kernels_of(weights)[-1][0, 0]
    np.testing.assert_allclose(one.logits - other.logits, by_weights, rtol=1e-4, atol=1e-4)


def test_the_weights_of_neurons_lie_as_the_maps_do(weights, tiles):
    """Where a neuron is lit for both of two pictures, it differs by the weighted difference of the last maps."""
    classifier = Classifier(weights)
    one, other = (classifier.trace(pixels) for pixels in tiles[:2])
    difference = np.tensordot(one.maps[-1] - other.maps[-1], kernels_of(weights)[-2], axes=3)
    lit = (one.features > 0) & (other.features > 0)
    assert lit.sum() > 3
    np.testing.assert_allclose((one.features - other.features)[lit], difference[lit], rtol=1e-3, atol=1e-3)


def test_the_first_kernels_are_what_a_dot_of_ink_adds_to_the_first_maps(weights):
    """A single inked pixel shows each kernel, turned by half a circle, wherever the filter is lit."""
    blank, dot = np.zeros((2, 28, 28), np.uint8)
    dot[10, 10] = 255
    kernel = kernels_of(weights)[0][:, :, 0]  # (3, 3, filters)
    one, other = (Classifier(weights).trace(pixels).maps[0][8:11, 8:11] for pixels in (dot, blank))
    lit = (one > 0) & (other > 0)
    assert lit.sum() > 9
    np.testing.assert_allclose((one - other)[lit], kernel[::-1, ::-1][lit], rtol=1e-4, atol=1e-4)


def test_the_strongest_links_come_first_with_their_own_weights():
    kernel = np.zeros((3, 3, 4, 2))
    kernel[0, 0, :, 0] = [1, -5, 3, 0]
    kernel[2, 1, :, 1] = [0, 1, 2, 4]
    found = strongest(kernel, 2)
    assert found.sources.tolist() == [[1, 2], [3, 2]]
    assert found.weights.shape == (2, 2, 3, 3)
    assert found.weights[:, :, 0, 0].tolist() == [[-5, 3], [0, 0]]
    assert found.weights[:, :, 2, 1].tolist() == [[0, 0], [4, 2]]


def test_all_layers_have_their_links_and_the_outputs_all_of_them(weights):
    sources = [each.sources.shape for each in anatomy(weights, 6)]
    assert sources == [(32, 1), (32, 6), (64, 6), (64, 6), (128, 6), (11, 128)]
