"""The API as an OpenAPI 3.1 document, with the limits that the settings set; the page `/api/` is rendered from it."""

import json
from collections.abc import Callable
from textwrap import dedent

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.text import slugify

from digit_recognizer_dl_model.frame import SIDE

from . import __version__, inference_protocol, refusals
from .api import EXTRAS, MAX_SEED, VERSION_LENGTH, endpoint
from .errors import UNUSABLE, described
from .forms import MAX_TILES
from .gallery import TILES_AT_ONCE
from .payloads import MEGABYTE

PICTURE_MB = settings.MAX_PICTURE_BYTES // MEGABYTE
JSON_MB = settings.MAX_JSON_BYTES // MEGABYTE
REQUEST_MB = settings.MAX_REQUEST_BYTES // MEGABYTE
MEGAPIXELS = settings.MAX_PICTURE_PIXELS // MEGABYTE
BATCH_MEGAPIXELS = settings.MAX_BATCH_PIXELS // MEGABYTE
PICTURE = f"PNG or JPEG, up to {PICTURE_MB} MB"
PICTURES, OPERATION, PROTOCOL = "Pictures", "Operation", "Open Inference Protocol"  # tags
# What examples are made of.
VERSION = "0123456789ab"
PROBABILITIES = [0.0, 0.0, 0.0, 0.001, 0.0, 0.0, 0.0, 0.998, 0.0, 0.001]
PREDICTION = {
    "prediction": 7,
    "confidence": 0.998,
    "probabilities": PROBABILITIES,
    "uncertain": False,
    "reason": None,
    "weights_version": VERSION,
}
PNG = "iVBORw0KGgo…"
WEIGHTS = "^[0-9a-f]{%d}$"
SEVEN = [
    [
        255 * ((6 <= row < 9 and 8 <= column < 20) or (9 <= row < 24 and 0 <= column - 21 + row // 2 < 3))
        for column in range(SIDE)
    ]
    for row in range(SIDE)
]

# Why each kind of problem comes, and an example of its detail.
PROBLEMS = {
    refusals.Refusal: (
        "The server can't make sense of the request.",
        "The server could not make sense of this request.",
    ),
    refusals.BadParameter: (
        "A parameter in the address has a value that it can't have.",
        f"`count` is to be a whole number from 1 to {MAX_TILES}.",
    ),
    refusals.NoPicture: (
        "There is no picture in the request.",
        "Send a PNG or JPEG picture as the multipart field `file`, as the body itself, or as `image` in JSON.",
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
        "This is neither a PNG nor a JPEG picture.",
    ),
    refusals.UnsupportedType: (
        "The body has a content type, or a part of it an encoding, that is not read here.",
        "Send multipart/form-data, image/png, image/jpeg or application/json; this content type is not read here.",
    ),
    refusals.UnusablePicture: (
        f"The picture is damaged, or has more than {MEGAPIXELS} megapixels; those of a batch share {BATCH_MEGAPIXELS}.",
        "This picture is damaged and can't be read.",
    ),
    refusals.UnusablePixels: (
        "The pixels are not as many as they should be, or one is no number from 0 to 255.",
        "Pixel 12 is no number from 0 to 255.",
    ),
    refusals.Blank: ("Nothing is drawn in the picture.", "There is no ink in this picture: it is blank."),
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
            "in the picture. It is sent as the field “file” of a form, as the body itself, or in JSON. Several files, "
            f"or a list of up to {settings.MAX_BATCH} items, get a list of answers in their order, with an error in "
            "the place of what can't be read."
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
            f"curl --form file=@digit.png {site}/api/predict-digit/",
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
    image = {"name": inference_protocol.INPUT, "datatype": "UINT8"}
    outputs = [
        {"name": name, "datatype": datatype, "shape": [-1, *shape]}
        for name, (shape, datatype, _) in inference_protocol.OUTPUTS.items()
    ]
    simple = {
        "/v2": ("Get to know the server", {"name": "digit-recognizer", "version": __version__, "extensions": []}),
        "/v2/health/live": ("Ask whether the server answers", {"live": True}),
        "/v2/health/ready": ("Ask whether the server is ready", {"ready": True}),
        "/v2/models/digits": (
            "Get to know the model",
            {
                "name": "digits",
                "versions": [VERSION],
                "platform": "numpy",
                "inputs": [image | {"shape": [-1, SIDE, SIDE]}],
                "outputs": outputs,
            },
        ),
        "/v2/models/digits/ready": ("Ask whether the model is ready", {"name": "digits", "ready": True}),
    }
    paths = {}
    for path, (summary, example) in simple.items():
        limits = ALWAYS if "health" in path else LIMITED
        refused = (*limits, refusals.Unavailable) if "ready" in path or "models" in path else limits
        paths[path] = {"get": asked(site, path, PROTOCOL, summary, example, refused, protocol_error)}
    tensor = image | {"shape": [1, SIDE, SIDE], "data": [number for row in SEVEN for number in row]}
    answered = {
        "model_name": "digits",
        "model_version": VERSION,
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


def problems(
    *refused: type[refusals.Refusal], form: Callable[[type[refusals.Refusal]], dict] = problem
) -> dict[str, dict]:
    """The answers to requests that are refused, by status."""
    responses = {}
    for refusal in sorted(refused, key=lambda refusal: refusal.status):
        meaning, _ = PROBLEMS[refusal]
        headers = [
            "X-Request-ID",
            *{405: ["Allow"], 429: ["Retry-After", *QUOTA], 503: ["Retry-After"]}.get(refusal.status, []),
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


def ref(schema: str) -> dict:
    return {"$ref": f"#/components/schemas/{schema}"}


def shape(*sides: int) -> dict:
    """The schema of a tensor's shape, beginning with how many pictures it has."""
    prefix = [{"type": "integer", "minimum": 1, "maximum": settings.MAX_BATCH}, *({"const": side} for side in sides)]
    return {"type": "array", "prefixItems": prefix, "minItems": len(prefix), "maxItems": len(prefix)}


# Headers of answers of a server that limits how often a client may ask.
QUOTA = {
    "RateLimit-Limit": "How often this client may ask in a while.",
    "RateLimit-Remaining": "How often it still may.",
    "RateLimit-Reset": "In how many seconds it may ask as often again.",
}
HEADERS = {
    "X-Request-ID": {
        "description": "The id of the request, as it is in the log: a client's own or made here.",
        "schema": {"type": "string"},
    },
    "Allow": {"description": "The methods that this address answers.", "schema": {"type": "string"}},
    "Retry-After": {"description": "In how many seconds to ask again.", "schema": {"type": "integer", "minimum": 0}},
    **{name: {"description": meaning, "schema": {"type": "integer", "minimum": 0}} for name, meaning in QUOTA.items()},
}
ROW = {"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 255}}
SHARE = {"type": "number", "minimum": 0, "maximum": 1}
BATCH = {"type": "array", "items": ref("Item"), "minItems": 1, "maxItems": settings.MAX_BATCH}
SCHEMAS = {
    "Question": {
        "type": "object",
        "oneOf": [{"required": [name]} for name in ("image", "pixels", "images", "instances")],
        "properties": {"image": ref("Image"), "pixels": ref("Pixels"), "images": BATCH, "instances": BATCH},
    },
    "Image": {"type": "string", "format": "byte", "contentEncoding": "base64", "minLength": 4, "description": PICTURE},
    "Pixels": {
        "description": "Ink 255 on 0, prepared as MNIST's are; at least one differs from the others.",
        "oneOf": [
            ROW | {"minItems": SIDE * SIDE, "maxItems": SIDE * SIDE},
            {
                "type": "array",
                "items": ROW | {"minItems": SIDE, "maxItems": SIDE},
                "minItems": SIDE,
                "maxItems": SIDE,
            },
        ],
    },
    "Item": {
        "description": "A picture or pixels, by themselves or in an object. Anything else gets an error in its place.",
        "examples": [PNG, {"image": PNG}, {"pixels": SEVEN}],
    },
    "Prediction": {
        "type": "object",
        "required": list(PREDICTION),
        "properties": {
            "prediction": {"type": "integer", "minimum": 0, "maximum": 9, "description": "Always the best guess."},
            "confidence": SHARE,
            "probabilities": {"type": "array", "items": SHARE, "minItems": 10, "maxItems": 10},
            "uncertain": {"type": "boolean", "description": "Whether not to trust it."},
            "reason": {"type": ["string", "null"], "description": "Why not."},
            "weights_version": {"type": "string", "pattern": WEIGHTS % VERSION_LENGTH},
        }
        | {name: {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/png"} for name in EXTRAS},
    },
    "Predictions": {
        "type": "object",
        "required": ["predictions"],
        "properties": {"predictions": {"type": "array", "items": {"anyOf": [ref("Prediction"), ref("ItemError")]}}},
    },
    "ItemError": {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "allOf": [ref("Problem")],
                "required": ["index"],
                "properties": {"index": {"type": "integer", "minimum": 0}},
            }
        },
    },
    "Problem": {
        "description": "RFC 9457. `type` is an address that explains this kind of problem.",
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "What was wrong, and what would be right."},
        },
    },
    "Tile": {
        "type": "object",
        "required": ["index", "label", "image"],
        "properties": {
            "index": {"type": "integer", "minimum": 0},
            "label": {"type": ["integer", "null"], "minimum": 0, "maximum": 9},
            "image": {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/png"},
        },
    },
    "InferenceRequest": {
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "id": {"type": "string", "description": "Comes back in the answer."},
            "inputs": {"type": "array", "items": ref("Tensor"), "minItems": 1, "maxItems": 1},
            "outputs": {
                "description": "Which outputs to answer with; all without it.",
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {"name": {"enum": list(inference_protocol.OUTPUTS)}},
                },
            },
        },
    },
    "Tensor": {
        "type": "object",
        "required": ["name", "shape", "datatype", "data"],
        "properties": {
            "name": {"const": inference_protocol.INPUT},
            "shape": {
                "description": f"Of n pictures, or [{SIDE}, {SIDE}] of one.",
                "oneOf": [
                    {"const": [SIDE, SIDE]},
                    shape(SIDE, SIDE),
                    shape(SIDE * SIDE),
                    shape(1, SIDE, SIDE),
                ],
            },
            "datatype": {"enum": list(inference_protocol.INPUT_TYPES)},
            "data": {"type": "array", "description": "Numbers of 0-255, nested as the shape is or flat."},
        },
    },
    "InferenceResponse": {
        "type": "object",
        "required": ["model_name", "model_version", "outputs"],
        "properties": {
            "id": {"type": "string"},
            "model_name": {"const": inference_protocol.MODEL},
            "model_version": {"type": "string", "pattern": WEIGHTS % VERSION_LENGTH},
            "outputs": {"type": "array", "items": {"type": "object", "required": ["name", "datatype", "shape"]}},
        },
    },
    "InferenceError": {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}},
}


def chapters(document: dict) -> dict:
    """The document in the order and words of a page."""
    operations = [
        {
            "path": path,
            "method": method.upper(),
            "name": operation["operationId"],
            "summary": operation["summary"],
            "description": operation.get("description", ""),
            "tag": operation["tags"][0],
            "parameters": operation.get("parameters", []),
            "samples": operation["x-codeSamples"],
            "takes_file": "multipart/form-data" in operation.get("requestBody", {}).get("content", {}),
            "answer": first_example(operation["responses"]["200"]),
            "problems": [
                {"status": status, "titles": titles(response)}
                for status, response in operation["responses"].items()
                if status != "200"
            ],
        }
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    return {
        "info": document["info"],
        "tags": [
            tag | {"operations": [operation for operation in operations if operation["tag"] == tag["name"]]}
            for tag in document["tags"]
        ],
        "problems": [
            {"status": refusal.status, "title": refusal.title, "meaning": meaning, "detail": detail}
            for refusal, (meaning, detail) in PROBLEMS.items()
        ],
    }


def first_example(response: dict) -> str:
    [content] = response["content"].values()
    value = next(iter(content["examples"].values()))["value"]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def titles(response: dict) -> list[str]:
    """Of the problems that a response may be; they name its examples."""
    [content] = response["content"].values()
    return [example["summary"] for example in content["examples"].values()]
