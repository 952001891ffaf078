"""One line of JSON a request, which nothing that a client sends can forge or fill with what it is not to hold."""

import http.client
import io
import json
import logging
import re
import sys
import urllib.parse
from pathlib import Path

import pytest

from digits.traffic.logs import JsonLines

from .pictures import drawing, encoded

FIELDS = {"time", "level", "logger", "message", "method", "route", "status", "ms", "bytes", "request_id"}


@pytest.fixture
def lines(caplog):
    """The lines logged so far."""
    logger = logging.getLogger("digits.access")
    logger.addHandler(caplog.handler)
    yield lambda: [JsonLines().format(record) for record in caplog.records if record.name == logger.name]
    logger.removeHandler(caplog.handler)


def test_each_request_is_a_line_of_json(client, lines):
    answer = client.post("/api/predict-digit/", encoded(drawing()), content_type="image/png")
    client.get("/tiles/7/prediction/?secret=1")
    client.get("/nowhere/")
    first, second, third = (json.loads(line) for line in lines())
    assert set(first) == FIELDS
    assert first["method"] == "POST"
    assert first["route"] == "/api/predict-digit/"
    assert first["status"] == 200
    assert first["bytes"] == len(answer.content)
    assert first["ms"] > 0
    assert first["request_id"] == answer.headers["X-Request-ID"]
    assert second["route"] == "/tiles/<int:index>/prediction/"
    assert (third["route"], third["status"]) == ("none", 404)
    assert "secret" not in "".join(lines())


@pytest.mark.parametrize(("sent", "kept"), [("a1-B2_c3.d4", True), ("x" * 65, False), ("a b", False), ('"}\n{', False)])
def test_a_request_id_is_kept_where_it_is_harmless(client, lines, sent, kept):
    answered = client.get("/api/health/live", headers={"X-Request-ID": sent}).headers["X-Request-ID"]
    assert (answered == sent) == kept
    assert re.fullmatch("[A-Za-z0-9._-]{1,64}", answered)


def test_nothing_that_is_sent_begins_a_line(client, lines):
    forged = '\n{"message": "forged"}\r\u2028'
    client.generic("GET\n{}", "/api/health/live")
    client.get(f"/{urllib.parse.quote(forged)}", headers={"X-Request-ID": forged, "User-Agent": forged})
    assert len(lines()) == 2
    for line in lines():
        assert line.isascii()
        assert len(line.splitlines()) == 1
        assert "forged" not in line
    assert json.loads(lines()[0])["method"] == "other"


def test_a_clients_mistakes_are_answered_and_not_logged_beside_its_line(client):
    [handler] = [handler for handler in logging.getLogger("digits.access").handlers if handler.name == "stderr"]
    before = handler.setStream(io.StringIO())
    client.get("/", headers={"host": "evil.example"})
    client.get("/api/display-images/?" + "a=1&" * 1500)
    client.get("/nowhere/")
    written = handler.setStream(before).getvalue().splitlines()
    assert [json.loads(line)["logger"] for line in written] == ["digits.access"] * 3


def test_a_failure_of_ours_is_one_line_with_its_traceback_and_request():
    try:
        raise RuntimeError("first\nsecond")
    except RuntimeError:
        record = logging.LogRecord("django.request", logging.ERROR, "", 0, "%s", ("/a\nb",), True)
        record.exc_info = sys.exc_info()
    line = JsonLines().format(record)
    assert len(line.splitlines()) == 1
    assert "RuntimeError: first\nsecond" in json.loads(line)["exception"]


def test_the_real_server_writes_the_line(server: str, server_log: Path):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(server).netloc, timeout=30)
    connection.request("GET", "/api/health/live", headers={"X-Request-ID": "of-this-very-test"})
    connection.getresponse().read()
    connection.request("GET", "/api/health/live")  # the line before is written by now
    connection.getresponse().read()
    connection.close()
    [line] = [line for line in server_log.read_text().splitlines() if "of-this-very-test" in line]
    assert set(json.loads(line)) == FIELDS
