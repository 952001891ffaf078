"""The API as an OpenAPI 3.1 document, with the limits that the settings set; the page `/api/` is made from it."""

from collections.abc import Callable
from textwrap import dedent

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.text import slugify

from digit_recognizer_dl_model.frame import SIDE

from .. import __version__, refusals
from ..errors import BAD_HOST, UNUSABLE, described
from ..forms import MAX_TILES
from ..gallery import TILES_AT_ONCE
from ..refusals import MEGABYTE, MEGAPIXEL
from . import inference_protocol
from .decorators import endpoint
from .endpoints import EXTRAS, MAX_SEED
from .openapi_schemas import HEADERS, PICTURE, PNG, PREDICTION, PROBABILITIES, QUOTA, SCHEMAS, SEVEN, VERSION, ref
from .payloads import MISSING

PICTURE_MB = settings.MAX_PICTURE_BYTES // MEGABYTE
JSON_MB = settings.MAX_JSON_BYTES // MEGABYTE
REQUEST_MB = settings.MAX_REQUEST_BYTES // MEGABYTE
MEGAPIXELS = settings.MAX_PICTURE_PIXELS // MEGAPIXEL
BATCH_MEGAPIXELS = settings.MAX_BATCH_PIXELS // MEGAPIXEL
PICTURES, OPERATION, PROTOCOL = "Pictures", "Operation", "Open Inference Protocol"  # tags
# Why each kind of problem comes, and an example of its detail.
PROBLEMS = {
    refusals.Refusal: (
        "The server can't make sense of the request, or does not answer to the host name in it.",
        BAD_HOST,
    ),
    refusals.BadParameter: (
        "A parameter in the address has a value that it can't have.",
        f"`count` must be an integer from 1 to {MAX_TILES}.",
    ),
    refusals.NoPicture: (
        "There is no picture in the request.",
        MISSING,
    ),
    refusals.MalformedBody: (
        "The body breaks off, or is not what its content type says.",
        "This body can't be read as JSON in UTF-8.",
    ),
    refusals.NotFound: ("There is nothing at this address.", "There is nothing at /api/predict-letter/."),
    refusals.MethodNotAllowed: (
        "The address answers other methods; the header Allow names them.",
        "/api/predict-digit/ answers POST, not GET.",
    ),
    refusals.NotAcceptable: (
        "The Accept header excludes what the address answers with.",
        "/api/model/ answers with application/json, which the Accept header excludes.",
    ),
    refusals.TooLarge: (
        f"More than {PICTURE_MB} MB a picture, {JSON_MB} MB of JSON, {REQUEST_MB} MB or {settings.MAX_BATCH} pictures.",
        f"This body is too large; it may have {PICTURE_MB} MB.",
    ),
    refusals.NotAPicture: (
        "What was sent as a picture is neither PNG nor JPEG, whatever its name and type say.",
        "This file is not a PNG or JPEG picture.",
    ),
    refusals.UnsupportedType: (
        "The body has a content type, or a part of it an encoding, that is not read here.",
        "Send multipart/form-data, image/png, image/jpeg or application/json; this content type is not read here.",
    ),
    refusals.UnusablePicture: (
        f"The picture is damaged, or has more than {MEGAPIXELS} megapixels; those of a batch share {BATCH_MEGAPIXELS}.",
        "This picture is damaged or cut off: it can't be decoded.",
    ),
    refusals.UnusablePixels: (
        "The number of pixels is wrong, or one is not a number from 0 to 255.",
        "Pixel 12 is not a number from 0 to 255.",
    ),
    refusals.Blank: ("Nothing is drawn in the picture.", "There is no ink in this picture."),
    refusals.TooManyRequests: (
        "This client asks more often than the server is set to answer it; Retry-After says when to ask again.",
        "This client has asked 60 times already. Try again in 12 seconds.",
    ),
    refusals.ServerError: (
        "A fault of the server, which its log tells of under the request's id.",
        "Something went wrong here, not with you. Please try again.",
    ),
    refusals.Unavailable: (
        "The network or the images can't be used.",
        UNUSABLE,
    ),
    refusals.Busy: (
        "More predictions are asked for than the server makes at once; Retry-After says when to ask again.",
        "More predictions are asked for than this server makes at once. Please try again.",
    ),
}
# Refusals of any address; of those that a rate limit holds for; of those that answer from weights or images; of those
# that read pixels; and pictures.
ALWAYS = (
    refusals.Refusal,
    refusals.MethodNotAllowed,
    refusals.NotAcceptable,
    refusals.TooLarge,
    refusals.ServerError,
)
LIMITED = (*ALWAYS, refusals.TooManyRequests)
FROM_FILES = (*LIMITED, refusals.Unavailable)
READING = (refusals.NoPicture, refusals.MalformedBody, refusals.UnusablePixels, refusals.Blank, refusals.Busy)
DECODING = (refusals.UnsupportedType, refusals.NotAPicture, refusals.UnusablePicture)


@endpoint("GET", "HEAD")
def description(request: HttpRequest) -> HttpResponse:
    return JsonResponse(document(request.build_absolute_uri("/").rstrip("/")))


def document(site: str) -> dict:
    """The whole document, whose examples call the site at this address."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Digit Recognizer",
            "version": __version__,
            "summary": "Reads handwritten digits, and says so when it is not sure.",
            "description": "No key, no cookie. Every failure says what would be right.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": site}],
        "security": [],
        "tags": [
            {"name": PICTURES, "description": "Any picture in, a digit out; and pictures to try it with."},
            {"name": OPERATION, "description": "What answers here, whether it would, and what it did."},
            {"name": PROTOCOL, "description": "For clients of inference servers: prepared pixels in, digits out."},
        ],
        "paths": {
            "/api/predict-digit/": {"post": predict_digit(site)},
            "/api/display-images/": {"get": display_images(site)},
            "/api/model/": {"get": model(site)},
            "/api/health/live": {
                "get": asked(
                    site, "/api/health/live", OPERATION, "Ask whether the process answers", {"status": "live"}, ALWAYS
                )
            },
            "/api/health/ready": {
                "get": asked(
                    site,
                    "/api/health/ready",
                    OPERATION,
                    "Ask whether a picture would be read",
                    {"status": "ready"},
                    (*ALWAYS, refusals.Unavailable),
                )
            },
            "/api/openapi.json": {
                "get": asked(
                    site, "/api/openapi.json", OPERATION, "Get this description", {"openapi": "3.1.0"}, LIMITED
                )
            },
            "/metrics": {"get": metrics(site)},
        }
        | open_inference(site),
        "components": {"schemas": SCHEMAS, "headers": HEADERS},
    }


def predict_digit(site: str) -> dict:
    file = {"type": "string", "format": "binary", "description": PICTURE}
    picture = file | {"minLength": 1}
    # One of several may be empty, which is said in its place.
    files = {"type": "array", "items": file, "contains": picture, "minItems": 1, "maxItems": settings.MAX_BATCH}
    bad_item = {"error": problem(refusals.Blank) | {"index": 1}}
    return {
        "operationId": "predict_digit",
        "tags": [PICTURES],
        "summary": "Read a digit, or up to a hundred",
        "description": (
            f"A picture of one digit, {PICTURE} and {MEGAPIXELS} megapixels: dark on light or light on dark, anywhere "
            "in the picture. It is sent as the field “file” of a form, as the body itself, or in JSON: “image” is "
            f"base64 or a data URL, “pixels” are {SIDE * SIDE} numbers with ink 255 on 0. Several files, or a list of "
            f"up to {settings.MAX_BATCH} of both in “images” or “instances”, get a list of answers in their order, "
            "with an error in the place of what can't be read."
        ),
        "parameters": [
            {
                "name": "include",
                "in": "query",
                "description": (
                    "What to answer besides, as PNG in base64: the pixels that the network saw, and where it looked. "
                    "Several are separated by commas."
                ),
                "style": "form",
                "explode": False,
                "schema": {"type": "array", "items": {"enum": list(EXTRAS)}},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {"type": "object", "required": ["file"], "properties": {"file": files}},
                    "encoding": {"file": {"contentType": "image/png, image/jpeg"}},
                },
                "image/png": {"schema": picture},
                "image/jpeg": {"schema": picture},
                "application/json": {
                    "schema": ref("Question"),
                    "examples": {
                        "pixels": {"value": {"pixels": SEVEN}},
                        "batch": {"value": {"instances": [{"pixels": SEVEN}, {"pixels": SEVEN}]}},
                    },
                },
            },
        },
        "responses": {
            "200": answer(
                "The prediction, or one for each item of a batch.",
                {"anyOf": [ref("Prediction"), ref("Predictions")]},
                one=PREDICTION,
                batch={"predictions": [PREDICTION, bad_item]},
            )
        }
        | problems(*FROM_FILES, refusals.BadParameter, *READING, *DECODING),
        "x-codeSamples": samples(
            f"""
            curl --form file=@digit.png {site}/api/predict-digit/
            curl --header 'Content-Type: image/png' --data-binary @digit.png {site}/api/predict-digit/
            curl --json "{{\\"image\\": \\"$(base64 < digit.png | tr -d '\\n')\\"}}" {site}/api/predict-digit/
            """,
            f"""
            import requests

            with open("digit.png", "rb") as picture:
                answer = requests.post("{site}/api/predict-digit/", files={{"file": picture}}, timeout=10)
            print(answer.json()["prediction"])
            """,
        ),
    }


def display_images(site: str) -> dict:
    tiles = {"type": "array", "items": ref("Tile"), "maxItems": MAX_TILES}
    return {
        "operationId": "display_images",
        "tags": [PICTURES],
        "summary": "Get handwritten digits to show",
        "description": "Different images of MNIST in random order, each with its label.",
        "parameters": [
            whole_number("count", "How many.", 1, MAX_TILES, default=TILES_AT_ONCE),
            whole_number("digit", "Of this digit alone.", 0, 9),
            whole_number("seed", "The same number brings the same images again.", 0, MAX_SEED),
        ],
        "responses": {
            "200": answer(
                "The images.",
                {"type": "object", "required": ["images"], "properties": {"images": tiles}},
                one={"images": [{"index": 4711, "label": 7, "image": PNG}]},
            )
        }
        | problems(*FROM_FILES, refusals.BadParameter),
        "x-codeSamples": samples(
            f'curl "{site}/api/display-images/?count=3&digit=7"',
            f"""
            import requests

            query = {{"count": 3, "digit": 7}}
            answer = requests.get("{site}/api/display-images/", params=query, timeout=10)
            print([tile["label"] for tile in answer.json()["images"]])
            """,
        ),
    }


def model(site: str) -> dict:
    example = {
        "name": "digits",
        "weights_version": VERSION,
        "weights_sha256": VERSION.ljust(64, "0"),
        "architecture": [{"layer": "Conv2D", "inputs": 1, "outputs": 32, "size": 3}],
        "input": {"shape": [SIDE, SIDE], "type": "uint8", "meaning": "ink 255 on 0, prepared as MNIST is"},
        "output": {"shape": [10], "type": "float32", "meaning": "the probabilities of 0 to 9"},
        "temperature": 0.7,
        "uncertain_below": 0.6,
        "no_digit_above": 0.06,
        "figures": {},
    }
    summary = "Get to know the network"
    description = "Its architecture, figures, input and output, and the checksum of its weights."
    return asked(site, "/api/model/", OPERATION, summary, example, FROM_FILES) | {"description": description}


def metrics(site: str) -> dict:
    example = 'digits_predictions_total{digit="7",certainty="certain"} 12\n'
    content = {"text/plain": {"schema": {"type": "string"}, "examples": {"one": {"value": example}}}}
    return asked(site, "/metrics", OPERATION, "Count requests and predictions", {}, ALWAYS) | {
        "description": "In Prometheus's text format. Each process counts for itself, and one of them answers.",
        "responses": {"200": answer("The counts.") | {"content": content}} | problems(*ALWAYS),
    }


def open_inference(site: str) -> dict:
    """The addresses of the Open Inference Protocol, whose failures have a form of their own."""
    simple = {
        "/v2": ("Get to know the server", inference_protocol.SERVER),
        "/v2/health/live": ("Ask whether the server answers", {"live": True}),
        "/v2/health/ready": ("Ask whether the server is ready", {"ready": True}),
        "/v2/models/digits": ("Get to know the model", inference_protocol.METADATA),
        "/v2/models/digits/ready": ("Ask whether the model is ready", {"name": "digits", "ready": True}),
    }
    paths = {}
    for path, (summary, example) in simple.items():
        limits = ALWAYS if "health" in path else LIMITED
        refused = (*limits, refusals.Unavailable) if "ready" in path else limits
        paths[path] = {"get": asked(site, path, PROTOCOL, summary, example, refused, protocol_error)}
    flat = [number for row in SEVEN for number in row]
    tensor = {"name": inference_protocol.INPUT, "shape": [1, SIDE, SIDE], "datatype": "UINT8", "data": flat}
    answered = {
        "model_name": "digits",
        "outputs": [
            {"name": "probabilities", "datatype": "FP32", "shape": [1, 10], "data": PROBABILITIES},
            {"name": "digit", "datatype": "INT64", "shape": [1], "data": [7]},
            {"name": "uncertain", "datatype": "BOOL", "shape": [1], "data": [False]},
        ],
    }
    infer = {
        "operationId": "infer",
        "tags": [PROTOCOL],
        "summary": "Read the pictures of a tensor",
        "description": (
            f"Prepared pixels of up to {settings.MAX_BATCH} pictures, ink 255 on 0. A tensor may also follow the JSON "
            f"in binary, and the outputs too: {inference_protocol.HEADER_LENGTH} then says how many bytes are JSON."
        ),
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": ref("InferenceRequest"), "example": {"inputs": [tensor]}}},
        },
        "responses": {"200": answer("The outputs.", ref("InferenceResponse"), one=answered)}
        | problems(*FROM_FILES, *READING, form=protocol_error),
        "x-codeSamples": samples(
            f"""
            pixels=$(printf '0, 255, %.0s' $(seq 391))
            tensor='{{"name": "image", "shape": [1, 28, 28], "datatype": "UINT8", "data": ['$pixels' 0, 255]}}'
            curl --json '{{"inputs": ['"$tensor"']}}' {site}/v2/models/digits/infer
            """,
            f"""
            import numpy as np
            import tritonclient.http as triton

            pixels = np.zeros((1, {SIDE}, {SIDE}), np.uint8)
            pixels[0, 4:24, 13:15] = 255  # a one
            tensor = triton.InferInput("image", [1, {SIDE}, {SIDE}], "UINT8")
            tensor.set_data_from_numpy(pixels)
            client = triton.InferenceServerClient("{site.partition("://")[2]}")
            print(client.infer("digits", [tensor]).as_numpy("digit"))
            """,
        ),
    }
    return paths | {"/v2/models/digits/infer": {"post": infer}}


def problem(refusal: type[refusals.Refusal]) -> dict:
    _, detail = PROBLEMS[refusal]
    return described(refusal.status, refusal.title, detail)


def protocol_error(refusal: type[refusals.Refusal]) -> dict:
    _, detail = PROBLEMS[refusal]
    return {"error": detail}


def asked(
    site: str,
    path: str,
    tag: str,
    summary: str,
    example: dict,
    refused: tuple[type[refusals.Refusal], ...],
    form: Callable[[type[refusals.Refusal]], dict] = problem,
) -> dict:
    """An address that is asked without parameters, and answers with an object like the example."""
    return {
        "operationId": path.strip("/").replace("/", "_").replace("-", "_").replace(".", "_"),
        "tags": [tag],
        "summary": summary,
        "responses": {"200": answer("The answer.", like(example), one=example)} | problems(*refused, form=form),
        "x-codeSamples": samples(
            f"curl {site}{path}",
            f"""
            import requests

            print(requests.get("{site}{path}", timeout=10).text)
            """,
        ),
    }


def like(example: object) -> dict:
    """The schema of all that is built as the example is."""
    match example:
        case bool():
            return {"type": "boolean"}
        case str():
            return {"type": "string"}
        case dict():
            properties = {name: like(value) for name, value in example.items()}
            return {"type": "object", "required": list(example), "properties": properties}
        case list():
            return {"type": "array"}
    return {"type": "number"}


def answer(description: str, schema: dict | None = None, **examples: dict) -> dict:
    content = {"schema": schema, "examples": {name: {"value": example} for name, example in examples.items()}}
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-ID",)}
    return {"description": description, "headers": headers, "content": {"application/json": content}}


HEADERS_OF = {
    refusals.MethodNotAllowed: ["Allow"],
    refusals.TooManyRequests: ["Retry-After", *QUOTA],
    refusals.Busy: ["Retry-After"],
}


def problems(
    *refused: type[refusals.Refusal], form: Callable[[type[refusals.Refusal]], dict] = problem
) -> dict[str, dict]:
    """The answers to requests that are refused, by status."""
    responses = {}
    for refusal in sorted(refused, key=lambda refusal: refusal.status):
        meaning, _ = PROBLEMS[refusal]
        headers = [
            "X-Request-ID",
            *HEADERS_OF.get(refusal, []),
        ]
        response = responses.setdefault(
            str(refusal.status),
            {
                "description": "",
                "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers},
                "content": {
                    "application/problem+json" if form is problem else "application/json": {
                        "schema": ref("Problem" if form is problem else "InferenceError"),
                        "examples": {},
                    }
                },
            },
        )
        response["description"] = f"{response['description']} {meaning}".strip()
        [content] = response["content"].values()
        content["examples"][slugify(refusal.title)] = {"summary": refusal.title, "value": form(refusal)}
    return responses


def whole_number(name: str, description: str, least: int, most: int, **more: int) -> dict:
    schema = {"type": "integer", "minimum": least, "maximum": most} | more
    return {"name": name, "in": "query", "description": description, "allowEmptyValue": True, "schema": schema}


def samples(curl: str, python: str) -> list[dict]:
    """How to ask from a shell and from Python, as several renderers of OpenAPI know it."""
    return [
        {"lang": "Shell", "label": "curl", "source": dedent(curl).strip()},
        {"lang": "Python", "label": "Python", "source": dedent(python).strip()},
    ]
