"""The ES modules of the drawing pad, each by itself, in Chromium."""

import base64
import json
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from ..pictures import drawing, encoded

MODULES = ("draw-page", "drawing", "pad", "pad-page", "painting", "pictures", "zoom")


@pytest.fixture(scope="module")
def urls(browser: Browser, server: str) -> Iterator[dict]:
    """The addresses from which the page of the pad loads its modules, by name, and that page."""
    with browser.new_context(base_url=server) as context:
        page = context.new_page()
        page.goto("/draw/", wait_until="load")
        loaded = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
        named = {match[1]: url for url in loaded if (match := re.search(r"/digits/([a-z-]+)\.[^/]*js$", url))}
        yield named | {"page": page}


@pytest.fixture
def run(urls) -> Callable[[str, str], object]:
    """Run an expression with the exports of a module as `m`."""

    def evaluate(module: str, expression: str) -> object:
        script = f"async (url) => {{ const m = await import(url); return ({expression}); }}"
        return urls["page"].evaluate(script, urls[module])

    return evaluate


def test_modules_import_each_other_by_hashed_names(urls):
    for module in MODULES:
        assert re.fullmatch(rf".*/digits/{module}\.[0-9a-f]{{12}}\.js", urls[module]), urls[module]


HISTORY = "(() => {{ const d = new m.Drawing(); {} return [d.visible.length, d.canUndo, d.canRedo, d.isEmpty]; }})()"
STROKE = 'd.add({ points: [[0, 0]], tool: "fine" });'
RUBBED = 'd.add({ points: [[0, 0]], tool: "eraser" });'


@pytest.mark.parametrize(
    ("steps", "state"),
    [
        ("", [0, False, False, True]),
        (STROKE, [1, True, False, False]),
        (STROKE + "d.undo();", [0, False, True, True]),
        (STROKE + "d.undo(); d.undo();", [0, False, True, True]),
        (STROKE + "d.undo(); d.redo(); d.redo();", [1, True, False, False]),
        (STROKE + STROKE + "d.undo();" + STROKE, [2, True, False, False]),
        (STROKE + "d.add({});", [0, True, False, True]),
        (STROKE + "d.add({}); d.undo();", [1, True, True, False]),
        (RUBBED, [1, True, False, True]),
    ],
)
def test_a_drawing_undoes_and_redoes_its_marks(run, steps, state):
    assert run("drawing", HISTORY.format(steps)) == state


def test_a_kept_drawing_comes_back_before_later_marks(run):
    keep = 'const d = new m.Drawing("kept"); d.add({ points: [[0.1, 0.1]], tool: "fine" }); d.save();'
    again = 'const e = new m.Drawing("kept"); e.add({ points: [[0.9, 0.9]], tool: "fine" }); await e.restore((m) => m);'
    script = f"await (async () => {{ {keep} {again} d.forget(); return e.visible.map((s) => s.points[0][0]); }})()"
    assert run("drawing", script) == [0.1, 0.9]


def test_a_drawing_without_a_key_is_not_kept(run):
    keep = 'const d = new m.Drawing(); d.add({ points: [[0.1, 0.1]], tool: "fine" }); d.save();'
    before = "const before = sessionStorage.length;"
    assert run("drawing", f"(() => {{ {before} {keep} return sessionStorage.length - before; }})()") == 0


def test_points_too_close_to_be_seen_replace_each_other(run):
    line = "(() => {{ const line = [[0, 0]]; for (const x of {}) m.extendLine(line, [x, 0]); return line.length; }})()"
    assert run("drawing", line.format("[0.001, 0.002, 0.003]")) == 2
    assert run("drawing", line.format("[0.1, 0.2, 0.3]")) == 4


@pytest.mark.parametrize(
    ("function", "point", "clamped"),
    [
        ("clampToReach", "[-9, 9]", [-3, 4]),
        ("clampToReach", "[-2.5, 3.5]", [-2.5, 3.5]),
        ("clampToView", "[-0.1, 1.1], [1, 1]", [0, 1]),
        ("clampToView", "[-0.1, 1.1], [2, 1]", [-0.1, 1]),
        ("clampToView", "[0.25, 0.75], [1, 1]", [0.25, 0.75]),
    ],
)
def test_points_are_clamped_to_the_reach_of_the_pointer_and_to_the_pad(run, function, point, clamped):
    assert run("drawing", f"m.{function}({point})") == clamped


def test_strokes_are_sent_as_json_with_their_width(run):
    sent = json.loads(run("drawing", 'm.strokesOf([{ points: [[0.123456, -3]], tool: "broad" }])'))
    assert sent == [{"points": [[0.1235, -3]], "width": pytest.approx(0.1)}]


def test_a_stroke_reaches_as_far_as_its_farthest_point(run):
    assert run("drawing", "m.reach([[0, 0], [0.3, 0.4], [0.1, 0]])") == pytest.approx(0.5)


def test_a_data_url_holds_the_bytes_and_the_type_of_a_blob(run):
    again = "m.blobOf(await m.dataUrl(new Blob([new Uint8Array([0, 127, 255])], { type: 'image/png' })))"
    script = (
        f"await (async () => {{ const b = {again}; return [b.type, ...new Uint8Array(await b.arrayBuffer())]; }})()"
    )
    assert run("pictures", script) == ["image/png", 0, 127, 255]


PAINTED = """(() => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 100;
  const context = canvas.getContext("2d");
  m.paint(context, %s, 100, "black");
  return [[50, 50], [5, 5]].map(([x, y]) => context.getImageData(x, y, 1, 1).data[3]);
})()"""
ACROSS = '{ points: [[0.2, 0.5], [0.5, 0.5], [0.8, 0.5]], tool: "%s" }'


@pytest.mark.parametrize(
    ("marks", "opacity"),
    [
        ("[]", [0, 0]),
        (f"[{ACROSS % 'broad'}]", [255, 0]),
        (f"[{ACROSS % 'broad'}, {ACROSS % 'eraser'}]", [0, 0]),
        ('[{ points: [[0.5, 0.5]], tool: "medium" }]', [255, 0]),
    ],
)
def test_marks_are_painted_where_they_were_drawn(run, marks, opacity):
    assert run("painting", PAINTED % marks) == opacity


@pytest.mark.parametrize(
    ("points", "path"),
    [
        ("[[0.1, 0.2]]", "M10 20L10.001 20"),
        ("[[0.1, 0.2], [0.3, 0.4]]", "M10 20L30.001 40"),
        ("[[0, 0], [0.5, 0], [1, 1]]", "M0 0Q50 0 75 50L100.001 100"),
    ],
)
def test_a_stroke_is_the_path_of_an_svg(run, points, path):
    assert run("painting", f"m.pathOf([{{ points: {points} }}], 100)") == path


REDUCED = """await (async () => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [%d, %d];
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "%s"));
  const bitmap = await createImageBitmap(await m.reduced(blob));
  return [(await m.reduced(blob)).type, bitmap.width, bitmap.height];
})()"""


@pytest.mark.parametrize(
    ("width", "height", "kind", "expected"),
    [
        (300, 200, "image/png", ["image/png", 300, 200]),
        (3000, 1500, "image/png", ["image/jpeg", 1000, 500]),
        (300, 200, "image/webp", ["image/webp", 300, 200]),
        (300, 200, "image/jpeg", ["image/jpeg", 300, 200]),
        (3000, 200, "image/webp", ["image/jpeg", 1000, 67]),
    ],
)
def test_only_large_pictures_are_reduced(run, width, height, kind, expected):
    assert run("pictures", REDUCED % (width, height, kind)) == expected


TYPED = """await (async () => {
  const bytes = Uint8Array.from(atob("%s"), (character) => character.charCodeAt(0));
  return (await m.reduced(new Blob([bytes], { type: "%s" }))).type;
})()"""


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("PNG", "image/png"),
        ("JPEG", "image/jpeg"),
        ("WEBP", "image/webp"),
        ("BMP", "image/bmp"),
        ("GIF", "image/gif"),
    ],
)
@pytest.mark.parametrize("declared", ["", "text/plain", "image/png"])
def test_the_bytes_of_a_file_say_what_it_is(run, form, expected, declared):
    data = base64.b64encode(encoded(drawing(), form)).decode()
    assert run("pictures", TYPED % (data, declared)) == expected


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("m.seenFrame([2, 1], m.UNZOOMED)", [-0.5, 0, 2, 1]),
        ("m.seenFrame([2, 1], { scale: 2, centre: [0.5, 0.5] })", [0, 0.25, 1, 0.5]),
        ("m.seenFrame([2, 1], { scale: 2, centre: [9, -9] })", [0.5, 0, 1, 0.5]),
        ("m.seenFrame([2, 1], m.zoomedAt(m.UNZOOMED, 2, [1, 1], [2, 1]))", [0.25, 0.5, 1, 0.5]),
        ("m.zoomedAt(m.UNZOOMED, 100, [1, 1], [2, 1]).scale", 8),
        ("m.zoomedAt(m.UNZOOMED, 0.1, [1, 1], [2, 1])", {"scale": 1, "centre": [0.5, 0.5]}),
        ("m.movedBy({ scale: 2, centre: [0.5, 0.5] }, [0.1, 9], [2, 1])", {"scale": 2, "centre": [0.6, 0.75]}),
        ("m.overlap([0, 0, 1, 1], [0.5, -1, 2, 1.5])", [0.5, 0, 0.5, 0.5]),
        ("m.overlap([0, 0, 1, 1], [2, 2, 1, 1]).slice(2)", [0, 0]),
    ],
)
def test_a_zoom_keeps_its_point_and_stays_in_the_view(run, expression, result):
    assert run("zoom", expression) == result
