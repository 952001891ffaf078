"""The state of the gallery's page: the filter, the tiles shown, which of them are answered, and the score.

All of it is in the page's address: nothing is stored about anyone.
"""

import functools
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlencode

from django.urls import reverse


class Selection(NamedTuple):
    """The filter of the page; a tile must meet every condition."""

    digit: int | None = None  # the label
    read: int | None = None  # the network's answer
    hard: bool = False  # the network is wrong or not sure

    @property
    def fields(self) -> dict[str, int]:
        """The conditions that are set, as an address or a form carries them."""
        digits = {"digit": self.digit, "read": self.read}
        return {name: digit for name, digit in digits.items() if digit is not None} | ({"hard": 1} if self.hard else {})

    @property
    def query(self) -> str:
        return f"?{urlencode(self.fields)}" if self.fields else ""

    @property
    def words(self) -> str:
        """The conditions as a page says them after "tiles"; empty where none is set."""
        of_digit = "" if self.digit is None else f" of a {self.digit}"
        answers = [] if self.read is None else [f"reads as {self.read}"]
        answers += ["gets wrong or is not sure of"] if self.hard else []
        return f"{of_digit} that the network {' and '.join(answers)}" if answers else of_digit


class Verdict(StrEnum):
    """How the network did on a tile that has a label."""

    RIGHT = "right"
    WRONG = "wrong"
    UNSURE = "unsure"  # its best guess may be the label


class Score(NamedTuple):
    """How many of the answered tiles the network read right, and of how many it was not sure."""

    right: int = 0
    of: int = 0
    not_sure: int = 0

    @property
    def fields(self) -> dict[str, int]:
        """The score, as an address or a form carries it."""
        return {name: count for name, count in self._asdict().items() if count or name != "not_sure"} if self.of else {}

    @property
    def words(self) -> str:
        unsure = f", {self.not_sure} not sure" if self.not_sure else ""
        return f"{self.right} of {self.of} right{unsure}"


@dataclass(frozen=True)
class GalleryPage:
    """What one view of the gallery shows; Back, reload and a shared link bring all of it back."""

    selection: Selection
    earlier: Score  # of the tiles that were shown before these
    shown: list[int]  # the indices of the tiles
    verdicts: dict[int, Verdict | None]  # of each answered tile; None without a label

    @functools.cached_property
    def score(self) -> Score:
        counts = Counter(verdict for verdict in self.verdicts.values() if verdict)
        more = Score(counts[Verdict.RIGHT], counts.total(), counts[Verdict.UNSURE])
        return Score(*(earlier + count for earlier, count in zip(self.earlier, more, strict=True)))

    @property
    def address(self) -> str:
        return reverse("gallery") + self.query

    @property
    def query(self) -> str:
        tiles = {"tile": self.shown, "answered": sorted(self.verdicts)}
        for kind in (Verdict.WRONG, Verdict.UNSURE):
            tiles[kind] = sorted(index for index, verdict in self.verdicts.items() if verdict == kind)
        return f"?{urlencode(self.selection.fields | self.earlier.fields | tiles, doseq=True)}"
