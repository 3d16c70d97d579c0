# SPDX-License-Identifier: Apache-2.0
"""The newest run for node_exporter: what a report on its logs would say."""

from __future__ import annotations

import pytest
from run_builders import entry, kept, run_of
from textfiles import promtool, samples

from nova_profiler.cli import main
from nova_profiler.reading.command_line.prometheus_text import text_of
from nova_profiler.reading.logs.unread import Unread
from nova_profiler.reading.report.adding_up import Report
from nova_profiler.reading.report.figures import Asked, Figures
from nova_profiler.reading.report.summary import summary_of

ENDED = "nova_profiler_report_last_request_timestamp_seconds", ""
ENTRIES = [
    *run_of(3, routes=3, calls=40),
    entry(2000.25, status=503),
    entry(12.5, method="POST", status=202),
    entry(
        1500.5,
        "/parts",
        db_api_ms=700.25,
        db_api_calls=3,
        breakdown_ms={"sql": 300.5, "python": 100.25, "of later": 1.5},
    ),
    entry(80.0, "/parts", breakdown_ms={"sql": 60.0}),
]


def printed(capsys, history, *words, code=0):
    """Return what the command prints of *history*, on both streams."""
    words = ["--history", str(history.directory), *words]
    assert main(["history", "trend", "--format", "prometheus", *words]) == code
    return capsys.readouterr()


def reported(limit=15, **asked):
    """Return the text of a report on the same requests."""
    figures = Figures(Asked(**asked))
    for one in ENTRIES:
        figures.add_entry(one)
    text = text_of(summary_of(Report(figures, Unread(), 1), limit))
    # What this version has no name for is one column of a run.
    return text.replace('part="of later"', 'part="other"')


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ([], {}),
        (["--limit", "2"], {"limit": 2}),
        (["--slow", "50ms"], {"slow_ms": 50.0}),
        (["--route", "/parts"], {"route": "/parts"}),
        (["--route", "/nowhere"], {"route": "/nowhere"}),
    ],
    ids=str,
)
def test_it_says_what_a_report_says(tmp_path, capsys, words, asked):
    """Each name, each label and each value; failures are requests, too."""
    history = kept(tmp_path, old=run_of(1, routes=2, day=-1), new=ENTRIES)

    found = samples(printed(capsys, history, *words).out)
    expected = samples(reported(**asked))

    # Of the whole run, where a report has it of the routes asked for.
    del found[ENDED]
    expected.pop(ENDED, None)
    assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.services
def test_the_real_promtool_has_nothing_against_it(tmp_path, capsys):
    """Neither as a format nor by its conventions for names."""
    history = kept(tmp_path, new=[*ENTRIES, entry(1.0, 'a"b\\c\nd \u00fc')])

    assert promtool(printed(capsys, history).out) == (0, "")


def test_the_newest_run_is_the_one_that_ran_last(tmp_path, capsys):
    """Not the one that was added last; when it ended is a sample."""
    history = kept(
        tmp_path,
        new=run_of(1, routes=1, calls=7, day=2),
        old=run_of(1, routes=1, calls=9),
    )

    found = samples(printed(capsys, history).out)

    assert found["nova_profiler_report_all_request_seconds_count", ""] == 7
    assert found[ENDED] == 1_763_000_000 + 2 * 86400 + 6


def test_a_run_that_cannot_be_read_is_named(tmp_path, capsys):
    """The one before it stands in."""
    history = kept(tmp_path, n1=run_of(1, calls=2), n2=run_of(2, day=1))
    (tmp_path / "run=n2" / "_run.json").write_text("{")

    found = printed(capsys, history)

    assert found.err == "skipped: run n2: _run.json is damaged\n"
    assert 'route="/r7"' in found.out


def test_a_run_whose_requests_cannot_be_read_is_named(tmp_path, capsys):
    """And the one before it is the newest; without any nothing is found."""
    history = kept(tmp_path, n1=run_of(1, routes=8), n2=run_of(2, day=1))

    for name, is_left in (("n2", True), ("n1", False)):
        (part,) = (tmp_path / f"run={name}").glob("*.parquet")
        part.write_bytes(b"no Parquet")
        found = printed(capsys, history)
        assert f"skipped: run {name}: is damaged" in found.err
        assert bool(found.out) == is_left


@pytest.mark.parametrize("words", [["--slow", "5s"]])
def test_what_the_table_has_no_use_for_is_refused(tmp_path, capsys, words):
    """Rather than read and forgotten."""
    history = kept(tmp_path, new=[entry()])
    words = ["--history", str(history.directory), *words]

    assert main(["history", "trend", *words]) == 2
    assert "needs --format prometheus" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--last", "3"], "has the newest run alone"),
        (["--ignore-below", "5"], "has the newest alone"),
        (["--json"], "--json is not --format prometheus"),
    ],
)
def test_what_it_cannot_have_is_refused(tmp_path, capsys, words, why):
    """In one line, before the history is read."""
    history = kept(tmp_path, new=[entry()])

    assert why in printed(capsys, history, *words, code=2).err


def test_json_is_a_format_too(tmp_path, capsys):
    """The same as --json, as in other commands."""
    words = ["history", "trend", "--history", str(tmp_path)]
    kept(tmp_path, new=ENTRIES)
    main([*words, "--json"])
    expected = capsys.readouterr().out

    main([*words, "--format", "json"])

    assert capsys.readouterr().out == expected
