"""Answers to what never becomes a request for Django: shaped, counted and logged like all others."""

import json
import logging
import uuid
from http import HTTPStatus

from django.conf import settings

from . import prometheus

access_log = logging.getLogger("digits.access")


def refuse_connection(status: int, detail: str) -> tuple[dict[str, str], bytes]:
    """The headers and the body of a problem (RFC 9457) for a client whose request could not be read."""
    request_id = uuid.uuid4().hex
    problem = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    body = json.dumps(problem).encode()
    headers = settings.SECURITY_HEADERS | {
        "Content-Security-Policy": settings.CONTENT_SECURITY_POLICY,
        "Content-Type": "application/problem+json",
        "Content-Length": str(len(body)),
        "X-Request-ID": request_id,
        "Connection": "close",  # where the request ends is not known
    }
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(settings.BODY_SECONDS)  # within which a stalled sender is given up
        prometheus.SHEDS.labels("busy").inc()
    prometheus.REQUESTS.labels("none", "other", status).inc()
    fields = {"method": "other", "route": "none", "status": status, "bytes": len(body), "request_id": request_id}
    access_log.info("refused before it was read", fields)
    return headers, body
