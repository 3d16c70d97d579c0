# SPDX-License-Identifier: Apache-2.0
"""The page of one request in HTML: nothing runs, and nothing is cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nova_profiler.groups import GROUPS, WRAPPER
from nova_profiler.profiles.loading import Profile
from nova_profiler.reading.advice.adding_up import advice_on
from nova_profiler.reading.advice.page import ADVICE_HEADING, sentence_of
from nova_profiler.reading.record_words import full_title_of, status_of
from nova_profiler.reading.requests.one_request import figures
from nova_profiler.reading.requests.one_request.page_parts.calls import (
    calls_part,
)
from nova_profiler.reading.requests.one_request.page_parts.header import (
    facts_of,
    ids_of,
)
from nova_profiler.reading.requests.one_request.page_parts.marks import (
    MARKS,
)
from nova_profiler.reading.requests.one_request.page_parts.page_view import (
    Link,
    Surroundings,
    View,
)
from nova_profiler.reading.requests.one_request.page_parts.services import (
    services_part,
)
from nova_profiler.reading.requests.one_request.page_parts.stacks import (
    flame_part,
    functions_part,
)
from nova_profiler.reading.requests.one_request.page_parts.statements import (
    statements_part,
)
from nova_profiler.reading.requests.one_request.unfinished import (
    open_parts,
    outcome_of,
)
from nova_profiler.reading.screen.html_pages import rendered_still
from nova_profiler.reading.screen.page_colors import class_of
from nova_profiler.record import OK, RequestRecord


def page_of(
    record: RequestRecord,
    profile: Profile | None = None,
    view: View | None = None,
    around: Surroundings | None = None,
    notes: Sequence[str] = (),
) -> str:
    """Return the page of *record*, with *profile* of its stacks.

    Without a *view* it shows all calls, and its links lead to parts of
    itself alone. *notes* are of what could not be read. Raises
    NovaProfilerError without Jinja2.
    """
    around = around or Surroundings()
    values: dict[str, Any] = {
        "buckets": _buckets(record),
        "services": services_part(around.services),
        "picture": calls_part(record, view),
        "groups": _groups(record),
        "statements": statements_part(record),
        "flame": flame_part(profile, view),
        "functions": functions_part(record, profile),
    }
    return rendered_still(
        "request/page.html",
        around.script,
        record=record,
        title=full_title_of(record),
        status=status_of(record, "no status"),
        heading="" if record.outcome == OK else outcome_of(record),
        alone=view is None,
        view=view or View(),
        around=around,
        facts=facts_of(record),
        ids=ids_of(record, around.dump_dir),
        sections=_sections(record, values),
        open_lines=[str(part) for part in open_parts(record)],
        advice_heading=ADVICE_HEADING,
        advice=[sentence_of(row) for row in advice_on(record)],
        sentences=figures.group_sentences(record),
        notes=[*figures.notes_of(record), *notes],
        class_of=class_of,
        **values,
        **MARKS,
    )


def _sections(record: RequestRecord, values: dict[str, Any]) -> list[Link]:
    """Return where the parts of a page are that has many of them."""
    sections = [
        (values["buckets"], "#parts", "where its time went"),
        (values["services"], "#services", "what each service did"),
        (record.timeline, "#waterfall", "when the calls ran"),
        (values["statements"]["rows"], "#statements", "statements"),
        (values["groups"], "#g1", "calls by name"),
        (values["functions"]["sentences"], "#stacks", "which code ran"),
    ]
    links = [Link(url, words) for is_there, url, words in sections if is_there]
    return links if len(links) > 1 else []


def _buckets(record: RequestRecord) -> list[dict[str, Any]]:
    """Return the parts of its time, where each begins in one bar of all."""
    left = 0.0
    rows = []
    for part in figures.buckets_of(record):
        width = min(part.share, max(0.0, 1 - left))
        rows.append(
            {
                "part": part,
                "left": left,
                "width": width,
                "inside": figures.inside(record, part),
            }
        )
        left += width
    return rows


def _groups(record: RequestRecord) -> list[dict[str, Any]]:
    """Return a table for each group that has names."""
    return [
        {
            "title": group.title,
            "named": group.named,
            "bucket": group.bucket.name,
            "has_driver": group.kind == WRAPPER,
            "calls": calls,
        }
        for group in GROUPS
        if group.title
        for calls in [figures.calls_of(record, group.name)]
        if calls
    ]
