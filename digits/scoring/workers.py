"""What a worker does: pictures are prepared and read as the API reads them, and parts of an input become files."""

import itertools
import os
import time
from collections.abc import Iterable
from typing import Any

import django
import numpy as np
from django.apps import apps

from digit_recognizer_dl_model.frame import SIDE
from digit_recognizer_dl_model.scorer import Scorer

from ..recognizer import prepare_or_refuse
from ..refusals import Refusal, ServerError
from .forms import Columns
from .job import Job, here
from .rows import Row

ANSWERS = ("digit", "confidence", "uncertain", "reason")
BATCH = 256  # rows that go through the network together; benchmarks/scaling.py compares others


class PictureScorer:
    """Reads the digits in batches of encoded pictures, for engines: it can be pickled, and needs no site around it.

    The settings of the site apply, config.settings unless DJANGO_SETTINGS_MODULE names others.
    """

    def __init__(self) -> None:
        set_up_site()
        self.scorer = Scorer()

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Replace the column "picture", (n,) of bytes, by the answers; other columns stay.

        The answers are those of `Scorer`, and "error": why a picture is refused, or None. Where it is, digit is -1,
        confidence not a number, and uncertain false.
        """
        answers = self.read([prepare_anything(item) for item in batch["picture"].tolist()])
        plain = {
            "digit": np.array([-1 if value is None else value for value in answers["digit"]], np.int8),
            "confidence": np.array(answers["confidence"], np.float32),  # None becomes not a number
            "uncertain": np.array([value is True for value in answers["uncertain"]], bool),
            "reason": np.array(answers["reason"], object),
            "error": np.array(answers["error"], object),
        }
        return {name: column for name, column in batch.items() if name != "picture"} | plain

    def __reduce__(self) -> tuple:
        return type(self), ()  # the process that unpickles it sets up the site before anything else

    def read(self, prepared: list[np.ndarray | Refusal]) -> Columns:
        """The answers to prepared pixels, (28, 28) uint8 each; where there are none, "error" says why."""
        pixels = [item for item in prepared if not isinstance(item, Refusal)]
        answers = self.scorer({"pixels": np.array(pixels, np.uint8).reshape(-1, SIDE, SIDE)})
        columns = {name: answers[name].tolist() for name in ANSWERS}
        for place, item in enumerate(prepared):
            if isinstance(item, Refusal):
                for column in columns.values():
                    column.insert(place, None)
        return columns | {"error": [item.detail if isinstance(item, Refusal) else None for item in prepared]}


def prepare_anything(item: bytes | np.ndarray | Refusal | None) -> np.ndarray | Refusal:
    """Like `prepare_or_refuse`, but no fault of this program ends the job either."""
    if item is None:
        return ServerError("There is no picture in this row.")
    try:
        return prepare_or_refuse(item)
    except MemoryError:  # which the picture is not to blame for
        raise
    except Exception as error:
        return ServerError(f"This picture could not be prepared, by a fault of the program ({error!r}).")


class PartScorer:
    """Reads parts of an input and writes a file for each: what the actors of an engine do.

    job: the folder of the output, as `Job` takes it; batch: rows that go through the network together. Raises Mismatch
    where this machine has other weights or limits than the one that started the job.
    """

    def __init__(self, output: str, batch: int = BATCH) -> None:
        self.pictures = PictureScorer()
        self.job = Job.opened(output)
        self.job.check(here())
        self.batch = batch

    def __call__(self, parts: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Score the parts of these numbers and places, (n,) each; how many rows they have, and of what kinds."""
        told = [
            self.score(number, place)
            for number, place in zip(parts["part"].tolist(), parts["place"].tolist(), strict=True)
        ]
        return {name: np.array([each[name] for each in told]) for name in told[0]}

    def score(self, number: int, place: int, tell: Any = lambda rows: None) -> dict[str, float]:
        """Score a part and write its file; `tell` is called after each batch with its number of rows."""
        start = time.perf_counter()
        columns: Columns = {name: [] for name in ("path", "row", *ANSWERS, "error", "pixels")}
        part = self.job.part(place)
        rows = self.job.rows_of(part, self.batch)
        while count := self.add(columns, itertools.islice(rows, self.batch)):
            tell(count)
        if len(columns["path"]) != part["count"]:
            raise RuntimeError(f"part {number} has {len(columns['path'])} rows, expected {part['count']}")
        self.job.write(number, columns)
        return {
            "part": number,
            "rows": part["count"],
            "uncertain": sum(value is True for value in columns["uncertain"]),
            "errors": sum(error is not None for error in columns["error"]),
            "seconds": time.perf_counter() - start,
        }

    def add(self, columns: Columns, rows: Iterable[Row]) -> int:
        """Add the answers to rows. Pictures are prepared as they are read, as those of a batch may fill the memory."""
        prepared = []
        for path, row, item in rows:
            columns["path"].append(path)
            columns["row"].append(row)
            prepared.append(prepare_anything(item))
        for name, values in self.pictures.read(prepared).items():
            columns[name] += values
        if self.job.form.keeps_pixels:
            columns["pixels"] += prepared
        return len(prepared)


def set_up_site() -> None:
    """Django as `manage.py` sets it up, in a process that an engine has started."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if not apps.ready:
        django.setup()
