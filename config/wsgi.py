"""The WSGI application, for any WSGI server: `config.wsgi:application`."""

import os
import re
from collections.abc import Callable, Iterable

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

django_application = get_wsgi_application()
settings.SECRET_KEY  # noqa: B018 - raises where it is empty: fail at the start, not at the first form


def application(environ: dict, start_response: Callable) -> Iterable[bytes]:
    """Django's application, but for content types that it fails on before it has a request to answer: they are none."""
    # Text is UTF-8 here whatever a client says, as Python also knows charsets that are none of text.
    content_type = re.sub(r"(?i);\s*charset[^;]*", "", environ.get("CONTENT_TYPE", ""))
    try:
        parse_header_parameters(content_type)
    except ValueError:
        content_type = ""
    environ["CONTENT_TYPE"] = content_type
    return django_application(environ, start_response)
