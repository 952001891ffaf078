"""How well digits are read that people wrote with a pen: recorded strokes, drawn as the pad draws them.

Run as `python -m benchmarks.pens FILE`. FILE holds recordings in the form that digit_recognizer_dl_model/recordings.py
describes, such as the file that `python manage.py fetch_pen_digits` writes. The last line is one JSON object.
"""

import argparse
import json
import os
import sys
from pathlib import Path

os.environ.update({"DJANGO_SETTINGS_MODULE": "config.settings", "DJANGO_DEBUG": "1"})

import django

django.setup()

import numpy as np
from PIL import Image, ImageDraw

from digit_recognizer_dl_model.evaluate import wilson_interval
from digit_recognizer_dl_model.recordings import read_recordings
from digits import images
from digits.recognizer import recognize
from digits.refusals import Refusal

CANVAS = 280  # pixels of the pad's picture
FINENESS = 2  # Pillow draws hard edges: drawn larger and averaged, they are as soft as a browser's
PEN_WIDTHS = (8, 28)  # pixels on the canvas
SHARES = (0.3, 0.8)  # of the canvas's side that a digit fills


def draw(strokes: list[np.ndarray], pen: float, share: float, rng: np.random.Generator) -> Image.Image:
    """Black strokes on white, the longer side of the digit filling `share` of the canvas, anywhere on it."""
    points = np.concatenate(strokes)
    low = points.min(axis=0)
    scale = share * CANVAS / max(np.ptp(points, axis=0).max(), 1)
    room = np.maximum(CANVAS - pen - np.ptp(points, axis=0) * scale, 0)
    corner = pen / 2 + rng.uniform(0, 1, 2) * room
    sheet = Image.new("L", (CANVAS * FINENESS, CANVAS * FINENESS), "white")
    brush = ImageDraw.Draw(sheet)
    radius = pen * FINENESS / 2
    for stroke in strokes:
        path = [tuple(point) for point in (((stroke - low) * scale + corner) * FINENESS).tolist()]
        brush.line(path, fill="black", width=round(2 * radius), joint="curve")
        for x, y in (path[0], path[-1]):
            brush.ellipse([x - radius, y - radius, x + radius, y + radius], fill="black")
    return sheet.resize((CANVAS, CANVAS), Image.Resampling.BOX)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pens", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--count", type=int, default=2000, help="how many of the recordings, drawn at random")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    recordings = read_recordings(options.file)
    rng = np.random.default_rng(options.seed)
    chosen = rng.choice(len(recordings), min(options.count, len(recordings)), replace=False)

    right, labels, uncertain, thickness = [], [], [], []
    for done, index in enumerate(chosen, start=1):
        recording = recordings[index]
        pen, share = rng.uniform(*PEN_WIDTHS), rng.uniform(*SHARES)
        picture = draw(recording.strokes, pen, share, rng)
        try:
            prediction = recognize(images.centre(images.ink(images.grey(picture))))
            right.append(prediction.digit == recording.label)
            uncertain.append(prediction.uncertain)
        except Refusal:
            right.append(False)
            uncertain.append(True)
        labels.append(recording.label)
        thickness.append(pen / (share * CANVAS) * images.BOX)
        if sys.stderr.isatty() and done % 50 == 0:
            print(f"\r{done}/{len(chosen)}", end="", file=sys.stderr, flush=True)
    print("\r", end="", file=sys.stderr)

    hits, truth, pens = np.array(right), np.array(labels), np.array(thickness)
    low, high = wilson_interval(int(hits.sum()), len(hits))
    print(f"right        {hits.mean():.2%} of {len(hits):,} digits (95 %: {low:.2%} to {high:.2%})")
    print(f"not sure     {np.mean(uncertain):.2%}")
    by_digit = {str(digit): round(float(hits[truth == digit].mean()), 4) for digit in np.unique(truth)}
    for digit, accuracy in by_digit.items():
        print(f"  {digit}          {accuracy:.1%}")
    for least, most in ((0, 1.5), (1.5, 2.5), (2.5, 4), (4, 99)):
        within = (pens >= least) & (pens < most)
        if within.any():
            print(f"  pen of {least} to {most} pixels at 28x28: {hits[within].mean():.1%} of {within.sum()}")
    figures = {"right": float(hits.mean()), "interval_95": [low, high], "uncertain": float(np.mean(uncertain))}
    print(json.dumps(figures | {"digits": len(hits), "by_digit": by_digit}))


if __name__ == "__main__":
    main()
