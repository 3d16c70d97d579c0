# SPDX-License-Identifier: Apache-2.0
"""Titles, users, calls and notes of records, the same in every view."""

from __future__ import annotations

from collections.abc import Sequence

from nova_profiler.groups import DB_API, SQL
from nova_profiler.record import REQUEST, RequestRecord

_MACHINERY = ("eventlet/", "gevent/", "greenlet/")
# In the place of what a record or a row has none of.
NO_METHOD, NO_ROUTE = "no method", "no route"
# Names of these show by themselves what they are of.
_PLAIN = (DB_API.name, SQL.name)
# A call within a call within a call says where a request is.
_OPEN_CALLS = 3


def title_of(record: RequestRecord) -> str:
    """Return the route with the action's name."""
    return _with_action(record.route, record.action)


def full_title_of(record: RequestRecord) -> str:
    """Return method, route and action."""
    return full_title(record.method, record.route, record.action)


def full_title(method: str, route: str, action: str | None = None) -> str:
    """Return *method*, *route* and *action*.

    The route of a task begins with the word that its method is. What a file of
    others has none of has words in its place: it can be read, and chosen by.
    """
    title = _with_action(route, action)
    method = method.strip() or NO_METHOD
    if method.lower() == title.partition(" ")[0]:
        return title
    return f"{method} {title}"


def _with_action(route: str, action: str | None) -> str:
    route = route.strip() or NO_ROUTE
    return f"{route} {action}" if action else route


def status_of(record: RequestRecord, without: str = "none") -> str:
    """Return the status; *without* one, the outcome of what has but that."""
    if record.status:
        return str(record.status)
    return without if record.kind == REQUEST.name else record.outcome


def user_of(record: RequestRecord) -> str:
    """Return the user as ``user/project``, one word if both are equal."""
    user = record.user_name or record.user_id or ""
    project = record.project_name or record.project_id or ""
    if not project or project == user:
        return user
    return f"{user}/{project}"


def call_text(group: str, name: str) -> str:
    """Return a call's name, with its group where that is not plain."""
    if group in _PLAIN and name:
        return name
    return f"{group} {name}".rstrip()


def open_call_words(record: RequestRecord) -> str:
    """Return what a request that has not ended is in, the innermost first.

    ``in sql SELECT instances for 4.0 s, of db_api instance_get for 4.1 s``;
    of the thread that was found last. Empty if it is in nothing timed.
    """
    calls = record.open_calls or []
    of_thread = [call for call in calls if call.thread == calls[-1].thread]
    words = [
        f"{call.group} {call.name} for {call.ms / 1000:.1f} s"
        for call in reversed(of_thread[-_OPEN_CALLS:])
    ]
    return f"in {', of '.join(words)}" if words else ""


def short_frame(frame: str) -> str:
    """Return ``nova/db/main/api.py:1860 instance_get``: without the place.

    That is where the packages of this Python are.
    """
    file, _, function = frame.rpartition(" ")
    for folder in ("site-packages/", "dist-packages/"):
        _, found, inside = file.rpartition(folder)
        if found:
            return f"{inside} {function}"
    return f"{'/'.join(file.split('/')[-3:])} {function}"


def telling_frame(frames: Sequence[str]) -> str:
    """Return the innermost of *frames* that says where a request is.

    Below it are Python's own library and the hubs of greenthreads, which
    say that it waits.
    """
    short = [short_frame(frame) for frame in frames]
    telling = [
        frame
        for frame, whole in zip(short, frames, strict=True)
        if not frame.startswith(_MACHINERY) and not _is_pythons(whole)
    ]
    return (telling or short)[-1]


def _is_pythons(frame: str) -> bool:
    return "/lib/python3" in frame and "-packages/" not in frame


def profile_notes(record: RequestRecord) -> list[str]:
    """Return the engine's notes on its stacks, its name before each."""
    profile = record.profile or {}
    notes = profile.get("notes") or ()
    if isinstance(notes, str):
        notes = (notes,)
    if not isinstance(notes, (list, tuple)):
        notes = ()
    engine = profile.get("engine", "profiler")
    return [f"{engine}: {note}" for note in notes]
