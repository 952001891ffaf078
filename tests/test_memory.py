"""Memory that is missing makes the site busy; it makes no picture damaged and no weights unusable."""

import os
import subprocess
import sys

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image, ImageFile

from digit_recognizer_dl_model import weights
from digits import pictures, recognizer
from digits.api import payloads
from digits.pictures import decode, ink

from .bodies import JPEG, PNG, URL
from .pictures import encoded

LIMITED = """
import os, resource, sys
import django; django.setup()
import numpy as np
from digits import pictures
np.ones((500, 500)) @ np.ones((500, 500))  # OpenBLAS ends the process where it finds no memory for its buffer
pictures.prepare(open(sys.argv[1], "rb").read())
picture = open(sys.argv[2], "rb").read()
for megabytes in sys.argv[3:]:
    if not os.fork():
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + int(megabytes) * 2**20,) * 2)
        try:
            pictures.prepare(picture)
        except MemoryError:
            print("busy")
        except pictures.decode.UnusablePicture as error:
            print(error)
        except pictures.centring.Blank:
            print("read")
        break
    if os.wait()[1]:
        sys.exit("a process was ended")
"""


def fail(*arguments, **options):
    raise MemoryError


def predict(client: Client, picture: bytes):
    return client.post(f"{URL}?include=saliency", picture, content_type="image/png")


@pytest.mark.parametrize(
    ("picture", "owner", "name"),
    [
        (JPEG, Image, "open"),
        (JPEG, ImageFile.ImageFile, "load"),
        (PNG, Image, "frombytes"),
        (PNG, decode, "luminance_of"),
        (PNG, ink, "ink_of_outlines"),
        (PNG, pictures, "candidates"),
        (PNG, recognizer, "recognize_batch"),
        (PNG, recognizer, "relevance"),
        (PNG, payloads.AnnouncedBody, "read"),
        (PNG, payloads, "sent_payload"),
    ],
)
def test_missing_memory_is_busy_wherever_it_is_missing(monkeypatch, picture, owner, name):
    client = Client(raise_request_exception=False)
    assert predict(client, picture).status_code == 200
    monkeypatch.setattr(owner, name, fail)
    if name == "sent_payload":
        monkeypatch.setattr("digits.api.endpoints.sent_payload", fail)
    answer = predict(client, picture)
    assert (answer.status_code, answer.json()["title"]) == (503, "Busy")
    assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize("path", ["/draw/", "/draw/predict/", "/draw/explain/"])
def test_a_page_without_memory_is_busy(monkeypatch, path):
    monkeypatch.setattr(ImageFile.ImageFile, "load", fail)
    client = Client(raise_request_exception=False)
    answer = client.post(path, {"file": SimpleUploadedFile("digit.jpg", JPEG)}, headers={"HX-Request": "true"})
    assert answer.status_code == 503
    assert "out of memory" in answer.content.decode()


@pytest.mark.parametrize("message", ["out of memory when reading image file", "broken data stream"])
def test_a_decoder_short_of_memory_damages_no_picture(monkeypatch, message):
    def break_off(*arguments):
        raise OSError(message)

    monkeypatch.setattr(ImageFile.ImageFile, "load", break_off)
    if "memory" not in message:
        assert Client().post(URL, JPEG, content_type="image/jpeg").status_code == 422
        monkeypatch.setattr(np, "empty", fail)
    with pytest.raises(MemoryError):
        decode.decode(JPEG)


def test_weights_that_find_no_memory_are_not_damaged(monkeypatch):
    monkeypatch.setattr(np, "load", fail)
    with pytest.raises(MemoryError):
        weights.load_weights()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the process's size from /proc")
@pytest.mark.parametrize(("kind", "options"), [("JPEG", {"progressive": True}), ("WEBP", {"method": 0})])
def test_a_process_short_of_memory_calls_no_picture_damaged(tmp_path, kind, options):
    small, large = tmp_path / "small.png", tmp_path / "large"
    small.write_bytes(PNG)
    large.write_bytes(encoded(Image.effect_noise((1800, 1800), 90).convert("RGB"), kind, **options))
    # So that what is freed is given back, and the limit is that of what is in use.
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "100000", "MALLOC_ARENA_MAX": "1"}
    megabytes = [*range(4, 48, 3), 34, 35, 36, 400]
    command = [sys.executable, "-c", LIMITED, small, large, *map(str, megabytes)]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(said) == len(megabytes)
    assert set(said) == {"busy", "read"}
