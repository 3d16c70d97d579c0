# SPDX-License-Identifier: Apache-2.0
"""Which call of a request was made by which, calls of one way added up."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from nova_profiler.groups import SQL
from nova_profiler.reading.record_calls import DEEPEST, CallsAround
from nova_profiler.reading.record_words import call_text
from nova_profiler.reading.requests.one_request.view import View
from nova_profiler.reading.screen.terminal import (
    FAINT,
    counted,
    ms_text,
    plain_table,
    safe,
)
from nova_profiler.record import (
    RequestRecord,
    StatementTotals,
    TimelineEntry,
)

# The page fits one screen; --json has each call with its parent.
MOST_LINES = 12
_MOST_SENDERS = 3


class Branch:
    """All calls that were made in one way: the same names around them."""

    def __init__(self, name: str, depth: int) -> None:
        self.name = name
        self.depth = depth
        self.count = 0
        self.ms = 0.0
        # The line of the application that made the longest of them.
        self.made_by: str | None = None
        self._longest_ms = 0.0
        self.branches: dict[tuple[str, str], Branch] = {}

    def add(self, entry: TimelineEntry) -> None:
        """Add one call."""
        ms = float(entry.ms)
        self.count += 1
        self.ms += ms
        if entry.made_by is not None and ms > self._longest_ms:
            self._longest_ms = ms
            self.made_by = entry.made_by

    @property
    def own_ms(self) -> float:
        """Return the part of ``ms`` that no call inside has."""
        inner_ms = sum(branch.ms for branch in self.branches.values())
        return max(0.0, self.ms - inner_ms)


def has_makers(record: RequestRecord) -> bool:
    """Return whether the timeline says which call or line made which call."""
    return any(
        entry.parent is not None or entry.made_by is not None
        for entry in record.timeline or ()
    )


def call_tree(record: RequestRecord) -> Branch:
    """Return the request itself, with the calls in it as its branches.

    Calls of other lanes stand beside those of the request's own.
    """
    root = Branch("", 0)
    made: dict[int | None, Branch] = {}
    for entry in record.timeline or ():
        parent = made.get(entry.parent, root)
        key = (entry.group, entry.name)
        branch = parent.branches.get(key)
        if branch is None:
            branch = Branch(
                call_text(entry.group, entry.name),
                min(parent.depth + 1, DEEPEST),
            )
            parent.branches[key] = branch
        branch.add(entry)
        if entry.id is not None:
            made[entry.id] = branch if branch.depth < DEEPEST else parent
    return root


def longest_branches(root: Branch, most: int = MOST_LINES) -> list[Branch]:
    """Return the *most* branches with the most time, as they stand.

    The one around another is there, too, if it has as much time.
    """
    branches = list(_inside(root))
    ranked = sorted(branches, key=lambda branch: (-branch.ms, branch.depth))
    kept = {id(branch) for branch in ranked[:most]}
    return [branch for branch in branches if id(branch) in kept]


def _inside(branch: Branch) -> Iterator[Branch]:
    """Yield all branches inside *branch*, each before those inside it."""
    for inner in sorted(branch.branches.values(), key=lambda one: -one.ms):
        yield inner
        yield from _inside(inner)


def senders_of(record: RequestRecord) -> dict[int, list[tuple[str, int]]]:
    """Return by statement the DB API functions that sent it, how often.

    The most frequent first. Statements that no such function sent are not
    among the keys.
    """
    around = CallsAround(record)
    found: dict[int, dict[str, int]] = {}
    for entry in record.timeline or ():
        if entry.statement is None or entry.group != SQL.name:
            continue
        sender = around.db_api_of(entry)
        if sender is not None:
            counts = found.setdefault(int(entry.statement), {})
            counts[sender] = counts.get(sender, 0) + 1
    return {
        statement: sorted(counts.items(), key=lambda item: -item[1])
        for statement, counts in found.items()
    }


def tree_parts(record: RequestRecord, view: View) -> list[RenderableType]:
    """Return the tree as lines: calls, their time, and what is their own.

    Below a slow call stands the line of the application that made it.
    """
    if not has_makers(record):
        return []
    root = call_tree(record)
    whole = list(_inside(root))
    most = len(whole) if view.full else MOST_LINES
    branches = longest_branches(root, most)
    table = plain_table()
    table.add_column("call", overflow="fold", ratio=1)
    for heading in ("calls", "total ms", "own ms"):
        table.add_column(heading, justify="right", no_wrap=True)
    for branch in branches:
        table.add_row(
            _cell_of(branch),
            str(branch.count),
            ms_text(branch.ms),
            ms_text(branch.own_ms),
        )
    parts: list[RenderableType] = [table]
    more = len(whole) - len(branches)
    if more:
        text = f"and {counted(more, 'line')} of less time"
        parts.append(Text(text, style=FAINT))
    return parts


def _cell_of(branch: Branch) -> RenderableType:
    """Return name and line, each indented where it goes on, too."""
    indent = 2 * (branch.depth - 1)
    name = Padding(safe(branch.name), (0, 0, 0, indent))
    if branch.made_by is None:
        return name
    line = safe(f"at {branch.made_by}", FAINT)
    return Group(name, Padding(line, (0, 0, 0, indent + 2)))


class Senders:
    """The DB API functions that sent a record's statements, in words."""

    def __init__(self, record: RequestRecord) -> None:
        self._places = {
            id(row): place for place, row in enumerate(record.statements or ())
        }
        self._found = senders_of(record)

    def of(self, row: StatementTotals) -> Text:
        """Return a line with the functions that sent *row*, or nothing."""
        senders = self._found.get(self._places[id(row)])
        if not senders:
            return Text()
        names = [
            name if count == row.count else f"{name} ({count})"
            for name, count in senders[:_MOST_SENDERS]
        ]
        if senders[_MOST_SENDERS:]:
            names.append(f"{len(senders) - _MOST_SENDERS} more")
        return Text("\n").append_text(safe("by " + ", ".join(names), FAINT))
