"""Glyphs: single characters from which lines are made, larger than MNIST's and with the label of each.

They are MNIST's digits, enlarged; digits that people wrote with a pen; digits made by `handwriting`, among them forms
that are read only beside others; and characters that are not digits.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..dataset import Dataset
from ..recordings import Recording
from ..strip import OTHER
from . import handwriting, negatives
from .handwriting import FORMS, THICKEST, THINNEST, Form, bend, draw_ink, write_form
from .letters import LETTERS

BOX = 30  # pixels of a glyph's longer side
FRAME = 34  # pixels of the frame in whose middle it stands
SUPERSAMPLING = 2  # points along a pixel's side at which ink is computed
ENLARGEMENT = BOX / handwriting.BOX

# Forms that are told from others only by their neighbours, or by the paper's lines, and so are in lines alone.
LINE_FORMS = [
    *FORMS.values(),
    Form(5, "0~6,48~10 12~6,44~8 26~6,100~4!! 38~8,6~6 72~14,0~7", 2),  # like the sign of a root
    Form(5, "4~6,6~6 0~5,44~6 24~6,50~6 30~6,78~6 8~8,100~5 | 10~8,2~5 60~16,-6~8", 1.5),
    Form(5, "2~6,0~5 0~5,42~6! 30~7,52~6 34~6,80~6 6~10,100~5", 1),  # its hat was not written
    Form(9, "44~6,12~6 20~6,0~4 2~5,22~6 20~6,44~5 42~6,20~6 44~5,6~6! 36~6,60~6 30~10,110~6", 1.5),
    Form(9, "26~6,44~6 2~5,26~6 14~6,2~5 36~6,4~5 38~5,26~6 22~7,46~5! 40~6,60~8 36~10,104~6", 1),
    Form(9, "30~5,4~5 4~5,8~6 2~5,34~6 26~6,36~6 36~5,8~6! 34~5,104~6", 1),
    Form(9, "0~6,104~6 2~4,4~5!! 30~6,0~5 46~6,20~6 30~6,46~6 4~8,48~8", 1.5),  # like a P
    Form(9, "40~6,40~6 12~5,44~6 2~5,22~6 18~6,2~5 40~6,10~6 42~5,36~6 30~6,84~6 6~8,100~6 -6~6,84~8", 1.2),
    Form(9, "8~6,42~8 40~6,32~8 38~6,6~6 14~6,2~5 0~5,38~8 12~8,88~8 42~8,92~8", 0.7),  # like an e
    Form(4, "0~5,0~6 4~5,44~8 22~6,52~6 44~6,44~8 | 48~6,10~10 40~8,104~8", 1.5),
    Form(4, "6~6,0~5 0~5,50~6! 56~10,44~8 | 34~6,20~10 28~8,100", 1),
    Form(7, "0~6,20~8 6~5,4~5 30~6,8~5 60~8,-4~6! 36~7,60~6 26~8,108~6 | 14~8,58~8 62~10,50~8", 1.5),
    Form(7, "2~6,6~6 26~8,0~5 56~6,4~5! 40~6,50~5 34~7,106~6 | 20~8,60~8 70~10,46~8", 1),
    Form(7, "0~5,14~8 4~5,2~5 34~7,0~6! 22~6,50~6 16~7,106~6 | 4~7,54~7 40~9,48~8", 1.5),
    Form(7, "2~5,4~6 36~7,-2~6! 26~6,40~6 4~7,104~6 | 0~7,58~7 38~9,46~8", 1),
    Form(1, "-46~10,98~8 -22~8,50~8 0~4,0!! 0~6,52~5 -2~8,104~6", 2),  # like a caret
    Form(1, "-44~12,62~12 -14~8,20~10 0,0! -6~6,50 -14~8,104~5", 2),  # with a long stroke up to it
    Form(1, "-30~10,40~12 0,0!! -8~6,104~5", 2),
    Form(1, "0~5,0 -24~10,110~6", 1),  # leaning far
    Form(2, "4~6,14~8 20~6,0~4 36~6,12~6 22~6,60~6 0,98~4! 14~6,92~6 34~8,104~6 60~16,92~8", 1.5),
    Form(2, "24~6,24~6 10~5,30~6 4~5,14~6 20~6,0~4 40~6,10~6 36~6,44~6 8~6,86~6 2~5,98~5 16~6,92~6 44~10,100~6", 1.5),
    Form(2, "6~6,22~6 16~6,26~6 18~6,10~6 8~5,8~6 20~6,0~4 42~6,12~6 32~6,54~6 0~6,96~5! 22~6,92~6 50~12,98~6", 1),
    Form(3, "4~6,6~6 44~8,0~5! 18~6,38~6! 42~7,56~6 36~7,88~6 0~8,100~6", 1),
    Form(6, "50~8,-10~8 16~6,24~6 0~5,66~5 14~6,98 40~6,92~4 44~5,66~5 24~6,56~5 2~7,76~6", 1.5),
    Form(8, "46~6,10~8 20~6,0~5 6~5,20~6 40~6,60~6 34~6,98~4 4~6,92~6 8~6,64~6 50~8,8~8", 1.5),
    Form(8, "24~4,0 4~4,20 24~4,42~4 44~4,20 26~5,0 | 24~4,54~5 2~4,76 24~4,100 46~4,76 26~5,54~5", 0.7),  # two rings
    Form(0, "20~8,0~5 2~5,40~6 10~6,92~5 40~6,96~5 54~6,50~6 40~7,6~5 14~7,10~8 30~12,30~10", 1.5),  # curled
    Form(0, "30~8,4~5 4~5,30~6 6~6,86~6 40~7,92~6 50~6,40~6 30~8,6~6 60~14,-6~10", 1.2),  # joined to the next
]
SHARES = np.cumsum([form.frequency for form in LINE_FORMS])


class Glyphs(NamedTuple):
    """n characters.

    ink: (n, FRAME, FRAME) uint8, ink 255 on 0.
    labels: (n,), 0-9 or OTHER.
    """

    ink: np.ndarray
    labels: np.ndarray


def enlarged(dataset: Dataset) -> Glyphs:
    """Digits of 28x28 pixels at the size of glyphs, by linear interpolation."""
    side = round(28 * ENLARGEMENT)
    places = (np.arange(side) + 0.5) / ENLARGEMENT - 0.5
    matrix = np.maximum(0, 1 - np.abs(places[:, None] - np.arange(28))).astype(np.float32)  # (42, 28)
    ink = np.zeros((len(dataset.pixels), FRAME, FRAME), np.uint8)
    for glyph, pixels in zip(ink, dataset.pixels, strict=True):
        large = matrix @ pixels @ matrix.T
        rows, columns = (np.flatnonzero((large > 8).any(axis=axis)) for axis in (1, 0))
        frame(glyph, large[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    return Glyphs(ink, dataset.labels)


def recorded(recordings: Sequence[Recording], rng: np.random.Generator) -> Glyphs:
    """Digits that people wrote with a pen, each drawn once with another."""
    ink = np.zeros((len(recordings), FRAME, FRAME), np.uint8)
    for glyph, recording in zip(ink, recordings, strict=True):
        points = np.concatenate(recording.strokes)
        bent = bend(points / max(np.ptp(points, axis=0).max(), 1), rng.uniform(0, 0.5), rng)
        ends = np.cumsum([len(stroke) for stroke in recording.strokes])[:-1]
        draw(np.split(bent, ends), glyph, rng)
    return Glyphs(ink, np.array([recording.label for recording in recordings]))


def written(count: int, rng: np.random.Generator) -> Glyphs:
    """Digits made by a program, in all forms of LINE_FORMS."""
    ink, labels = np.zeros((count, FRAME, FRAME), np.uint8), np.zeros(count, int)
    for index, glyph in enumerate(ink):
        form = LINE_FORMS[np.searchsorted(SHARES, rng.random() * SHARES[-1], side="right")]
        labels[index] = form.digit
        draw(write_form(form, rng), glyph, rng, thickest=min(form.thickest, 4))
    return Glyphs(ink, labels)


def others(count: int, rng: np.random.Generator) -> Glyphs:
    """Characters that are not digits; two thirds of them are letters."""
    kinds = ["scribble", "zigzag", "glyph", "tangle", "outline", "rings"]
    small = count // 3 // len(kinds)
    pictures = np.concatenate([negatives.make_negatives(small, rng, kind) for kind in kinds])
    drawn = enlarged(Dataset(pictures, np.full(len(pictures), OTHER)))
    ink = np.zeros((count - len(pictures), FRAME, FRAME), np.uint8)
    for glyph in ink:
        draw(write_form(LETTERS[rng.integers(len(LETTERS))], rng), glyph, rng, thickest=4)
    return Glyphs(np.concatenate([drawn.ink, ink]), np.full(count, OTHER))


def draw(
    strokes: list[np.ndarray], glyph: np.ndarray, rng: np.random.Generator, thickest: float = THICKEST - 1
) -> None:
    """Draw strokes of points (n, 2), in any unit, into a glyph with a random pen."""
    thickness = (THINNEST + (thickest - THINNEST) * rng.beta(1.3, 3)) * ENLARGEMENT
    cells = draw_ink(strokes, thickness, rng, BOX, SUPERSAMPLING)
    frame(glyph, cells * (255 / cells.max()))


def frame(glyph: np.ndarray, ink: np.ndarray) -> None:
    """Put ink (height, width) up to 255 into the middle of a glyph, (FRAME, FRAME) uint8; its edges may be cut."""
    height, width = (min(side, FRAME) for side in ink.shape)
    top, left = (FRAME - height) // 2, (FRAME - width) // 2
    glyph[top : top + height, left : left + width] = np.rint(ink[:height, :width]).clip(0, 255)
