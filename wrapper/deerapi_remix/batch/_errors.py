"""What a batch raises on its own account, beside `TableError`."""

from __future__ import annotations


class BatchError(ValueError):
    """The batch cannot do what it was asked for. Nothing was sent."""
