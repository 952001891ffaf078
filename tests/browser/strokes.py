"""Digits as strokes of a pen, and three hands that draw them: the mouse's, a finger's, and one that draws files."""

import io
from collections.abc import Iterable

from PIL import Image, ImageDraw
from playwright.sync_api import Locator, Page

from digits.canaries import STROKES, points

Point = tuple[float, float]
Path = list[Point]

# The same digits as others write them: each a name, the digit and its strokes.
VARIANTS = {
    "slashed zero": (0, [*STROKES[0], "70,20 60,36 50,51 40,66 31,80"]),
    "wide zero": (0, ["50,30 34,34 26,46 29,60 42,68 60,67 73,58 75,44 66,33 50,30"]),
    "flagged one": (1, ["38,36 46,28 55,18 55,34 54,50 54,66 54,82"]),
    "one with a foot": (1, ["40,34 48,26 55,18 55,40 55,60 55,80", "40,81 55,81 70,80"]),
    "two with a loop": (2, ["33,32 40,21 53,18 64,25 64,38 55,52 43,66 34,75 36,81 43,78 47,73 56,79 70,81"]),
    "flat three": (3, ["34,20 50,19 65,20 56,32 47,43 58,46 66,55 66,68 57,79 44,82 33,76"]),
    "closed four": (4, ["58,18 46,34 36,48 29,58 44,58 60,58 73,57", "58,18 58,40 58,60 58,82"]),
    "five in one stroke": (5, ["66,19 52,19 40,20 39,33 37,46 48,42 60,46 66,57 64,71 53,81 37,78"]),
    "barred seven": (7, [*STROKES[7], "40,52 52,51 66,50"]),
    "eight of two rings": (
        8,
        ["50,18 40,24 40,36 50,44 60,36 60,24 50,18", "50,44 38,54 37,70 50,82 63,70 62,54 50,44"],
    ),
    "straight nine": (9, ["62,32 54,20 42,22 37,34 43,45 55,44 62,32 63,50 63,66 63,82"]),
}

DIGITS = {digit: [points(stroke) for stroke in strokes] for digit, strokes in STROKES.items()}


def draw(page: Page, digit: int) -> None:
    draw_strokes(page, DIGITS[digit])


def draw_strokes(page: Page, strokes: list[Path]) -> None:
    for stroke in strokes:
        draw_stroke(page, stroke)


def draw_number(page: Page, number: str, gap: float, height: float = 0.45, top: float = 0.25) -> None:
    """Draw digits beside each other in the middle of the pad; gap, height and top are in units.

    A pen of the pad is 0.07 wide, so digits touch where the gap is smaller.
    """
    strokes = [DIGITS[int(digit)] for digit in number]
    edges = [[min(x for line in each for x, _ in line), max(x for line in each for x, _ in line)] for each in strokes]
    scale = height / 0.68  # of the height of these digits
    x = 0.5 - (sum(right - left for left, right in edges) * scale + gap * (len(number) - 1)) / 2
    for lines, (left, right) in zip(strokes, edges, strict=True):
        placed = [[(x + (px - left) * scale, top + (py - 0.15) * scale) for px, py in line] for line in lines]
        draw_strokes(page, placed)
        x += (right - left) * scale + gap


def draw_stroke(page: Page, stroke: Path, button: str = "left") -> None:
    first, *others = on_screen(page.locator(".drawing-pad canvas"), stroke)
    page.mouse.move(*first)
    page.mouse.down(button=button)
    for point in others:
        page.mouse.move(*point)
    page.mouse.up(button=button)


def touch(page: Page, digit: int) -> None:
    for stroke in DIGITS[digit]:
        drag_fingers(page, [on_screen(page.locator(".drawing-pad canvas"), stroke)])


def draw_and_hold(page: Page, pad: Locator, path: Path) -> None:
    """Draw along points in fractions of the pad's middle square, slowly, and leave the mouse's button down."""
    first, *others = on_screen(pad, path)
    page.mouse.move(*first)
    page.mouse.down()
    for place in others:
        page.mouse.move(*place, steps=3)


def drag_fingers(page: Page, paths: list[Path]) -> None:
    """Put down a finger at the beginning of each path, one after the other; move and lift them together."""
    devtools = page.context.new_cdp_session(page)

    def send(kind: str, places: Iterable[Point]) -> None:
        fingers = [{"id": finger, "x": x, "y": y} for finger, (x, y) in enumerate(places)]
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    beginnings, *moves = zip(*paths, strict=True)
    for count in range(1, len(paths) + 1):
        send("touchStart", beginnings[:count])
    for places in moves:
        send("touchMove", places)
    send("touchEnd", [])


def on_screen(pad: Locator, points: Path) -> Path:
    """From fractions of the side of the pad's middle square to CSS pixels of the window."""
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    left = box["x"] + (box["width"] - box["height"]) / 2
    return [(left + x * box["height"], box["y"] + y * box["height"]) for x, y in points]


def picture(digit: int, side: int = 200) -> bytes:
    """A PNG file of the digit, black on white."""
    image = Image.new("L", (side, side), "white")
    pen = ImageDraw.Draw(image)
    for stroke in DIGITS[digit]:
        pen.line([(x * side, y * side) for x, y in stroke], fill="black", width=side // 14, joint="curve")
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
