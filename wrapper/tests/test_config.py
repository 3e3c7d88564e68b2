"""What a client is told once: policies, key, base URL and timeout, each checked before anything is sent."""

from __future__ import annotations

import math
import pickle
from typing import Any, cast

import attrs
import httpx
import pytest

from deerapi_remix import ConfigurationError, PollingPolicy, RemixClient, RetryPolicy

from .conftest import KEY
from .wire import Answer, Twin

MODELS = Answer(200, {"object": "list", "data": []})

# Policies


def test_the_defaults_of_a_retry_policy() -> None:
    policy = RetryPolicy()
    assert attrs.asdict(policy) == {
        "attempts": 4,
        "initial_delay": 0.5,
        "max_delay": 8.0,
        "budget": 60.0,
        "resend_paid": True,
    }


def test_the_defaults_of_a_polling_policy() -> None:
    policy = PollingPolicy()
    assert attrs.asdict(policy) == {"initial_interval": 2.0, "max_interval": 15.0, "timeout": 900.0}


@pytest.mark.parametrize("policy", [RetryPolicy(), PollingPolicy()], ids=repr)
def test_a_policy_is_frozen(policy: Any) -> None:
    for name in attrs.asdict(policy):
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(policy, name, 1)


@pytest.mark.parametrize("policy", [RetryPolicy(attempts=2), PollingPolicy(timeout=7)], ids=repr)
def test_a_policy_is_a_value(policy: Any) -> None:
    assert pickle.loads(pickle.dumps(policy)) == policy
    assert attrs.evolve(policy) == policy
    assert len({policy, attrs.evolve(policy)}) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"attempts": 0},
        {"attempts": -1},
        {"initial_delay": -0.1},
        {"initial_delay": math.nan},
        {"initial_delay": math.inf},
        {"max_delay": -1},
        {"max_delay": math.nan},
        {"max_delay": math.inf},
        {"budget": -1},
        {"budget": math.nan},
    ],
    ids=str,
)
def test_a_retry_policy_refuses_these_values(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        RetryPolicy(**options)


@pytest.mark.parametrize(
    "options",
    [
        {"attempts": 2.0},
        {"attempts": True},
        {"attempts": "4"},
        {"attempts": None},
        {"initial_delay": "1"},
        {"initial_delay": None},
        {"max_delay": True},
        {"budget": "60"},
        {"budget": None},
        {"resend_paid": 1},
        {"resend_paid": None},
        {"resend_paid": "no"},
    ],
    ids=str,
)
def test_a_retry_policy_refuses_these_types(options: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        RetryPolicy(**options)


@pytest.mark.parametrize(
    "options", [{"attempts": 1}, {"initial_delay": 0}, {"max_delay": 0}, {"budget": 0}, {"budget": math.inf}], ids=str
)
def test_a_retry_policy_takes_these_values(options: dict[str, Any]) -> None:
    assert attrs.asdict(RetryPolicy(**options)) | options == attrs.asdict(RetryPolicy(**options))


@pytest.mark.parametrize(
    "options",
    [
        {"initial_interval": 0},
        {"initial_interval": -1},
        {"initial_interval": math.nan},
        {"initial_interval": math.inf, "max_interval": math.inf},
        {"initial_interval": 15.1},
        {"max_interval": 1.9},
        {"max_interval": math.inf},
        {"max_interval": math.nan},
        {"timeout": -1},
        {"timeout": math.nan},
    ],
    ids=str,
)
def test_a_polling_policy_refuses_these_values(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        PollingPolicy(**options)


@pytest.mark.parametrize(
    "options",
    [{"initial_interval": "2"}, {"initial_interval": True}, {"max_interval": None}, {"timeout": "900"}],
    ids=str,
)
def test_a_polling_policy_refuses_these_types(options: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        PollingPolicy(**options)


@pytest.mark.parametrize(
    "options", [{"timeout": 0}, {"timeout": math.inf}, {"initial_interval": 15}, {"max_interval": 2}], ids=str
)
def test_a_polling_policy_takes_these_values(options: dict[str, Any]) -> None:
    assert attrs.asdict(PollingPolicy(**options)) | options == attrs.asdict(PollingPolicy(**options))


@pytest.mark.parametrize("name", ["retry", "polling"])
@pytest.mark.parametrize("value", [5, "often", {}, RetryPolicy, object()], ids=repr)
def test_a_client_refuses_what_is_no_policy(connect: Twin, name: str, value: Any) -> None:
    with pytest.raises(TypeError, match=f"{name} must be a"):
        connect(**{name: value})


def test_the_policies_are_not_taken_for_each_other(connect: Twin) -> None:
    with pytest.raises(TypeError, match="retry must be a RetryPolicy, not PollingPolicy"):
        connect(retry=PollingPolicy())
    with pytest.raises(TypeError, match="polling must be a PollingPolicy, not RetryPolicy"):
        connect(polling=RetryPolicy())


@pytest.mark.parametrize("value", [0, 1, None, "yes"])
def test_strict_is_a_bool(connect: Twin, value: Any) -> None:
    with pytest.raises(TypeError, match="strict must be a bool"):
        connect(strict=value)


# Timeout


def sent_timeout(connect: Twin, timeout: Any) -> Any:
    client, wire = connect(MODELS, timeout=timeout)
    client.models()
    return wire.requests[0].extensions["timeout"]


@pytest.mark.parametrize("timeout", [5, 0.25, 60.0])
def test_a_timeout_is_that_of_every_operation_of_the_socket(connect: Twin, timeout: float) -> None:
    assert sent_timeout(connect, timeout) == dict.fromkeys(("connect", "read", "write", "pool"), timeout)


def test_the_timeout_is_60_seconds_by_default(connect: Twin) -> None:
    client, wire = connect(MODELS)
    client.models()
    assert wire.requests[0].extensions["timeout"]["read"] == 60.0


def test_an_infinite_timeout_is_none(connect: Twin) -> None:
    assert sent_timeout(connect, math.inf)["read"] is None


def test_a_timeout_may_be_given_for_each_operation(connect: Twin) -> None:
    assert sent_timeout(connect, httpx.Timeout(5, connect=1)) == {"connect": 1, "read": 5, "write": 5, "pool": 5}


@pytest.mark.parametrize("timeout", [0, -1, math.nan, -math.inf])
def test_an_unusable_timeout_is_a_value_error(connect: Twin, timeout: float) -> None:
    with pytest.raises(ValueError, match="timeout must"):
        connect(timeout=timeout)


@pytest.mark.parametrize("timeout", ["60", True, (1, 2, 3, 4), None])
def test_a_timeout_of_another_type_is_a_type_error(connect: Twin, timeout: Any) -> None:
    with pytest.raises(TypeError, match="timeout must"):
        connect(timeout=timeout)


# Key


def sent_key(connect: Twin, *args: Any) -> str:
    client, wire = connect(MODELS, **dict(zip(["api_key"], args, strict=False)))
    client.models()
    return str(wire.requests[0].headers["Authorization"])


@pytest.mark.parametrize("key", ["sk-abc", "  sk-abc\n", "\tsk-abc\r\n", "sk-abc "])
def test_white_space_around_a_key_is_stripped(connect: Twin, key: str) -> None:
    assert sent_key(connect, key) == "Bearer sk-abc"


def test_white_space_around_the_key_of_the_environment_is_stripped(
    connect: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEERAPI_KEY", " sk-env\n")
    assert sent_key(connect) == "Bearer sk-env"


def test_a_key_that_is_passed_goes_before_that_of_the_environment(connect: Twin) -> None:
    assert sent_key(connect, "sk-mine") == "Bearer sk-mine"


@pytest.mark.parametrize("key", ["sk-!#$%&'()*+,-./:;<=>?@[]^_`{|}~", "x", "bearer", "Bearersk-1"])
def test_any_visible_ascii_makes_a_key(connect: Twin, key: str) -> None:
    assert sent_key(connect, key) == f"Bearer {key}"


MALFORMED = {
    "empty": "",
    "blank": "   ",
    "newline": "\n",
    "prefix": "Bearer sk-secret-part",
    "prefix in lower case": "bearer sk-secret-part",
    "prefix and tab": "Bearer\tsk-secret-part",
    "space inside": "sk-secret part",
    "newline inside": "sk-secret\npart",
    "header smuggled in": "sk-secret\r\nX-Evil: 1",
    "null": "sk-secret\0part",
    "delete": "sk-secret\x7fpart",
    "escape": "sk-secret\x1b[0m",
    "not ascii": "sk-secret-pärt",
    "typographic": "sk\u2013secret-part",
    "zero width": "sk-secret\u200bpart",
    "no-break space inside": "sk-secret\u00a0part",
    "emoji": "sk-secret🐈",
    "lone surrogate": "sk-secret\ud800",
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_key_is_refused_when_the_client_is_made(connect: Twin, case: str) -> None:
    with pytest.raises(ConfigurationError, match=r"key|Bearer") as caught:
        connect(api_key=MALFORMED[case])
    assert "secret" not in str(caught.value)
    assert "DEERAPI_KEY" in str(caught.value)


@pytest.mark.parametrize("prefix", ["Bearer ", "bearer ", "BEARER "])
def test_a_key_with_the_prefix_of_the_header_is_told_from_other_malformed_keys(connect: Twin, prefix: str) -> None:
    with pytest.raises(ConfigurationError, match='must be given without "Bearer "'):
        connect(api_key=f"{prefix}sk-1")


@pytest.mark.parametrize("case", sorted(set(MALFORMED) - {"null", "lone surrogate"}))
def test_a_malformed_key_of_the_environment_is_refused(
    connect: Twin, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    monkeypatch.setenv("DEERAPI_KEY", MALFORMED[case])
    with pytest.raises(ConfigurationError) as caught:
        connect()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_key_of_a_function_is_refused_before_anything_is_sent(connect: Twin, case: str) -> None:
    client, wire = connect(MODELS, api_key=lambda: MALFORMED[case])
    with pytest.raises(ConfigurationError) as caught:
        client.models()
    assert "secret" not in str(caught.value)
    assert wire.requests == []


@pytest.mark.parametrize("key", [7, b"sk-secret", ["sk-secret"], True, 1.5], ids=repr)
def test_a_key_of_another_type_is_refused(connect: Twin, key: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"must be a string, not {type(key).__name__}") as caught:
        connect(api_key=key)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("key", [None, 7, b"sk-secret"], ids=repr)
def test_a_function_that_gives_no_string_is_refused_before_anything_is_sent(connect: Twin, key: Any) -> None:
    client, wire = connect(MODELS, api_key=lambda: key)
    with pytest.raises(ConfigurationError, match="must be a string"):
        client.models()
    assert wire.requests == []


def test_a_missing_key_is_a_configuration_error_and_a_value_error(
    connect: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DEERAPI_KEY")
    with pytest.raises(ConfigurationError, match=r"There is no API key\. Set DEERAPI_KEY or pass api_key"):
        connect()
    with pytest.raises(ValueError):
        connect()


def test_an_empty_key_is_not_replaced_by_that_of_the_environment(connect: Twin) -> None:
    with pytest.raises(ConfigurationError, match="There is no API key"):
        connect(api_key="")


def test_a_function_is_asked_for_the_key_before_every_request(connect: Twin) -> None:
    keys = iter(["sk-1", "sk-2", "sk-3"])
    client, wire = connect(Answer(500), MODELS, api_key=lambda: next(keys), retry=RetryPolicy(initial_delay=0))
    client.models()
    client.models()
    assert [request.headers["Authorization"] for request in wire.requests] == [
        "Bearer sk-1",
        "Bearer sk-2",
        "Bearer sk-3",
    ]


def test_a_function_is_not_asked_for_the_key_when_the_client_is_made(connect: Twin) -> None:
    asked: list[int] = []

    def ask() -> str:
        asked.append(1)
        return "sk-1"

    connect(api_key=ask)
    assert asked == []


@pytest.mark.parametrize("error", [RuntimeError("vault is sealed"), KeyboardInterrupt()], ids=repr)
def test_what_the_function_for_the_key_raises_passes_unchanged(connect: Twin, error: BaseException) -> None:
    def ask() -> str:
        raise error

    client, wire = connect(MODELS, api_key=ask)
    with pytest.raises(type(error)) as caught:
        client.remix("video_1", prompt="Bow")
    assert caught.value is error
    assert wire.requests == []


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


def test_a_copy_retries_by_its_own_policy(connect: Twin) -> None:
    client, wire = connect(Answer(500), retry=RetryPolicy(attempts=3, initial_delay=0))
    for made, count in ((client.with_options(retry=RetryPolicy(attempts=1)), 1), (client, 3)):
        wire.requests.clear()
        with pytest.raises(Exception, match="500"):
            made.models()
        assert len(wire.requests) == count


BAD_OPTIONS: list[tuple[dict[str, Any], type[Exception]]] = [
    ({"timeout": 0}, ValueError),
    ({"timeout": "3"}, TypeError),
    ({"retry": 3}, TypeError),
    ({"polling": RetryPolicy()}, TypeError),
]


@pytest.mark.parametrize(("options", "error"), BAD_OPTIONS, ids=str)
def test_a_copy_refuses_what_a_client_refuses(connect: Twin, options: dict[str, Any], error: type[Exception]) -> None:
    client, _ = connect(MODELS)
    with pytest.raises(error):
        client.with_options(**options)


def test_a_copy_of_a_copy_keeps_both_changes(connect: Twin) -> None:
    client, wire = connect(MODELS)
    client.with_options(timeout=3).with_options(polling=PollingPolicy(timeout=1)).models()
    assert wire.requests[0].extensions["timeout"]["read"] == 3


def test_a_key_function_must_be_plain() -> None:
    async def key() -> str:
        return "sk"

    with pytest.raises(TypeError, match="api_key must be a plain function"):
        RemixClient(cast(Any, key))


@pytest.mark.parametrize("url", ["https://a b.example", "http://127.0.0.1:1/ x"])
def test_a_base_url_with_blanks_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="blanks"):
        RemixClient("sk-key", base_url=url)
