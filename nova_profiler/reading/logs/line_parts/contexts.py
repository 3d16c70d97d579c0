# SPDX-License-Identifier: Apache-2.0
"""The request context between brackets of an OpenStack log line."""

from __future__ import annotations

import re
from typing import NamedTuple

_NOTHING = {"", "-", "None"}
_UUID = re.compile(
    r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
)

_BRACKETS = re.compile(r"\[([^\[\]]{0,500})\]")
_FAR = 2_000


class RequestContext(NamedTuple):
    """The ids of a request, its user and project; None for what is missing."""

    request_id: str | None = None
    global_request_id: str | None = None
    user_id: str | None = None
    user_name: str | None = None
    project_id: str | None = None
    project_name: str | None = None


NO_CONTEXT = RequestContext()


def context_of(text: str) -> RequestContext:
    """Return the context of ``req-... user project - default default``.

    All shapes since Essex are read: with and without the global id in
    front, with ids or names, and devstack's
    ``None req-... project_name user_name``.
    """
    words = text.split()
    if not words or words == ["-"]:
        return NO_CONTEXT
    global_id = None
    has_global = _has_global(words)
    if has_global:
        global_id = _known(words[0])
        words = words[1:]
    request_id, *names = words
    if has_global and len(names) == 2:
        # devstack has the project first.
        names.reverse()
    user, project, *_ = [*map(_known, names), None, None]
    return RequestContext(
        _known(request_id),
        global_id,
        *id_and_name(user),
        *id_and_name(project),
    )


def context_within(text: str) -> RequestContext | None:
    """Return the first context with an id in *text*, None if there is none."""
    for found in _BRACKETS.finditer(text, 0, _FAR):
        if "req-" in found[1] and looks_like_context(found[1]):
            return context_of(found[1])
    return None


def looks_like_request_id(text: str) -> bool:
    """Return whether *text* may be a request's id, old ones included."""
    return text.startswith("req-") or _UUID.fullmatch(text) is not None


def looks_like_context(text: str) -> bool:
    """Return whether the text between brackets is a request's context."""
    words = text.split()
    return bool(words) and (
        words == ["-"]
        or looks_like_request_id(words[0])
        or (words[0] in _NOTHING and len(words) > 1)
    )


def _has_global(words: list[str]) -> bool:
    if len(words) < 2:
        return False
    return words[0] == "None" or words[1].startswith("req-")


def _known(word: str) -> str | None:
    return None if word in _NOTHING else word


def id_and_name(word: str | None) -> tuple[str | None, str | None]:
    """Return *word* as (id, None) or (None, name), by its looks."""
    if word is None or word in _NOTHING:
        return None, None
    return (word, None) if _UUID.fullmatch(word) else (None, word)
