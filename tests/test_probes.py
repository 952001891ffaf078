"""Health and metrics are asked by machines: any host will do, and the public can be kept out."""

import pytest
from django.test import Client

HEALTH = ["/api/health/live", "/api/health/live/", "/api/health/ready", "/v2/health/live", "/v2/health/ready"]
PROBES = [*HEALTH, "/metrics"]
OTHERS = ["/", "/draw/", "/model/", "/api/", "/api/model/", "/api/display-images/", "/api/openapi.json", "/v2", "/no"]


@pytest.mark.parametrize("host", ["10.1.2.3:8000", "[2001:db8::1]", "evil.example", "no host at all", ""])
@pytest.mark.parametrize("path", PROBES)
def test_probes_are_answered_whatever_the_host(client, path, host):
    assert client.get(path, headers={"host": host}).status_code == 200


@pytest.mark.parametrize("path", PROBES)
def test_probes_are_answered_whatever_the_host_where_https_is_asked_for(settings, path):
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get(path, headers={"host": "10.1.2.3"}).status_code == 200


@pytest.mark.parametrize("host", ["10.1.2.3:8000", "evil.example"])
@pytest.mark.parametrize("path", [*OTHERS, "/metrics/", "/metrics/x", "/api/healthy"])
def test_everything_else_refuses_a_foreign_host(client, path, host):
    assert client.get(path, headers={"host": host}).status_code == 400


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Forwarded-Proto", "Forwarded"])
@pytest.mark.parametrize("path", PROBES)
def test_private_probes_are_hidden_from_whoever_asks_through_a_proxy(settings, path, header):
    settings.PRIVATE_PROBES = True
    client = Client()
    assert client.get(path, headers={header: "192.0.2.7"}).status_code == 404
    assert client.get(path, headers={"host": "10.1.2.3"}).status_code == 200


def test_private_probes_leave_the_rest_to_the_public(settings):
    settings.PRIVATE_PROBES = True
    assert Client().get("/api/model/", headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 200


def test_probes_are_public_unless_they_are_made_private(client):
    assert client.get("/metrics", headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 200
