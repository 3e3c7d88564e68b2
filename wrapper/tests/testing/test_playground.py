"""The files of the playground; what a person does with them is tested in a browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from deerapi_remix.testing import FakeDeerAPI, playground
from deerapi_remix.testing._document import document

from ..fresh import loaded_by
from .conftest import mock_process, served

FILES = {
    "/_mock/playground.css": "text/css; charset=utf-8",
    "/_mock/playground.js": "text/javascript; charset=utf-8",
    "/_mock/swagger-ui.css": "text/css; charset=utf-8",
    "/_mock/swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "/_mock/favicon-32x32.png": "image/png",
}


@pytest.fixture
async def http(fake: FakeDeerAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with served(fake) as http:
        yield http


@pytest.mark.parametrize(("path", "media_type"), FILES.items())
async def test_each_file_is_served_with_its_type(http: httpx.AsyncClient, path: str, media_type: str) -> None:
    answer = await http.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
    assert len(answer.content) > 500


async def test_the_page_needs_these_files_and_no_other(http: httpx.AsyncClient) -> None:
    page = await http.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert set(re.findall(r'(?:src|href)="(/[^"]*)"', page.text)) == set(FILES)
    assert "//" not in page.text


async def test_the_page_may_load_nothing_from_elsewhere_and_run_nothing_inline(http: httpx.AsyncClient) -> None:
    page = await http.get("/")
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; ")
    assert not re.search(r"unsafe|http|\*", policy)
    assert not re.search(r"<style|style=|<script>| on[a-z]+=", page.text)


async def test_the_document_is_the_contract_with_the_mock_as_its_server(http: httpx.AsyncClient) -> None:
    shown = (await http.get("/_mock/openapi.json")).json()
    assert shown.pop("servers") == [{"url": "/", "description": "This mock"}]
    rest = {name: value for name, value in document().items() if name != "servers"}
    same = shown == rest
    assert same


@pytest.mark.parametrize("path", ["/_mock/__init__.py", "/_mock/..%2ffake.py", "/_mock/index.html", "/_mock/"])
async def test_no_other_file_is_served(http: httpx.AsyncClient, path: str) -> None:
    assert (await http.get(path)).status_code == 404


async def test_looking_at_the_playground_leaves_no_trace_in_the_fake(
    http: httpx.AsyncClient, fake: FakeDeerAPI
) -> None:
    for path in ("/", "/_mock/state", "/_mock/openapi.json", *FILES):
        await http.get(path)
    assert fake.requests == ()


def test_the_log_holds_the_page_and_the_api_but_not_what_the_page_asks_for() -> None:
    with mock_process() as (http, server):
        assert server.stderr is not None
        for path in ("/", "/_mock/state", "/v1/models"):
            http.get(path)
        server.terminate()
        log = server.stderr.read()
    assert re.findall(r'"GET (\S+) HTTP/1.1" ([0-9]+)', log) == [("/", "200"), ("/v1/models", "200")]


def test_its_package_need_not_be_imported_but_must_be_there() -> None:
    assert not loaded_by("import deerapi_remix.testing.asgi") & {"flask_swagger_ui", "flask"}


def test_its_package_is_missed_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playground, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError) as raised:
        playground._swagger_ui()
    assert raised.value.name == "flask_swagger_ui"


def test_our_own_files_stay_small() -> None:
    folder = Path(playground.__file__).parent
    assert sum((folder / name).stat().st_size for name in ("index.html", "playground.css", "playground.js")) < 13_000
