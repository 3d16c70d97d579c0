# SPDX-License-Identifier: Apache-2.0
"""The filter's own line is no time of the request."""

from __future__ import annotations

import pytest
from followed import access, line, story

PATH = "/v2.1/servers/6a7f0c1e-0000-4000-8000-000000000001/action"


def own(clock: str, ms: float) -> str:
    """Return the line that log_requests writes."""
    return line(
        clock,
        f"POST {PATH} 202 {ms:.1f} ms, user=demo project=demo",
        logger="nova_profiler.requests",
    )


def call(clock: str) -> str:
    """Return a line that log_calls writes."""
    message = "nova.db.api.instance_get 0.120 sec"
    return line(clock, message, logger="nova_profiler.calls")


@pytest.mark.parametrize(
    "after",
    [
        [own("00:53:57.500", 3201.0)],
        [own("00:53:57.500", 3201.0), call("00:53:57.600")],
        [call("00:53:57.400"), own("00:53:57.500", 3201.0)],
    ],
)
def test_what_it_took_to_write_it_is_not_the_requests(tmp_path, after):
    """Its line came 1.8 s after the answer: the log was busy."""
    found = story(
        tmp_path, {"n-api.log": [access("00:53:55.700", 3.2), *after]}
    )

    assert found.ms == pytest.approx(3201.0, abs=0.01)
    assert found.answer is not None
    assert found.answer.until_ms == pytest.approx(3201.0, abs=0.01)
    assert found.answer.after_ms == pytest.approx(0.0, abs=0.01)
    assert {one.holder for one in found.answer.until} == {"nova-api"}


def test_any_other_line_shows_when_the_request_was_on(tmp_path):
    """It had begun by then, so that it was over 500 ms later."""
    logs = [line("00:53:55.700", "Deprecated"), own("00:53:57.500", 500.0)]

    found = story(tmp_path, {"n-api.log": logs})

    assert found.answer is not None
    assert found.answer.after_ms == pytest.approx(0.0, abs=0.01)
    assert found.ms == pytest.approx(500.0, abs=0.01)


def test_alone_it_keeps_the_time_that_it_was_written_at(tmp_path):
    found = story(tmp_path, {"n-api.log": [own("00:53:57.500", 500.0)]})

    assert found.rows[-1].text.startswith("POST ")
    assert found.ms == pytest.approx(500.0, abs=0.01)


def test_it_never_ends_before_the_lines_of_its_request(tmp_path):
    """Clocks step, and a duration is of another clock."""
    logs = [
        line("00:53:55.000", "begins"),
        line("00:53:56.000", "ends"),
        own("00:53:57.500", 500.0),
    ]

    found = story(tmp_path, {"n-api.log": logs})

    assert [row.at for row in found.rows] == sorted(
        row.at for row in found.rows
    )
    assert found.ms >= 1000.0


def test_each_of_several_requests_with_one_id_has_its_own_end(tmp_path):
    """A client may send the same id again."""
    logs = [
        access("00:53:55.700", 0.2),
        own("00:53:55.900", 201.0),
        access("00:53:57.700", 0.2),
        own("00:53:57.900", 201.0),
    ]

    found = story(tmp_path, {"n-api.log": logs})

    ends = [row.at % 60 for row in found.rows if " 202 201" in row.text]
    assert ends == pytest.approx([55.701, 57.701], abs=0.001)
