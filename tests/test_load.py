"""A server that is measured is asked until it answers, and leaves nothing behind."""

import sys
from pathlib import Path

import pytest

from benchmarks import load
from benchmarks.load import Request

SERVE = [sys.executable, "-m", "http.server", "--bind", "{host}", "{port}"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_server_is_ready_when_it_answers_and_is_ended_afterwards(tmp_path):
    (tmp_path / "file").write_text("here")
    is_ready = lambda port: load.is_answered(port, Request("/file"))  # noqa: E731
    with load.running(SERVE, is_ready, cwd=tmp_path) as server:
        assert load.ask(server.port, Request("/file")) == (200, b"here")
        assert load.ask(server.port, Request("/absent")).status == 404
        assert 0 < server.start < load.START
        assert 1 < load.megabytes(server.process.pid) < 1000
        assert load.processor_seconds(server.process.pid) > 0
    assert not Path(f"/proc/{server.process.pid}").exists()
    assert load.ask(server.port, Request("/file")) is None


@pytest.mark.slow
def test_a_command_that_ends_is_told():
    with (
        pytest.raises(RuntimeError, match="does not start"),
        load.running([sys.executable, "-c", ""], lambda port: False),
    ):
        pass
