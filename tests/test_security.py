"""What production must hold: no default secrets, strict headers, no open doors."""

import http.client
import json
import logging
import os
import re
import subprocess
import sys

import pytest
from django.conf import settings
from django.middleware.csrf import REASON_BAD_ORIGIN
from django.templatetags.static import static
from django.test import Client, RequestFactory

from digits.errors import csrf_failure
from digits.traffic.middleware import SIGN

PRODUCTION = {
    "DJANGO_SECRET_KEY": "kZ8-x2Qw7_mR4tY6uI9oP1aS3dF5gH7jK0lZxCvBnM2qWeRtYu",
    "DJANGO_ALLOWED_HOSTS": "digits.example.org",
}


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "MNIST_"))}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=clean | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_deployment_check_is_clean_under_the_production_environment():
    collected = {"DJANGO_STATIC_ROOT": str(settings.STATIC_ROOT)}
    done = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION, **collected)
    assert done.returncode == 0, done.stderr


def test_the_deployment_check_misses_static_files(tmp_path):
    done = manage("check", "--deploy", **PRODUCTION, DJANGO_STATIC_ROOT=str(tmp_path))
    assert done.returncode == 1
    assert "manage.py collectstatic" in done.stderr
    assert manage("check", **PRODUCTION, DJANGO_STATIC_ROOT=str(tmp_path)).returncode == 0


@pytest.mark.parametrize(
    "weak", ["x9" * 24, "abcd" * 20, f"django-insecure-{PRODUCTION['DJANGO_SECRET_KEY']}", "weak-1"]
)
def test_a_weak_secret_key_is_refused_with_the_way_to_make_one(weak):
    done = manage("check", **PRODUCTION | {"DJANGO_SECRET_KEY": weak})
    assert done.returncode != 0
    message = done.stderr.strip().splitlines()[-1]
    assert "DJANGO_SECRET_KEY is weak: it must have at least 50 characters, 5 of them different" in message
    assert weak not in message


def test_the_way_to_make_a_secret_key_makes_one_that_is_accepted():
    message = manage("check", **PRODUCTION | {"DJANGO_SECRET_KEY": "weak-1"}).stderr
    command = re.search(r"python -c '(.+)'", message)[1]
    made = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True).stdout.strip()
    assert manage("check", **PRODUCTION | {"DJANGO_SECRET_KEY": made}).returncode == 0


def test_a_key_for_development_may_be_weak():
    assert manage("check", DJANGO_DEBUG="1", DJANGO_SECRET_KEY="weak").returncode == 0


def test_a_checksum_that_is_none_is_named():
    done = manage("check", DIGITS_WEIGHTS_SHA256="abc", **PRODUCTION)
    assert done.returncode != 0
    assert "DIGITS_WEIGHTS_SHA256 is 'abc', expected the 64 hexadecimal digits of a SHA-256 checksum" in done.stderr


def test_weights_other_than_the_pinned_ones_are_named_before_the_start():
    done = manage("check", DIGITS_WEIGHTS_SHA256="0" * 64, **PRODUCTION)
    assert done.returncode != 0
    assert "DIGITS_WEIGHTS_SHA256 is another one" in done.stderr


def test_debug_is_off_unless_the_environment_turns_it_on():
    script = "from django.conf import settings; print(settings.DEBUG)"
    assert manage("shell", "--no-imports", "-c", script, **PRODUCTION).stdout.strip() == "False"
    assert manage("shell", "--no-imports", "-c", script, DJANGO_DEBUG="1").stdout.strip() == "True"


def test_the_server_does_not_start_without_a_secret_key():
    done = manage("shell", "--no-imports", "-c", "import config.wsgi")
    assert done.returncode != 0
    assert "SECRET_KEY" in done.stderr


def test_a_misspelt_switch_is_named():
    done = manage("check", DJANGO_DEBUG="on", **PRODUCTION)
    assert done.returncode != 0
    assert "DJANGO_DEBUG is 'on', expected 1, 0, true or false" in done.stderr


@pytest.mark.parametrize("number", ["0", "-1", "four"])
def test_a_server_that_may_predict_nothing_does_not_start(number):
    done = manage("check", DIGITS_MAX_PREDICTIONS_IN_FLIGHT=number, **PRODUCTION)
    assert done.returncode != 0
    message = f"DIGITS_MAX_PREDICTIONS_IN_FLIGHT is '{number}', expected a whole number of at least 1"
    assert message in done.stderr


def test_a_missing_csv_is_named_with_the_way_to_get_it(tmp_path):
    missing = tmp_path / "missing.csv"
    done = manage("check", MNIST_CSV=str(missing), **PRODUCTION)
    assert done.returncode != 0
    assert str(missing) in done.stderr
    assert "manage.py fetch_mnist" in done.stderr


def test_a_malformed_csv_is_named_with_its_line(tmp_path):
    malformed = tmp_path / "malformed.csv"
    malformed.write_text("1,2,3\n")
    done = manage("check", MNIST_CSV=str(malformed), **PRODUCTION)
    assert done.returncode != 0
    assert f"{malformed}, line 1" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("path", "status", "host"),
    [
        ("/", 200, "testserver"),
        ("/draw/", 200, "testserver"),
        ("/challenge/", 200, "testserver"),
        ("/map/", 200, "testserver"),
        ("/model/", 200, "testserver"),
        ("/api/", 200, "testserver"),
        ("/v2", 200, "testserver"),
        ("/draw", 301, "testserver"),
        ("/api/display-images/", 200, "testserver"),
        ("/api/predict-digit/", 405, "testserver"),
        ("/metrics", 200, "testserver"),
        ("/nowhere/", 404, "testserver"),
        ("style.css", 200, "testserver"),
        ("/", 400, "evil.example"),
        ("/api/model/", 400, "evil.example"),
    ],
)
@pytest.mark.parametrize("https", [False, True])
def test_every_answer_carries_the_security_headers(client, settings, path, status, host, https):
    if https:
        settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 3600
    address = static("digits/style.css") if path == "style.css" else path
    answer = client.get(address, headers={"host": host}, secure=https)
    assert answer.status_code == status
    assert_strict(answer.headers)
    assert ("Strict-Transport-Security" in answer.headers) == https
    answer.close()


def assert_strict(headers) -> None:
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]


def test_a_wrong_host_is_refused_even_where_https_would_be_asked_for(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    answer = client.get("/", headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert "<nav" in answer.content.decode()
    assert_strict(answer.headers)


def test_only_djangos_own_pages_of_errors_may_be_styled_inline(settings, monkeypatch):
    settings.DEBUG = True
    client = Client(raise_request_exception=False)
    for path in ("/", "/nowhere/"):
        assert "Content-Security-Policy" in client.get(path).headers
    monkeypatch.setattr("digits.views.gallery_context", lambda query: 1 / 0)
    assert "Content-Security-Policy" not in client.get("/").headers


@pytest.mark.parametrize("path", ["/", "/draw/", "/challenge/", "/map/", "/model/", "/api/", "/nowhere/"])
def test_no_page_has_inline_style_or_script(client, path):
    page = client.get(path).content.decode()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", page)


def test_scripts_are_the_same_in_development_as_in_production(client, settings):
    """django-htmx's tag adds one under DEBUG, which shows error fragments in place of the whole page."""

    def scripts() -> list[str]:
        tags = re.findall(r"<script[^>]*>", client.get("/draw/").content.decode())
        return [re.sub(r"\.[0-9a-f]{12}\.", ".", tag) for tag in tags]  # in production alone, names have a hash

    in_production = scripts()
    settings.DEBUG = True
    assert scripts() == in_production
    assert len(in_production) == 3


@pytest.mark.parametrize(
    "path", ["/tiles/", "/tiles/1/prediction/", "/tiles/99999/prediction/", "/api/display-images/"]
)
def test_answers_to_htmx_are_signed(client, path):
    assert SIGN in client.get(path, headers={"HX-Request": "true"}).headers
    assert SIGN not in client.get(path).headers


def test_what_django_answers_under_debug_is_not_signed(settings, monkeypatch):
    settings.DEBUG = True
    monkeypatch.setattr("digits.views.gallery_context", lambda query: 1 / 0)
    client = Client(raise_request_exception=False, headers={"HX-Request": "true"})
    answer = client.get("/tiles/")
    assert answer.status_code == 500
    assert SIGN not in answer.headers


def test_https_is_asked_for_and_remembered(settings):
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = 3600
    client = Client()
    answer = client.get("/draw/")
    assert answer.status_code == 301
    assert answer.headers["Location"] == "https://testserver/draw/"
    assert client.get("/api/health/live").status_code == client.get("/metrics").status_code == 200
    assert "max-age=3600" in client.get("/draw/", secure=True).headers["Strict-Transport-Security"]


def test_static_files_are_hashed_and_cached_for_ever(client):
    page = client.get("/").content.decode()
    address = re.search(r'href="(/static/digits/style\.[0-9a-f]{12}\.css)"', page)[1]
    answer = client.get(address)
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]
    assert b"".join(answer.streaming_content)


TOKEN = "a" * 32
ELSEWHERE = {"Origin": "https://digits.example.org"}


@pytest.fixture
def warnings(caplog):
    """What the log says, at the level of warnings."""
    logger = logging.getLogger("digits")
    logger.addHandler(caplog.handler)
    yield lambda: [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    logger.removeHandler(caplog.handler)


@pytest.mark.parametrize(
    ("cookie", "sent", "secure", "title", "reason", "settings_to_look_at"),
    [
        (TOKEN, ELSEWHERE, False, "Form from elsewhere", ELSEWHERE["Origin"], "DJANGO_CSRF_TRUSTED_ORIGINS"),
        (TOKEN, ELSEWHERE, False, "Form from elsewhere", "Origin checking failed", "DJANGO_BEHIND_PROXY=1"),
        (TOKEN, {"Origin": "null"}, False, "Form from elsewhere", "null does not match", "DJANGO_BEHIND_PROXY=1"),
        (TOKEN, {}, True, "Form from elsewhere", "Referer checking failed", "DJANGO_CSRF_TRUSTED_ORIGINS"),
        (None, {}, False, "No cookie", "CSRF cookie not set", "DJANGO_HTTPS=0"),
        (TOKEN, {}, False, "Form out of date", "CSRF token missing", "csrftoken"),
        ("short", {}, False, "Form out of date", "CSRF cookie has incorrect length", "csrftoken"),
    ],
)
@pytest.mark.parametrize("htmx", [False, True], ids=["page", "fragment"])
def test_a_refused_form_names_the_setting_and_the_log_the_reason(
    warnings, cookie, sent, secure, title, reason, settings_to_look_at, htmx
):
    client = Client(enforce_csrf_checks=True)
    if cookie:
        client.cookies["csrftoken"] = cookie
    answer = client.post("/draw/predict/", headers=sent | {"HX-Request": "true"} if htmx else sent, secure=secure)
    assert answer.status_code == 403
    text = answer.content.decode()
    assert ("<nav" in text) == (not htmx)
    for word in (title, "For whoever runs this site", settings_to_look_at):
        assert word in text
    [warning] = warnings()
    assert reason in warning
    assert settings_to_look_at in warning


def test_a_program_whose_form_is_refused_gets_a_problem(warnings):
    request = RequestFactory().post("/api/predict-digit/", headers=ELSEWHERE)
    answer = csrf_failure(request, REASON_BAD_ORIGIN % "https://digits.example.org\u2028\x1b[2J")
    assert answer.status_code == 403
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = json.loads(answer.content)
    assert problem["title"] == "Form from elsewhere"
    assert "DJANGO_CSRF_TRUSTED_ORIGINS" in problem["detail"]
    [warning] = warnings()
    assert "Origin checking failed" in warning
    assert warning.isprintable()
    error = csrf_failure(RequestFactory().post("/v2/models/digits/infer"), "CSRF token missing.")
    assert error.status_code == 403
    assert list(json.loads(error.content)) == ["error"]


@pytest.mark.slow
def test_the_operators_log_has_the_reason_of_a_refused_form(start_site):
    site = start_site()
    connection = http.client.HTTPConnection(site.netloc)
    connection.request("POST", "/draw/predict/", headers=ELSEWHERE)
    assert connection.getresponse().status == 403
    connection.close()
    [line] = [line for line in site.log.read_text().splitlines() if "A form was refused" in line]
    assert json.loads(line)["level"] == "WARNING"
    assert "Origin checking failed - https://digits.example.org" in line
    assert json.loads(line)["request_id"]


def test_a_form_without_its_token_is_refused_in_the_style_of_the_site():
    client = Client(enforce_csrf_checks=True)
    page = client.post("/draw/")
    assert page.status_code == 403
    assert "<nav" in page.content.decode()
    fragment = client.post("/draw/predict/", headers={"HX-Request": "true"})
    assert fragment.status_code == 403
    assert fragment.headers["HX-Retarget"] == "#notice"
    assert "<nav" not in fragment.content.decode()
