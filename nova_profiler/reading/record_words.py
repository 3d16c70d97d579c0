# SPDX-License-Identifier: Apache-2.0
"""What every view of a record calls it: its title, its user, its notes."""

from __future__ import annotations

from nova_profiler.record import RequestRecord


def title_of(record: RequestRecord) -> str:
    """Return the route with the action's name."""
    if record.action:
        return f"{record.route} {record.action}"
    return record.route


def user_of(record: RequestRecord) -> str:
    """Return who made the request: ``user/project``, one word if equal."""
    user = record.user_name or record.user_id or ""
    project = record.project_name or record.project_id or ""
    if not project or project == user:
        return user
    return f"{user}/{project}"


def profile_notes(record: RequestRecord) -> list[str]:
    """Return what the engine says of its stacks, its name before each."""
    profile = record.profile or {}
    notes = profile.get("notes") or ()
    if isinstance(notes, str):
        notes = (notes,)
    if not isinstance(notes, (list, tuple)):
        notes = ()
    engine = profile.get("engine", "profiler")
    return [f"{engine}: {note}" for note in notes]
