"""Make the README's pictures from the running site: `python -m benchmarks.screenshots` beside `python devserver.py`."""

import io
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.strokes import DIGITS, draw, draw_number, on_screen

SITE = "http://127.0.0.1:8000"
DOCS = Path(__file__).parents[1] / "docs"
TILES = "&".join(f"tile={index}" for index in range(110, 130))
WIDE = {"width": 1280, "height": 900}
FRAME = 90  # ms of the moving picture
SETTLE = 700  # ms until a signal has come through all layers


def front_page(page: Page) -> None:
    page.goto(f"{SITE}/?{TILES}")
    draw_number(page, "1984", gap=0.1)
    expect(page.locator(".answered strong")).to_have_text("1984")
    for tile in page.locator(".tile").all()[:8]:
        tile.get_by_role("button").click()
        expect(tile.locator(".tile-read")).to_be_visible()
    page.evaluate("scrollTo(0, 0)")
    page.mouse.move(0, 0)
    page.screenshot(path=DOCS / "front.png")


def drawing_pad(page: Page) -> None:
    page.goto(f"{SITE}/draw/")
    draw(page, 2)
    expect(page.locator(".answered strong")).to_have_text("2")
    page.screenshot(path=DOCS / "draw-phone.png")


def map_of_tiles(page: Page) -> None:
    page.goto(f"{SITE}/map/")
    page.wait_for_load_state("networkidle")
    page.screenshot(path=DOCS / "map.png")


def card_of_challenge(page: Page) -> None:
    page.goto(f"{SITE}/challenge/")
    for digit in DIGITS:
        expect(page.locator("#task")).to_contain_text(str(digit))
        draw(page, digit)
    with page.expect_download() as download:
        page.get_by_role("link", name="Save the card").click()
    card = Image.open(download.value.path())
    card.resize((540, 540), Image.Resampling.LANCZOS).quantize(64).save(DOCS / "challenge.png", optimize=True)


def network_at_work(page: Page) -> None:
    """A digit under the pen and the network that reads it, as a moving picture."""
    page.goto(f"{SITE}/draw/")
    page.locator(".network-panel summary").click()
    expect(page.locator(".network canvas").first).to_be_visible()
    frames = []

    def shoot(*durations: int) -> None:
        for duration in durations:
            page.wait_for_timeout(duration)
            frames.append(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))

    for stroke in DIGITS[3]:
        first, *others = on_screen(page.locator(".drawing-pad canvas"), stroke)
        page.mouse.move(*first)
        page.mouse.down()
        for place in others:
            page.mouse.move(*place, steps=4)
            shoot(FRAME)
        page.mouse.up()
    shoot(*[FRAME] * (SETTLE // FRAME))
    times = [FRAME] * (len(frames) - 1) + [2000]
    frames[0].save(DOCS / "network.webp", save_all=True, append_images=frames[1:], duration=times, loop=0, quality=55)


def page_of(browser: Browser, **options) -> Page:
    return browser.new_context(accept_downloads=True, **options).new_page()


def main() -> None:
    with sync_playwright() as playwright:
        # As root, in a container, Chromium's own sandbox can't start.
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        front_page(page_of(browser, viewport=WIDE))
        drawing_pad(page_of(browser, viewport={"width": 375, "height": 760}, has_touch=True, color_scheme="dark"))
        map_of_tiles(page_of(browser, viewport=WIDE))
        card_of_challenge(page_of(browser, viewport=WIDE))
        network_at_work(page_of(browser, viewport={"width": 1000, "height": 800}))
        browser.close()


if __name__ == "__main__":
    main()
