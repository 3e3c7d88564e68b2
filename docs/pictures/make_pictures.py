"""Makes pictures: `cli.svg` and `playground.png` of real runs against the mock for the README, `card.png` for the site.

Run it with the development tools on PATH; it needs Chromium.
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import Page, sync_playwright
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

COLUMNS = 92
COMMANDS = (
    "deerapi-remix models",
    'deerapi-remix remix video_123 --prompt "The cat takes a bow" --output bow.mp4',
    "deerapi-remix doctor",
)
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# What is shown where somebody posts a link to the site, in the size that is usual for it.
CARD_WIDTH, CARD_HEIGHT = 1200, 630
CARD = """
<body style="margin: 0; box-sizing: border-box; width: 100vw; height: 100vh; padding: 80px;
  background: #1c2022; color: #e4e6e6; font-family: sans-serif">
  <h1 style="margin: 0; font: bold 84px monospace">deerapi-remix</h1>
  <p style="margin: 32px 0 56px; font-size: 40px; line-height: 1.4">Remix Sora videos through DeerAPI from Python:<br>
    <span style="color: #6cc983">no paid job is lost, and none is paid for twice.</span></p>
  <pre style="margin: 0; font: 28px/1.5 monospace; color: #a3abb3"
>with RemixClient() as client:
    video = client.remix("video_123", prompt="A bow")
    video = client.wait(video)
    client.download(video, "bow.mp4")</pre>
"""


@contextmanager
def mock(*arguments: str) -> Iterator[str]:
    command = ["deerapi-remix", "mock", "--port", "0", "--quiet", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603  # Our own command.
        try:
            yield server.stdout.readline().strip() if server.stdout else ""
        finally:
            server.terminate()


def typed(command: str, folder: str, base_url: str) -> str:
    """What a terminal receives from a command."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    terminal = {"DEERAPI_BASE_URL": base_url, "DEERAPI_KEY": "any", "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    with subprocess.Popen(  # noqa: S602  # The commands above, as a shell reads them.
        command, shell=True, cwd=folder, env=os.environ | terminal, stdin=its, stdout=its, stderr=its
    ) as process:
        os.close(its)
        received = b""
        try:
            while chunk := os.read(ours, 65_536):
                received += chunk
        except OSError:
            pass  # So Linux says that nobody is at the other end any more.
    os.close(ours)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return received.decode()


def shown(received: str) -> str:
    """What is left to be seen: lines are cleared and gone back to, but only ever written from their start."""
    lines = [""]
    row = 0
    for part in re.split(r"(\n|\x1b\[2K|\x1b\[\d*A)", re.sub(r"\r|\x1b\[\?25[lh]", "", received)):
        if part == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif part == "\x1b[2K":
            lines[row] = ""
        elif part.startswith("\x1b[") and part.endswith("A"):
            row -= int(part[2:-1] or 1)
        else:
            lines[row] += part
    return "\n".join(lines).rstrip()


def picture_of_the_cli(path: Path) -> None:
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    with mock("--render-seconds", "4") as base_url, tempfile.TemporaryDirectory() as folder:
        for command in COMMANDS:
            console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
            console.print(Text.from_ansi(shown(typed(command, folder, base_url))))
            console.print()
    # Without the fonts that rich would have a reader fetch.
    form = re.sub(r"@font-face \{\{.*?\}\}\s*|<!--.*?-->\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    path.write_text(console.export_svg(title="deerapi-remix", code_format=form, unique_id="cli"), encoding="utf-8")


@contextmanager
def opened_page(width: int, height: int) -> Iterator[Page]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        yield browser.new_page(viewport={"width": width, "height": height})
        browser.close()


def picture_of_the_playground(path: Path) -> None:
    with mock("--render-seconds", "6") as base_url, opened_page(1160, 690) as page:
        page.goto(base_url)
        page.get_by_text("Remix a completed video").click()
        page.get_by_role("button", name="Execute").click()
        play = page.get_by_role("button", name=re.compile("^Play video_[0-9a-f]{32}"))
        play.click()
        httpx.post(
            f"{base_url}/v1/videos/video_123/remix",
            json={"prompt": "The audience throws flowers", "model": "sora-2-pro"},
            headers={"Authorization": "Bearer any"},
            trust_env=False,
        )
        page.get_by_text("in progress").wait_for()
        page.wait_for_timeout(2_000)
        page.locator("video").evaluate(
            "video => new Promise((done) => { video.onseeked = () => done(); video.currentTime = 0.4; })"
        )
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=path)


def picture_of_the_card(path: Path) -> None:
    with opened_page(CARD_WIDTH, CARD_HEIGHT) as page:
        page.set_content(CARD)
        page.screenshot(path=path)


if __name__ == "__main__":
    here = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    picture_of_the_cli(here / "cli.svg")
    picture_of_the_playground(here / "playground.png")
    picture_of_the_card(here / "card.png")
