"""What the service is compared with prepares pictures well enough to be read by the same network."""

import numpy as np
import pytest
from PIL import Image

from benchmarks import samples
from benchmarks.peers.preparation import BOX, SIDE, prepare
from digits.gallery import gallery
from digits.recognizer import read_digits

from .pictures import encoded


def test_a_peer_prepares_a_picture_as_mnist_prepares_its_digits():
    pixels = prepare(samples.picture())
    rows, columns = np.nonzero(pixels)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == BOX
    for places in (rows, columns):
        assert np.average(places + 0.5, weights=pixels[rows, columns]) == pytest.approx(SIDE / 2, abs=0.5)


@pytest.mark.parametrize("picture", [samples.picture, samples.photograph])
def test_the_network_reads_what_a_peer_prepares(picture):
    assert read_digits(prepare(picture())[None]) == [samples.label()]


def test_a_peer_reads_light_ink_on_a_dark_board_too():
    tiles = [Image.fromarray(gallery().pixels(index)) for index in range(20)]
    read = read_digits(np.stack([prepare(encoded(tile.resize((280, 280)))) for tile in tiles]))
    assert sum(digit == gallery().label(index) for index, digit in enumerate(read)) >= 19


def test_a_peer_refuses_a_picture_without_ink():
    with pytest.raises(ValueError, match="no ink"):
        prepare(encoded(Image.new("L", (280, 280), "white")))
