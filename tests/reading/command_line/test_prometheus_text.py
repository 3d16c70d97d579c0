# SPDX-License-Identifier: Apache-2.0
"""A report for node_exporter: as the real promtool takes it, and true."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from textfiles import SAMPLE, promtool, samples

from nova_profiler.cli import main
from nova_profiler.reading.command_line.prometheus_text import (
    _quoted,
    text_of,
)
from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.unread import Unread
from nova_profiler.reading.report.adding_up import Report
from nova_profiler.reading.report.figures import Asked, Figures
from nova_profiler.reading.report.summary import summary_of


def summary(by="route", limit=15, user="demo", routes=("/v2.1/servers",)):
    """Return a report on two requests of each of *routes*."""
    figures = Figures(Asked(by=by))
    for route in routes:
        for ms in (100.5, 2000.25):
            figures.add_entry(
                AccessEntry(
                    *("log_file", "nova-api", 1.5e9, "GET", route, 200, ms),
                    user_name=user,
                    db_api_ms=ms / 2,
                    db_api_calls=3,
                    breakdown_ms={"sql": ms / 4, "python": ms * 3 / 4},
                )
            )
    return summary_of(Report(figures, Unread(), 1), limit)


def test_the_figures_are_those_of_the_report():
    """In seconds, by method and route, and once over all."""
    found = samples(text_of(summary()))
    at = 'method="GET",route="/v2.1/servers"'
    space = "nova_profiler_report"

    assert found[f"{space}_request_seconds_sum", at] == 2.10075
    assert found[f"{space}_request_seconds_count", at] == 2
    assert found[f"{space}_request_seconds", f'{at},quantile="0.99"'] > 1.9
    assert found[f"{space}_all_request_seconds_sum", ""] == 2.10075
    assert found[f"{space}_slow_requests", at] == 1
    assert found[f"{space}_slow_limit_seconds", ""] == 1
    assert found[f"{space}_longest_request_seconds", at] == 2.00025
    assert found[f"{space}_db_api_seconds", at] == 1.050375
    assert found[f"{space}_part_seconds", f'{at},part="sql"'] == 0.525188
    assert found[f"{space}_last_request_timestamp_seconds", ""] == 1.5e9
    assert found[f"{space}_rows_left_out", ""] == 0


def test_rows_that_are_left_out_are_counted():
    """All of them stay in the figures over all."""
    found = samples(text_of(summary(limit=1, routes=("/a", "/b", "/c"))))

    assert found["nova_profiler_report_rows_left_out", ""] == 2
    assert found["nova_profiler_report_all_request_seconds_count", ""] == 6


def test_a_time_of_day_has_its_milliseconds():
    """An alert on a log that stands still may be about a minute."""
    made = summary() | {"to": "2026-11-21T10:35:07.250+00:00"}

    found = samples(text_of(made))

    space = "nova_profiler_report"
    ended = found[f"{space}_last_request_timestamp_seconds", ""]
    assert ended == 1795257307.25


@given(st.text())
def test_no_user_can_end_a_line_or_a_label(user):
    """What a client is called is a value, whatever is in it."""
    text = text_of(summary(by="user", user=user))

    assert all(
        line.startswith("# ") or SAMPLE.fullmatch(line)
        for line in text.removesuffix("\n").split("\n")
    )


@given(st.text())
def test_a_terminal_prints_what_is_in_a_label(user):
    """A user's name may be made to steer it."""
    text = text_of(summary(by="user", user=user))

    assert text.replace("\n", "").isprintable()


@given(st.text(), st.text())
@example("x\ud800", "x\\ud800")
@example("\n", "\\n")
def test_two_users_have_two_series(one, other):
    """Two equal ones would have node_exporter refuse the whole file."""
    assume(one != other)

    assert _quoted(one) != _quoted(other)


def test_a_long_label_is_cut_and_stays_its_own():
    """Each of a row's series has it anew; two equal ones are refused."""
    routes = tuple("/" + "r" * 100_000 + end for end in ("a", "b"))

    made = text_of(summary(routes=routes))

    assert len(made) < 100_000
    assert len(samples(made)) == made.count("\n") - made.count("\n#") - 1


@given(st.text(min_size=990, max_size=1010), st.sampled_from(["a", "\ud800"]))
def test_a_label_that_is_cut_is_no_other(text, more):
    """Neither its own beginning nor one that looks as if it was cut."""
    values = {text, text + more, text + 20 * more}
    values |= {_quoted(one) for one in values}

    assert len({_quoted(one) for one in values}) == len(values)
    assert all(len(_quoted(one)) < 22_000 for one in values)


@pytest.mark.services
@pytest.mark.parametrize(
    "made",
    [
        summary(),
        summary(by="user", user='a"b\\c\nd \u00fc'),
        summary(by="status", routes=("/a", "/b")),
        summary(routes=("/" + "a" * 2000, "/" + "a" * 2001)),
        summary(routes=()),
    ],
    ids=["routes", "hostile user", "statuses", "long", "nothing"],
)
def test_the_real_promtool_has_nothing_against_it(made):
    """Neither as a format nor by its conventions for names."""
    assert promtool(text_of(made)) == (0, "")


@pytest.mark.services
def test_promtool_would_see_a_fault():
    """Or the test above would show nothing."""
    assert promtool("broken{ 1\n")[0] != 0


def test_the_command_prints_it(tmp_path, capsys):
    """The same sums as the JSON of the same log has."""
    log = tmp_path / "nova-api.log"
    log.write_text(
        "".join(
            f"2026-11-21 10:35:{n:02d}.000 7 INFO "
            "nova.api.openstack.requestlog "
            f"[req-{n:08x}-93a7-4e51-8d02-b0d2a2b0b2d0 u p] 10.0.0.1 "
            '"GET /v2.1/servers" status: 200 len: 10 microversion: 2.1 '
            f"time: {n / 10}\n"
            for n in range(1, 20)
        )
    )
    assert main(["report", str(log), "--json"]) == 0
    total = json.loads(capsys.readouterr().out)["total"]

    assert main(["report", str(log), "--format", "prometheus"]) == 0
    found = samples(capsys.readouterr().out)

    whole = "nova_profiler_report_all_request_seconds"
    assert found[f"{whole}_count", ""] == total["calls"] == 19
    assert found[f"{whole}_sum", ""] * 1000 == pytest.approx(total["total_ms"])


def test_users_that_are_no_text_stay_apart():
    """Two equal samples would have the whole file refused."""
    figures = Figures(Asked(by="user"))
    for user in ("a\udc80", "a\udc81"):
        figures.add_entry(
            AccessEntry(
                *("log_file", "nova-api", 1.5e9, "GET", "/a", 200, 5.0),
                user_name=user,
            )
        )
    text = text_of(summary_of(Report(figures, Unread(), 1), 15))

    assert len(samples(text)) == text.count("\n") - text.count("\n#") - 1


def test_hours_are_refused(tmp_path, capsys):
    """Each would be a series of its own, and none would end."""
    words = ["report", str(tmp_path), "--format", "prometheus", "--by", "hour"]

    assert main(words) == 2
    assert "Prometheus keeps times itself" in capsys.readouterr().err
