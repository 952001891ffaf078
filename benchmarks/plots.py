"""Lines over numbers, as SVG that is read on light and on dark screens."""

import itertools
import math
from collections.abc import Callable, Iterable
from typing import NamedTuple
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 310, 280  # of a panel, pixels
LEFT, RIGHT, TOP, BOTTOM = 48, 24, 44, 48  # around what is drawn
NAMES = 128  # pixels more to the right of a panel, for the names of its lines
LINE_HEIGHT = 16  # between names
COLOURS = 5
STYLE = """
  svg { font: 13px system-ui, sans-serif; --paper: #fff; --ink: #1d2029; --grid: #d9d7cf;
    --c0: #2b50c8; --c1: #15713f; --c2: #b3261e; --c3: #8a5300; --c4: #7a2ea0 }
  @media (prefers-color-scheme: dark) { svg { --paper: #14161b; --ink: #eceef3; --grid: #353a46;
    --c0: #9db4ff; --c1: #6fd39b; --c2: #ff9d94; --c3: #f0c069; --c4: #d9a5f5 } }
  svg { color: var(--ink) } rect { fill: var(--paper) } text, circle { fill: currentcolor }
  polyline { fill: none; stroke: currentcolor; stroke-width: 2 }
  .grid { stroke: var(--grid) } .title { font-weight: 600 }
"""


class Line(NamedTuple):
    name: str  # may be empty where there is one line
    points: dict[int, float]  # all above 0


class Panel(NamedTuple):
    title: str  # what is drawn upwards
    across: str
    lines: list[Line]
    is_logarithmic: bool = False  # across; upwards, everything is drawn from 0

    @property
    def width(self) -> int:
        return WIDTH + (NAMES if len(self.lines) > 1 else 0)


def draw(panels: list[Panel]) -> str:
    """The panels beside each other."""
    parts, left = [], 0
    for panel in panels:
        parts += [f'<g transform="translate({left} 0)">', *draw_panel(panel), "</g>"]
        left += panel.width
    colours = " ".join(f".c{i} {{ color: var(--c{i}) }}" for i in range(COLOURS))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left} {HEIGHT}" width="{left}" height="{HEIGHT}">'
    return "\n".join(
        [head, f"<style>{STYLE}{colours}</style>", '<rect width="100%" height="100%"/>', *parts, "</svg>\n"]
    )


def draw_panel(panel: Panel) -> Iterable[str]:
    numbers = list(panel.lines[0].points)
    values = [value for line in panel.lines for value in line.points.values()]
    marks = steps(max(values))
    x = scale(numbers, LEFT, WIDTH - RIGHT, panel.is_logarithmic)
    y = scale(marks, HEIGHT - BOTTOM, TOP)
    yield text(panel.title, 12, 22, "title")
    for mark in marks:
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(mark):.1f}" y2="{y(mark):.1f}"/>'
        yield text(f"{mark:,g}", LEFT - 6, y(mark) + 4, anchor="end")
    for number in numbers:
        yield text(f"{number:,}", x(number), HEIGHT - BOTTOM + 18, anchor="middle")
    yield text(panel.across, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, anchor="middle")
    ends = spread([y(list(line.points.values())[-1]) for line in panel.lines])
    for index, (line, end) in enumerate(zip(panel.lines, ends, strict=True)):
        places = " ".join(f"{x(number):.1f},{y(value):.1f}" for number, value in line.points.items())
        yield f'<polyline class="c{index}" points="{places}"/>'
        for number, value in line.points.items():
            yield f'<circle class="c{index}" cx="{x(number):.1f}" cy="{y(value):.1f}" r="2"/>'
        yield text(line.name, WIDTH - RIGHT + 6, end + 4, f"c{index}")


def scale(values: Iterable[float], start: float, end: float, is_logarithmic: bool = False) -> Callable[[float], float]:
    """A function from values to pixels."""
    as_drawn = math.log if is_logarithmic else float
    low, high = as_drawn(min(values)), as_drawn(max(values))
    return lambda value: start + (end - start) * (as_drawn(value) - low) / (high - low)


def steps(most: float) -> list[float]:
    """Four to eight round numbers from 0 to at least the most."""
    power = 10.0 ** math.floor(math.log10(most))
    step = next(step for step in (power / 5, power / 2, power, 2 * power) if most / step <= 7)
    return [number * step for number in range(math.ceil(most / step) + 1)]


def spread(places: list[float]) -> list[float]:
    """Places of names, moved apart where they would cover each other."""
    moved = list(places)
    order = sorted(range(len(places)), key=places.__getitem__)
    for before, after in itertools.pairwise(order):
        moved[after] = max(moved[after], moved[before] + LINE_HEIGHT)
    return moved


def text(words: str, x: float, y: float, kind: str = "", anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
