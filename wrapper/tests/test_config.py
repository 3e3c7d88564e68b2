"""What a client is told once: policies, key, base URL and timeout, each checked before anything is sent."""

from __future__ import annotations

import math
import pickle
from typing import Any

import attrs
import httpx
import pytest

from deerapi_remix import ConfigurationError, PollingPolicy, RemixClient, RetryPolicy

from .conftest import KEY
from .wire import MODELS, Twin, failure

# Policies


def test_policies_have_the_documented_defaults() -> None:
    assert RetryPolicy() == RetryPolicy(attempts=4, initial_delay=0.5, max_delay=8.0, budget=60.0, resend_paid=True)
    assert PollingPolicy() == PollingPolicy(initial_interval=2.0, max_interval=15.0, timeout=900.0)


@pytest.mark.parametrize("policy", [RetryPolicy(attempts=2), PollingPolicy(timeout=7)], ids=repr)
def test_a_policy_is_a_value(policy: Any) -> None:
    assert pickle.loads(pickle.dumps(policy)) == policy
    assert attrs.evolve(policy) == policy
    assert len({policy, attrs.evolve(policy)}) == 1


# Timeout

EACH = ("connect", "read", "write", "pool")


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        *(({"timeout": seconds}, dict.fromkeys(EACH, seconds)) for seconds in (5, 0.25, 60.0)),
        ({}, dict.fromkeys(EACH, 60.0)),
        ({"timeout": math.inf}, dict.fromkeys(EACH)),
        ({"timeout": httpx.Timeout(5, connect=1)}, {"connect": 1, "read": 5, "write": 5, "pool": 5}),
    ],
)
def test_a_timeout_is_that_of_every_operation_of_the_socket(connect: Twin, options: Any, sent: object) -> None:
    client, wire = connect(MODELS, **options)
    client.models()
    assert wire.requests[0].extensions["timeout"] == sent


# Key


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        *(({"api_key": key}, "sk-abc") for key in ("sk-abc", "  sk-abc\n", "\tsk-abc\r\n", "sk-abc ")),
        *(({"api_key": key}, key) for key in ("sk-!#$%&'()*+,-./:;<=>?@[]^_`{|}~", "x", "bearer", "Bearersk-1")),
        ({}, "sk-env"),
    ],
)
def test_the_key_is_the_argument_else_the_variable_without_white_space_around(
    connect: Twin, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], sent: str
) -> None:
    monkeypatch.setenv("DEERAPI_KEY", " sk-env\n")
    client, wire = connect(MODELS, **options)
    client.models()
    assert wire.requests[0].headers["Authorization"] == f"Bearer {sent}"


@pytest.mark.parametrize("prefix", ["Bearer ", "bearer ", "BEARER "])
def test_a_key_with_the_prefix_of_the_header_is_told_from_other_malformed_keys(connect: Twin, prefix: str) -> None:
    with pytest.raises(ConfigurationError, match='must be given without "Bearer "'):
        connect(api_key=f"{prefix}sk-1")


def test_a_missing_key_is_a_configuration_error_and_a_value_error(
    connect: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert str(failure(ConfigurationError, connect, api_key="")).startswith("There is no API key")
    monkeypatch.delenv("DEERAPI_KEY")
    with pytest.raises(ConfigurationError, match=r"There is no API key\. Set DEERAPI_KEY or pass api_key") as caught:
        connect()
    assert isinstance(caught.value, ValueError)


# Base URL


def sent_url(connect: Twin, **options: Any) -> str:
    client, wire = connect(MODELS, **options)
    client.models()
    return str(wire.requests[0].url)


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("https://api.example", "https://api.example/v1/models"),
        ("https://api.example/", "https://api.example/v1/models"),
        ("https://api.example///", "https://api.example/v1/models"),
        (" https://api.example\n", "https://api.example/v1/models"),
        ("https://api.example:8443", "https://api.example:8443/v1/models"),
        ("https://api.example:443", "https://api.example/v1/models"),
        ("https://api.example:65535", "https://api.example:65535/v1/models"),
        ("https://api.example/gateway", "https://api.example/gateway/v1/models"),
        ("https://api.example/a/b/", "https://api.example/a/b/v1/models"),
        ("HTTPS://API.Example", "https://api.example/v1/models"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443/v1/models"),
        ("https://192.0.2.1", "https://192.0.2.1/v1/models"),
        ("http://localhost", "http://localhost/v1/models"),
        ("http://LOCALHOST:8000", "http://localhost:8000/v1/models"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/v1/models"),
        ("http://127.8.9.10", "http://127.8.9.10/v1/models"),
        ("http://[::1]:8000/x", "http://[::1]:8000/x/v1/models"),
    ],
)
def test_these_base_urls_are_used(connect: Twin, base_url: str, url: str) -> None:
    assert sent_url(connect, base_url=base_url) == url


REFUSED = {
    "empty": "",
    "blank": " ",
    "no scheme": "api.example",
    "scheme only": "https://",
    "no host": "https:///v1",
    "relative": "//api.example",
    "ftp": "ftp://api.example",
    "file": "file:///etc/passwd",
    "http": "http://api.example",
    "http to the default host": "http://api.deerapi.com",
    "http to a private address": "http://192.168.0.1",
    "http to any address": "http://0.0.0.0",
    "http to what looks like localhost": "http://localhost.example",
    "http to what ends in localhost": "http://evil-localhost",
    "http to what looks like loopback": "http://127.0.0.1.example",
    "user": "https://secret@api.example",
    "user and password": "https://user:secret@api.example",
    "empty user info": "https://@api.example",
    "query": "https://api.example?key=secret",
    "empty query": "https://api.example?",
    "fragment": "https://api.example#secret",
    "empty fragment": "https://api.example#",
    "user info behind a backslash": "https://api.example\\@secret.example",
    "port zero": "https://api.example:0",
    "port too high": "https://api.example:65536",
    "port far too high": "https://api.example:99999999",
    "port no number": "https://api.example:secret",
    "two ports": "https://api.example:1:2",
    "newline inside": "https://api.example\n/secret",
    "null inside": "https://api.example\0secret",
    "broken address": "https://[::1",
    "broken international name": "https://xn--",
    "lone surrogate": "https://api.example/\ud800",
}


@pytest.mark.parametrize("case", REFUSED)
def test_these_base_urls_are_refused_without_being_shown(connect: Twin, case: str) -> None:
    with pytest.raises(ConfigurationError, match="base URL") as caught:
        connect(base_url=REFUSED[case])
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("case", sorted(set(REFUSED) - {"empty", "blank", "null inside", "lone surrogate"}))
def test_the_same_base_urls_are_refused_from_the_environment(
    connect: Twin, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    monkeypatch.setenv("DEERAPI_BASE_URL", REFUSED[case])
    with pytest.raises(ConfigurationError, match="base URL") as caught:
        connect()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("value", [7, b"https://api.example", httpx.URL("https://api.example"), ["x"]], ids=repr)
def test_a_base_url_of_another_type_is_refused(connect: Twin, value: Any) -> None:
    with pytest.raises(ConfigurationError, match="must be a string"):
        connect(base_url=value)


def test_the_base_url_comes_from_the_environment(connect: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEERAPI_BASE_URL", " https://env.example/x/ \n")
    assert sent_url(connect) == "https://env.example/x/v1/models"


def test_a_base_url_that_is_passed_goes_before_that_of_the_environment(
    connect: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEERAPI_BASE_URL", "https://env.example")
    assert sent_url(connect, base_url="https://mine.example") == "https://mine.example/v1/models"


@pytest.mark.parametrize("value", ["", "  "])
def test_a_blank_base_url_in_the_environment_is_none(
    connect: Twin, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("DEERAPI_BASE_URL", value)
    assert sent_url(connect) == "https://api.deerapi.com/v1/models"


def test_the_base_url_is_that_of_deerapi_by_default(connect: Twin) -> None:
    assert sent_url(connect) == "https://api.deerapi.com/v1/models"


# Other vendors

OTHERS = ["OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE", "OPENAI_ORG_ID", "RUNWAYML_API_SECRET"]


def test_nothing_of_other_vendors_is_read(connect: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in OTHERS:
        monkeypatch.setenv(name, "https://other.example")
    client, wire = connect(MODELS)
    client.models()
    assert str(wire.requests[0].url) == "https://api.deerapi.com/v1/models"
    assert wire.requests[0].headers["Authorization"] == f"Bearer {KEY}"
    assert all("other.example" not in value for value in wire.requests[0].headers.values())


def test_the_key_of_another_vendor_is_no_key(connect: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEERAPI_KEY")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
    with pytest.raises(ConfigurationError, match="There is no API key"):
        connect()


# Copies


def test_a_copy_differs_only_in_what_is_named(connect: Twin) -> None:
    client, wire = connect(MODELS, timeout=10)
    client.with_options(timeout=3).models()
    client.with_options(retry=RetryPolicy(attempts=1)).models()
    client.models()
    assert [request.extensions["timeout"]["read"] for request in wire.requests] == [3, 10, 10]


def test_a_copy_of_a_copy_keeps_both_changes(connect: Twin) -> None:
    client, wire = connect(MODELS)
    client.with_options(timeout=3).with_options(polling=PollingPolicy(timeout=1)).models()
    assert wire.requests[0].extensions["timeout"]["read"] == 3


@pytest.mark.parametrize("url", ["https://a b.example", "http://127.0.0.1:1/ x"])
def test_a_base_url_with_blanks_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="blanks"):
        RemixClient("sk-key", base_url=url)
