"""Make the README's pictures from the running site: `python -m benchmarks.screenshots` beside `python devserver.py`."""

import shutil
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.strokes import draw, draw_number

SITE = "http://127.0.0.1:8000"
DOCS = Path(__file__).parents[1] / "docs"
TILES = "&".join(f"tile={index}" for index in range(110, 130))


def gallery(page: Page) -> None:
    page.goto(f"{SITE}/?{TILES}")
    for tile in page.locator(".tile").all()[:8]:
        tile.get_by_role("button").click()
        expect(tile.locator(".tile-read")).to_be_visible()
    page.mouse.move(0, 0)
    page.screenshot(path=DOCS / "gallery.png")


def drawing_pad(page: Page, name: str) -> None:
    page.goto(f"{SITE}/draw/")
    draw(page, 2)
    expect(page.locator(".answered strong")).to_have_text("2")
    page.screenshot(path=DOCS / name)


def number(page: Page, name: str) -> None:
    page.goto(f"{SITE}/draw/")
    draw_number(page, "1984", gap=0.08)
    expect(page.locator(".answered strong")).to_have_text("1984")
    page.screenshot(path=DOCS / name)


def main() -> None:
    with sync_playwright() as playwright:
        # As root, in a container, Chromium's own sandbox can't start.
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1100, "height": 760})
        gallery(page)
        number(page, "draw.png")
        phone = browser.new_page(viewport={"width": 375, "height": 760}, has_touch=True, color_scheme="dark")
        drawing_pad(phone, "draw-phone.png")
        browser.close()


if __name__ == "__main__":
    main()
