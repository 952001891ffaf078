"""GET /metrics: what this process has done, as Prometheus reads it."""

import os
import re
import sys
import threading

from django.core.files.uploadedfile import SimpleUploadedFile

from digits.traffic import prometheus

from .pictures import drawing, encoded


def samples(client) -> dict[str, float]:
    """The samples of this process, by name and labels other than that of the process."""
    text = client.get("/metrics").content.decode().replace(f',process="{os.getpid()}"', "")
    lines = text.replace(f'{{process="{os.getpid()}"}}', "").splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}


def test_the_format_is_prometheus_text(client):
    client.get("/api/health/live")
    answer = client.get("/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    text = answer.content.decode()
    assert text.endswith("\n")
    names = re.findall(r"^# TYPE (\w+) (?:counter|gauge|histogram)$", text, re.MULTILINE)
    assert len(names) == len(set(names)) == 4
    for name in names:
        assert re.search(rf"^# HELP {name} .*in this process$", text, re.MULTILINE)
    for line in text.splitlines():
        assert line.startswith("# ") or re.fullmatch(r'\w+(\{\w+="[^"\\]*"(,\w+="[^"\\]*")*\})? [0-9.e+-]+', line), line


def test_requests_are_counted_by_route_method_and_status(client):
    ok = 'digits_requests_total{route="/api/health/live",method="GET",status="200"}'
    wrong = 'digits_requests_total{route="/api/health/live",method="other",status="405"}'
    unknown = 'digits_requests_total{route="none",method="GET",status="404"}'
    before = samples(client)
    client.get("/api/health/live")
    client.generic("BREW", "/api/health/live")
    client.get("/nowhere/1")
    client.get("/nowhere/2")
    after = samples(client)
    assert [after[name] - before.get(name, 0) for name in (ok, wrong, unknown)] == [1, 1, 2]


def test_the_histogram_adds_up(client):
    client.get("/api/health/live")
    found = samples(client)
    name = 'digits_request_seconds_{}{{route="/api/health/live"{}}}'
    counts = [found[name.format("bucket", f',le="{bound}"')] for bound in (*prometheus.Histogram.BOUNDS, "+Inf")]
    assert counts == sorted(counts)
    assert counts[-1] == found[name.format("count", "")] > 0
    assert found[name.format("sum", "")] > 0


def test_predictions_are_counted_by_digit_and_certainty(client):
    name = 'digits_predictions_total{digit="2",certainty="certain"}'
    before = samples(client).get(name, 0)
    client.post("/api/predict-digit/", encoded(drawing()), content_type="image/png")
    client.get("/api/health/ready")
    assert samples(client)[name] == before + 1


def test_an_explained_drawing_counts_once(client):
    name = 'digits_predictions_total{digit="2",certainty="certain"}'
    before = samples(client).get(name, 0)
    client.post("/draw/", {"file": SimpleUploadedFile("digit.png", encoded(drawing())), "explain": ""})
    client.post("/draw/explain/", {"file": SimpleUploadedFile("digit.png", encoded(drawing()))})
    assert samples(client)[name] == before + 1


def test_what_is_refused_before_its_view_counts_for_its_route(client, settings):
    name = 'digits_requests_total{route="/api/predict-digit/",method="POST",status="413"}'
    before = samples(client).get(name, 0)
    client.generic("POST", "/api/predict-digit/", CONTENT_LENGTH=str(settings.MAX_REQUEST_BYTES + 1))
    assert samples(client)[name] == before + 1


def test_only_the_asking_request_is_in_flight(client):
    assert samples(client)["digits_requests_in_flight"] == 1


def test_threads_lose_no_count():
    interval = sys.getswitchinterval()
    counter = prometheus.Counter("test_total", "Test", "label")
    threads = [threading.Thread(target=lambda: [counter.add(1, "x") for _ in range(2000)]) for _ in range(4)]
    try:
        sys.setswitchinterval(1e-6)  # threads take turns as often as they can
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert list(counter.lines())[-1].endswith(" 8000")


def test_every_sample_names_its_process_so_that_no_series_mixes_two(client):
    client.get("/api/health/live")
    lines = [line for line in client.get("/metrics").content.decode().splitlines() if not line.startswith("#")]
    assert lines
    assert all(f'process="{os.getpid()}"' in line for line in lines)
