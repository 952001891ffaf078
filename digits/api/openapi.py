"""The API as an OpenAPI 3.1 document: `openapi.json` beside this module, which the page `/api/` is made from, too.

The file is written by hand. Tests keep it true: it is valid, every address and every limit in it is the code's, its
examples run, and Schemathesis finds that the site answers as it says.
"""

import functools
import json
from pathlib import Path
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, JsonResponse

from .. import __version__
from .decorators import endpoint

EXAMPLE_SITE = "https://digits.example"  # stands in the file for the site that serves it


@endpoint("GET", "HEAD")
def description(request: HttpRequest) -> HttpResponse:
    return JsonResponse(document(request.build_absolute_uri("/").rstrip("/")))


def document(site: str) -> dict:
    """The whole document, whose server and examples are the site at this address."""
    text = file_text().replace(EXAMPLE_SITE, site).replace(urlsplit(EXAMPLE_SITE).netloc, urlsplit(site).netloc)
    described = json.loads(text)
    described["info"]["version"] = __version__
    return described


@functools.cache
def file_text() -> str:
    return Path(__file__).with_name("openapi.json").read_text(encoding="utf-8")
