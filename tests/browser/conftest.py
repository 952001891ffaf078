"""Real browsers in front of the site as production runs it; tests here talk to nothing else."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

NO_CHROMIUM = (
    "No Chromium found. Debian: apt-get install chromium-headless-shell; "
    "elsewhere: .venv/bin/python -m playwright install chromium"
)
NO_FIREFOX = "No Firefox found. Debian: apt-get install firefox-esr"
# How the network speaks of a request that the page itself withdraws, as for a newer drawing.
WITHDRAWN = ("net::ERR_ABORTED", "NS_BINDING_ABORTED")
REPORT_POLICY_VIOLATIONS = """
    document.addEventListener("securitypolicyviolation", (violation) => {
        console.error(`Content Security Policy: ${violation.violatedDirective} ${violation.blockedURI}`);
    });
"""


HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.slow)


class Complaints:
    """What the browser complains of during one test; what a test provokes, it names beforehand."""

    def __init__(self) -> None:
        self._made: list[str] = []
        self._expected: list[str] = []

    def watch(self, page: Page) -> None:
        page.add_init_script(REPORT_POLICY_VIOLATIONS)
        page.on("console", self._note_message)
        page.on("pageerror", lambda error: self._note(f"uncaught: {error}"))
        page.on("requestfailed", self._note_failed_request)

    def expect_status(self, status: int, path: str) -> None:
        self._expected.append(f"{path}: Failed to load resource: the server responded with a status of {status} ")

    def expect_no_answer(self, path: str) -> None:
        """The three voices of a request aborted as "connectionrefused": network, console, htmx, which has two words."""
        refused = "net::ERR_CONNECTION_REFUSED"
        self._expected += [f"{path}: {refused}", f"{path}: Failed to load resource: {refused}"]
        self._expected += ["htmx:afterRequest", "htmx:sendError"]

    def expect_timeout(self) -> None:
        self._expected += ["htmx:afterRequest", "htmx:timeout"]

    def check(self) -> None:
        """Nothing was complained of but what was expected, and all of that was."""
        unexpected = [made for made in self._made if not made.startswith(tuple(self._expected))]
        missing = [expected for expected in self._expected if not any(made.startswith(expected) for made in self._made)]
        assert (unexpected, missing) == ([], [])

    def _note_message(self, message: ConsoleMessage) -> None:
        # What the browser says itself is about the address; what a script says is about anything.
        is_about_address = message.text.startswith("Failed to load resource")
        self._note(message.text, about=message.location["url"] if is_about_address else "")

    def _note_failed_request(self, request: Request) -> None:
        self._note(request.failure, about=request.url)

    def _note(self, complaint: str, about: str = "") -> None:
        if not complaint.startswith(WITHDRAWN):
            self._made.append(f"{urlsplit(about).path}: {complaint}" if about else complaint)


def do_without(reason: str) -> NoReturn:
    if os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium: the distribution's own, or the one that Playwright installed.

    The one without windows comes first, because the same tests take half the processor time in it.
    """
    for name in ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    if Path(path).exists():
        return path
    do_without(NO_CHROMIUM)


@pytest.fixture(scope="session")
def firefox() -> str:
    """The path of a Firefox as people have it; the one that Playwright would install is another."""
    for name in ("firefox-esr", "firefox"):
        if path := shutil.which(name):
            return path
    do_without(NO_FIREFOX)


# For one module at a time: Playwright leaves an asyncio loop running in this thread, beside which Django refuses
# some of its synchronous work, and tests of other modules may run between those of this folder.
@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, chromium_sandbox=not is_root)
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> Complaints:
    return Complaints()


@pytest.fixture
def page(
    request: pytest.FixtureRequest, browser: Browser, server: str, server_log: Path, complaints: Complaints
) -> Iterator[Page]:
    """A page of a fresh browser context, to whose options tests add by parametrizing `page` indirectly."""
    expect.set_options(timeout=15_000)  # a busy machine is slow, not wrong
    log_start = server_log.stat().st_size
    with browser.new_context(**{"base_url": server} | getattr(request, "param", {})) as context:
        page = context.new_page()
        complaints.watch(page)
        yield page
    print(server_log.read_text()[log_start:], end="")  # pytest shows it where a test failed
    complaints.check()
