"""GET /api/openapi.json: a valid description, and the truth, as Schemathesis finds by asking for what it says."""

import functools
import tomllib
from pathlib import Path

import schemathesis
from django.test import RequestFactory
from django.urls import get_resolver
from hypothesis import HealthCheck, settings
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.config import SchemathesisConfig

from digits import api, refusals
from digits.errors import is_for_programs
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
    patterns = get_resolver().url_patterns[0].url_patterns
    served = {f"/{pattern.pattern}" for pattern in patterns if pattern.callback is not api.nothing}
    served = {address for address in served if is_for_programs(RequestFactory().get(address))}
    described = set(document("")["paths"])
    assert described <= served
    # What is left are the same addresses with a last slash more or less.
    assert {address.rstrip("/") for address in served} == {address.rstrip("/") for address in described}


def test_every_problem_is_explained():
    def kinds(refusal):
        return {refusal}.union(*(kinds(kind) for kind in refusal.__subclasses__()))

    assert set(PROBLEMS) == kinds(refusals.Refusal)


def test_its_examples_are_what_is_sent_and_answered(client):
    described = document("")
    post = described["paths"]["/api/predict-digit/"]["post"]
    schemas = {"components": described["components"]}
    answers = post["responses"]["200"]["content"]["application/json"]
    for example in answers["examples"].values():
        OAS31Validator(answers["schema"] | schemas).validate(example["value"])
    sent = {
        name: example["value"]
        for name, example in post["requestBody"]["content"]["application/json"]["examples"].items()
    }
    ask = functools.partial(client.post, "/api/predict-digit/", content_type="application/json")
    assert ask(sent["pixels"]).json()["prediction"] == 7
    assert [item["prediction"] for item in ask(sent["batch"]).json()["predictions"]] == [7, 7]


def test_its_version_is_the_projects():
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    assert document("")["info"]["version"] == project["version"]


@schema.parametrize()
@settings(max_examples=15, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_described(case, server):
    case.call_and_validate(base_url=server)
