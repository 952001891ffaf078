"""What tests of the drawing pad share: its parts, its ink, its tools, and pointers that there are none of."""

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

ANSWERS = "/draw/predict/"
PHONE = {"viewport": {"width": 375, "height": 660}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
IN_A_WIDE_WINDOW = pytest.mark.parametrize(
    "page", [{"viewport": {"width": 3840, "height": 900}}], indirect=True, ids=["wide"]
)
# What a browser's bars leave of small phones' screens.
UPRIGHT = [PHONE | {"viewport": {"width": width, "height": height}} for width, height in ((375, 553), (320, 460))]
LANDSCAPE = [PHONE | {"viewport": {"width": width, "height": height}} for width, height in ((667, 331), (568, 320))]
ON_A_PHONE = pytest.mark.parametrize("page", [PHONE], indirect=True, ids=["phone"])
WITHOUT_JAVASCRIPT = pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True, ids=["no-js"])
ACROSS = [(0.2, 0.5), (0.5, 0.5), (0.8, 0.5)]
HALF_A_PEN = 10 / 280  # of the pad's height


def pad(page: Page) -> Locator:
    return page.locator(".drawing-pad canvas")


def bitmap(page: Page) -> Image.Image:
    """The pad's own pixels."""
    return Image.open(io.BytesIO(decoded(pad(page).evaluate("canvas => canvas.toDataURL()"))))


def decoded(data_url: str) -> bytes:
    return base64.b64decode(data_url.partition(",")[2])


def ink(page: Page) -> dict:
    """How much of the pad's middle square is inked, and the box around that, all in fractions of its side."""
    inked = bitmap(page).getchannel("A").point(lambda alpha: 255 * (alpha > 127))
    beside = (inked.width - inked.height) // 2
    inked = inked.crop((beside, 0, beside + inked.height, inked.height))
    share = inked.histogram()[255] / (inked.width * inked.height)
    box = [edge / inked.width for edge in inked.getbbox() or ()]
    return {"share": share} | dict(zip(("left", "top", "right", "bottom"), box, strict=False))


def expect_digit(page: Page, digit: int) -> None:
    """The answer is of the drawing as it was left: what was read while the pen moved is no longer shown."""
    expect_settled(page)
    expect(answer(page)).to_have_text(str(digit))


def expect_settled(page: Page) -> None:
    expect(page.locator(".drawing-pad:not(.htmx-request) [name=live]:disabled")).to_have_count(1)


def answer(page: Page) -> Locator:
    return page.locator("#prediction .answered strong")


def bottom(part: Locator) -> float:
    box = part.bounding_box()
    return box["y"] + box["height"]


def expect_nothing_drawn(page: Page) -> None:
    expect(page.locator("#prediction")).to_contain_text("Nothing drawn yet")
    for name in ("Clear", "Explain"):
        expect(button(page, name)).to_be_disabled()
    assert ink(page)["share"] == 0


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name)


def take(page: Page, tool: str) -> None:
    page.get_by_title(tool).click()


def choose(page: Page, name: str, content: bytes, kind: str = "image/png") -> None:
    page.get_by_label("Choose a picture").set_input_files({"name": name, "mimeType": kind, "buffer": content})


def sent(page: Page) -> bytes:
    """The picture file that the form holds."""
    read = "input => input.files[0].arrayBuffer().then((buffer) => [...new Uint8Array(buffer)])"
    return bytes(page.locator(".drawing-pad [name=file]").evaluate(read))


def give(page: Page, event: str, content: bytes) -> None:
    """Paste a picture file into the page, or drop one on it."""
    page.evaluate(
        """([event, base64]) => {
            const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
            const data = new DataTransfer();
            data.items.add(new File([bytes], "picture.png", { type: "image/png" }));
            const happening = new Event(event, { bubbles: true, cancelable: true });
            const name = event === "paste" ? "clipboardData" : "dataTransfer";
            // As an option, Firefox's ClipboardEvent does not know it.
            Object.defineProperty(happening, name, { value: data });
            document.body.dispatchEvent(happening);
        }""",
        [event, base64.b64encode(content).decode()],
    )


# What pointers do, one after the other, where there are none.
POINTERS = """(canvas, deeds) => {
    canvas.setPointerCapture = () => {};  // there is no such pointer to capture
    const box = canvas.getBoundingClientRect();
    for (const [kind, pointer, [x, y]] of deeds) {
        const left = box.left + (box.width - box.height) / 2;
        const place = { clientX: left + x * box.height, clientY: box.top + y * box.height };
        canvas.dispatchEvent(new PointerEvent(kind, { isPrimary: true, button: 0, ...place, ...pointer }));
    }
}"""
# Draws along a path so many times, in so many steps, of which the browser holds back a thousand each frame.
FAST_MOUSE = """(canvas, [path, times, steps]) => {
    canvas.setPointerCapture = () => {};  // there is no such pointer to capture
    const box = canvas.getBoundingClientRect();
    const legs = Array.from({ length: times }, () => path).flat();
    const event = (kind, step, coalescedEvents = []) => {
        const done = (step / steps) * (legs.length - 1);
        const leg = Math.min(Math.floor(done), legs.length - 2);
        const [x, y] = [0, 1].map((axis) => legs[leg][axis] + (done - leg) * (legs[leg + 1][axis] - legs[leg][axis]));
        const left = box.left + (box.width - box.height) / 2;
        const place = { clientX: left + x * box.height, clientY: box.top + y * box.height };
        return new PointerEvent(kind, { pointerId: 11, isPrimary: true, button: 0, ...place, coalescedEvents });
    };
    canvas.dispatchEvent(event("pointerdown", 0));
    for (let step = 1000; step <= steps; step += 1000) {
        const between = Array.from({ length: 1000 }, (_, i) => event("pointermove", step - 999 + i));
        canvas.dispatchEvent(event("pointermove", step, between));
    }
    canvas.dispatchEvent(event("pointerup", steps));
}"""


@contextmanager
def late_answers(page: Page) -> Iterator[None]:
    """Hold back every answer to the end of the block."""
    page.route(f"**{ANSWERS}", lambda route: None)
    yield
    page.unroute(f"**{ANSWERS}")  # which sends on what was held
