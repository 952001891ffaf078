"""`manage.py fetch_mnist` against a server with faults, with a tiny MNIST in place of the published one."""

import errno
import gzip
import hashlib
from functools import partial
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
from django.core.management.base import CommandError

from digit_recognizer_dl_model.dataset import Dataset, read_csv
from digits.management import download
from digits.management.commands import fetch_mnist

from .mirrors import InterruptedTerminal, Terminal, assert_unchanged, send, send_a_login_page, send_status

DATA = Path(__file__).parent.parent / "data"


def images_idx(pixels):
    return np.array([2051, *pixels.shape], dtype=">u4").tobytes() + pixels.tobytes()


def labels_idx(labels):
    return np.array([2049, *labels.shape], dtype=">u4").tobytes() + labels.tobytes()


@pytest.fixture
def target(folder_with_older_file):
    return folder_with_older_file("mnist_train.csv")


@pytest.fixture
def tiny():
    """Twelve training and five test images, by the name of the CSV file they belong in."""
    rng = np.random.default_rng(1)
    return {
        name: Dataset(
            rng.integers(0, 256, size=(count, 28, 28), dtype=np.uint8), rng.integers(0, 10, size=count, dtype=np.uint8)
        )
        for name, count in (("mnist_train.csv", 12), ("mnist_test.csv", 5))
    }


@pytest.fixture
def payloads(tiny, monkeypatch):
    """The tiny MNIST as IDX by file name; the command takes its sizes and checksums for the published ones."""
    payloads, sources = {}, {}
    for csv_name, files in fetch_mnist.SOURCES.items():
        contents = images_idx(tiny[csv_name].pixels), labels_idx(tiny[csv_name].labels)
        payloads |= {file.name: content for file, content in zip(files, contents, strict=True)}
        sources[csv_name] = tuple(
            fetch_mnist.IdxFile(file.name, len(content), hashlib.sha256(content).hexdigest())
            for file, content in zip(files, contents, strict=True)
        )
    monkeypatch.setattr(fetch_mnist, "SOURCES", sources)
    return payloads


@pytest.fixture
def good_answer(payloads):
    return lambda handler, name: send(handler, gzip.compress(payloads[name]))


@pytest.fixture
def fetch(call_fetch):
    return partial(call_fetch, "fetch_mnist")


def assert_written(target, tiny):
    assert {path.name for path in target.iterdir()} == set(tiny)
    for name, dataset in tiny.items():
        written = read_csv(target / name)
        np.testing.assert_array_equal(written.pixels, dataset.pixels)
        np.testing.assert_array_equal(written.labels, dataset.labels)


def hang_up(handler, name):
    handler.close_connection = True


def cut_off(handler, name):
    send(handler, gzip.compress(bytes(1000))[:20], length=5000)


def cut_off_chunked(handler, name):
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"400\r\nonly these")


def send_half_a_gzip(handler, name):
    packed = gzip.compress(name.encode() * 100)
    send(handler, packed[: len(packed) // 2])


def send_another_file(handler, name):
    send(handler, gzip.compress(b"valid, but something else"))


def send_nothing(handler, name):
    send(handler, b"")


def send_a_gzip_bomb(handler, name):
    send(handler, gzip.compress(bytes(10**6)))


def send_without_end(handler, name):
    handler.send_response(200)
    handler.end_headers()
    while not handler.server.test_is_over.is_set():
        handler.wfile.write(bytes(10_000))


def stall_before_the_answer(handler, name):
    handler.server.test_is_over.wait()


def stall_in_the_middle(handler, name):
    send(handler, b"\x1f\x8b and then silence", length=5000)
    handler.server.test_is_over.wait()


BAD_ANSWERS = pytest.mark.parametrize(
    ("bad_answer", "reason"),
    [
        (send_status(404), "HTTP status 404"),
        (send_status(500), "HTTP status 500"),
        (hang_up, "closed connection"),
        (cut_off, "cut off after 20 of 5,000 bytes"),
        (cut_off_chunked, "IncompleteRead"),
        (send_half_a_gzip, "a damaged gzip file"),
        (send_another_file, "not the published file"),
        (send_a_login_page, "not the published file"),
        (send_nothing, "not the published file"),
        (send_a_gzip_bomb, "larger than"),
        (send_without_end, "more than 100,000 bytes"),
    ],
)


@pytest.fixture
def low_limit(monkeypatch):
    monkeypatch.setattr(download, "LARGEST_DOWNLOAD", 100_000)


def test_the_four_files_become_two_csv_files(fetch, start_mirror, good_answer, target, tiny, stdout, stderr):
    fetch("--mirror", start_mirror(good_answer))
    assert_written(target, tiny)
    assert stdout.getvalue().endswith(f"Wrote mnist_train.csv (12 images) and mnist_test.csv (5 images) to {target}.\n")
    assert stderr.getvalue() == ""


def test_a_missing_target_folder_is_made(fetch, start_mirror, good_answer, target, tiny):
    fetch("--mirror", start_mirror(good_answer), "--to", target / "new" / "folder")
    assert_written(target / "new" / "folder", tiny)


@BAD_ANSWERS
def test_a_bad_mirror_alone_changes_nothing_and_is_explained(
    fetch, start_mirror, payloads, low_limit, target, stderr, bad_answer, reason
):
    mirror = start_mirror(bad_answer)
    with pytest.raises(CommandError, match=r"No mirror gave train-images-idx3-ubyte\.gz .* --from FOLDER"):
        fetch("--mirror", mirror)
    assert_unchanged(target)
    (line,) = stderr.getvalue().splitlines()
    assert line.startswith(f"{mirror}/train-images-idx3-ubyte.gz: ")
    assert reason in line


@BAD_ANSWERS
def test_after_a_bad_mirror_the_next_one_is_asked_and_the_bad_one_only_once(
    fetch, start_mirror, good_answer, low_limit, target, tiny, stderr, bad_answer, reason
):
    fetch("--mirror", start_mirror(bad_answer), "--mirror", start_mirror(good_answer))
    assert_written(target, tiny)
    (line,) = stderr.getvalue().splitlines()
    assert reason in line


@pytest.mark.parametrize("stall", [stall_before_the_answer, stall_in_the_middle])
def test_a_silent_mirror_is_given_up(fetch, start_mirror, payloads, monkeypatch, target, stderr, stall):
    monkeypatch.setattr(download, "SILENCE_SECONDS", 0.1)
    with pytest.raises(CommandError, match="No mirror gave"):
        fetch("--mirror", start_mirror(stall))
    assert stderr.getvalue().endswith("/train-images-idx3-ubyte.gz: timed out\n")
    assert_unchanged(target)


def test_two_mirrors_that_lack_different_files_are_enough(fetch, start_mirror, good_answer, target, tiny):
    def only_images(handler, name):
        (good_answer if "images" in name else send_a_login_page)(handler, name)

    def only_labels(handler, name):
        (good_answer if "labels" in name else send_a_login_page)(handler, name)

    fetch("--mirror", start_mirror(only_images), "--mirror", start_mirror(only_labels))
    assert_written(target, tiny)


def test_a_download_that_fails_late_leaves_the_older_files_alone(fetch, start_mirror, good_answer, target):
    def all_but_the_last(handler, name):
        (send_a_login_page if name == "t10k-labels-idx1-ubyte" else good_answer)(handler, name)

    with pytest.raises(CommandError, match="t10k-labels-idx1-ubyte"):
        fetch("--mirror", start_mirror(all_but_the_last))
    assert_unchanged(target)


def test_without_a_mirror_named_the_public_ones_are_asked_in_order(fetch, monkeypatch):
    asked = []

    def refuse(url, timeout):
        asked.append(url)
        raise URLError("no network in tests")

    monkeypatch.setattr(download, "urlopen", refuse)
    with pytest.raises(CommandError):
        fetch()
    assert asked == [
        "https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz",
        "https://storage.googleapis.com/cvdf-datasets/mnist/train-images-idx3-ubyte.gz",
    ]


@pytest.mark.parametrize("address", ["file:///etc/", "ftp://127.0.0.1/", "/etc", "mnist.example"])
def test_only_web_addresses_are_mirrors(fetch, address):
    with pytest.raises(CommandError, match="a mirror must be an http:// or https:// address"):
        fetch("--mirror", address)


@pytest.mark.parametrize("address", ["http://", "http://[::1/", "http://127.0.0.1:port/", "http://127.0.0.1:99999/"])
def test_an_address_that_cannot_be_opened_is_a_failed_mirror(fetch, stderr, address):
    with pytest.raises(CommandError, match="--from FOLDER"):
        fetch("--mirror", address)
    assert len(stderr.getvalue().splitlines()) == 1


def test_a_terminal_sees_a_bar_that_fills(fetch, start_mirror, good_answer):
    terminal = Terminal()
    fetch("--mirror", start_mirror(good_answer), stdout=terminal)
    assert terminal.getvalue().count("\r  [##############################] 100%  0.0 MB\n") == 4


def test_a_log_file_sees_one_line_for_each_step(fetch, start_mirror, good_answer, stdout):
    fetch("--mirror", start_mirror(good_answer))
    assert "\r" not in stdout.getvalue()
    first_words = [line.split()[0] for line in stdout.getvalue().splitlines()]
    assert first_words == ["Fetching", "Fetching", "Fetching", "Fetching", "Writing", "Writing", "Wrote"]


def test_ctrl_c_in_a_download_leaves_nothing(fetch, start_mirror, good_answer, target):
    with pytest.raises(CommandError, match="Stopped") as stopped:
        fetch("--mirror", start_mirror(good_answer), stdout=InterruptedTerminal())
    assert stopped.value.returncode == 130
    assert_unchanged(target)


@pytest.mark.parametrize(
    ("accident", "message", "returncode"),
    [
        pytest.param(KeyboardInterrupt(), "Stopped", 130, id="ctrl-c"),
        pytest.param(OSError(errno.ENOSPC, "disk full"), "mnist_train.csv cannot be written: disk full", 1, id="full"),
    ],
)
def test_an_accident_in_writing_leaves_nothing(
    fetch, start_mirror, good_answer, monkeypatch, target, accident, message, returncode
):
    def write_half(path, dataset):
        path.write_text("label,pixel0,pix")
        raise accident

    monkeypatch.setattr(fetch_mnist, "write_csv", write_half)
    with pytest.raises(CommandError, match=message) as stopped:
        fetch("--mirror", start_mirror(good_answer))
    assert stopped.value.returncode == returncode
    assert_unchanged(target)


def test_a_target_that_is_no_folder_is_named(fetch, start_mirror, good_answer, target):
    with pytest.raises(CommandError, match=r"mnist_train\.csv/mnist_train\.csv cannot be written"):
        fetch("--mirror", start_mirror(good_answer), "--to", target / "mnist_train.csv")
    assert_unchanged(target)


@pytest.fixture
def folder(tmp_path, payloads):
    """The four files in a folder, two of them packed."""
    folder = tmp_path / "from elsewhere"
    folder.mkdir()
    for name, payload in payloads.items():
        if "images" in name:
            (folder / f"{name}.gz").write_bytes(gzip.compress(payload))
        else:
            (folder / name).write_bytes(payload)
    return folder


def test_a_folder_is_read_packed_or_not(fetch, folder, target, tiny):
    fetch("--from", folder)
    assert_written(target, tiny)


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte"])
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"something else", id="text"),
        pytest.param(gzip.compress(b"something else"), id="another gzip"),
        pytest.param(gzip.compress(bytes(100_000)), id="larger"),
        pytest.param(b"\x1f\x8b\x08 broken", id="damaged gzip"),
    ],
)
def test_a_wrong_file_in_the_folder_is_named(fetch, folder, target, name, content):
    (folder / name).write_bytes(content)
    with pytest.raises(CommandError, match=rf"from elsewhere/{name}: "):
        fetch("--from", folder)
    assert_unchanged(target)


def test_a_missing_file_in_the_folder_is_named(fetch, folder, target):
    (folder / "t10k-images-idx3-ubyte.gz").unlink()
    with pytest.raises(CommandError, match=r"neither t10k-images-idx3-ubyte\.gz nor t10k-images-idx3-ubyte"):
        fetch("--from", folder)
    assert_unchanged(target)


def test_an_unreadable_file_in_the_folder_is_named(fetch, folder):
    (folder / "train-labels-idx1-ubyte.gz").mkdir()
    with pytest.raises(CommandError, match=r"train-labels-idx1-ubyte\.gz cannot be read"):
        fetch("--from", folder)


def test_the_committed_test_set_is_the_published_one():
    committed = read_csv(DATA / "mnist_test.csv")
    images, labels = fetch_mnist.SOURCES["mnist_test.csv"]
    assert hashlib.sha256(images_idx(committed.pixels)).hexdigest() == images.sha256
    assert hashlib.sha256(labels_idx(committed.labels)).hexdigest() == labels.sha256


def test_the_readme_gives_the_checksums_and_mirrors_that_are_used():
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    for images, labels in fetch_mnist.SOURCES.values():
        assert f"| `{images.name}` | {images.size:,} | `{images.sha256}` |" in readme
        assert f"| `{labels.name}` | {labels.size:,} | `{labels.sha256}` |" in readme
    assert hashlib.sha256((DATA / "mnist_test.csv").read_bytes()).hexdigest() in readme
    for mirror in fetch_mnist.MIRRORS:
        assert mirror in readme
