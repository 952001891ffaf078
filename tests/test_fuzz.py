"""Thousands of mutated pictures, bodies and headers on every run; `python -m benchmarks.fuzz` tries many more."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings

from .bodies import FORM, PNG, form, part
from .corpus import Request, reply
from .mutations import requests

# The same ones on every run, so that a failure comes again.
SETTINGS = settings(
    max_examples=2000, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.slow
def test_whatever_a_client_sends_is_answered_soon_with_predictions_or_a_problem():
    statuses: Counter[int] = Counter()

    @SETTINGS
    @given(requests())
    def check(request: Request) -> None:
        answer = reply(request)
        statuses[answer.status] += 1
        assert not answer.wrong

    check()
    assert statuses.total() >= SETTINGS.max_examples
    # Not refused for one and the same reason.
    assert set(statuses) >= {200, 400, 406, 413, 415, 422}


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (Request(PNG, "image/png; charset=hex", include="prepared"), 200),
        (Request(PNG, "image/png; charset=idna", include="\u00e4"), 400),
        (Request(PNG, "image/png; charset*=UTF-8''undefined", include="prepared"), 200),
        (Request(form(part(PNG)), f"{FORM}; charset=hex"), 200),
        (Request(PNG, "image/png; name*=nothing''seven"), 415),
        (Request(form(part(PNG)), "multipart/form-data; boundary*=idna''frontier"), 415),
    ],
    ids=lambda value: value.content_type if isinstance(value, Request) else value,
)
def test_what_once_failed_is_answered(request_, status):
    answer = reply(request_)
    assert (answer.status, answer.wrong) == (status, "")
