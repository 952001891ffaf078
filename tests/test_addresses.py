"""What an address is for."""

import pytest

from digits.addresses import Audience, audience_of, is_probe


@pytest.mark.parametrize(
    ("path", "audience"),
    [
        ("/", Audience.PEOPLE),
        ("/api/", Audience.PEOPLE),
        ("/apix/model/", Audience.PEOPLE),
        ("/v2x", Audience.PEOPLE),
        ("/metrics-of-mine", Audience.PEOPLE),
        ("/tiles/1/", Audience.PEOPLE),
        ("/api/model/", Audience.PROGRAMS),
        ("/api/nothing", Audience.PROGRAMS),
        ("/api/openapi.json", Audience.PROGRAMS),
        ("/metrics", Audience.PROGRAMS),
        ("/v2", Audience.INFERENCE_CLIENTS),
        ("/v2/models/digits/infer", Audience.INFERENCE_CLIENTS),
    ],
)
def test_the_first_parts_of_a_path_tell_its_audience(path, audience):
    assert audience_of(path) is audience


def test_an_address_that_only_looks_like_the_protocol_gets_a_page(client):
    answer = client.get("/v2x")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")


def test_probes_ask_for_health_and_metrics():
    paths = ["/api/health/live", "/v2/health/ready", "/metrics", "/api/model/"]
    assert [is_probe(path) for path in paths] == [True, True, True, False]
