"""The page `/api/`: the OpenAPI document in the order in which `api.html` shows it."""

import json


def chapters(document: dict) -> dict:
    """The context of `api.html`, from an OpenAPI document; its first operation is the one that most people want."""
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
            "takes_file": "multipart/form-data"
            in resolved(document, operation.get("requestBody", {})).get("content", {}),
            "answer": first_example(operation["responses"]["200"]),
            "problems": [
                {"status": status, "titles": titles(resolved(document, response))}
                for status, response in operation["responses"].items()
                if status != "200"
            ],
        }
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    return {
        "info": document["info"],
        "first": operations[0],
        "tags": [
            tag | {"operations": [operation for operation in operations if operation["tag"] == tag["name"]]}
            for tag in document["tags"]
        ],
        "problems": document["x-problems"],
    }


def resolved(document: dict, part: dict) -> dict:
    """The part of the document itself, or the one that it refers to by a JSON pointer (RFC 6901)."""
    if "$ref" not in part:
        return part
    for name in part["$ref"].removeprefix("#/").split("/"):
        document = document[name.replace("~1", "/")]
    return document


def first_example(response: dict) -> str:
    [content] = response["content"].values()
    value = next(iter(content["examples"].values()))["value"]
    return value if isinstance(value, str) else readable(value)


def readable(value: object) -> str:
    """JSON in lines, as `api-page.js` writes the answers that come while the page is open."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def titles(response: dict) -> list[str]:
    """The titles of the problems that a response may be."""
    [content] = response["content"].values()
    return [example["summary"] for example in content["examples"].values()]
