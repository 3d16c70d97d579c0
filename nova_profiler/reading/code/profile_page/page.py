# SPDX-License-Identifier: Apache-2.0
"""A profile as a page of HTML: its tables, and its stacks as a tree."""

from __future__ import annotations

from collections.abc import Sequence

from nova_profiler.profiles.functions import Function
from nova_profiler.profiles.loading import Profile
from nova_profiler.profiles.stack_tree import StackTree
from nova_profiler.profiles.summaries import Step
from nova_profiler.reading.code import hot_path as figures
from nova_profiler.reading.code.certainty import (
    notes_of,
    seconds,
    share_in,
)
from nova_profiler.reading.code.profile_page.branches import (
    LEAST,
    branches_of,
)
from nova_profiler.reading.screen.html_pages import rendered_still
from nova_profiler.reading.screen.html_tables import (
    BAR,
    Cell,
    Head,
    Mark,
    Table,
    table_of,
)
from nova_profiler.reading.screen.terminal import (
    ms_text,
    printable,
    share_text,
)

_MOST_ROWS = 100
# In a title; a file's name may be longer.
_LONGEST_TITLE = 300


def page_of(profile: Profile, title: str, notes: Sequence[str] = ()) -> str:
    """Return the page; *notes* are what is missing or doubtful in it.

    Raises NovaProfilerError without Jinja2.
    """
    steps = figures.steps_of(profile)
    tables = (_path(steps), _functions(profile), _waits(profile))
    branches = branches_of(profile) if isinstance(profile, StackTree) else []
    return rendered_still(
        "profile.html",
        title=printable(title, _LONGEST_TITLE),
        sentence=f"{profile.engine}: {figures.sentence_of(profile)}",
        hot=_hot(figures.hot_function(steps)),
        notes=[*map(printable, notes), *notes_of(profile)],
        tables=[table for table in tables if table.first],
        branches=branches,
        least=share_text(LEAST),
        share_text=share_text,
        time_text=seconds,
    )


def _hot(step: Step | None) -> dict[str, str] | None:
    if step is None:
        return None
    where = _place(step.function)
    if step.line:
        where += f", mostly in line {step.line}"
    return {
        "label": _label(step.function),
        "share": share_text(step.share),
        "where": where,
    }


def _path(steps: Sequence[Step]) -> Table:
    return table_of(
        "Hot path",
        "path",
        [
            Head("cum %", is_number=True),
            Head("function", is_name=True),
            Head("where", is_name=True),
        ],
        [
            (
                _percent(step.share),
                _label(step.function),
                Cell(_place(step.function), "soft"),
            )
            for step in figures.main_steps(steps)
        ],
    )


def _functions(profile: Profile) -> Table:
    rows = [row for row in profile.rows() if row.self_s > 0]
    largest = max((row.self_s for row in rows), default=0.0) or 1.0
    return table_of(
        "By own time",
        "functions",
        [
            Head("tot %", is_number=True),
            Head("own ms", is_number=True),
            Head("total ms", is_number=True),
            Head(profile.kind, is_number=True),
            Head("function", is_name=True),
            Head("where", is_name=True),
        ],
        [
            (
                _percent(share_in(profile, row.self_s)),
                ms_text(1000 * row.self_s),
                ms_text(1000 * row.total_s),
                figures.number_text(row),
                Cell(
                    _label(row.function),
                    marks=[_bar(row.self_s / largest, row.function)],
                ),
                Cell(_place(row.function), "soft"),
            )
            for row in rows[:_MOST_ROWS]
        ],
        left_out=len(rows[_MOST_ROWS:]),
    )


def _waits(profile: Profile) -> Table:
    waits = profile.waits()
    return table_of(
        "Waiting, left out above",
        "waits",
        [
            Head("ms", is_number=True),
            Head("in", is_name=True),
            Head("for", is_name=True),
            Head("where", is_name=True),
        ],
        [
            (
                ms_text(1000 * wait.seconds),
                _label(wait.function),
                "" if wait.caller is None else _label(wait.caller),
                Cell(
                    "" if wait.caller is None else _place(wait.caller), "soft"
                ),
            )
            for wait in waits[:_MOST_ROWS]
        ],
        left_out=len(waits[_MOST_ROWS:]),
    )


def _bar(share: float, function: Function) -> Mark:
    kind = "own" if function.is_own else "library"
    return Mark(BAR, 0.0, max(0.0, min(1.0, share)), kind, 4.0)


def _percent(share: float | None) -> str:
    """Return a share without its unit, which is in the heading."""
    return "" if share is None else f"{100 * share:.1f}"


def _label(function: Function) -> str:
    return printable(function.label)


def _place(function: Function) -> str:
    return printable(function.place)
