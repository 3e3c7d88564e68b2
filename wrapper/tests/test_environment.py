"""What the environment says of proxies and certificates."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import httpx
import pytest

from deerapi_remix import ConfigurationError, RemixClient
from deerapi_remix._environment import proxies, proxy_problem

PROXY = "http://proxy.example:3128"
HOST = "api.deerapi.com"


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.lower().endswith("_proxy") or name.startswith("SSL_CERT_") or name == "REQUEST_METHOD":
            monkeypatch.delenv(name)


# The variables, and which proxy is taken for which URLs.
PROXIES: dict[str, tuple[dict[str, str], dict[str, str | None]]] = {
    "none": ({}, {}),
    "http": ({"HTTP_PROXY": PROXY}, {"http://": PROXY}),
    "https": ({"HTTPS_PROXY": PROXY}, {"https://": PROXY}),
    "all": ({"ALL_PROXY": PROXY}, {"all://": PROXY}),
    "small letters": ({"https_proxy": PROXY}, {"https://": PROXY}),
    "another scheme": ({"FTP_PROXY": PROXY}, {}),
    "empty": ({"HTTPS_PROXY": ""}, {}),
    "without a scheme": ({"HTTPS_PROXY": "proxy.example:3128"}, {"https://": PROXY}),
    "with a scheme of its own": ({"ALL_PROXY": "socks5://proxy.example"}, {"all://": "socks5://proxy.example"}),
}
# An entry of NO_PROXY, and the patterns that are passed by. httpx takes `*name` for the name and all below it.
EXCEPTIONS: dict[str, list[str]] = {
    "": [],
    " , ": [],
    "example.com": ["all://*example.com"],
    ".example.com": ["all://*.example.com"],
    " a.example , b.example": ["all://*a.example", "all://*b.example"],
    "localhost": ["all://localhost"],
    "LocalHost": ["all://LocalHost"],
    "https://example.com": ["https://example.com"],
    "192.0.2.1": ["all://192.0.2.1"],
    "192.0.2.1/32": ["all://192.0.2.1/32"],
    "192.0.2.0/24": [],
    "192.0.2.0/31": [],
    "::1": ["all://[::1]"],
    "[::1]": ["all://[::1]"],
    "[2001:db8::1]/128": ["all://[2001:db8::1]"],
    "2001:db8::/32": [],
}


@pytest.mark.parametrize(("variables", "expected"), PROXIES.values(), ids=PROXIES)
def test_these_variables_name_proxies(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: dict[str, str | None]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert proxies(HOST) == expected


@pytest.mark.parametrize(("value", "patterns"), EXCEPTIONS.items(), ids=ascii)
def test_no_proxy_names_hosts(monkeypatch: pytest.MonkeyPatch, value: str, patterns: list[str]) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", value)
    assert proxies(HOST) == {"https://": PROXY} | dict.fromkeys(patterns)


@pytest.mark.parametrize(
    ("value", "host"),
    [
        ("*", HOST),
        ("example.com, *", HOST),
        ("192.0.2.0/24", "192.0.2.255"),
        ("example.com,192.0.2.1", "192.0.2.1"),
        ("192.0.2.9/24", "192.0.2.1"),
        ("2001:db8::/32", "2001:db8:1::1"),
        ("[2001:db8::]/32", "2001:db8:1::1"),
    ],
)
def test_where_no_proxy_holds_the_host_there_are_no_proxies(
    monkeypatch: pytest.MonkeyPatch, value: str, host: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", value)
    assert proxies(host) == {}


# The variables, and the whole sentence; `{}` stands for a path that there is.
SENTENCES: dict[str, tuple[dict[str, str], str]] = {
    "https": ({"HTTPS_PROXY": "foo://x"}, "HTTPS_PROXY=foo://x cannot be used: it is no proxy URL."),
    "http": ({"HTTP_PROXY": "ftp://x"}, "HTTP_PROXY=ftp://x cannot be used: it is no proxy URL."),
    "all": ({"ALL_PROXY": "foo://x"}, "ALL_PROXY=foo://x cannot be used: it is no proxy URL."),
    "small letters": ({"https_proxy": "foo://x"}, "https_proxy=foo://x cannot be used: it is no proxy URL."),
    "the second is wrong": (
        {"HTTP_PROXY": PROXY, "HTTPS_PROXY": "foo://x"},
        "HTTPS_PROXY=foo://x cannot be used: it is no proxy URL.",
    ),
    "beside names without a proxy": (
        {"NO_PROXY": "example.com", "HTTPS_PROXY": "foo://x"},
        "HTTPS_PROXY=foo://x cannot be used: it is no proxy URL.",
    ),
    "beside proxies that are none of ours": (
        {"FTP_PROXY": "https://proxy.example", "HTTPS_PROXY": "foo://x"},
        "HTTPS_PROXY=foo://x cannot be used: it is no proxy URL.",
    ),
    "a broken address": ({"HTTPS_PROXY": "http://[::1"}, "HTTPS_PROXY=http://[::1 cannot be used: it is no proxy URL."),
    "a password": (
        {"HTTPS_PROXY": "foo://user:pass@word@x"},
        "HTTPS_PROXY=foo://***@x cannot be used: it is no proxy URL.",
    ),
    "a password without a scheme": (
        {"HTTPS_PROXY": "user:pass@[::1"},
        "HTTPS_PROXY=***@[::1 cannot be used: it is no proxy URL.",
    ),
    "a folder": ({"SSL_CERT_DIR": "/none"}, "SSL_CERT_DIR=/none cannot be used: there is no such folder."),
    "two folders": (
        {"SSL_CERT_DIR": os.pathsep.join(("/none", "/nil"))},
        f"SSL_CERT_DIR=/none{os.pathsep}/nil cannot be used: there is no such folder.",
    ),
}


def sentence_of(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        RemixClient("sk-key")
    return str(caught.value)


@pytest.mark.parametrize(("variables", "sentence"), SENTENCES.values(), ids=SENTENCES)
def test_a_variable_that_cannot_be_used_is_told_with_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], sentence: str
) -> None:
    assert sentence_of(variables, monkeypatch) == sentence


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_a_socks_proxy_wants_a_package(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)  # As where httpx[socks] is not installed.
    sentence = sentence_of({"ALL_PROXY": f"{scheme}://proxy.example:1"}, monkeypatch)
    assert sentence.startswith(f"ALL_PROXY={scheme}://proxy.example:1 cannot be used: ")
    assert "socksio" in sentence


def test_an_entry_of_no_proxy_that_cannot_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    sentence = sentence_of({"HTTPS_PROXY": PROXY, "no_proxy": "example.com,[::1"}, monkeypatch)
    assert sentence.startswith("no_proxy=[::1 cannot be used: ")
    assert "None" not in sentence


def test_a_file_that_holds_no_certificate_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "certificates.pem"
    file.write_text("none")
    sentence = sentence_of({"SSL_CERT_FILE": str(file)}, monkeypatch)
    assert sentence.startswith(f"SSL_CERT_FILE={file} cannot be used: ")
    assert "None" not in sentence


def test_one_folder_of_several_is_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", os.pathsep.join(("/none", str(tmp_path))))
    RemixClient("sk-key").close()


def test_certificates_of_the_machine_that_cannot_be_read_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OSError("no certificates")

    monkeypatch.setattr(httpx, "create_ssl_context", fail)
    assert sentence_of({}, monkeypatch) == "The certificates cannot be used: no certificates."


def test_a_fault_of_proxies_that_are_all_in_order_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for scheme in ("http", "https", "socks5", "socks5h"):
        monkeypatch.setenv(f"{scheme}_proxy", f"{scheme}://proxy.example")
    assert str(proxy_problem(ValueError("odd"))) == "The environment's proxies cannot be used: odd."
