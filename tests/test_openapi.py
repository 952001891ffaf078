"""GET /api/openapi.json: a valid description, and the truth, as Schemathesis finds by asking for what it says."""

import schemathesis
from django.urls import get_resolver
from hypothesis import HealthCheck, settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.config import SchemathesisConfig

from digits import refusals
from digits.errors import FOR_PROGRAMS
from digits.openapi import PROBLEMS, document

CHECKS = {
    # What has the right form may yet be no picture, or show no digit.
    "positive_data_acceptance": {"expected-statuses": [200, 415, 422]},
    "negative_data_rejection": {"expected-statuses": [400, 405, 406, 413, 415, 422]},
}
schema = schemathesis.openapi.from_dict(
    document("http://testserver"), config=SchemathesisConfig.from_dict({"checks": CHECKS})
)


def test_it_is_valid_and_names_its_own_site(client):
    described = client.get("/api/openapi.json").json()
    OpenAPIV31SpecValidator(described).validate()
    assert described == document("http://testserver")


def test_every_address_for_programs_is_described():
    served = {f"/{pattern.pattern}" for pattern in get_resolver().url_patterns[0].url_patterns}
    served = {address for address in served if address.startswith(FOR_PROGRAMS)} - {"/api/"}
    described = set(document("")["paths"])
    assert described <= served
    # What is left are the same addresses with a last slash more or less.
    assert {address.rstrip("/") for address in served} == {address.rstrip("/") for address in described}


def test_every_problem_is_explained():
    def kinds(refusal):
        return {refusal}.union(*(kinds(kind) for kind in refusal.__subclasses__()))

    assert set(PROBLEMS) == kinds(refusals.Refusal)


@schema.parametrize()
@settings(max_examples=15, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_described(case, server):
    case.call_and_validate(base_url=server)
