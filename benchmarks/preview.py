"""Make the picture that is shown where someone links to the site: `python -m benchmarks.preview`."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from digits.canaries import PEN, STROKES, points

SERVED = Path(__file__).parents[1] / "static" / "digits" / "preview.png"
SIZE = WIDTH, HEIGHT = 1200, 630  # pixels, as those who show it recommend
FINER = 3  # times as large while it is drawn, for soft edges
COLOURS = 48  # in the file, which are enough for soft edges
MARGIN = 72
GAP = 14
CELL = (WIDTH - 2 * MARGIN - 9 * GAP) / 10
TOP = 418  # of the digits

# Colours of style.css, in the light.
PAPER, CARD, INK, QUIET, LINE, ACCENT, ON_ACCENT, RIGHT = (
    "#f6f5f1", "#ffffff", "#1d2029", "#5c6170", "#d9d7cf", "#2b50c8", "#ffffff", "#15713f"
)  # fmt: skip
SEVEN = [(8, 9), (11, 8.3), (15, 8), (20, 8), (17.5, 11.8), (15.5, 15.8), (14, 21)]  # of icon.svg, about
BAR = [(11, 14), (18, 14)]
TICK = [(0, 0.55), (0.38, 0.95), (1, 0.1)]


class Sheet:
    """A sheet that is drawn on in pixels of the finished picture."""

    def __init__(self) -> None:
        self.image = Image.new("RGB", (FINER * WIDTH, FINER * HEIGHT), PAPER)
        self.pen = ImageDraw.Draw(self.image)

    def box(self, left: float, top: float, side: float, radius: float, fill: str, outline: str | None = None) -> None:
        edges = [FINER * length for length in (left, top, left + side, top + side)]
        self.pen.rounded_rectangle(edges, FINER * radius, fill, outline, width=2 * FINER)

    def line(self, path: list, width: float, colour: str) -> None:
        """A line with round ends and corners."""
        path, radius = FINER * np.array(path), FINER * width / 2
        self.pen.line([tuple(point) for point in path], colour, round(2 * radius), joint="curve")
        for x, y in path:
            self.pen.ellipse((x - radius, y - radius, x + radius, y + radius), colour)

    def text(self, left: float, baseline: float, words: str, size: int, colour: str, bold: float = 0) -> None:
        """Words in Pillow's own font, which is the same on every machine; `bold` is how much thicker, in pixels."""
        font = ImageFont.load_default(FINER * size)
        place = (FINER * left, FINER * baseline)
        self.pen.text(place, words, colour, font, anchor="ls", stroke_width=round(FINER * bold), stroke_fill=colour)


def curved(path: list) -> np.ndarray:
    """A line as the pad paints it: curves between the midpoints of its segments."""
    path = np.array(path, float)
    if len(path) < 3:
        return path
    middles = (path[1:-2] + path[2:-1]) / 2
    starts, ends = np.vstack([path[:1], middles]), np.vstack([middles, path[-2:-1]])
    share = np.linspace(0, 1, 12)[:, None, None]
    curves = (1 - share) ** 2 * starts + 2 * share * (1 - share) * path[1:-1] + share**2 * ends
    return np.vstack([curves.swapaxes(0, 1).reshape(-1, 2), path[-1:]])


def placed(path: list, left: float, top: float, scale: float) -> np.ndarray:
    return np.array([left, top]) + scale * np.array(path)


def preview() -> bytes:
    """A PNG of 1200x630 pixels: the name, what it does, and ten digits as the pad draws them, each read right."""
    sheet = Sheet()
    sheet.box(MARGIN, 64, 84, 21, ACCENT)
    for path in (SEVEN, BAR):
        sheet.line(placed(path, MARGIN, 64, 3), 7.8, ON_ACCENT)
    sheet.text(MARGIN + 108, 123, "Digit Recognizer", 48, INK, bold=0.6)
    sheet.text(MARGIN - 4, 262, "Draw a number.", 92, INK, bold=1.6)
    sheet.text(MARGIN, 342, "It says which one, how sure it is, and when it cannot tell.", 40, QUIET)
    for digit, strokes in STROKES.items():
        left = MARGIN + digit * (CELL + GAP)
        sheet.box(left, TOP, CELL, 16, CARD, LINE)
        for stroke in strokes:
            sheet.line(placed(curved(points(stroke)), left, TOP, CELL), PEN * CELL, INK)
        sheet.line(placed(TICK, left + CELL / 2 - 13, TOP + CELL + 22, 26), 5, RIGHT)
    file = io.BytesIO()
    finished = sheet.image.resize(SIZE, Image.Resampling.LANCZOS)
    finished.quantize(COLOURS, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()


def main() -> None:
    SERVED.write_bytes(preview())
    print(f"wrote {SERVED}")


if __name__ == "__main__":
    main()
