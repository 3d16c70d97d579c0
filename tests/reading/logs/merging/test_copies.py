# SPDX-License-Identifier: Apache-2.0
"""One line from several collectors is one call, whatever each has of it."""

from __future__ import annotations

import log_sets
from followed import written

from nova_profiler.reading.logs import Unread, entries_of

LINE = log_sets.line(
    "08:00:01.250",
    log_sets.REQUESTLOG,
    log_sets.req(1),
    log_sets.logged("GET /v2.1/servers", 200, 0.123456),
)
MESSAGE = LINE.partition("17 ")[2]


def calls(folder) -> list[float | None]:
    return [one.at for one in entries_of([str(folder)], Unread())]


def test_a_journal_has_whole_seconds_and_no_year(tmp_path):
    """The time that is kept is the exact one."""
    folder = written(
        tmp_path,
        {
            "a-journal.txt": [
                f"Mar 04 08:00:01 ctl devstack@n-api.service[17]: {MESSAGE}"
            ],
            "nova-api.log": [LINE],
        },
    )

    assert calls(folder) == [1772611201.25]


def test_one_source_may_have_as_many_as_it_likes(tmp_path):
    """Two requests under one id took equally long."""
    other = LINE.replace("08:00:01.250", "08:00:05.500")
    files = {"nova-api.log": [LINE, other], "copy.log": [LINE, other]}

    assert len(calls(written(tmp_path, files))) == 2
