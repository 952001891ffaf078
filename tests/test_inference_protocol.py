"""The Open Inference Protocol v2: NVIDIA's client reads digits here as from any inference server."""

import json
import subprocess
import sys
import urllib.parse

import numpy as np
import pytest

from digits.gallery import gallery
from digits.recognizer import Prediction, recognize_batch

URL = "/v2/models/digits/infer"
# In a process of its own: the client brings gevent.
CLIENT = """
import sys, numpy, tritonclient.http as triton
client = triton.InferenceServerClient(sys.argv[1])
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("digits")
assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
metadata = client.get_model_metadata("digits")
[image] = metadata["inputs"]
assert image == {"name": "image", "datatype": "UINT8", "shape": [-1, 28, 28]}
names = [output["name"] for output in metadata["outputs"]]
pixels, expected = numpy.load(sys.argv[2]), numpy.load(sys.argv[3])
for datatype, dtype in [("UINT8", "uint8"), ("FP32", "float32")]:
    for in_binary in (True, False):
        tensor = triton.InferInput("image", list(pixels.shape), datatype)
        tensor.set_data_from_numpy(pixels.astype(dtype), binary_data=in_binary)
        for outputs in (None, [triton.InferRequestedOutput(name, binary_data=in_binary) for name in names]):
            answer = client.infer("digits", [tensor], outputs=outputs, request_id="7")
            assert answer.get_response()["id"] == "7"
            numpy.testing.assert_array_equal(answer.as_numpy("probabilities"), expected)
            numpy.testing.assert_array_equal(answer.as_numpy("digit"), expected.argmax(axis=1))
            assert answer.as_numpy("uncertain").dtype == bool
            print("read")
try:
    client.infer("letters", [tensor])
except triton.InferenceServerException as error:
    print(error.status(), error.message())
"""


@pytest.fixture
def pixels() -> np.ndarray:
    return np.stack([gallery().pixels(index) for index in range(12)])


@pytest.fixture
def predictions(pixels) -> list[Prediction]:
    return recognize_batch(pixels)


def infer(client, body: object, **headers: str):
    return client.post(URL, body, content_type="application/json", headers=headers)


def tensor(data: object, shape=(1, 28, 28), datatype="UINT8", **more) -> dict:
    return {"inputs": [{"name": "image", "shape": list(shape), "datatype": datatype, "data": data}]} | more


def test_nvidias_client_gets_metadata_and_the_right_digits(server, pixels, predictions, tmp_path):
    sent, expected = tmp_path / "pixels.npy", tmp_path / "probabilities.npy"
    np.save(sent, pixels)
    np.save(expected, np.array([prediction.probabilities for prediction in predictions], np.float32))
    address = urllib.parse.urlsplit(server).netloc
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, address, sent, expected], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["read"] * 8 + ["404 There is nothing at /v2/models/letters/infer."]


@pytest.mark.parametrize("slash", ["", "/"])
def test_every_address_answers_with_and_without_a_last_slash(client, slash):
    assert client.get(f"/v2{slash}").json()["name"] == "digit-recognizer"
    assert client.get(f"/v2/health/live{slash}").json() == {"live": True}
    assert client.get(f"/v2/health/ready{slash}").json() == {"ready": True}
    assert client.get(f"/v2/models/digits{slash}").json()["name"] == "digits"
    assert client.get(f"/v2/models/digits/ready{slash}").json() == {"name": "digits", "ready": True}
    answer = client.post(f"{URL}{slash}", tensor(gallery().pixels(0).tolist()), content_type="application/json")
    assert "model_version" not in answer.json()  # no version has an address of its own


@pytest.mark.parametrize("shape", [(12, 28, 28), (12.0, 784), (12, 1, 28, 28)])
@pytest.mark.parametrize("nested", [True, False])
def test_pictures_come_in_any_usual_shape(client, pixels, predictions, shape, nested):
    data = pixels.reshape([int(side) for side in shape] if nested else -1).tolist()
    outputs = {output["name"]: output for output in infer(client, tensor(data, shape)).json()["outputs"]}
    assert outputs["digit"]["data"] == [prediction.digit for prediction in predictions]
    assert outputs["probabilities"]["shape"] == [12, 10]
    assert outputs["uncertain"]["data"] == [prediction.uncertain for prediction in predictions]


def test_one_picture_needs_no_batch(client, pixels, predictions):
    answer = infer(client, tensor(pixels[0].tolist(), (28, 28), outputs=[{"name": "digit"}])).json()
    assert answer["outputs"] == [{"name": "digit", "datatype": "INT64", "shape": [1], "data": [predictions[0].digit]}]


def binary(length: str | None = None, size: int = 784, tail: bytes = bytes(784)) -> tuple[bytes, dict]:
    [image] = tensor(None)["inputs"]
    image = {name: value for name, value in image.items() if name != "data"}
    head = json.dumps({"inputs": [image | {"parameters": {"binary_data_size": size}}]}).encode()
    return head + tail, {"Inference-Header-Content-Length": length or str(len(head))}


INK = [255] + [0] * 783
BAD = {
    "no body": (b"", {}, 400),
    "no JSON": (b"{", {}, 400),
    "no object": ([], {}, 400),
    "no input": ({"inputs": []}, {}, 400),
    "two inputs": ({"inputs": tensor(INK)["inputs"] * 2}, {}, 400),
    "input of another name": ({"inputs": [tensor(INK)["inputs"][0] | {"name": "x"}]}, {}, 400),
    "no data": ({"inputs": [{"name": "image", "shape": [1, 28, 28], "datatype": "UINT8"}]}, {}, 400),
    "another datatype": (tensor(INK, datatype="BYTES"), {}, 400),
    "another shape": (tensor(INK, (1, 14, 56)), {}, 400),
    "shape of no size": (tensor(INK, ()), {}, 400),
    "shape of a truth": (tensor(INK, (True, 28, 28)), {}, 400),
    "half a picture": (tensor(INK, (1.5, 28, 28)), {}, 400),
    "endlessly many pictures": (json.dumps(tensor(INK, (float("inf"), 28, 28))), {}, 400),
    "no picture": (tensor([], (0, 28, 28)), {}, 400),
    "101 pictures": (tensor(INK * 101, (101, 28, 28)), {}, 413),
    "4 MB": (b" " * (4 * 1024**2 + 1), {}, 413),
    "too few numbers": (tensor(INK[1:]), {}, 422),
    "ragged": (tensor([[0] * 28] * 27 + [[0] * 27]), {}, 422),
    "a string": (tensor(["0", *INK[1:]]), {}, 422),
    "a truth": (tensor([True, *INK[1:]]), {}, 422),
    "out of range": (tensor([256, *INK[1:]]), {}, 422),
    "ink that is 1": (tensor([value / 255 for value in INK]), {}, 422),
    "no ink in the second picture": (tensor(INK + [0] * 784, (2, 28, 28)), {}, 422),
    "nested deeply": (b'{"inputs":' + b"[" * 100_000, {}, 400),
    "unknown output": (tensor(INK, outputs=[{"name": "x"}]), {}, 400),
    "outputs that are none": (tensor(INK, outputs="digit"), {}, 400),
    "header longer than the body": (*binary("100000"), 400),
    "header length that is none": (*binary("ten"), 400),
    "binary data too short": (*binary(tail=bytes(783)), 422),
    "binary data of another size": (*binary(size=3136), 422),
}


@pytest.mark.parametrize(("body", "headers", "status"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_said_in_the_protocols_form(client, body, headers, status):
    answer = infer(client, body, **headers)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/json"
    assert list(answer.json()) == ["error"]
    assert len(answer.json()["error"]) > 20


@pytest.mark.parametrize("value", [np.nan, np.inf, -1, 255.6])
def test_binary_numbers_that_are_no_pixels_are_refused(client, value):
    head = json.dumps(
        {
            "inputs": [
                {
                    "name": "image",
                    "shape": [1, 28, 28],
                    "datatype": "FP32",
                    "parameters": {"binary_data_size": 4 * 784},
                }
            ]
        }
    ).encode()
    body = head + np.full(784, value, "<f4").tobytes()
    answer = infer(client, body, **{"Inference-Header-Content-Length": str(len(head))})
    assert (answer.status_code, answer.json()) == (422, {"error": "A pixel is not a number from 0 to 255."})


def test_binary_outputs_may_be_all_that_a_client_accepts(client, pixels):
    asked = tensor(pixels[0].tolist(), (28, 28), parameters={"binary_data_output": True})
    answer = infer(client, asked, Accept="application/octet-stream")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/octet-stream")


def test_a_size_that_is_not_its_data_s_is_told_apart_from_data_of_another_size(client):
    for sent, told in ((binary(size=783), "`binary_data_size` must be 784"), (binary(tail=bytes(783)), "783 bytes")):
        body, headers = sent
        assert told in infer(client, body, **headers).json()["error"]


def test_another_model_and_another_method_are_refused_in_the_protocols_form(client):
    answer = client.get("/v2/models/letters")
    assert (answer.status_code, answer.json()) == (404, {"error": "There is nothing at /v2/models/letters."})
    answer = client.get(URL)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert list(answer.json()) == ["error"]


def test_a_site_that_is_not_ready_says_so(client, monkeypatch):
    monkeypatch.setattr("digits.canaries.misread", lambda: [3])
    for address in ("/v2/health/ready", "/v2/models/digits/ready"):
        answer = client.get(address)
        assert answer.status_code == 503
        assert list(answer.json()) == ["error"]
    assert client.get("/v2/health/live").status_code == 200
