"""/map/: the page, what it loads, and where a drawing lies."""

import base64
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from PIL import Image

from digit_recognizer_dl_model.dataset import Dataset, write_csv
from digits import recognizer
from digits.gallery import Gallery, gallery
from digits.management.commands import lay_out_map
from digits.map import layout as layouts
from digits.map import tsne, views
from digits.map.layout import Layout, NoLayout, layout_of
from digits.map.placing import place
from digits.map.tile_map import ACROSS, TileMap, confusions, tile_map

from .pictures import TWO

PATH = "/map/"
STROKES = {"strokes": json.dumps([{"points": TWO, "width": 20 / 280}])}


@pytest.fixture
def version() -> str:
    return tile_map().version


@pytest.fixture
def columns(client, version) -> list[np.ndarray]:
    """What a browser gets of all tiles: index, x, y, digit and answer, flags."""
    page = client.get(f"/map/{version}/tiles/").content.decode()
    records = base64.b64decode(re.search('data-records="([^"]+)"', page)[1])
    count = len(gallery())
    wide, narrow = records[: 6 * count], records[6 * count :]
    return [*np.frombuffer(wide, "<u2").reshape(3, count), *np.frombuffer(narrow, np.uint8).reshape(2, count)]


@pytest.fixture
def no_layout(monkeypatch) -> None:
    def none() -> TileMap:
        raise NoLayout

    monkeypatch.setattr(views, "tile_map", none)


@pytest.fixture
def few(tmp_path, settings, monkeypatch) -> Gallery:
    """A gallery of 40 tiles, which the commands work with, and its cache."""
    pixels = np.stack([gallery().pixels(index) for index in range(40)])
    write_csv(tmp_path / "few.csv", Dataset(pixels, gallery().labels[:40]))
    settings.MNIST_CACHE = tmp_path / "cache"
    few = Gallery.open(tmp_path / "few.csv", settings.MNIST_CACHE)
    for module in (layouts, lay_out_map):
        monkeypatch.setattr(module, "gallery", lambda: few)
    monkeypatch.setattr(tsne, "STEPS", 30)
    return few


def sheet(client: Client, version: str, size: int, number: int) -> np.ndarray:
    """The ink of a sheet, (20, 20, size, size) in 0-255."""
    answer = client.get(f"/map/{version}/sheets/{size}/{number}.png")
    assert answer.headers["Content-Type"] == "image/png"
    picture = Image.open(io.BytesIO(answer.content)).convert("RGBA")
    rows = np.asarray(picture)[..., 3]
    return rows.reshape(-1, size, ACROSS, size).swapaxes(1, 2)


def test_the_shipped_layout_belongs_to_the_shipped_network_and_tiles():
    """With new weights: `python manage.py lay_out_map --ship`."""
    assert Layout.read(layouts.SHIPPED).belongs_to(gallery())
    assert layouts.SHIPPED.stat().st_size < 50_000


def test_the_nearest_tiles_on_the_shipped_map_mostly_have_the_same_label():
    places = tile_map().places.astype(np.float32)
    some = slice(0, None, 25)
    squared = ((places[some, None] - places[None]) ** 2).sum(axis=2)
    found = squared.argsort(axis=1)[:, 1:11]
    assert (gallery().labels[found] == gallery().labels[some, None]).mean() > 0.97


def test_a_browser_gets_the_place_the_label_the_answer_and_the_doubt_of_each_tile(columns):
    index, x, y, digits, flags = columns
    assert sorted(index) == list(range(len(gallery())))
    assert (tile_map().places[index] == np.column_stack([x, y])).all()
    assert (digits >> 4 == gallery().labels[index]).all()
    assert (digits & 15 == gallery().answers[index, 0]).all()
    assert ((flags & 1) == gallery().are_wrong[index]).all()
    assert ((flags & 2).astype(bool) == gallery().are_unsure[index]).all()


@pytest.mark.parametrize(("size", "number"), [(28, 3), (14, 25)])
def test_a_sheet_has_the_ink_of_its_tiles_in_order(client, version, columns, size, number):
    ink = sheet(client, version, size, number)
    index = columns[0][(number - 1) * ACROSS**2 :][: ACROSS**2]
    for place_in_sheet in (0, 21, len(index) - 1):
        pixels = gallery().pixels(index[place_in_sheet]).astype(float)
        pixels = pixels.reshape(size, 28 // size, size, 28 // size).mean(axis=(1, 3))
        assert np.abs(ink[divmod(place_in_sheet, ACROSS)] - pixels).max() <= 9  # of 255: it has 16 levels


def test_the_sheet_of_hard_tiles_has_those_that_are_wrong_or_not_sure(client, version, columns):
    index, *_, flags = columns
    hard = index[flags > 0]
    ink = sheet(client, version, 28, 0)
    assert ink.shape[0] == -(-len(hard) // ACROSS)
    assert np.abs(ink[divmod(len(hard) - 1, ACROSS)] - gallery().pixels(hard[-1]).astype(float)).max() <= 9


ADDRESSES = ["tiles/", "sheets/14/1.png", "sheets/28/0.png", "light.png", "dark.png"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_what_the_map_loads_is_kept_and_asked_for_again_by_its_tag(client, version, address):
    answer = client.get(f"/map/{version}/{address}")
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]
    again = client.get(f"/map/{version}/{address}", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get(f"/map/{version}/sheets/28/1.png", headers={"If-None-Match": answer.headers["ETag"]})
    assert other.status_code == 200


@pytest.mark.parametrize("address", ADDRESSES)
def test_nothing_is_answered_for_another_version(client, version, address):
    answer = client.get(f"/map/{version[::-1]}/{address}", headers={"If-None-Match": "*"})
    assert answer.status_code == 404
    assert "immutable" not in answer.headers.get("Cache-Control", "")


@pytest.mark.parametrize("address", ["sheets/28/26.png", "sheets/27/1.png", "sheets/0/1.png", "grey.png"])
def test_what_the_map_does_not_have_is_not_found(client, version, address):
    assert client.get(f"/map/{version}/{address}").status_code == 404


def test_the_first_view_is_small_and_a_sheet_is_no_larger_than_a_picture(client, version):
    assert len(client.get(f"/map/{version}/tiles/", headers={"Accept-Encoding": "gzip"}).content) < 75_000
    assert len(client.get(f"/map/{version}/sheets/14/5.png").content) < 25_000
    assert len(client.get(f"/map/{version}/sheets/28/5.png").content) < 60_000


def test_the_list_counts_the_tiles_of_each_digit_and_names_the_pairs(client):
    page = client.get(PATH).content.decode()
    for digit in range(10):
        count = int((gallery().labels == digit).sum())
        assert f'href="/?digit={digit}#gallery" aria-label="{count} tiles of a {digit}">{count}</a>' in page
    (digit, read, tiles), *_ = confusions(gallery())
    assert f'href="/?digit={digit}&amp;read={read}#gallery">{digit} read as {read}</a>' in page
    for index in tiles[:6]:
        assert f'href="/tiles/{index}/"' in page
    assert all(gallery().labels[i] == digit and gallery().answers[i, 0] == read for i in tiles)


def test_without_scripts_a_picture_in_the_colours_of_the_scheme_takes_the_place_of_the_map(client, version):
    page = client.get(PATH).content.decode()
    [picture] = re.findall("<noscript>(.*?)</noscript>", page, re.DOTALL)
    assert f"/map/{version}/light.png" in picture
    assert f"/map/{version}/dark.png" in picture
    assert len(re.findall("<text ", picture)) == 10
    decoded = Image.open(io.BytesIO(client.get(f"/map/{version}/dark.png").content)).convert("RGBA")
    middle = tuple(round(decoded.width * place) for place in (tile_map().places[0] / 65_535))
    assert decoded.getpixel(middle)[3] > 250
    assert decoded.getpixel((0, 0))[3] == 0


def luminance(colour: str) -> float:
    """The relative luminance of a colour #rrggbb, as WCAG defines it."""
    channels = np.frombuffer(bytes.fromhex(colour), np.uint8) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_the_colours_of_the_digits_stand_out_from_the_paper():
    styles = Path("static/digits/map.css").read_text()
    cards = re.findall("--card: #([0-9a-f]{6});", Path("static/digits/style.css").read_text())
    colours = re.findall(r"--digit-\d: #([0-9a-f]{6});", styles)
    assert (len(cards), len(colours)) == (2, 20)
    for scheme, card in enumerate(cards):
        for colour in colours[10 * scheme :][:10]:
            low, high = sorted([luminance(card), luminance(colour)])
            assert (high + 0.05) / (low + 0.05) >= 3, colour


def test_a_tile_that_is_drawn_again_lies_where_it_is():
    for index in (0, 1234, 9999):
        placed = place(gallery().pixels(index), tile_map())
        assert placed.alike[0] == index
        assert [placed.x, placed.y] == pytest.approx(tile_map().places[index] / 65_535, abs=0.01)


def test_a_drawing_lies_among_the_tiles_of_its_digit(client):
    page = client.post("/map/place/", STROKES).content.decode()
    assert "It lies among the 2s." in page
    x, y = (float(re.search(f'data-{axis}="([^"]+)"', page)[1]) for axis in "xy")
    nearest = ((tile_map().places / 65_535 - [x, y]) ** 2).sum(axis=1).argsort()[:10]
    assert (gallery().labels[nearest] == 2).mean() > 0.8
    alike = [int(number) for number in re.search('data-alike="([^"]+)"', page)[1].split()]
    assert len(alike) == 5
    assert [f'href="/tiles/{index}/"' in page for index in alike] == [True] * 5
    assert "Most like it: tile" in page.partition("hx-swap-oob")[2]


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({}, 400, "Draw a number"),
        ({"strokes": "[1]"}, 400, "must be a list of strokes"),
        ({"strokes": json.dumps([{"points": [[0.5, 0.5]] * 20_001, "width": 0.1}])}, 413, "too many points"),
        ({"strokes": json.dumps([{"points": [[3, 3], [3.1, 3]], "width": 0.01}])}, 422, "No ink"),
    ],
)
def test_what_cannot_be_placed_is_refused_with_the_reason(client, fields, status, words):
    answer = client.post("/map/place/", fields)
    assert answer.status_code == status
    assert words in answer.content.decode()
    assert "data-x" not in answer.content.decode()


def test_what_is_not_read_as_one_digit_has_no_place_and_says_why(client):
    crossed = [{"points": [[x, 0.1], [x, 0.9]], "width": 0.05} for x in (0.1, 0.3, 0.5, 0.7, 0.9)]
    page = client.post("/map/place/", {"strokes": json.dumps(crossed)}).content.decode()
    assert "data-x" not in page
    assert page.count("The map has a place for one digit that is read.") == 2  # and for screen readers
    assert "Read as" not in page


def test_a_drawing_from_elsewhere_is_refused():
    assert Client(enforce_csrf_checks=True).post("/map/place/", STROKES).status_code == 403


def test_a_drawing_is_only_posted(client):
    assert client.get("/map/place/").status_code == 405


def test_a_map_of_other_tiles_is_not_shown(client, version, no_layout):
    page = client.get(PATH).content.decode()
    assert "python manage.py lay_out_map" in page
    assert "<canvas" not in page
    assert "map-page" not in re.findall("<script[^>]*>", page)[-1]
    assert 'href="/?digit=4#gallery"' in page  # the list is true of any tiles
    assert client.get(f"/map/{version}/tiles/").status_code == 404
    answer = client.post("/map/place/", STROKES)
    assert answer.status_code == 404
    assert "python manage.py lay_out_map" in answer.content.decode()


def test_a_layout_belongs_to_one_csv_and_one_network(few, monkeypatch):
    with pytest.raises(NoLayout):
        layout_of(few)
    places = np.zeros((40, 2), np.uint16)
    Layout(places, few.sha256, recognizer.network_checksum()).write(layouts.computed_file(few))
    assert (layout_of(few).places == places).all()
    monkeypatch.setattr(recognizer, "network_checksum", lambda: "0" * 64)
    with pytest.raises(NoLayout):
        layout_of(few)
    layouts.computed_file(few).write_bytes(b"damaged")
    with pytest.raises(NoLayout):
        layout_of(few)


def test_the_command_computes_the_layout_of_other_tiles_and_measures_it(few, stdout, stderr):
    call_command("lay_out_map", stdout=stdout, stderr=stderr)
    layout = layout_of(few)
    assert layout.places.shape == (40, 2)
    assert layout.places.min() > 0
    assert "40 tiles laid out" in stdout.getvalue()
    assert re.search(r"same label: \d+\.\d\d%", stdout.getvalue())
    assert re.search(r"trustworthiness, 10 neighbours: [01]\.\d{4}", stdout.getvalue())
    assert TileMap(few, layout).sheets == 1


def test_the_command_refuses_galleries_that_are_no_map(few, monkeypatch):
    monkeypatch.setattr(type(few), "__len__", lambda self: 19)
    with pytest.raises(CommandError, match="A map has 20 to 65,536 tiles; the gallery has 19"):
        call_command("lay_out_map")


def test_the_page_of_a_tile_leads_to_its_place_on_the_map(client):
    assert 'href="/map/#tile-42"' in client.get("/tiles/42/").content.decode()
