"""What the API's description is built from: the forms of what is sent and answered, and what its examples show."""

from django.conf import settings

from digit_recognizer_dl_model.frame import SIDE

from ..recognizer import VERSION_LENGTH
from ..refusals import MEGABYTE
from . import inference_protocol
from .endpoints import EXTRAS

PICTURE = f"PNG or JPEG, up to {settings.MAX_PICTURE_BYTES // MEGABYTE} MB"
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
    "Image": {
        "description": f"{PICTURE}, in base64, perhaps in lines; or as a data URL.",
        "type": "string",
        "format": "byte",
        "contentEncoding": "base64",
        "minLength": 4,
    },
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
        "required": ["model_name", "outputs"],
        "properties": {
            "id": {"type": "string"},
            "model_name": {"const": inference_protocol.MODEL},
            "outputs": {"type": "array", "items": {"type": "object", "required": ["name", "datatype", "shape"]}},
        },
    },
    "InferenceError": {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}},
}
