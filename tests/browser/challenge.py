"""What tests of the ten-digit challenge share: a page whose clock stands still, and how digits are drawn and judged."""

import io

from PIL import Image
from playwright.sync_api import Locator, Page, expect

from .pad import button, decoded
from .strokes import draw, draw_strokes

ADDRESS = "/challenge/"
MOMENT = 700  # ms after which a right reading counts
PAUSE = 1500  # ms after which another one does
STOPPED = 1000  # seconds after the beginning of 1970, which the clock of the browser shows then
SCRIBBLE = [[(0.2, 0.3), (0.5, 0.5), (0.8, 0.4), (0.3, 0.8)], [(0.7, 0.2), (0.2, 0.7)]]


def open_challenge(page: Page) -> None:
    """The challenge with a clock that stands still until a test moves it."""
    page.clock.install(time=0)
    page.goto(ADDRESS)
    page.clock.pause_at(STOPPED)


def let_pass(page: Page, milliseconds: int) -> None:
    page.clock.run_for(milliseconds)


def expect_asked(page: Page, digit: int) -> None:
    expect(page.locator("#task")).to_have_text(f"Draw {'an' if digit == 8 else 'a'} {digit}")
    expect(page.locator("#digit")).to_have_text(f"{digit + 1} of 10")
    expect(page.locator(".slots [aria-current]")).to_have_text(str(digit))


def expect_right(page: Page) -> None:
    """The drawing as it is was read as the digit that is asked for; that does not count yet."""
    expect(page.locator(".challenge.is-right")).to_have_count(1)


def draw_right(page: Page, digit: int) -> None:
    draw(page, digit)
    expect_right(page)
    let_pass(page, MOMENT)


def draw_wrong(page: Page, digit: int) -> None:
    """Draw what is read, but not as the digit that is asked for, and wait until that counts."""
    draw(page, digit)
    expect_read(page, str(digit))
    let_pass(page, PAUSE)
    expect(page.locator(".challenge.is-wrong")).to_have_count(1)


def expect_read(page: Page, text: str) -> None:
    expect(page.locator(".drawing-pad:not(.htmx-request) [name=live]:disabled")).to_have_count(1)
    expect(page.locator("#prediction .verdict strong")).to_have_text(text)


def scribble(page: Page) -> None:
    draw_strokes(page, SCRIBBLE)
    expect(page.locator("#prediction .not-sure")).to_be_visible()


def skip_to(page: Page, digit: int) -> None:
    """Skip digits, all of them for 10."""
    for _ in range(page.locator(".slots :is(.read, .skipped)").count(), digit):
        button(page, "Skip").click()


def hint(page: Page) -> Locator:
    return page.locator("#hint")


def slot(page: Page, digit: int) -> Locator:
    return page.locator(".slots li").nth(digit)


def card(page: Page) -> Image.Image:
    canvas = page.locator("#result canvas")
    expect(page.locator("[data-action=save][href^=blob]")).to_be_visible()
    return Image.open(io.BytesIO(decoded(canvas.evaluate("canvas => canvas.toDataURL()")))).convert("RGB")


def words(page: Page) -> list[str]:
    return page.locator(".in-words li").all_text_contents()


def status(page: Page) -> str:
    """What was announced last."""
    return page.get_by_role("status").inner_text()
