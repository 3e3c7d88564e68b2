"""What a failed answer means, as a value."""

from __future__ import annotations

import enum


class Reason(enum.StrEnum):
    """What a failed answer means, where its status alone does not tell. Read once, in one place."""

    NOT_READY = "not_ready"
    """The file of the job is not there yet."""
    UNKNOWN_JOB = "unknown_job"
    """The server knows no such job or video."""
    NO_SUCH_MODEL = "no_such_model"
    """No channel of the gateway serves the model; nothing was sent on."""
    NO_BALANCE = "no_balance"
    """The balance or quota of the account is used up."""
    PASSED_ON = "passed_on"
    """The gateway or proxy had passed the request on before it failed."""
    NOT_SENT = "not_sent"
    """The request never left this machine, or was refused by a proxy on the way."""
