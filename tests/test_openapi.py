"""GET /api/openapi.json: a valid description, and the truth, as Schemathesis finds by asking for what it says."""

import functools
import json
import re
import tomllib
from pathlib import Path

import pytest
import schemathesis
from django.urls import get_resolver
from hypothesis import HealthCheck, settings
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from PIL import Image
from schemathesis.config import SchemathesisConfig

from digits import refusals
from digits.addresses import Audience, audience_of
from digits.api import endpoints
from digits.api.openapi import document
from digits.api.page import resolved
from digits.errors import described
from digits.forms import MAX_TILES
from digits.gallery import TILES_AT_ONCE
from digits.pictures.formats import NAMES, READ

from .pictures import drawing, encoded

CHECKS = {
    # What has the right form may yet be no picture, or show no digit.
    "positive_data_acceptance": {"expected-statuses": [200, 415, 422]},
    "negative_data_rejection": {"expected-statuses": [400, 405, 406, 413, 415, 422]},
}
schemathesis.serializer.alias("image/bmp", "application/octet-stream")
schema = schemathesis.openapi.from_dict(
    document("http://testserver"), config=SchemathesisConfig.from_dict({"checks": CHECKS})
)


def test_it_is_valid_and_names_its_own_site(client):
    described = client.get("/api/openapi.json").json()
    OpenAPIV31SpecValidator(described).validate()
    assert described == document("http://testserver")


def test_every_address_for_programs_is_described():
    patterns = get_resolver().url_patterns[0].url_patterns
    served = {f"/{pattern.pattern}" for pattern in patterns if pattern.callback is not endpoints.nothing}
    served = {address for address in served if audience_of(address) is not Audience.PEOPLE}
    described = set(document("")["paths"])
    assert described <= served
    # What is left are the same addresses with a last slash more or less.
    assert {address.rstrip("/") for address in served} == {address.rstrip("/") for address in described}


def test_every_problem_is_explained():
    def kinds(refusal):
        return {refusal}.union(*(kinds(kind) for kind in refusal.__subclasses__()))

    explained = [(problem["status"], problem["title"]) for problem in document("")["x-problems"]]
    assert sorted(explained) == sorted((kind.status, kind.title) for kind in kinds(refusals.Refusal))


PICTURE = encoded(drawing())
POST = "/api/predict-digit/"


@pytest.mark.parametrize(
    ("refusal", "method", "path", "body", "content_type", "headers"),
    [
        (refusals.Refusal, "GET", "/api/model/", b"", "", {"Host": "evil.example"}),
        (refusals.BadParameter, "GET", "/api/display-images/?count=0", b"", "", {}),
        (refusals.NoPicture, "POST", POST, b"", "image/png", {}),
        (refusals.MalformedBody, "POST", POST, b"{", "application/json", {}),
        (refusals.NotFound, "GET", "/api/predict-letter/", b"", "", {}),
        (refusals.MethodNotAllowed, "GET", POST, b"", "", {}),
        (refusals.NotAcceptable, "GET", "/api/model/", b"", "", {"Accept": "text/html"}),
        (refusals.TooLarge, "POST", POST, bytes(25 * 1024**2 + 1), "image/png", {}),
        (refusals.NotAPicture, "POST", POST, b"no picture", "image/png", {}),
        (refusals.UnsupportedType, "POST", POST, PICTURE, "text/plain", {}),
        (refusals.UnusablePicture, "POST", POST, PICTURE[:-30], "image/png", {}),
        (refusals.UnusablePixels, "POST", POST, json.dumps({"pixels": [0] * 12 + [256] * 772}), "application/json", {}),
        (refusals.Blank, "POST", POST, encoded(Image.new("L", (40, 40))), "image/png", {}),
    ],
)
def test_its_problems_are_what_is_answered(client, refusal, method, path, body, content_type, headers):
    [detail] = [each["detail"] for each in document("")["x-problems"] if each["title"] == refusal.title]
    answer = client.generic(method, path, body, content_type, headers=headers)
    assert answer.json() == described(refusal.status, refusal.title, detail)


@pytest.mark.parametrize(
    "path", [path for path, methods in document("")["paths"].items() if path.startswith("/v2") and "get" in methods]
)
def test_its_examples_of_the_inference_protocol_are_what_is_answered(client, path):
    [example] = document("")["paths"][path]["get"]["responses"]["200"]["content"]["application/json"][
        "examples"
    ].values()
    assert client.get(path).json() == example["value"]


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


def test_its_examples_of_problems_are_those_it_explains():
    explained = {problem["title"]: problem for problem in document("")["x-problems"]}
    for path, methods in document("")["paths"].items():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                content = resolved(document(""), response)["content"]
                problems = content.get("application/problem+json", {"examples": {}})["examples"].values()
                for example in problems:
                    problem = explained[example["value"]["title"]]
                    assert example["value"]["detail"] == problem["detail"], (path, status)
                    assert example["value"]["status"] == problem["status"] == int(status), path


def test_its_limits_are_those_of_the_settings(settings):
    described = document("")
    display = {each["name"]: each["schema"] for each in described["paths"]["/api/display-images/"]["get"]["parameters"]}
    assert (display["count"]["maximum"], display["count"]["default"]) == (MAX_TILES, TILES_AT_ONCE)
    assert display["seed"]["maximum"] == endpoints.MAX_SEED
    post = described["paths"]["/api/predict-digit/"]["post"]
    files = post["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]["file"]
    batches = described["components"]["schemas"]["Question"]["properties"]
    assert {files["maxItems"], batches["images"]["maxItems"], batches["instances"]["maxItems"]} == {settings.MAX_BATCH}
    [include] = post["parameters"]
    assert include["schema"]["items"]["enum"] == list(endpoints.EXTRAS)


@pytest.mark.parametrize(
    ("unit", "names"),
    [
        (1024**2, {"MAX_PICTURE_BYTES", "MAX_JSON_BYTES", "MAX_TENSOR_BYTES", "MAX_REQUEST_BYTES"}),
        (1_000_000, {"MAX_PICTURE_PIXELS", "MAX_JPEG_PIXELS"}),
        (1, {"MAX_BATCH", "MAX_EXPLAINED"}),
    ],
)
def test_the_limits_in_its_sentences_are_those_of_the_settings(settings, unit, names):
    pattern = {1024**2: r"\b(\d+) MB", 1_000_000: r"\b(\d+) megapixels", 1: r"\b(\d+) (?:pictures|items)"}[unit]
    told = {int(number) * unit for number in re.findall(pattern, json.dumps(document("")))}
    assert told == {getattr(settings, name) for name in names}


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        (r"(\d+) seconds together", "MAX_REQUEST_SECONDS"),
        (r"(?:one of them|more than) (\d+) second\b", "MAX_PICTURE_SECONDS"),
        (r"(\d+) MB and \d+ megapixels", "MAX_PICTURE_BYTES"),
        (r"as JPEG (\d+) megapixels", "MAX_JPEG_PIXELS"),
        (r"JSON (\d+) MB", "MAX_JSON_BYTES"),
        (r"whole request may have (\d+) MB", "MAX_REQUEST_BYTES"),
    ],
)
def test_each_limit_that_it_tells_is_the_one_it_means(settings, pattern, name):
    [told] = set(re.findall(pattern, json.dumps(document(""))))
    unit = {"BYTES": 1024**2, "PIXELS": 1_000_000, "SECONDS": 1}[name.rpartition("_")[2]]
    assert int(told) * unit == getattr(settings, name)


def test_its_sentences_name_the_formats_that_are_read():
    sentences = re.findall(r'"[^"]*JPEG[^"]*"', json.dumps(document("")))
    lists = {formats for each in sentences for formats in re.findall(r"PNG.* (?:or|and) [A-Z]+", each)}
    assert lists
    assert {each.rpartition("PNG,")[2] for each in lists} == {READ.partition("PNG,")[2]}
    body = document("")["paths"]["/api/predict-digit/"]["post"]["requestBody"]["content"]
    assert {kind for kind in body if kind.startswith("image/")} == {f"image/{name.lower()}" for name in NAMES}


def test_its_example_of_the_metrics_has_the_labels_of_a_sample(client):
    content = document("")["paths"]["/metrics"]["get"]["responses"]["200"]["content"]
    [example] = content["text/plain"]["examples"].values()
    client.post(POST, PICTURE, content_type="image/png")
    name = example["value"].partition("{")[0]
    sample = next(line for line in client.get("/metrics").content.decode().splitlines() if line.startswith(f"{name}{{"))
    assert re.findall(r'(\w+)="', example["value"]) == re.findall(r'(\w+)="', sample)


def test_its_version_is_the_projects():
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    assert document("")["info"]["version"] == project["version"]


@schema.parametrize()
@settings(max_examples=15, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@pytest.mark.slow
def test_every_answer_is_as_described(case, server):
    case.call_and_validate(base_url=server)
