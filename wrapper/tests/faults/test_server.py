from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import trustme

from deerapi_remix import APIConnectionError, RemixClient, RetryPolicy
from deerapi_remix.testing import FakeDeerAPI

from .server import FaultServer, Peer, fault_server, message
from .steps import reset_unread


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with fault_server(FakeDeerAPI(render_seconds=0)) as server:
        yield server


def test_without_a_script_a_whole_job_is_done(server: FaultServer, tmp_path: Path) -> None:
    with RemixClient(base_url=server.url) as client:
        client.remix_to_file("video_123", tmp_path / "bow.mp4", prompt="The cat takes a bow")

    assert server.posts == 1
    assert [head.split(" ")[0] for head in server.heads] == ["POST", "GET"]
    assert len(server.peers) == 1


def test_each_request_gets_the_next_step(server: FaultServer) -> None:
    server.script(Peer.answer, lambda peer: peer.send(message(404, {"error": {"message": "gone"}})), Peer.close)
    with httpx.Client(base_url=server.url, headers={"Authorization": "Bearer any-key"}) as client:
        assert client.get("/v1/models").status_code == 200
        assert client.get("/v1/models").status_code == 404
        with pytest.raises(httpx.RemoteProtocolError):
            client.get("/v1/models")


def test_a_step_can_act_before_the_request_is_read(server: FaultServer) -> None:
    server.script(reset_unread)
    with (
        RemixClient(base_url=server.url, retry=RetryPolicy(attempts=1)) as client,
        pytest.raises(APIConnectionError) as caught,
    ):
        client.remix("video_123", prompt="The cat takes a bow")

    assert caught.value.may_have_been_charged


def test_it_speaks_tls() -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with fault_server(FakeDeerAPI(), tls=context) as server, httpx.Client(verify=trusting) as http:
        assert RemixClient(base_url=server.url, http_client=http).models()[0].id == "sora-2"
        with pytest.raises(APIConnectionError):
            RemixClient(base_url=server.url).models()
        assert len(server.heads) == 1
