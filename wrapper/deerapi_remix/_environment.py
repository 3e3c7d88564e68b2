"""What the environment says about certificates and proxies, and which variable is wrong."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from urllib.request import getproxies

import httpx

from .errors import ConfigurationError

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


def has_proxies() -> bool:
    """Whether the environment names a proxy."""
    return bool(getproxies().keys() & {"http", "https", "all"})


def proxy_problem(error: Exception) -> ConfigurationError:
    """The error for proxies that httpx does not take, with the variable that is wrong."""
    for scheme, url in getproxies().items():
        if scheme == "no":
            continue
        try:
            parsed = httpx.URL(url if "://" in url else f"http://{url}")
            is_known = parsed.scheme in _PROXY_SCHEMES and bool(parsed.host)
        except (httpx.InvalidURL, ValueError):
            return _unusable(_variable(scheme), _without_password(url), "it is no proxy URL")
        if not is_known:
            return _unusable(_variable(scheme), _without_password(url), "it is no proxy URL")
        if isinstance(error, ImportError):
            return _unusable(_variable(scheme), _without_password(url), str(error))
    excepted = getproxies().get("no", "")
    for entry in excepted.split(","):
        try:
            httpx.URL(f"all://{entry.strip()}")
        except httpx.InvalidURL as invalid:
            return _unusable(_variable("no"), entry.strip(), str(invalid))
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
