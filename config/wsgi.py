"""The WSGI application, for any WSGI server: `config.wsgi:application`."""

import os
import re
from collections.abc import Callable, Iterable

from django.conf import settings
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, reset_queries
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# What Django can parse for certain, and so most of what is sent.
PLAIN_CONTENT_TYPE = re.compile(r"[\w/+.-]*(; ?boundary=[\w.-]+)?", re.ASCII)

django_application = get_wsgi_application()
# There is no database, which Django would look after at the start and at the end of each request.
request_started.disconnect(reset_queries)
request_started.disconnect(close_old_connections)
request_finished.disconnect(close_old_connections)
settings.SECRET_KEY  # noqa: B018 - raises where it is empty: fail at the start, not at the first form


def application(environ: dict, start_response: Callable) -> Iterable[bytes]:
    """Django's application. A Content-Type that Django cannot parse is dropped first.

    Django would fail on it before there is a request to answer.
    """
    if not PLAIN_CONTENT_TYPE.fullmatch(environ.get("CONTENT_TYPE", "")):
        environ["CONTENT_TYPE"] = readable(environ["CONTENT_TYPE"])
    return django_application(environ, start_response)


def readable(content_type: str) -> str:
    # Text is UTF-8 here: a client's charset is dropped, because Python also knows charsets that do not encode text.
    content_type = re.sub(r"(?i);\s*charset[^;]*", "", content_type)
    try:
        parse_header_parameters(content_type)
    except ValueError:
        return ""
    return content_type
