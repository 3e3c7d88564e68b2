"""The fixture beside what other tests bring along, as documented."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import freezegun
import httpx
import httpx2
import pytest
import respx
import vcr  # type: ignore[import-untyped]
from pyfakefs.fake_filesystem import FakeFilesystem
from pytest_httpx import HTTPXMock
from vcr.record_mode import RecordMode  # type: ignore[import-untyped]

from deerapi_remix import RemixClient
from deerapi_remix.testing import DeerAPIMock, NetworkBlockedError

from .conftest import KEY, PROMPT, REMIX, SOURCE

HOOK = "https://hooks.example/done"
NOT_OURS = pytest.mark.httpx_mock(should_mock=lambda request: request.url.host != "api.deerapi.com")


def remix_and_tell(folder: Path) -> int:
    """What a service does: it makes a video, and tells another service of it."""
    with RemixClient() as client:
        path = client.remix_to_file(SOURCE, folder / "bow.mp4", prompt=PROMPT)
    httpx.post(HOOK, json={"size": path.stat().st_size}).raise_for_status()
    return path.stat().st_size


@NOT_OURS
def test_beside_httpx_mock(deerapi_mock: DeerAPIMock, httpx_mock: HTTPXMock, tmp_path: Path) -> None:
    httpx_mock.add_response(url=HOOK)
    assert remix_and_tell(tmp_path) > 0
    assert [request.url.host for request in httpx_mock.get_requests()] == ["hooks.example"]


def test_beside_respx(deerapi_mock: DeerAPIMock, tmp_path: Path) -> None:
    with respx.mock as router:
        router.route(host="api.deerapi.com").pass_through()
        hook = router.post(HOOK).respond(204)
        assert remix_and_tell(tmp_path) > 0
    assert hook.call_count == 1


def test_beside_the_fixture_of_respx(deerapi_mock: DeerAPIMock, respx_mock: respx.MockRouter, tmp_path: Path) -> None:
    respx_mock.route(host="api.deerapi.com").pass_through()
    respx_mock.post(HOOK).respond(204)
    assert remix_and_tell(tmp_path) > 0


def test_beside_a_cassette(deerapi_mock: DeerAPIMock, tmp_path: Path) -> None:
    cassette = tmp_path / "hook.yaml"
    cassette.write_text(
        "version: 1\ninteractions:\n- request: {method: POST, uri: '" + HOOK + "', body: '', headers: {}}\n"
        "  response: {status: {code: 204, message: No Content}, headers: {}, body: {string: ''}}\n"
    )
    with vcr.VCR(record_mode=RecordMode.NONE, ignore_hosts=["api.deerapi.com"]).use_cassette(str(cassette)):
        assert remix_and_tell(tmp_path) > 0


@pytest.mark.parametrize("fixtures", [("deerapi_mock", "fs"), ("fs", "deerapi_mock")])
def test_in_a_fake_file_system(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, fixtures: tuple[str, str]
) -> None:
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)  # A folder that would have to be faked, too.
    given = {name: request.getfixturevalue(name) for name in fixtures}
    folder = Path("/nowhere/on/the/real/disk")
    fs: FakeFilesystem = given["fs"]
    fs.create_dir(folder)
    with RemixClient() as client:
        path = client.remix_to_file(SOURCE, folder / "bow.mp4", prompt=PROMPT)
        client.download(SOURCE, folder / "thumbnail.webp", variant="thumbnail")
    assert path.read_bytes()[4:8] == b"ftyp"


@pytest.mark.parametrize("frozen_first", [True, False])
def test_while_time_is_frozen(request: pytest.FixtureRequest, frozen_first: bool, tmp_path: Path) -> None:
    freezer = freezegun.freeze_time("2026-01-01")
    if frozen_first:
        freezer.start()
    try:
        deerapi = request.getfixturevalue("deerapi_mock")
        if not frozen_first:
            freezer.start()
        began = deerapi.clock.elapsed
        with RemixClient() as client:
            client.remix_to_file(SOURCE, tmp_path / "bow.mp4", prompt=PROMPT)
        assert deerapi.clock.elapsed - began >= 600
        assert dt.datetime.now().year == 2026
    finally:
        freezer.stop()


def test_a_client_of_httpx2_is_answered(deerapi_mock: DeerAPIMock) -> None:
    deerapi_mock.answer_lost()
    deerapi_mock.truncated()
    with httpx2.Client(headers=KEY, base_url="https://api.deerapi.com") as http:
        with pytest.raises(httpx2.ReadTimeout):
            http.post(REMIX, json={"prompt": PROMPT})
        with pytest.raises(httpx2.RemoteProtocolError):
            http.get(f"/v1/videos/{SOURCE}/content")
        assert http.get("/v1/models").json()["object"] == "list"
        with pytest.raises(NetworkBlockedError):
            http.get(HOOK)
    assert [request.status for request in deerapi_mock.requests] == [None, 200, 200]


async def test_an_async_client_of_httpx2_is_answered(deerapi_mock: DeerAPIMock) -> None:
    async with httpx2.AsyncClient(headers=KEY, base_url="https://api.deerapi.com") as http:
        assert (await http.get("/v1/models")).json()["object"] == "list"


def test_a_hook_that_nobody_mocks_is_told(deerapi_mock: DeerAPIMock, tmp_path: Path) -> None:
    with pytest.raises(NetworkBlockedError, match=f"^POST {HOOK} was not sent"):
        remix_and_tell(tmp_path)
