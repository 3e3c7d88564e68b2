"""What the environment says about certificates and proxies, and which variable is wrong."""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
from contextlib import suppress
from pathlib import Path
from urllib.request import getproxies

import httpx

from .errors import ConfigurationError

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_BRACKETS = re.compile(r"^\[(.*)\]")
_PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")


def tls_context() -> ssl.SSLContext:
    """Certificates as httpx takes them, and as `SSL_CERT_FILE` and `SSL_CERT_DIR` say."""
    folder = os.environ.get("SSL_CERT_DIR")
    if folder and not any(Path(part).is_dir() for part in folder.split(os.pathsep)):
        raise _unusable("SSL_CERT_DIR", folder, "there is no such folder")
    try:
        return httpx.create_ssl_context()
    except (OSError, ValueError) as error:
        file = os.environ.get("SSL_CERT_FILE")
        if file:
            raise _unusable("SSL_CERT_FILE", file, str(error)) from error
        raise ConfigurationError(f"The certificates cannot be used: {error}") from error


def proxies(host: str) -> dict[str, str | None]:
    """The proxy for URLs of each pattern, None for no proxy, as `mounts` of httpx has them.

    httpx would read the variables by itself, but fails at networks of IPv6, which Docker Desktop
    puts into `NO_PROXY`.

    Args:
        host: The host of the base URL. Where it lies in a network without proxies, there are none.
    """
    found = getproxies()
    patterns: dict[str, str | None] = {}
    for scheme in ("http", "https", "all"):
        if found.get(scheme):
            patterns[f"{scheme}://"] = _with_scheme(found[scheme])
    for entry in found.get("no", "").split(","):
        name = entry.strip()
        network = _network(name)
        if name == "*":
            return {}
        if _is_in(host, network):
            return {}
        if name and (network is None or network.num_addresses == 1):
            patterns[_pattern(name, network)] = None
    return patterns


def _with_scheme(url: str) -> str:
    return url if "://" in url else f"http://{url}"


def _network(entry: str) -> _Network | None:
    """The addresses that an entry of `NO_PROXY` means, if it means any."""
    with suppress(ValueError):
        return ipaddress.ip_network(_BRACKETS.sub(r"\1", entry), strict=False)
    return None


def _is_in(host: str, network: _Network | None) -> bool:
    if network is None:
        return False
    with suppress(ValueError):
        return ipaddress.ip_address(host) in network
    return False


def _pattern(entry: str, network: _Network | None) -> str:
    """The pattern of httpx for an entry of `NO_PROXY` that is one host, or one and those below."""
    pattern = f"all://*{entry}"
    if "://" in entry:
        pattern = entry
    elif isinstance(network, ipaddress.IPv6Network):
        pattern = f"all://[{network.network_address}]"
    elif network is not None or entry.lower() == "localhost":
        pattern = f"all://{entry}"
    try:
        httpx.URL(pattern)
    except httpx.InvalidURL as invalid:
        raise _unusable(_variable("no"), entry, str(invalid)) from invalid
    return pattern


def proxy_problem(error: Exception) -> ConfigurationError:
    """The error for proxies that httpx does not take, with the variable that is wrong."""
    for scheme, url in getproxies().items():
        if scheme == "no":
            continue
        is_known = False
        with suppress(httpx.InvalidURL, ValueError):
            is_known = httpx.URL(_with_scheme(url)).scheme in _PROXY_SCHEMES
        if not is_known:
            return _unusable(_variable(scheme), _without_password(url), "it is no proxy URL")
        if isinstance(error, ImportError):
            return _unusable(_variable(scheme), _without_password(url), str(error))
    return ConfigurationError(f"The environment's proxies cannot be used: {error}")


def _variable(scheme: str) -> str:
    """The name of the variable that is set, which may be spelled either way."""
    name = f"{scheme}_proxy"
    return name if name in os.environ else name.upper()


def _without_password(url: str) -> str:
    before, at, host = url.rpartition("@")
    if not at:
        return url
    scheme, separator, _ = before.rpartition("://")
    return f"{scheme}{separator}***@{host}"


def _unusable(variable: str, value: str, problem: str) -> ConfigurationError:
    return ConfigurationError(f"{variable}={value} cannot be used: {problem}")
