# SPDX-License-Identifier: Apache-2.0
"""The title, user and notes of a record, the same in every view."""

from __future__ import annotations

from nova_profiler.record import RequestRecord


def title_of(record: RequestRecord) -> str:
    """Return the route with the action's name."""
    if record.action:
        return f"{record.route} {record.action}"
    return record.route


def user_of(record: RequestRecord) -> str:
    """Return the user as ``user/project``, one word if both are equal."""
    user = record.user_name or record.user_id or ""
    project = record.project_name or record.project_id or ""
    if not project or project == user:
        return user
    return f"{user}/{project}"


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
