"""What the kinds of input have in common: a row, and what can't be used at all."""

from typing import NamedTuple

import numpy as np

from ..refusals import Refusal


class UnusableInput(ValueError):
    """An input that can't be read at all; the message says what would be right."""


class Row(NamedTuple):
    """What one answer is made from.

    path: of the picture in its folder or archive, or of the file that the row is in.
    row: its number in that file, from 0; None for a picture that is a file itself.
    item: an encoded picture, prepared pixels (28, 28) uint8, or why there is neither.
    """

    path: str
    row: int | None
    item: bytes | np.ndarray | Refusal


class Place(NamedTuple):
    """Where a file of the input is.

    name: by which the output calls it.
    path: in its file system; that of the unpacked copy where it came compressed.
    """

    name: str
    path: str
