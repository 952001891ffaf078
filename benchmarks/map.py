"""Frames a second of the map in Chromium on a phone four times slower than this machine: moved, zoomed, far and near.

Run as `python -m benchmarks.map` beside `python devserver.py`, or with the address of another site; the last line is
one JSON object. It tells, too, how long the page's own script takes for a frame: a browser paints few frames on a busy
machine or on one without a graphics processor, even if the script is fast.
"""

import itertools
import json
import shutil
import statistics
import sys

from playwright.sync_api import CDPSession, Page, sync_playwright

SITE = "http://127.0.0.1:8000"
PHONE = {"viewport": {"width": 390, "height": 780}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
SLOWER = 4  # times
FRAMES = 180  # of each view
# The zoom of each view around the middle of an island, from all of the map to a few tiles.
VIEWS = {"dots, whole map": 1, "dots, enlarged": 3, "pictures, most at once": 5.6, "pictures, near": 16}
# Notes how long all that the page does for a frame takes, in ms.
NOTE_WORK = """() => {
    const request = window.requestAnimationFrame.bind(window);
    window.work = [];
    window.requestAnimationFrame = (callback) => request((now) => {
        const start = performance.now();
        callback(now);
        work.push(performance.now() - start);
    });
}"""
# Moves or zooms the map to and fro, a step in each frame; gives the times of the frames in ms.
MOVE = """([gesture, frames]) => new Promise((resolve) => {
    const canvas = document.querySelector("#map");
    const times = [];
    const step = (now) => {
        times.push(now);
        if (times.length > frames) return resolve([times, work.splice(0).sort((a, b) => b - a).slice(0, frames)]);
        const to = times.length % 60 < 30 ? 1 : -1;
        const { width, height } = canvas.getBoundingClientRect();
        const details = {
            pan: { right: 2 * to, down: 2 * to },
            zoom: { factor: 1.02 ** to, left: width / 2, top: height / 2 },
        };
        canvas.dispatchEvent(new CustomEvent(gesture, { detail: details[gesture] }));
        requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
})"""


def measure(page: Page, cdp: CDPSession, site: str, zoom: float, gesture: str) -> dict[str, float]:
    """Median and 95th percentile of the time between frames, and the median of the script's work for one, in ms."""
    page.goto("about:blank")
    page.goto(f"{site}/map/#x=0.583&y=0.437&zoom={zoom}&show=all")
    page.wait_for_selector("#map[data-shows]")
    page.wait_for_load_state("networkidle")
    cdp.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.evaluate(MOVE, [gesture, 30])  # until all is loaded and compiled
    times, work = page.evaluate(MOVE, [gesture, FRAMES])
    cdp.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    between = [later - earlier for earlier, later in itertools.pairwise(times)]
    return {
        "median_ms": round(statistics.median(between), 1),
        "p95_ms": round(statistics.quantiles(between, n=20)[-1], 1),
        "work_ms": round(statistics.median(work), 1),
    }


def main() -> None:
    [site] = sys.argv[1:] or [SITE]
    with sync_playwright() as playwright:
        # As root, in a container, Chromium's own sandbox can't start.
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        context = browser.new_context(**PHONE)
        page = context.new_page()
        page.add_init_script(f"({NOTE_WORK})()")
        cdp = context.new_cdp_session(page)
        rows = {
            f"{name}, {gesture}": measure(page, cdp, site, zoom, gesture)
            for name, zoom in VIEWS.items()
            for gesture in ("pan", "zoom")
        }
        browser.close()
    for name, row in rows.items():
        frames, p95, work = 1000 / row["median_ms"], row["p95_ms"], row["work_ms"]
        print(f"{name}: {frames:.0f} frames a second, 95th percentile {p95} ms, script {work} ms a frame")
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
