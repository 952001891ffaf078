"""`manage.py score` on Ray: several workers give the answers of one process, and may be killed, as the driver may.

Each test starts a Ray of its own, which takes some seconds.
"""

import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from digit_recognizer_dl_model.dataset import DATA, read_csv

pytest.importorskip("ray")
pq = pytest.importorskip("pyarrow.parquet")
pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
DEADLINE = 120  # seconds; generous, as nothing waits for it to pass
PART, PARTS = 250, 40
CLUSTER = """
import ray, sys
print(ray.init(num_cpus=3, object_store_memory=80_000_000, log_to_driver=False).address_info["gcs_address"], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path):
    """A folder with an IDX file of MNIST's test images."""
    pixels = read_csv(DATA / "mnist_test.csv").pixels
    header = np.array([2051, PART * PARTS, 28, 28], ">u4").tobytes()
    (tmp_path / "images.idx").write_bytes(header + pixels.tobytes())
    return tmp_path


@pytest.fixture
def environment():
    """Without what tests have set for themselves; nothing outside this machine is asked for anything."""
    left_out = ("DJANGO_SETTINGS_MODULE", "DJANGO_STATIC_ROOT")
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    # A cluster and those who use it share a token; this one is of the test's own cluster.
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    return kept | token | {"RAY_USAGE_STATS_ENABLED": "0", "OPENBLAS_NUM_THREADS": "1"}


@pytest.fixture
def start(folder, environment):
    """Start the command; what is still running at the end of the test is killed."""
    started = []

    def start(output, *options):
        command = [sys.executable, "manage.py", "score", folder / "images.idx", folder / output]
        arguments = [*command, "--part-size", str(PART), *options]
        with (folder / "log.txt").open("w") as log:
            started.append(subprocess.Popen(arguments, cwd=ROOT, env=environment, stdout=log, stderr=log))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def cluster(environment):
    """The address of a Ray that runs apart from the command."""
    command = [sys.executable, "-c", CLUSTER]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(command, env=environment, **pipes) as process:
        yield process.pid, process.stdout.readline().strip()
        process.stdin.close()


def wait_for_parts(parts, count, process, log):
    """Wait until so many parts are written, which is before the job is done."""
    deadline = time.monotonic() + DEADLINE
    while len(list(parts.glob("part-*.parquet"))) < count:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)


def actors_below(pid):
    """The processes of actors that descend from a process."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    found = [actor for child in children for actor in actors_below(child)]
    return [*found, int(pid)] if b"PartScorer" in Path(f"/proc/{pid}/cmdline").read_bytes() else found


def finish(process, folder):
    assert process.wait(DEADLINE) == 0, (folder / "log.txt").read_text()


def test_workers_of_a_cluster_give_the_same_answers_though_one_is_killed(folder, start, cluster):
    finish(start("alone.parquet", "--local"), folder)
    pid, address = cluster
    job = start("out.parquet", "--address", address, "--workers", "2")
    wait_for_parts(folder / "out.parquet.parts", 3, job, folder / "log.txt")
    os.kill(actors_below(pid)[0], signal.SIGKILL)
    finish(job, folder)
    assert (folder / "out.parquet").read_bytes() == (folder / "alone.parquet").read_bytes()
    assert pq.read_table(folder / "out.parquet")["row"].to_pylist() == list(range(PART * PARTS))


def test_a_job_whose_driver_is_killed_goes_on_where_it_was(folder, start):
    finish(start("alone.parquet", "--local"), folder)
    job = start("out.parquet", "--workers", "2")
    parts = folder / "out.parquet.parts"
    wait_for_parts(parts, 3, job, folder / "log.txt")
    job.kill()
    job.wait()
    done = {path.name: path.stat().st_mtime_ns for path in parts.glob("part-*.parquet")}
    assert 3 <= len(done) < PARTS
    finish(start("out.parquet", "--local"), folder)
    assert "rows are done already" in (folder / "log.txt").read_text()
    assert (folder / "out.parquet").read_bytes() == (folder / "alone.parquet").read_bytes()
