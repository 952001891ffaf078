"""What the network at work costs: bytes and server time of an answer with it, frames a second, and time to the answer.

Run as `python -m benchmarks.network_panel` beside `python devserver.py`, or with the address of another site; the last
line is one JSON object. The server's time is that of the processor in this process, in the settings of production; the
page's is that of the processor in its main thread.
"""

import json
import logging
import math
import platform
import shutil
import statistics
import sys
import tempfile
import time

from .environment import configure_site, use_one_blas_thread

use_one_blas_thread()
configure_site(tempfile.mkdtemp())

import django

django.setup()
logging.disable(logging.INFO)

from django.core.management import call_command
from django.test import Client
from playwright.sync_api import Page, sync_playwright

from . import samples
from .pad import SITE, delays

ROUNDS = 300
SECONDS = 4  # that the pen moves
STEPS = 60  # a second, as a mouse has

# Drawings whose activations have come, and pictures of the network that were painted.
COUNT_FRAMES = """() => {
    window.frames_ = { told: 0, painted: 0 };
    document.querySelector("#prediction").addEventListener("htmx:afterSwap", () => { frames_.told += 1; });
    document.querySelector(".network").addEventListener("painted", () => { frames_.painted += 1; });
}"""


def cost_of_answer() -> dict:
    """Bytes as sent, and milliseconds of an answer to a drawing, without the activations and with them, in turns."""
    client = Client(headers={"Accept-Encoding": "gzip"})
    forms = [{"strokes": samples.strokes()} | more for more in ({}, {"network": "1"})]
    sizes = [len(client.post("/draw/predict/", form).content) for form in forms]
    milliseconds: list[list[float]] = [[], []]
    for _ in range(ROUNDS):
        for form, times in zip(forms, milliseconds, strict=True):
            start = time.process_time()
            client.post("/draw/predict/", form)
            times.append(1000 * (time.process_time() - start))
    plain, lit = (statistics.median(times) for times in milliseconds)
    panel = len(client.get("/draw/network/").content)
    return {
        "bytes": sizes[0],
        "bytes_lit": sizes[1],
        "panel_bytes": panel,
        "ms": round(plain, 2),
        "ms_lit": round(lit, 2),
        "ms_more": round(lit - plain, 2),
    }


def frames_a_second(page: Page) -> dict:
    """How often a second new activations come, and the network is painted, while the pen moves in circles."""
    page.evaluate(COUNT_FRAMES)
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})

    def processor() -> float:
        """Seconds of the page's main thread so far."""
        metrics = devtools.send("Performance.getMetrics")["metrics"]
        return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")

    canvas = page.locator(".drawing-pad canvas")
    canvas.scroll_into_view_if_needed()  # the panel is below it
    box = canvas.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def place(step: int) -> tuple[float, float]:
        turn, radius = 2 * math.pi * step / STEPS, box["height"] * 0.3
        return middle[0] + 0.6 * radius * math.cos(turn), middle[1] + radius * math.sin(turn)

    page.mouse.move(*place(0))
    page.mouse.down()
    before = processor()
    start = time.perf_counter()
    step = 0
    while (elapsed := time.perf_counter() - start) < SECONDS:
        if step <= elapsed * STEPS:
            step += 1
            page.mouse.move(*place(step))
        else:
            time.sleep(step / STEPS - elapsed)
    counted = page.evaluate("() => frames_")
    elapsed, used = time.perf_counter() - start, processor() - before
    page.mouse.up()
    page.get_by_role("button", name="Clear").click()
    figures = {f"{name}_a_second": round(count / elapsed, 1) for name, count in counted.items()}
    return figures | {"page_ms_a_drawing": round(1000 * used / counted["told"], 1)}


def main() -> None:
    [site] = sys.argv[1:] or [SITE]
    call_command("collectstatic", interactive=False, verbosity=0)
    figures = cost_of_answer()
    print(
        f"an answer is {figures['bytes']:,} bytes without the activations and {figures['bytes_lit']:,} with them, and"
        f" takes {figures['ms']} and {figures['ms_lit']} ms; the panel is {figures['panel_bytes']:,} bytes, once"
    )
    with sync_playwright() as playwright:
        # As root, in a container, Chromium's own sandbox can't start.
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{site}/draw/")
        closed = delays(page)
        page.reload()  # without what counted the delays
        page.get_by_text("The network at work").click()
        page.locator(".network h2").get_by_text("The network at rest").wait_for()
        figures |= frames_a_second(page)
        opened = delays(page)
        chromium = browser.version
        browser.close()
    figures |= {"closed_median_ms": statistics.median(closed), "open_median_ms": statistics.median(opened)}
    figures |= {"open_p95_ms": statistics.quantiles(opened, n=20)[-1]}
    print(
        f"{figures['told_a_second']} drawings a second are shown, {figures['painted_a_second']} times painted, for"
        f" {figures['page_ms_a_drawing']} ms of the page's main thread each"
    )
    print(
        f"from lifting the pen to the answer: median {figures['closed_median_ms']:.0f} ms closed,"
        f" {figures['open_median_ms']:.0f} ms open (95th percentile {figures['open_p95_ms']:.0f} ms)"
    )
    versions = {"chromium": chromium, "python": platform.python_version(), "django": django.get_version()}
    print(json.dumps(figures | versions))


if __name__ == "__main__":
    main()
