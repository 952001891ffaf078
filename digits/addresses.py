"""What an address is for, told by its path: the one place where errors, limits and middleware ask."""

import re
from collections.abc import Container
from enum import Enum, auto


class Audience(Enum):
    """Who reads the answers of an address, failures included."""

    PEOPLE = auto()  # pages and fragments
    PROGRAMS = auto()  # JSON, with problems (RFC 9457), and Prometheus's text
    INFERENCE_CLIENTS = auto()  # the Open Inference Protocol, which has errors of its own


# Patterns of paths, without the first slash, that probes and Prometheus ask: they are answered over plain HTTP, and
# count toward no rate limit.
PROBES = ("^api/health/", "^v2/health/", "^metrics$")


def audience_of(path: str) -> Audience:
    """The audience of a path such as `/api/model/`, whether or not anything is there."""
    match path.strip("/").split("/"):
        case ["api", _, *_] | ["metrics"]:  # `/api/` itself is a page
            return Audience.PROGRAMS
        case ["v2", *_]:
            return Audience.INFERENCE_CLIENTS
    return Audience.PEOPLE


def predicts(method: str, path: str, fields: Container[str]) -> bool:
    """Whether a page or a fragment is answered by the network; `fields` are those of the address."""
    match path.strip("/").split("/"):
        case ["draw", "network"]:
            return False
        case ["tiles" | "draw", _, *_] | ["map", "place"]:
            return True
        case ["draw"]:
            return method == "POST"
        case [""] | ["tiles"]:
            return "predict" in fields or "answered" in fields
    return False


def is_quick(path: str) -> bool:
    """Whether an address is asked often, and answers within a few milliseconds unless it says that it won't."""
    match path.strip("/").split("/"):
        case ["api", "predict-digit" | "display-images"] | ["tiles"] | ["tiles", _, "prediction"]:
            return True
        case ["draw", "predict"] | ["v2", "models", "digits", "infer"]:
            return True
    return False


def is_probe(path: str) -> bool:
    return any(re.search(pattern, path.removeprefix("/")) for pattern in PROBES)
