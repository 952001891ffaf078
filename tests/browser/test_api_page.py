"""The page of the API in a browser: examples are copied, answers are readable."""

import json

import pytest
from playwright.sync_api import Page, expect

# What the clipboard of the page becomes: one that keeps what it is given, one that refuses, or none, as by plain HTTP.
CLIPBOARDS = {
    "kept": "{ writeText: async (text) => { window.kept = text; } }",
    "refused": "{ writeText: async () => { throw new DOMException('no', 'NotAllowedError'); } }",
    "absent": "undefined",
}
COMMANDS_SUCCEED = "document.execCommand = () => { window.kept = String(getSelection()); return true; };"
COMMANDS_FAIL = "document.execCommand = () => false;"


def open_with(page: Page, clipboard: str, commands: str = COMMANDS_SUCCEED) -> None:
    value = CLIPBOARDS[clipboard]
    page.add_init_script(f"Object.defineProperty(navigator, 'clipboard', {{ get: () => ({value}) }}); {commands}")
    page.goto("/api/")


@pytest.mark.parametrize("clipboard", CLIPBOARDS)
def test_the_call_is_copied_as_it_stands_and_that_is_said(page, clipboard):
    open_with(page, clipboard)
    part = page.locator(".first")
    part.get_by_role("button", name="Copy").click()
    expect(page.locator("#announcement")).to_have_text("Copied")
    expect(part.locator(".copy")).to_contain_text("Copied")
    assert page.evaluate("window.kept").strip() == part.locator("code").nth(1).text_content()
    assert page.evaluate("window.kept").count("curl ") == 2
    page.keyboard.press("Tab")
    expect(part.locator(".copy")).to_contain_text("Copy:")


def test_what_cannot_be_copied_is_selected(page):
    open_with(page, "absent", COMMANDS_FAIL)
    part = page.locator(".first")
    part.get_by_role("button", name="Copy").click()
    expect(page.locator("#announcement")).to_contain_text("Not copied")
    assert page.evaluate("String(getSelection())").strip() == part.locator("code").nth(1).text_content()


def test_the_clipboard_of_the_browser_gets_the_call(page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/api/")
    page.locator(".first").get_by_role("button", name="Copy").click()
    expect(page.locator("#announcement")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").startswith("curl ")


def test_every_example_has_a_button_that_copies_it(page):
    open_with(page, "kept")
    for summary in page.locator("article summary").all()[:3]:
        summary.click()
    example = page.locator("#predict_digit .code").nth(1)
    example.get_by_role("button").click()
    expect(page.locator("#announcement")).to_have_text("Copied")
    assert page.evaluate("window.kept") == example.locator("code").text_content()


@pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True, ids=["no-javascript"])
def test_without_javascript_there_is_no_button_to_copy(page):
    page.goto("/api/")
    expect(page.locator(".first code").nth(1)).to_contain_text("curl")
    expect(page.locator(".copy:visible")).to_have_count(0)


def test_answers_to_the_forms_are_indented(page, complaints):
    complaints.expect_status(415, "/api/predict-digit/")
    page.goto("/api/")
    form = page.get_by_role("form", name="Try it: Read a digit")
    form.get_by_label("Picture").set_input_files("static/digits/digit.png")
    form.get_by_role("button", name="Try it").click()
    output = page.locator("#predict_digit output")
    expect(output).to_contain_text('  "prediction": 7,\n')
    assert json.loads(output.text_content()) == json.loads(page.locator(".first .wrapped code").text_content())
    form.get_by_label("Picture").set_input_files("README.md")
    form.get_by_role("button", name="Try it").click()
    expect(output).to_contain_text('  "status": 415,\n')
    metrics = page.get_by_role("form", name="Try it: Count requests and predictions")
    metrics.get_by_role("button", name="Try it").click()
    expect(page.locator("#metrics output")).to_contain_text("# TYPE")
    assert json.loads(output.text_content())["status"] == 415
