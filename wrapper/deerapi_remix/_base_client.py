"""What both clients have in common: how they are made, and how copies of them are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Generic, NoReturn, Self

import attrs

from ._connections import Connections, Http
from ._journal import Journal
from ._key import Key
from ._settings import Settings, operation_limits
from .config import PollingPolicy, RetryPolicy, Timeout
from .models import Event


class BaseClient(Generic[Http]):
    """What both clients have in common."""

    _kind_of_connections: ClassVar[type[Connections[Any]]]
    _is_copy = False

    def __init__(
        self,
        api_key: str | Callable[[], str] | None = None,
        *,
        base_url: str | None = None,
        timeout: Timeout = 60.0,
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008  # Frozen.
        polling: PollingPolicy = PollingPolicy(),  # noqa: B008  # Frozen.
        http_client: Http | None = None,
        on_event: Callable[[Event], None] | None = None,
        strict: bool = False,
    ) -> None:
        key = Key(api_key)
        is_asked_each_time = callable(api_key)
        del api_key  # A traceback may show the locals of this frame.
        if not is_asked_each_time:
            key.header()
        journal = Journal(on_event)
        self._settings = Settings(key, base_url, timeout, retry, polling, strict, journal)
        self._connections: Any = self._kind_of_connections(self._settings.base_url, http_client)

    @property
    def base_url(self) -> str:
        """Where the API is, without a slash at the end."""
        return self._settings.base_url

    @property
    def submit_seconds(self) -> float:
        """The longest that one call of `remix` may take, in seconds, with all its attempts.

        The last one may start when the budget ends, and each of its operations may then take the
        timeout. `math.inf` where there is no timeout.
        """
        return self._settings.retry.budget + sum(operation_limits(self._settings.timeout))

    def with_options(
        self,
        *,
        timeout: Timeout | None = None,
        retry: RetryPolicy | None = None,
        polling: PollingPolicy | None = None,
    ) -> Self:
        """Make a copy with other settings. It shares the connections and closes nothing.

        Args:
            timeout: Seconds, as for the client. Default: as it is.
            retry: Default: as it is.
            polling: Default: as it is.

        Returns:
            The copy.

        Example:
            >>> patient = client.with_options(polling=PollingPolicy(timeout=3600))
        """
        given = {"timeout": timeout, "retry": retry, "polling": polling}
        changes: dict[str, Any] = {
            name: value for name, value in given.items() if value is not None
        }
        clone = object.__new__(type(self))
        vars(clone).update(vars(self))
        clone._settings = attrs.evolve(self._settings, **changes)
        clone._is_copy = True
        return clone

    def __deepcopy__(self, memo: dict[int, Any]) -> NoReturn:
        raise TypeError(
            "A client holds connections and cannot be copied deeply:"
            " share it, or use with_options() for other settings."
        )

    def __getstate__(self) -> NoReturn:
        raise TypeError(
            "A client holds connections and a key and cannot be pickled: make one in each process."
        )
