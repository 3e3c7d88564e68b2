"""Where the API is."""

from __future__ import annotations

import re

import deerapi_remix


def address(option: str | None) -> str:
    """The base URL to use, from the option or else from the environment.

    Raises:
        ConfigurationError: It cannot be one.
    """
    # What was typed is shown. What the environment has is not, for it may be a key by mistake.
    if option is not None and not re.match("[a-z]+://[^/]", option.strip(), re.IGNORECASE):
        raise deerapi_remix.ConfigurationError(
            f"{option} is no base URL: it needs https:// and a host."
        )
    # By its full name: it is imported here, for the help does without httpx.
    return deerapi_remix.check_base_url(option)
