"""The panel that shows the network at work: GET /draw/network/ once, and what /draw/predict/ tells of each drawing."""

import base64
import gzip
import html
import json
import re

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from digit_recognizer_dl_model.network import Network
from digit_recognizer_dl_model.weights import load_weights
from digits import pictures, recognizer
from digits.network_panel import LINKS

from .pictures import SEVEN, TWO, drawing, encoded, number_picture

MOST_BYTES = 30_000  # compressed, as browsers take them
SIZES = [28**2, 32 * 26**2, 32 * 12**2, 64 * 10**2, 64 * 4**2, 128]  # of the input and of each layer but the last


def post(client, data: bytes, **fields: str):
    file = SimpleUploadedFile("drawing.png", data, "image/png")
    return client.post("/draw/predict/", {"file": file, "network": "1"} | fields)


def attributes(answer, start: str) -> dict[str, str]:
    """The data of the first element whose tag starts so."""
    tag = re.search(f"<{start}[^>]*>", answer.content.decode())[0]
    return {name: html.unescape(value) for name, value in re.findall(r'data-([a-z]+)="([^"]*)"', tag)}


def activations(answer) -> list[np.ndarray]:
    """The input and the activations of each layer but the last, as they are told, each flat, map by map."""
    data = attributes(answer, 'div id="activations"')
    values = np.frombuffer(base64.b64decode(data["values"]), np.uint8)
    layers = np.split(values, np.cumsum(SIZES)[:-1])
    scales = json.loads(data["scales"])
    return [layer / 255 * scale for layer, scale in zip(layers, scales, strict=True)]


def plain_activations(pixels: np.ndarray) -> list[np.ndarray]:
    """The same by the plain forward pass of the network that was trained, and at the end its logits."""
    weights = load_weights()
    network = Network(weights.architecture, np.random.default_rng(0))
    for name, array in network.state.items():
        array[...] = weights.arrays[name]
    x = pixels[None, ..., None].astype(np.float32) / 255
    found = [x]
    for entry, layer in zip(weights.architecture, network.layers, strict=True):
        x = layer.forward(x, False, None)
        if entry["layer"] == "ReLU":
            found.append(x)
    return [np.moveaxis(each[0], -1, 0).ravel() for each in [*found, x]]


@pytest.mark.parametrize("stroke", [TWO, SEVEN])
def test_the_activations_are_those_of_the_drawing(client, stroke):
    data = encoded(drawing([stroke]))
    *expected, logits = plain_activations(pictures.prepare(data))
    answer = post(client, data)
    for told, real in zip(activations(answer), expected, strict=True):
        assert real.max() > 0
        np.testing.assert_allclose(told, real, rtol=0, atol=real.max() / 440)  # half a step of 255, and a little
    outputs = json.loads(attributes(answer, 'div id="activations"')["outputs"])
    likely = np.exp(logits / load_weights().temperature)
    np.testing.assert_allclose(outputs, likely / likely.sum(), atol=1e-4)


def test_the_activations_of_two_drawings_differ_in_every_layer(client):
    two, seven = (activations(post(client, encoded(drawing([stroke])))) for stroke in (TWO, SEVEN))
    assert all((one != other).any() for one, other in zip(two, seven, strict=True))


def test_the_activations_come_only_where_the_panel_is_open(client):
    data = encoded(drawing())
    closed = client.post("/draw/predict/", {"file": SimpleUploadedFile("drawing.png", data)})
    assert b"activations" not in closed.content
    assert b"data-values" in post(client, data).content
    assert b"data-values" in post(client, data, live="1").content


def test_an_answer_with_activations_is_small_as_browsers_take_it(client):
    data = {"file": SimpleUploadedFile("drawing.png", encoded(drawing())), "network": "1"}
    answer = client.post("/draw/predict/", data, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert b"data-values" in gzip.decompress(answer.content)
    assert len(answer.content) <= MOST_BYTES


def test_of_a_number_the_last_digit_is_shown(client):
    answer = post(client, encoded(number_picture("47")))
    assert "how the one for single digits sees the last digit." in answer.content.decode()
    outputs = json.loads(attributes(answer, 'div id="activations"')["outputs"])
    assert np.argmax(outputs) == 7


def test_of_more_lines_than_are_read_nothing_is_shown(client):
    answer = post(client, encoded(number_picture(*["42"] * 21)))
    assert "This is the one for single digits." in answer.content.decode()
    assert attributes(answer, 'div id="activations"') == {}


@pytest.mark.parametrize(("data", "status"), [(b"plain text", 415), (encoded(drawing([])), 422)], ids=["text", "blank"])
def test_what_is_refused_takes_away_the_activations_of_the_drawing_before(client, data, status):
    answer = post(client, data)
    assert answer.status_code == status
    assert re.search(r'<div id="activations"[^>]* hx-swap-oob="true"', answer.content.decode())
    assert attributes(answer, 'div id="activations"') == {}


def test_the_panel_tells_each_layer_with_the_strongest_weights_of_its_units(client):
    data = attributes(client.get("/draw/network/"), 'div class="network"')
    layers = json.loads(data["layers"])
    names = ["Input", *(f"Convolution {i}" for i in range(1, 5)), "Dense layer", "Outputs"]
    assert [layer["name"] for layer in layers] == names
    assert [layer["units"] * layer["side"] ** 2 for layer in layers] == [*SIZES, 11]
    told, start = base64.b64decode(data["weights"]), 0
    for layer, (sources, weights) in zip(layers[1:], recognizer.links(LINKS), strict=True):
        assert (np.frombuffer(told, np.uint8, sources.size, start) == sources.ravel()).all()
        kernels = np.frombuffer(told, np.int8, weights.size, start + sources.size) / 127 * layer["scale"]
        np.testing.assert_allclose(kernels, weights.ravel(), rtol=0, atol=layer["scale"] / 253)
        start += sources.size + weights.size
    assert start == len(told)


def test_the_panel_is_small_and_not_sent_again_while_it_is_the_same(client):
    answer = client.get("/draw/network/", headers={"Accept-Encoding": "gzip"})
    assert len(answer.content) <= MOST_BYTES
    assert "no-cache" in answer.headers["Cache-Control"]
    again = client.get("/draw/network/", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get("/draw/network/", headers={"If-None-Match": '"another"'})
    assert other.status_code == 200


def test_the_panel_answers_only_get(client):
    assert client.post("/draw/network/").status_code == 405


@pytest.mark.parametrize("address", ["/", "/draw/"])
def test_the_pages_ask_for_the_network_only_when_its_panel_is_opened(client, address):
    page = client.get(address).content.decode()
    assert re.search(r'<details class="network-panel"[^>]* hx-trigger="opened"', page)
    assert '<input name="network" type="hidden" value="1" disabled>' in page
    assert "network.js" not in re.sub(r"network\.[0-9a-f]{12}\.js", "network.js", page)


def test_without_scripts_the_explanation_of_a_picture_has_a_sheet_of_every_layer(client):
    file = SimpleUploadedFile("drawing.png", encoded(drawing()))
    page = client.post("/draw/", {"file": file, "explain": "1"}).content.decode()
    captions = re.findall(r'<figure class="sheet">.*?<figcaption>([^:]+):', page, re.DOTALL)
    assert captions == ["First convolution", "Second convolution", "Convolution 3", "Convolution 4", "Dense layer"]
    lit = np.count_nonzero(recognizer.activity(pictures.prepare(encoded(drawing()))).features)
    assert f"{lit} of 128 neurons are lit" in page
