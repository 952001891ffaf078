"""Answers that tests give in the server's place, and in that of others."""

from django.test import RequestFactory
from django_htmx.middleware import HtmxMiddleware
from playwright.sync_api import Route

from digits.errors import refuse
from digits.refusals import Refusal
from digits.traffic.middleware import security_headers

PORTAL = "<html><head><title>Portal</title></head><body><h1>Please sign in</h1></body></html>"
# What would send the page elsewhere if htmx obeyed it.
OTHERS_HEADERS = {"HX-Push-Url": "/pushed/", "HX-Redirect": "/redirected/", "HX-Retarget": "body"}


def answer_with(route: Route, refusal: Refusal) -> None:
    """Answer htmx as the site does when it refuses a request."""
    answer = security_headers(HtmxMiddleware(lambda request: refuse(request, refusal)))
    failure = answer(RequestFactory().get("/", headers={"HX-Request": "true"}))
    route.fulfill(status=failure.status_code, headers=dict(failure.headers), body=failure.content)


def answer_as_another(route: Route, status: int, **headers: str) -> None:
    """Answer as a proxy or the sign-in page of a network does."""
    route.fulfill(status=status, headers=OTHERS_HEADERS | headers, body=PORTAL, content_type="text/html")
