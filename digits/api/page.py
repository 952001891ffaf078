"""The API's description in the order and words of a page: what `api.html` shows."""

import json

from .openapi import PROBLEMS


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
