"""GET /metrics: what this process or all of the server have done, as Prometheus reads it."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from digits import canaries
from digits.api import endpoints
from digits.refusals import Unavailable
from digits.traffic import exposition, limits, prometheus

from .pictures import TWO, drawing, encoded


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
    assert len(names) == len(set(names)) == len(prometheus.METRICS)
    for name in names:
        assert re.search(rf"^# HELP {name} [A-Z].*$", text, re.MULTILINE)
    for line in text.splitlines():
        assert line.startswith("# ") or re.fullmatch(r'\w+(\{\w+="[^"\\]*"(,\w+="[^"\\]*")*\})? [0-9.e+-]+', line), line


def test_every_metric_and_its_labels_are_in_the_table():
    table = (settings.BASE_DIR / "docs" / "operating.md").read_text().partition("## Metrics\n")[2]
    rows = [row.split("|")[1:3] for row in table.splitlines() if row.startswith("| `digits_")]
    told = {name: set(re.findall("`(.+?)`", labels)) for names, labels in rows for name in re.findall("`(.+?)`", names)}
    assert told == {metric.name: set(metric.labelnames) for metric in prometheus.METRICS}


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
    counts = [found[name.format("bucket", f',le="{bound}"')] for bound in (*prometheus.SECONDS, "+Inf")]
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


def test_the_places_are_told_and_freed(client, settings):
    with limits.places.take("203.0.113.70", 1):
        found = samples(client)
        assert found["digits_places"] == settings.MAX_PREDICTIONS_IN_FLIGHT
        assert found["digits_places_taken"] == 1
    assert samples(client)["digits_places_taken"] == 0


def test_requests_refused_as_busy_or_by_rate_are_counted_apart(client, settings):
    picture = {"data": encoded(drawing()), "content_type": "image/png"}
    busy, rate = ('digits_sheds_total{reason="busy"}', 'digits_sheds_total{reason="rate"}')
    before = samples(client)
    with contextlib.ExitStack() as taken:
        for number in range(settings.MAX_PREDICTIONS_IN_FLIGHT):
            taken.enter_context(limits.places.take(f"203.0.113.{number}", 1))
        assert client.post("/api/predict-digit/", **picture).status_code == 503
        assert client.post("/draw/predict/", {"file": SimpleUploadedFile("2.png", picture["data"])}).status_code == 503
    settings.RATE_LIMIT = (1, 24 * 3600)
    limited = Client(REMOTE_ADDR="203.0.113.71")
    assert [limited.get("/api/model/").status_code for _ in range(3)] == [200, 429, 429]
    after = samples(client)
    assert [after[name] - before.get(name, 0) for name in (busy, rate)] == [2, 2]


def test_a_process_that_is_not_ready_has_shed_nothing(client, monkeypatch):
    def not_ready():
        raise Unavailable("Not now.")

    def sheds():
        return {name: number for name, number in samples(client).items() if "digits_sheds" in name}

    monkeypatch.setattr(endpoints, "check_ready", not_ready)
    before = sheds()
    assert client.get("/api/health/ready").status_code == 503
    assert sheds() == before


def test_the_sizes_of_batches_are_counted(client):
    before = samples(client)
    pictures = [SimpleUploadedFile(f"{index}.png", encoded(drawing())) for index in range(3)]
    client.post("/api/predict-digit/", {"file": [*pictures, SimpleUploadedFile("no.png", b"no picture")]})
    client.post("/api/predict-digit/", b"no picture", content_type="image/png")
    after = samples(client)
    name = "digits_batch_size_{}"
    assert after[name.format("sum")] - before[name.format("sum")] == 3
    assert after[name.format("count")] - before[name.format("count")] == 1
    bounds = ('bucket{le="2"}', 'bucket{le="5"}')
    assert [after[name.format(bound)] - before[name.format(bound)] for bound in bounds] == [0, 1]


def test_the_stages_of_an_answer_are_timed(client):
    def counts():
        found = samples(client)
        stages = "receive", "decode", "prepare", "recognise", "explain"
        return {stage: found.get(f'digits_stage_seconds_count{{stage="{stage}"}}', 0) for stage in stages}

    def passed(before):
        return {stage: count - before[stage] for stage, count in counts().items() if count != before[stage]}

    before = counts()
    client.post("/api/predict-digit/?include=saliency", encoded(drawing()), content_type="image/png")
    assert passed(before) == dict.fromkeys(before, 1)
    before = counts()
    client.post("/api/predict-digit/", b"\x89PNG\r\n\x1a\n", content_type="image/png")
    assert passed(before) == {"receive": 1, "decode": 1}
    before = counts()
    client.post("/draw/predict/", {"strokes": json.dumps([{"points": TWO, "width": 20 / 280}])})
    assert passed(before) == {"prepare": 2, "recognise": 2}  # as a number, and as the single digit that it is


def test_what_a_process_reads_of_itself_is_not_counted(client):
    client.get("/metrics")  # so that this request has a series of its own already
    before = samples(client)
    canaries.misread.cache_clear()
    assert canaries.misread() == []
    after = samples(client)
    assert {name for name in after if after[name] != before.get(name) and "metrics" not in name} == set()


def test_threads_lose_no_count():
    interval = sys.getswitchinterval()
    counter = exposition.Counter("test_total", "Test", ["label"])
    threads = [threading.Thread(target=lambda: [counter.labels("x").inc() for _ in range(2000)]) for _ in range(4)]
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


@pytest.fixture
def run_process(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess]:
    """Run Python code in a process of the site that counts together with the others of the test."""

    def run(code: str, folder: Path = tmp_path) -> subprocess.CompletedProcess:
        environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
        command = [sys.executable, "-c", code]
        return subprocess.run(
            command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    return run


START = "import django; django.setup(); from django.test import Client; client = Client(); "
LIVE = 'digits_requests_total{method="GET",route="/api/health/live",status="200"}'
ASK = START + "client.get('/api/health/live'); client.get('/tiles/0/prediction/'); "
PRINT = "print(client.get('/metrics').content.decode())"


@pytest.mark.slow
def test_processes_count_together(run_process):
    for _ in range(2):
        assert run_process(ASK).returncode == 0
    lines = run_process(ASK + PRINT).stdout.splitlines()
    assert 'digits_requests_total{method="GET",route="/api/health/live",status="200"} 3.0' in lines
    assert 'digits_predictions_total{certainty="certain",digit="7"} 3.0' in lines
    assert 'digits_request_seconds_count{route="/api/health/live"} 3.0' in lines
    assert "digits_batch_size_sum 3.0" in lines
    assert "digits_places 4.0" in lines  # of the one process that is left


DYING = "import os; from digits.traffic.limits import places; place = places.take('192.0.2.1', 1); "
DYING += "place.__enter__(); os._exit(9)"


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="processes are forked")
def test_a_forked_process_is_not_doing_what_an_earlier_one_of_its_number_did(run_process, tmp_path):
    """As numbers come again in a container that is started again, in a folder that stays."""
    folder = tmp_path / "counts"
    folder.mkdir()
    assert run_process(ASK + DYING, folder).returncode == 9
    [file] = folder.glob("gauge_livesum_*.db")
    earlier = file.rename(tmp_path / "earlier")
    leave = f"shutil.copy({str(earlier)!r}, {str(folder)!r} + f'/gauge_livesum_{{os.getpid()}}.db')"
    fork = f"import os, shutil; os.register_at_fork(after_in_child=lambda: {leave}); {START}"
    lines = run_process(f"{fork}\nif os.fork():\n    os.wait()\nelse:\n    {PRINT}", folder).stdout.splitlines()
    assert "digits_places_taken 0.0" in lines


@pytest.mark.slow
def test_what_a_killed_process_was_doing_is_forgotten_and_what_it_did_is_not(run_process):
    assert run_process(ASK + DYING).returncode == 9
    lines = run_process(START + PRINT).stdout.splitlines()
    assert "digits_places_taken 0.0" in lines
    assert "digits_requests_in_flight 1.0" in lines
    assert 'digits_requests_total{method="GET",route="/api/health/live",status="200"} 1.0' in lines


@pytest.mark.slow
def test_the_processes_of_the_server_count_together_and_a_killed_one_is_no_loss(start_site, tmp_path):
    folder = tmp_path / "counts"
    folder.mkdir()
    site = start_site(PROMETHEUS_MULTIPROC_DIR=str(folder), WEB_CONCURRENCY="3")

    def processes() -> set[int]:
        """Those that have answered something."""
        return {
            int(file.stem.rpartition("_")[2]) for file in folder.glob("counter_*.db") if file.read_bytes().strip(b"\0")
        }

    def counted() -> str:
        [line] = [line for line in site.ask("GET", "/metrics").body.decode().splitlines() if line.startswith(LIVE)]
        return line.removeprefix(LIVE)

    asked, deadline = 0, time.monotonic() + 60
    while (asked < 60 or len(processes()) < 3) and time.monotonic() < deadline:
        site.ask("GET", "/api/health/live")
        asked += 1
    assert [counted() for _ in range(10)] == [f" {asked}.0"] * 10
    victim = max(processes())
    os.kill(victim, signal.SIGKILL)
    while list(folder.glob(f"gauge_live*_{victim}.db")) and time.monotonic() < deadline:
        site.ask("GET", "/metrics")
    assert not list(folder.glob(f"gauge_live*_{victim}.db"))
    assert counted() == f" {asked}.0"


@pytest.mark.slow
def test_a_folder_that_is_none_is_named_before_anything_is_counted(run_process, tmp_path):
    done = run_process(START + PRINT, tmp_path / "missing")
    assert done.returncode == 1
    assert f"PROMETHEUS_MULTIPROC_DIR: {tmp_path / 'missing'} is no folder to write to" in done.stderr


@pytest.mark.slow
def test_counting_together_without_its_package_is_refused_with_the_name_of_the_package(run_process):
    done = run_process("import sys; sys.modules['prometheus_client'] = None; " + START)
    assert done.returncode == 1
    assert "needs the package prometheus-client, of requirements-production.txt" in done.stderr


def test_the_time_in_the_server_s_queue_is_a_stage(client):
    name = 'digits_stage_seconds_{}{{stage="queue"}}'
    before = samples(client)
    client.get("/api/health/live", **{"digits.ready_at": time.perf_counter() - 2})
    after = samples(client)
    assert after[name.format("count")] - before.get(name.format("count"), 0) == 1
    assert after[name.format("sum")] - before.get(name.format("sum"), 0) == pytest.approx(2, abs=1)
