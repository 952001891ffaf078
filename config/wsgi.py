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
    """Django's application. A Content-Type that Django cannot parse is dropped first.

    Django would fail on it before there is a request to answer.
    """
    # Text is UTF-8 here: a client's charset is dropped, because Python also knows charsets that do not encode text.
    content_type = re.sub(r"(?i);\s*charset[^;]*", "", environ.get("CONTENT_TYPE", ""))
    try:
        parse_header_parameters(content_type)
    except ValueError:
        content_type = ""
    environ["CONTENT_TYPE"] = content_type
    return django_application(environ, start_response)
