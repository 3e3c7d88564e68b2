"""Every change of an entry: each is one compare-and-set, and each may be run twice.

| state | meaning | next |
|---|---|---|
| (none) | the key is not known | `submitting` by `begin` |
| `submitting` | the intent is committed, the POST may be under way | `accepted` by `accept`; \
`open` by `release`; `unknown` by `lose`, also by whoever finds that its holder is gone |
| `open` | nothing was charged | `submitting` by `begin`, with a new token; `accepted` by a late \
answer, if it was made `open` by hand and wrongly |
| `accepted` | the job is known | `saved` by `save`; `failed` by `fail` |
| `unknown` | may have been charged, and no job is known | `accepted` or `open` by `resolve`; \
`accepted` by a late answer |
| `saved` | the file is there | `saved` under another name by `save` |
| `failed` | the job ended without a file | `open` by `resolve`, with a new token |

`forget` removes an entry that is none of `submitting` and `unknown`. Every submit has a random
token of its own, and its answer is compared with that, never with the process that gives it: a
process that stood still and was given up may still tell how its submit ended. Every id that is
accepted is appended to a table of its own first, whatever has become of the entry.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import attrs
from sqlalchemy import Connection, bindparam, delete, update
from sqlalchemy.sql.dml import Update

from deerapi_remix import Video

from . import _holder
from ._entry import differences
from ._records import Record, find, is_under_way
from ._schema import INSERT, check, entries, jobs

_ADD_ENTRY = {
    name: make(entries).on_conflict_do_nothing(index_elements=["key"]).inline()
    for name, make in INSERT.items()
}
_ADD_JOB = {
    name: make(jobs).on_conflict_do_nothing(index_elements=["token", "job_id"]).inline()
    for name, make in INSERT.items()
}
# What an entry knows of a job, and of the end of a submit.
_AS_NEW: dict[str, Any] = dict.fromkeys(
    ("job_id", "status", "accepted_at", "expires_at", "request_id", "error")
)


def _from(*states: str) -> Update:
    """An update of the entry that has this key and token, if it is in one of these states."""
    return update(entries).where(
        entries.c.key == bindparam("which"),
        entries.c.token == bindparam("compared"),
        entries.c.state.in_(states),
    )


_FROM_OPEN = _from("open")
_FROM_SUBMITTING = _from("submitting")
_FROM_UNKNOWN = _from("unknown")
_FROM_FAILED = _from("failed")
_FROM_ACCEPTED = _from("accepted")
_FROM_HAVING_A_FILE = _from("accepted", "saved")
_FROM_ANSWERABLE = _from("submitting", "unknown", "open")
_FORGET = delete(entries).where(
    entries.c.key == bindparam("which"),
    entries.c.token == bindparam("compared"),
    entries.c.state.in_(("open", "accepted", "saved", "failed")),
)


@attrs.frozen
class Submit:
    """One submit for a key.

    Attributes:
        key: The key.
        token: Tells this submit from every other.
        holder: The process that makes it.
        now: When it begins, in Unix seconds.
        until: When it will be over at the latest; None if it has no limit.
    """

    key: str
    holder: str
    now: float
    until: float | None
    token: str = attrs.field(factory=lambda: secrets.token_hex(16))


def begin(connection: Connection, asked: Mapping[str, Any], submit: Submit) -> Record | None:
    """Commit the intent of a submit: the key is new, or nothing was charged for it.

    Returns:
        None if `submit` may go ahead, else the entry that another submit has made.
    """
    check(connection)
    intent = {
        **asked,
        "state": "submitting",
        "token": submit.token,
        "holder": submit.holder,
        "submitted_at": submit.now,
        "held_until": submit.until,
    }
    added = {**intent, "key": submit.key}
    connection.execute(_ADD_ENTRY[connection.dialect.name], added)
    if is_under_way(connection, submit.key, submit.token):
        return None
    record = settled(connection, submit.key, submit.now)
    if record is None:  # It was forgotten at this very moment.
        return begin(connection, asked, submit)
    if record.entry.state != "open" or differences(record.entry, asked):
        return record
    if _set(connection, _FROM_OPEN, submit.key, record.token, _AS_NEW | intent):
        return None
    return begin(connection, asked, submit)  # Another process was faster.


def settled(connection: Connection, key: str, now: float) -> Record | None:
    """The entry of a key, which is `unknown` from here on if the holder of its submit is gone."""
    record = find(connection, key)
    if record is None or record.entry.state != "submitting":
        return record
    late = record.until is not None and now > record.until
    if not late and not _holder.is_gone(record.entry.holder):
        return record
    lose(connection, key, record.token, {"error": "the process that submitted it is gone"})
    return find(connection, key)


def accept(
    connection: Connection, key: str, token: str, video: Video, accepted_at: float
) -> Record | None:
    """A submit was answered with a job.

    Returns:
        The entry, if there still is one. It may be about another job by now.
    """
    _append(connection, key, token, video.id, video.request_id, accepted_at)
    known = {
        "state": "accepted",
        "job_id": video.id,
        "status": video.status,
        "request_id": video.request_id,
        "accepted_at": accepted_at,
        "expires_at": video.expires_at,
        "error": None,
    }
    _set(connection, _FROM_ANSWERABLE, key, token, known)
    return find(connection, key)


def release(connection: Connection, key: str, token: str, told: Mapping[str, Any]) -> bool:
    """A submit ended, and it is proven that nothing was charged."""
    return _set(connection, _FROM_SUBMITTING, key, token, {"state": "open", **told})


def lose(connection: Connection, key: str, token: str, told: Mapping[str, Any]) -> bool:
    """A submit ended, and nobody knows whether there is a job."""
    return _set(connection, _FROM_SUBMITTING, key, token, {"state": "unknown", **told})


def resolve(connection: Connection, key: str, job_id: str | None, now: float) -> Record | None:
    """Someone found out what became of a submit, or wants to pay for a failed job again.

    Returns:
        The entry as it is now; the caller sees whether it is what was wanted.
    """
    record = settled(connection, key, now)
    if record is None:
        return None
    if job_id is None:
        _resolve_open(connection, record)
    else:
        _resolve_accepted(connection, record, job_id, now)
    return find(connection, key)


def _resolve_accepted(connection: Connection, record: Record, job_id: str, now: float) -> None:
    known = {"state": "accepted", "job_id": job_id, "accepted_at": now, "error": None}
    if _set(connection, _FROM_UNKNOWN, record.entry.key, record.token, known):
        _append(connection, record.entry.key, record.token, job_id, None, now)


def _resolve_open(connection: Connection, record: Record) -> None:
    key, token = record.entry.key, record.token
    # The token stays: should an answer come after all, it finds its place.
    _set(connection, _FROM_UNKNOWN, key, token, {"state": "open"})
    # A failed job has had its answer, and the next one is not its.
    again = _AS_NEW | {"state": "open", "token": secrets.token_hex(16)}
    _set(connection, _FROM_FAILED, key, token, again)


def aim(connection: Connection, record: Record, path: str) -> bool:
    """The file is to be saved at `path`."""
    if record.entry.path == path:
        return True
    return _set(connection, _FROM_HAVING_A_FILE, record.entry.key, record.token, {"path": path})


def save(connection: Connection, record: Record, video: Video, path: str) -> bool:
    """The file is at `path`."""
    done: dict[str, Any] = {"state": "saved", "path": path, "status": video.status}
    if video.expires_at is not None:
        done["expires_at"] = video.expires_at
    return _set(connection, _FROM_HAVING_A_FILE, record.entry.key, record.token, done)


def fail(connection: Connection, record: Record, told: tuple[str, str]) -> bool:
    """The job ended without a file; `told` are its status and the reason."""
    status, error = told
    ended = {"state": "failed", "status": status, "error": error}
    return _set(connection, _FROM_ACCEPTED, record.entry.key, record.token, ended)


def forget(connection: Connection, key: str, now: float) -> Record | None:
    """The key is to be as if it had never been used; its jobs stay in their table.

    Returns:
        The entry as it was. It is still there if it is `submitting` or `unknown`.
    """
    record = settled(connection, key, now)
    if record is not None:
        compared = {"which": key, "compared": record.token}
        connection.execute(_FORGET, compared)
    return record


def _append(
    connection: Connection, key: str, token: str, job_id: str, request_id: str | None, now: float
) -> None:
    job = {"key": key, "token": token, "job_id": job_id, "request_id": request_id}
    connection.execute(_ADD_JOB[connection.dialect.name], job | {"accepted_at": now})


def _set(
    connection: Connection, change: Update, key: str, token: str, values: Mapping[str, Any]
) -> bool:
    compared = {"which": key, "compared": token}
    # The names of the values tell which columns are set.
    return connection.execute(change, {**values, **compared}).rowcount > 0
