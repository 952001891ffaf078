"""Plots are SVG in which every point lies inside its panel and no two names cover each other."""

import re
from xml.etree import ElementTree

from benchmarks.plots import HEIGHT, LINE_HEIGHT, WIDTH, Line, Panel, draw, steps

LINES = [Line("a < b", {1: 1.0, 10: 1.1, 100: 30.0}), Line("c", {1: 2.0, 10: 3.0, 100: 30.5})]
SPACE = "{http://www.w3.org/2000/svg}"


def test_every_point_lies_inside_its_panel():
    root = ElementTree.fromstring(
        draw([Panel("up", "across", LINES, is_logarithmic=True), Panel("up", "across", LINES)])
    )
    lines = root.findall(f".//{SPACE}polyline")
    assert len(lines) == 4
    for line in lines:
        for place in line.get("points").split():
            x, y = map(float, place.split(","))
            assert 0 < x < WIDTH
            assert 0 < y < HEIGHT


def test_names_of_lines_that_end_alike_are_apart():
    root = ElementTree.fromstring(draw([Panel("up", "across", LINES)]))
    names = {text.text: float(text.get("y")) for text in root.iter(f"{SPACE}text") if text.text in ("a < b", "c")}
    assert abs(names["a < b"] - names["c"]) >= LINE_HEIGHT


def test_dark_screens_have_colours_of_their_own():
    svg = draw([Panel("up", "across", LINES)])
    light, dark = svg.split("@media (prefers-color-scheme: dark)")
    of_lines = [dict(re.findall(r"(--c\d): (#\w+)", part)) for part in (light, dark)]
    assert of_lines[0].keys() == of_lines[1].keys()
    assert not set(of_lines[0].values()) & set(of_lines[1].values())


def test_marks_reach_from_0_past_the_values():
    for most in (0.7, 1, 3.7, 182, 2500):
        marks = steps(most)
        assert marks[0] == 0
        assert marks[-1] >= most
        assert 4 <= len(marks) <= 9
