"""The picture that the page `/api/` begins with, and what the site answers to it."""

import functools
from pathlib import Path

from django.contrib.staticfiles import finders

from .. import pictures
from ..health import check_ready
from ..recognizer import recognize_uncounted
from ..refusals import Unavailable
from ..stages import untimed

PICTURE = "digits/digit.png"  # among the static files; `python -m benchmarks.samples` makes it


def sample_answer() -> dict | None:
    """The members of the answer to it; None where the network can't be used: the page explains that failure, too."""
    try:
        return read_sample()
    except Unavailable:
        return None


@functools.cache
@untimed()
def read_sample() -> dict:
    check_ready()
    picture = Path(finders.find(PICTURE)).read_bytes()
    [prediction] = recognize_uncounted(pictures.prepare(picture)[None])
    return prediction.members
