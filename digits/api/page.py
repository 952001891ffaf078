"""The page `/api/`: the OpenAPI document in the order in which `api.html` shows it."""

import json


def chapters(document: dict) -> dict:
    """The context of `api.html`, from an OpenAPI document."""
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
        "tags": [
            tag | {"operations": [operation for operation in operations if operation["tag"] == tag["name"]]}
            for tag in document["tags"]
        ],
        "problems": document["x-problems"],
    }


def resolved(document: dict, response: dict) -> dict:
    """The response itself, or the shared one that it refers to."""
    if "$ref" in response:
        return document["components"]["responses"][response["$ref"].rpartition("/")[2]]
    return response


def first_example(response: dict) -> str:
    [content] = response["content"].values()
    value = next(iter(content["examples"].values()))["value"]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def titles(response: dict) -> list[str]:
    """The titles of the problems that a response may be."""
    [content] = response["content"].values()
    return [example["summary"] for example in content["examples"].values()]
