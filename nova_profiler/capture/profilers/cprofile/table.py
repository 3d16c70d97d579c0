# SPDX-License-Identifier: Apache-2.0
"""From profiles to the file that pstats, snakeviz and gprof2dot read."""

from __future__ import annotations

import marshal
import os.path
from collections.abc import Iterable
from types import CodeType
from typing import Any

from nova_profiler import OWN_FOLDER
from nova_profiler.capture.profilers.cprofile.scopes import Part, Profile

# pstats' key of a function: file, first line, name.
Function = tuple[str, int, str]
# pstats' figures: primitive calls, calls, own and cumulative seconds,
# figures by caller.
Row = tuple[int, int, float, float, dict[Function, Any]]
Table = dict[Function, Row]

# What pstats calls the file of functions that are written in C.
_BUILT_IN = "~"
# Our calls on the way in and out of a profile. Hooks stay: they stand
# between calls of the service, and cost what they cost.
_OWN_FILES = os.path.join(OWN_FOLDER, "capture", "profilers", "")
_OWN_BUILT_INS = (
    "<method 'disable' of '_lsprof.Profiler' objects>",
    "<built-in method sys.getprofile>",
)


def table_of(parts: Iterable[Part]) -> Table:
    """Return all calls of *parts*, added up.

    What a thread calls first has the function that started it for a caller.
    ``create_stats`` would not do: it turns off any profiler that is on in
    this thread, and of functions that share file, line and name it keeps
    one.
    """
    table: Table = {}
    for part in parts:
        entries = part.profile.getstats()
        for entry in entries:
            function = _function_of(entry.code)
            if not _is_own(function):
                _add(table, function, entry)
        for entry in entries:
            caller = _function_of(entry.code)
            if not _is_own(caller):
                _add_callees(table, caller, entry.calls or ())
        if part.spawner is not None:
            first = _uncalled(entries)
            _add_callees(table, _function_of(part.spawner), first)
    return table


def _uncalled(entries: Iterable[Any]) -> list[Any]:
    """Return the functions that no other one called."""
    found = {
        entry.code: entry
        for entry in entries
        if isinstance(entry.code, CodeType)
        and not _is_own(_function_of(entry.code))
    }
    for entry in list(found.values()):
        for callee in entry.calls or ():
            if callee.code is not entry.code:
                found.pop(callee.code, None)
    return list(found.values())


def calls_of(profiles: Iterable[Profile], code: CodeType) -> int:
    """Return how often the function of *code* was called."""
    return sum(
        entry.callcount
        for profile in profiles
        for entry in profile.getstats()
        if entry.code is code
    )


def content_of(table: Table, max_bytes: int) -> tuple[bytes, int]:
    """Return the file's content and how many functions are not in it.

    Where it would be too large the functions with the least cumulative
    time are left out.
    """
    content = marshal.dumps(table)
    rows = sorted(table, key=lambda one: table[one][3], reverse=True)
    kept = len(rows)
    while len(content) > max_bytes and kept:
        kept //= 2
        content = marshal.dumps(_only(table, set(rows[:kept])))
    return content, len(rows) - kept


def _only(table: Table, kept: set[Function]) -> Table:
    return {
        function: (
            *row[:4],
            {caller: row[4][caller] for caller in row[4] if caller in kept},
        )
        for function, row in table.items()
        if function in kept
    }


def _function_of(code: CodeType | str) -> Function:
    if isinstance(code, str):
        return _BUILT_IN, 0, code
    return code.co_filename, code.co_firstlineno, code.co_name


def _is_own(function: Function) -> bool:
    if function[0] == _BUILT_IN:
        return function[2] in _OWN_BUILT_INS
    return function[0].startswith(_OWN_FILES)


def _add(table: Table, function: Function, entry: Any) -> None:
    calls = entry.callcount
    figures = (
        calls - entry.reccallcount,
        calls,
        entry.inlinetime,
        entry.totaltime,
    )
    row = table.get(function)
    if row is None:
        table[function] = (*figures, {})
    else:
        table[function] = (*_sum(row, figures), row[4])


def _add_callees(table: Table, caller: Function, entries: Any) -> None:
    for entry in entries:
        row = table.get(_function_of(entry.code))
        if row is None:
            continue
        # Here pstats has the two counts the other way round.
        figures = (
            entry.callcount,
            entry.callcount - entry.reccallcount,
            entry.inlinetime,
            entry.totaltime,
        )
        callers = row[4]
        before = callers.get(caller)
        callers[caller] = figures if before is None else _sum(before, figures)


def _sum(row: Any, figures: tuple[int, int, float, float]) -> Any:
    return (
        row[0] + figures[0],
        row[1] + figures[1],
        row[2] + figures[2],
        row[3] + figures[3],
    )
