# SPDX-License-Identifier: Apache-2.0
"""From profiles to the content of a .prof file."""

from __future__ import annotations

import marshal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.capture.profilers.cprofile.scopes import Part, Profile
from nova_profiler.capture.profilers.cprofile.table import (
    Table,
    calls_of,
    content_of,
    table_of,
)


def countdown(n: int) -> None:
    if n:
        countdown(n - 1)


def caller(function: Any) -> None:
    function()


def profile_of(*calls: Any) -> Profile:
    """Return the profile of *calls*."""
    profile = Profile()
    for call in calls:
        profile.runcall(call)
    return profile


def part_of(profile: Profile, spawner: Any = None) -> Part:
    """Return the part of a request that *profile* is of."""
    part = Part(spawner)
    part.profile = profile
    return part


def row_of(table: Table, name: str) -> Any:
    """Return the only row of the functions called *name*."""
    (row,) = [row for function, row in table.items() if function[2] == name]
    return row


def test_profiles_are_added_up() -> None:
    """Calls, primitive calls and callers, of the same function."""
    one = profile_of(lambda: countdown(2))
    two = profile_of(lambda: countdown(1))

    row = row_of(table_of([part_of(one), part_of(two)]), "countdown")

    assert row[:2] == (2, 5)
    assert sorted(
        (function[2], figures[:2]) for function, figures in row[4].items()
    ) == [("<lambda>", (1, 1)), ("<lambda>", (1, 1)), ("countdown", (3, 2))]


def test_figures_are_those_of_create_stats() -> None:
    """pstats reads what it would have written itself."""
    profile = profile_of(
        lambda: countdown(3),
        lambda: sorted([2, 1]),
    )
    ours = table_of([part_of(profile)])
    profile.snapshot_stats()

    assert {
        key: row
        for key, row in profile.stats.items()  # type: ignore[attr-defined]
        if "_lsprof" not in key[2]
    } == ours


def test_functions_that_share_file_line_and_name_are_added_up() -> None:
    """As code does that was made from a string; create_stats keeps one."""
    made: list[Any] = []
    for _ in range(3):
        names: dict[str, Any] = {}
        exec("def made():\n    pass", names)
        made.append(names["made"])

    table = table_of([part_of(profile_of(*made, made[0]))])

    assert row_of(table, "made")[:2] == (4, 4)


def test_what_a_thread_calls_first_was_called_by_who_started_it() -> None:
    """Else it would look like a request of its own."""
    main = profile_of(lambda: countdown(0))
    thread = profile_of(lambda: caller(dict))

    table = table_of(
        [part_of(main), part_of(thread, countdown.__code__)],
    )

    callers = [
        (function[2], caller[2])
        for function, row in table.items()
        for caller in row[4]
        if "_lsprof" not in function[2]
    ]
    assert sorted(callers) == [
        ("<lambda>", "countdown"),
        ("caller", "<lambda>"),
        ("countdown", "<lambda>"),
    ]


def test_calls_of_one_function_are_counted() -> None:
    """Of that very function, whatever others are called."""
    profile = profile_of(lambda: countdown(4), lambda: caller(dict))

    assert calls_of([profile, profile], countdown.__code__) == 10


def test_a_file_that_would_be_too_large_keeps_what_took_most_time() -> None:
    """Callers that are left out are in no row, either."""
    table = {
        ("file.py", number, f"function_{number}"): (
            1,
            1,
            0.0,
            float(number),
            {("file.py", 0, "function_0"): (1, 1, 0.0, 0.0)},
        )
        for number in range(1000)
    }

    content, missing = content_of(table, 10_000)  # type: ignore[arg-type]
    kept = marshal.loads(content)

    assert len(content) <= 10_000
    assert len(kept) + missing == 1000
    assert min(function[1] for function in kept) == missing
    assert not any(row[4] for row in kept.values())


@given(
    st.dictionaries(
        st.tuples(st.text(max_size=9), st.integers(0), st.text(max_size=9)),
        st.integers(0, 9),
    ),
    st.integers(0, 2000),
)
def test_no_file_is_larger_than_it_may_be(
    names: dict[Any, int], max_bytes: int
) -> None:
    """Down to nothing at all."""
    table: Table = {
        name: (1, 1, 0.0, float(seconds), {})
        for name, seconds in names.items()
    }

    content, missing = content_of(table, max_bytes)

    assert len(content) <= max(max_bytes, len(marshal.dumps({})))
    kept = marshal.loads(content)
    assert len(kept) + missing == len(table)
