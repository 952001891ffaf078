"""The time from lifting the pen on the drawing pad to the new answer on the screen, in Chromium over loopback.

Run as `python -m benchmarks.pad` beside `python devserver.py`, or with the address of another site; the last line is
one JSON object.
"""

import json
import platform
import shutil
import statistics
import sys

import django
from playwright.sync_api import Page, sync_playwright

from tests.browser.strokes import DIGITS, draw_stroke

SITE = "http://127.0.0.1:8000"
ROUNDS = 10  # of all ten digits

# The new answer is on the screen in the second frame after the swap at the latest.
NOTE_DELAYS = """() => {
    window.delays = [];
    let lifted = 0;
    document.querySelector("canvas").addEventListener("pointerup", () => { lifted = performance.now(); });
    document.querySelector("#prediction").addEventListener("htmx:afterSwap", (event) => {
        if (event.detail.requestConfig.parameters.live) return;
        const start = lifted;
        requestAnimationFrame(() => requestAnimationFrame(() => delays.push(performance.now() - start)));
    });
}"""


def delays(page: Page) -> list[float]:
    """Milliseconds from lifting the pen to the answer, for each stroke of each digit."""
    page.evaluate(NOTE_DELAYS)
    strokes = 0
    for _ in range(ROUNDS):
        for digit in DIGITS.values():
            for stroke in digit:
                draw_stroke(page, stroke)
                strokes += 1
                page.wait_for_function("strokes => delays.length === strokes", arg=strokes)
            page.get_by_role("button", name="Clear").click()
    return page.evaluate("delays")


def main() -> None:
    [site] = sys.argv[1:] or [SITE]
    with sync_playwright() as playwright:
        # As root, in a container, Chromium's own sandbox can't start.
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{site}/draw/")
        milliseconds = delays(page)
        chromium = browser.version
        browser.close()
    median, p95 = statistics.median(milliseconds), statistics.quantiles(milliseconds, n=20)[-1]
    print(f"{len(milliseconds)} strokes: median {median:.0f} ms, 95th percentile {p95:.0f} ms")
    figures = {"strokes": len(milliseconds), "median_ms": round(median, 1), "p95_ms": round(p95, 1)}
    versions = {"chromium": chromium, "python": platform.python_version(), "django": django.get_version()}
    print(json.dumps(figures | versions))


if __name__ == "__main__":
    main()
