"""Where the key comes from."""

from __future__ import annotations

import getpass

import pytest
import respx

from .shell import Cli, Terminal


def test_a_missing_key_is_asked_for_on_a_terminal(
    call: Cli, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEERAPI_KEY", " ")
    monkeypatch.setattr(getpass, "getpass", lambda prompt: "sk-typed")
    with respx.mock:
        route = respx.get("https://api.deerapi.com/v1/models").respond(json={"object": "list", "data": []})
        assert call("models", terminal=terminal).code == 0
    assert route.calls.last.request.headers["Authorization"] == "Bearer sk-typed"


@pytest.mark.parametrize(
    ("ended_by", "code", "complaint"),
    [(EOFError, 3, "There is no API key. Set DEERAPI_KEY."), (KeyboardInterrupt, 130, "Interrupted.")],
)
def test_who_types_no_key_gets_no_further(
    call: Cli,
    monkeypatch: pytest.MonkeyPatch,
    terminal: Terminal,
    ended_by: type[BaseException],
    code: int,
    complaint: str,
) -> None:
    def refuse(prompt: str) -> str:
        raise ended_by

    monkeypatch.setenv("DEERAPI_KEY", "")
    monkeypatch.setattr(getpass, "getpass", refuse)
    assert call("models", terminal=terminal).code == code
    assert terminal.shown == f"\nError: {complaint}\n"  # The prompt is on a line of its own.
