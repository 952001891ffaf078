"""Two servers behind the proxy configuration of deploy/: either answers any request, and one is enough."""

import contextlib
import http.client
import json
import os
import re
import signal
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.conf import settings

from .conftest import DEADLINE, Answer, free_address, require, started
from .pictures import TWO, drawing, encoded

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="gunicorn is for Linux and macOS"),
]
CONFIGURATION = Path(settings.BASE_DIR, "deploy", "nginx.conf")


@pytest.fixture
def replicas(start_site):
    """Two servers that share nothing but their settings."""
    proxied = {"DIGITS_TRUSTED_PROXIES": "1", "DIGITS_PRIVATE_PROBES": "1", "WEB_CONCURRENCY": "1"}
    return [start_site(**proxied), start_site(**proxied)]


@pytest.fixture
def ask(replicas, tmp_path):
    """Ask the proxy, which is configured as shipped, but for the addresses."""
    require("nginx")
    host, port = address = free_address()
    text = CONFIGURATION.read_text()
    addresses = {
        "127.0.0.1:8000": replicas[0].netloc,
        "127.0.0.1:8001": replicas[1].netloc,
        "listen 8080": f"listen {host}:{port}",
    }
    for shipped, own in addresses.items():
        assert text.count(shipped) == 1
        text = text.replace(shipped, own)
    # A process without privileges writes nowhere else.
    places = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp_path / "nginx.conf").write_text(text.replace("http {\n", f"http {{\n{places}"))
    directives = f"daemon off; pid {tmp_path}/nginx.pid;"
    command = ["nginx", "-p", str(tmp_path), "-e", "stderr", "-c", str(tmp_path / "nginx.conf"), "-g", directives]

    def ask(method, path, body=None, **headers) -> Answer:
        connection = http.client.HTTPConnection(host, port, timeout=DEADLINE)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers)
            return Answer.of(connection.getresponse())

    with started(command, address, tmp_path / "nginx.txt"):
        yield ask


def routes(site) -> list[str]:
    """Which requests a server has answered, by its log."""
    return [json.loads(line)["route"] for line in site.log.read_text().splitlines() if '"route"' in line]


def test_any_server_answers_any_request_and_one_is_enough(ask, replicas):
    picture = encoded(drawing([TWO]))
    page = ask("GET", "/draw/")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.body.decode())[1]
    cookie = page.headers["Set-Cookie"].partition(";")[0]
    stroke = [{"points": TWO, "width": 20 / 280}]
    form = urlencode({"csrfmiddlewaretoken": token, "strokes": json.dumps(stroke)})
    style = re.search(r'href="(/static/[^"]+\.css)"', page.body.decode())[1]

    def ask_everything():
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
        return [
            ask("GET", "/").status,
            ask("GET", style).status,
            ask("GET", "/api/display-images/").status,
            json.loads(ask("POST", "/api/predict-digit/", picture, **{"Content-Type": "image/png"}).body)["prediction"],
            b"<strong>2</strong>" in ask("POST", "/draw/predict/", form, **kind).body,
        ]

    # An odd number of requests: the next time, each goes to the other server.
    answered = [ask_everything() for _ in range(4)]
    assert answered == [[200, 200, 200, 2, True]] * 4
    for replica in replicas:
        assert {"/", "/static/", "/api/display-images/", "/api/predict-digit/", "/draw/predict/"} <= set(
            routes(replica)
        )
    for path in ("/metrics", "/api/health/ready", "/v2/health/live"):
        assert ask("GET", path).status == 404

    replicas[0].process.send_signal(signal.SIGINT)
    replicas[0].process.wait(DEADLINE)
    assert [ask_everything() for _ in range(4)] == answered
