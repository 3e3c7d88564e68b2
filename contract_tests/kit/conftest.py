"""The same surroundings for every run."""

import pytest


@pytest.fixture(autouse=True)
def no_proxy(without_environment: None) -> None:
    """What is sent to a port of this machine arrives there."""
