"""The Open Inference Protocol v2, with its extension for binary tensors: prepared pixels in, predictions out.

https://github.com/kserve/open-inference-protocol; what is wrong is said in the protocol's own form, `{"error": "..."}`.
"""

import json
import re

import numpy as np
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from digit_recognizer_dl_model.frame import SIDE

from .. import __version__
from ..health import check_ready
from ..recognizer import Prediction, recognize_batch
from ..refusals import MalformedBody, Refusal, TooLarge, UnusablePixels
from ..traffic.limits import prediction_place
from .decorators import endpoint
from .payloads import as_pixels, check_ink, decoded_json, read, sent_body

MODEL = "digits"
INPUT = "image"
INPUT_TYPES = {"UINT8": np.dtype("u1"), "FP32": np.dtype("<f4")}
OUTPUTS = {  # each with its shape beside the batch and its type
    "probabilities": ([10], "FP32", np.dtype("<f4")),
    "digit": ([], "INT64", np.dtype("<i8")),
    "uncertain": ([], "BOOL", np.dtype("?")),
}
HEADER_LENGTH = "Inference-Header-Content-Length"  # bytes of JSON, after which binary tensors follow
PIXELS = SIDE * SIDE
SERVER = {"name": "digit-recognizer", "version": __version__, "extensions": ["binary_tensor_data"]}
METADATA = {
    "name": MODEL,
    "platform": "numpy",
    "inputs": [{"name": INPUT, "datatype": "UINT8", "shape": [-1, SIDE, SIDE]}],
    "outputs": [
        {"name": name, "datatype": datatype, "shape": [-1, *shape]} for name, (shape, datatype, _) in OUTPUTS.items()
    ],
}
EXAMPLE = f'{{"inputs": [{{"name": "{INPUT}", "shape": [1, {SIDE}, {SIDE}], "datatype": "UINT8", "data": […]}}]}}'


@endpoint("GET", "HEAD")
def server_metadata(request: HttpRequest) -> HttpResponse:
    return JsonResponse(SERVER)


@endpoint("GET", "HEAD")
def server_live(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"live": True})


@endpoint("GET", "HEAD")
def server_ready(request: HttpRequest) -> HttpResponse:
    check_ready()
    return JsonResponse({"ready": True})


@endpoint("GET", "HEAD")
def model_ready(request: HttpRequest) -> HttpResponse:
    check_ready()
    return JsonResponse({"name": MODEL, "ready": True})


@endpoint("GET", "HEAD")
def model_metadata(request: HttpRequest) -> HttpResponse:
    return JsonResponse(METADATA)


@endpoint("POST", answers=("application/json", "application/octet-stream"))
def infer(request: HttpRequest) -> HttpResponse:
    """Read the pictures of one tensor; the outputs come in JSON or, where a client asks for it, behind it in binary."""
    body = read(sent_body(request), settings.MAX_TENSOR_BYTES, missing=f"Send a tensor of pixels: {EXAMPLE}.")
    sent_length = request.headers.get(HEADER_LENGTH, str(len(body)))
    if not re.fullmatch("[0-9]{1,9}", sent_length) or int(sent_length) > len(body):
        raise MalformedBody(f"{HEADER_LENGTH} must be the number of bytes of JSON in this body.")
    header, binary = decoded_json(body[: int(sent_length)]), body[int(sent_length) :]
    match header:
        case {"inputs": [{"name": name, "shape": list(shape), "datatype": str(datatype)} as tensor]} if name == INPUT:
            pixels = sent_tensor(tensor, shape, datatype, binary)
        case _:
            raise Refusal(f"One input is read here, `{INPUT}`: {EXAMPLE}.")
    asked_for = sent_outputs(header)
    if not isinstance(header.get("id", ""), str):
        raise Refusal("`id` must be a string.")
    with prediction_place(request):
        predictions = recognize_batch(pixels)
    return answer(header, asked_for, predictions)


def sent_tensor(tensor: dict, shape: list, datatype: str, binary: bytes) -> np.ndarray:
    """A tensor in JSON or binary as prepared pixels (n, 28, 28) uint8."""
    if datatype not in INPUT_TYPES:
        raise Refusal(f"The datatype of `{INPUT}` must be {' or '.join(INPUT_TYPES)}.")
    forms = [SIDE, SIDE], [PIXELS], [1, SIDE, SIDE]
    count = 1 if shape == [SIDE, SIDE] else next(iter(shape), 0)
    # JSON makes no difference between 2 and 2.0, but between 1 and true.
    if type(count) not in (int, float) or count % 1 or count < 1 or (shape != [SIDE, SIDE] and shape[1:] not in forms):
        raise Refusal(f"The shape of `{INPUT}` must be [n, {SIDE}, {SIDE}], [n, {PIXELS}] or [n, 1, {SIDE}, {SIDE}].")
    count = int(count)
    if count > settings.MAX_BATCH:
        raise TooLarge(f"This tensor has {count} pictures; {settings.MAX_BATCH} are the most.")
    match tensor:
        case {"data": list(numbers)}:
            for _ in shape[1:]:  # it may be nested as its shape is, or flat
                if all(isinstance(row, list) for row in numbers):
                    numbers = [number for row in numbers for number in row]
            if len(numbers) != count * PIXELS:
                raise UnusablePixels(f"`data` has {len(numbers)} numbers; this shape has {count * PIXELS}.")
            pixels = as_pixels(numbers)
        case {"parameters": {"binary_data_size": size}}:
            pixels = binary_pixels(binary, size, count, INPUT_TYPES[datatype])
        case _:
            raise Refusal(f"`{INPUT}` has neither `data` nor `binary_data_size`.")
    pixels = pixels.reshape(count, SIDE, SIDE)
    for index, picture in enumerate(pixels):
        check_ink(picture, f"picture {index}")
    return pixels


def binary_pixels(binary: bytes, size: object, count: int, dtype: np.dtype) -> np.ndarray:
    needed = count * PIXELS * dtype.itemsize
    if size != needed:
        raise UnusablePixels(f"`binary_data_size` must be {needed} for this shape and datatype.")
    if len(binary) != needed:
        raise UnusablePixels(f"After the JSON come {len(binary)} bytes; this shape and datatype have {needed}.")
    numbers = np.frombuffer(binary, dtype)
    if not ((numbers >= 0) & (numbers <= 255)).all():  # NaN is neither
        raise UnusablePixels("A pixel is not a number from 0 to 255.")
    return np.rint(numbers).astype(np.uint8)


def sent_outputs(header: dict) -> dict[str, bool]:
    """Which outputs a request asks for, and whether in binary: all of them where it names none."""
    match header.get("parameters", {}):
        case {"binary_data_output": bool(binary)}:
            by_default = binary
        case {}:
            by_default = False
        case _:
            raise Refusal("`parameters` must be an object.")
    asked_for = {}
    outputs = header.get("outputs", [{"name": name} for name in OUTPUTS])
    for output in outputs if isinstance(outputs, list) and outputs else [None]:
        match output:
            case {"name": str(name), "parameters": {"binary_data": bool(binary)}} if name in OUTPUTS:
                asked_for[name] = binary
            case {"name": str(name)} if name in OUTPUTS:
                asked_for[name] = by_default
            case _:
                raise Refusal(f"`outputs` must be a list of objects whose `name` is one of {', '.join(OUTPUTS)}.")
    return asked_for


def answer(header: dict, asked_for: dict[str, bool], predictions: list[Prediction]) -> HttpResponse:
    outputs, tail = [], b""
    for name, in_binary in asked_for.items():
        shape, datatype, dtype = OUTPUTS[name]
        values = np.array([getattr(prediction, name) for prediction in predictions], dtype)
        output = {"name": name, "datatype": datatype, "shape": [len(predictions), *shape]}
        if in_binary:
            output["parameters"] = {"binary_data_size": values.nbytes}
            tail += values.tobytes()
        else:
            output["data"] = values.ravel().tolist()
        outputs.append(output)
    answered = {"model_name": MODEL, "outputs": outputs}
    if "id" in header:
        answered["id"] = header["id"]
    if not any(asked_for.values()):
        return JsonResponse(answered)
    head = json.dumps(answered).encode()
    return HttpResponse(head + tail, content_type="application/octet-stream", headers={HEADER_LENGTH: str(len(head))})
