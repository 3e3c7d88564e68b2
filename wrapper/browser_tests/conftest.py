"""A real browser in front of a real mock. Without a browser these tests fail; they are never skipped."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

# It asks nobody for anything, and reaches nothing but this machine, which a stranger's name leads to as well.
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Other browsers let a page from elsewhere ask this machine, so the mock must defend itself.
    "--disable-features=LocalNetworkAccessChecks",
    "--host-resolver-rules=MAP evil.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]

expect.set_options(timeout=15_000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = [path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))]
    if not found:
        pytest.fail("These tests need Chromium. On Debian or Ubuntu: apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found[0], args=_ARGUMENTS)
        yield browser
        browser.close()


Mock = Callable[..., str]


@pytest.fixture
def mock() -> Iterator[Mock]:
    """Starts `deerapi-remix mock` with more arguments, and gives its address."""
    with ExitStack() as stack:

        def start(*arguments: str) -> str:
            program = [sys.executable, "-c", "from deerapi_remix.cli import main; main()", "mock", "--port", "0"]
            server = stack.enter_context(
                subprocess.Popen([*program, "--quiet", *arguments], stdout=subprocess.PIPE, text=True)
            )
            stack.callback(server.terminate)
            assert server.stdout is not None
            return server.stdout.readline().strip()

        yield start


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Opens the playground; in the end nothing was asked of anybody else, and the browser had no complaint."""
    complaints: list[str] = []
    with ExitStack() as stack:

        def open_page(url: str, width: int = 1280, height: int = 900, *, dark: bool = False) -> Page:
            def asked(request: Request) -> None:
                if not request.url.startswith((f"{url}/", f"blob:{url}/", "data:")):
                    complaints.append(f"asked for {request.url}")

            def said(message: ConsoleMessage) -> None:
                # The status of an answer that a test is about, as the browser notes it.
                if "Failed to load resource: the server responded with" not in message.text:
                    complaints.append(f"console: {message.type}: {message.text}")

            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
            )
            stack.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(15_000)
            page.on("request", asked)
            page.on("console", said)
            page.on("pageerror", lambda error: complaints.append(f"uncaught: {error}"))
            page.add_init_script(
                "addEventListener('securitypolicyviolation', (e) => console.error('CSP: ' + e.violatedDirective))"
            )
            page.goto(url)
            return page

        yield open_page
    assert complaints == []
