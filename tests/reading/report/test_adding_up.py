# SPDX-License-Identifier: Apache-2.0
"""Block by block and entry by entry give the same figures."""

from __future__ import annotations

import random
from datetime import timedelta, timezone
from types import SimpleNamespace

import pytest

from nova_profiler.reading.logs import Unread, parts
from nova_profiler.reading.logs.files.sources import sources_of
from nova_profiler.reading.report import adding_up
from nova_profiler.reading.report import figures as report_figures
from nova_profiler.reading.report.adding_up import report_of
from nova_profiler.reading.report.figures import BY, OTHERS, Asked
from nova_profiler.reading.report.summary import summary_of

UWSGI = (
    "[pid: 1|app: 0|req: 1/1] 10.0.0.1 () {60 vars in 1171 bytes} "
    "[Tue May 16 11:59:59 2017] GET /v2.1/limits => generated 1 bytes "
    "in 17 msecs (HTTP/1.1 200) 9 headers in 357 bytes"
)


def line(number: int) -> str:
    chance = random.Random(number)
    user = chance.choice(["-", "demo", f"{number % 7:032x}"])
    path = chance.choice(
        ["/v2.1/servers/detail", f"/v2.1/servers/{number:08x}-1111-4222-8333-"
         "944444444444", "/v2.1/os-keypairs/k%20x", "/nowhere", "/v2/x/limits"]
    )  # fmt: skip
    context = (
        f"req-{number:08x}-1111-4222-8333-944444444444 {user} p{number % 3} "
        "- - -"
    )
    return (
        f"2017-05-16 {number // 60 % 24:02d}:{number % 60:02d}:00.001 7 INFO "
        f"nova.osapi_compute.wsgi.server [{context}] 10.0.0.1 "
        f'"GET {path} HTTP/1.1" status: {chance.choice([200, 404])} len: 1 '
        f"time: {chance.expovariate(1):.7f}"
    )


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "nova-api.log"
    path.write_text("\n".join(map(line, range(2_000))) + "\n")
    return path


def summary(path, asked=Asked(), limit=100, local=None):  # noqa: B008 - never changed
    unread = Unread()
    sources = sources_of([str(path)], unread, local)
    return summary_of(report_of(sources, asked, unread), limit)


ZONES = (None, timezone(timedelta(hours=-5, minutes=-30)))


@pytest.mark.parametrize("local", ZONES)
@pytest.mark.parametrize("by", BY)
def test_quick_and_careful_agree(log, by, local):
    """A second form makes each line be looked at by itself."""
    ahead = local.utcoffset(None).total_seconds() if local else 0.0
    asked = Asked(
        by=by, since=1494900000.0 - ahead, until=1494930000.0 - ahead
    )
    quick = summary(log, asked, local=local)
    with open(log, "a") as file:
        file.write(UWSGI.replace("11:59:59", "01:59:59") + "\n")

    careful = summary(log, asked, local=local)

    assert quick["total"]["calls"] > 400
    assert careful.pop("forms") == {"wsgi.server": quick["total"]["calls"]}
    assert careful.pop("out_of_time") == quick.pop("out_of_time") + 1
    assert quick.pop("forms")
    assert careful == quick


def test_processes_and_one_process_agree(log, monkeypatch):
    """In counts, sums and, of few calls, percentiles."""
    alone = summary(log)
    monkeypatch.setattr(adding_up, "_PART_BYTES", 50_000)
    monkeypatch.setattr(parts, "_WORTH_PROCESSES", 60_000)
    monkeypatch.setattr(parts, "usable_cores", lambda: 2)

    together = summary(log)

    assert together == alone


def test_many_calls_are_a_histogram(log, monkeypatch):
    """The summary says so; all but percentiles stays exact."""
    exact = summary(log)
    monkeypatch.setattr(report_figures, "EXACT_MOST", 1_000)

    about = summary(log)

    assert (exact["percentile_error"], about["percentile_error"]) == (0, 0.01)
    for name in ("calls", "slow_calls", "mean_ms", "min_ms", "max_ms"):
        assert about["total"][name] == exact["total"][name]
    for name in ("p50_ms", "p90_ms", "p99_ms"):
        assert about["total"][name] == pytest.approx(
            exact["total"][name], rel=0.0101
        )


def test_rows_stay_few(log, monkeypatch):
    """What clients could make grow shares one row in the end."""
    monkeypatch.setattr(report_figures, "_MOST_CALLERS", 5)

    rows = summary(log, Asked(by="user"))["rows"]

    assert len(rows) == 6
    assert OTHERS in {row["user"] for row in rows}
    assert sum(row["calls"] for row in rows) == 2_000


def test_left_out_by_route(log):
    """Both ways to name a route; what was left out is counted."""
    whole = summary(log)["total"]["calls"]
    asked = Asked(exclude=("/v2.1/servers/detail", "keypairs"))

    found = summary(log, asked)

    assert found["total"]["calls"] + found["excluded"] == whole
    assert {row["route"] for row in found["rows"]} == {
        "/v2.1/servers/{id}", "/nowhere", "unmatched", "/v2/limits",
    }  # fmt: skip
    only = summary(log, Asked(route="/v2.1/servers/detail"))
    assert [row["route"] for row in only["rows"]] == ["/v2.1/servers/detail"]


def test_a_pipe_gives_what_the_file_gives(log, monkeypatch):
    """Also where a second form makes it be read once more."""
    for last in ("", UWSGI + "\n"):
        with open(log, "a") as file:
            file.write(last)
        whole = summary(log)
        with open(log, "rb") as piped:
            monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=piped))

            assert summary("-") == whole


def test_files_of_several_forms_are_read_once(tmp_path, monkeypatch):
    """Their first lines show it: a pass by blocks would be for nothing."""
    (tmp_path / "nova-api.log").write_text(line(1) + "\n")
    (tmp_path / "uwsgi.log").write_text(UWSGI + "\n")
    monkeypatch.setattr(adding_up, "_figures_of_one_form", None)
    restarts = []
    unread = Unread()
    sources = sources_of([str(tmp_path)], unread)

    report = report_of(
        sources, Asked(), unread, on_restart=lambda: restarts.append(1)
    )

    assert report.figures.total.durations.count == 2
    assert restarts == []


def test_a_part_of_the_time_may_have_one_form(tmp_path):
    """Then lines are added up as in a log of that form alone."""
    (tmp_path / "nova-api.log").write_text(line(1) + "\n")
    (tmp_path / "uwsgi.log").write_text(UWSGI + "\n")

    found = summary(tmp_path, Asked(since=1494935000.0))

    assert found["forms"] == {"uwsgi": 1}
    assert found["out_of_time"] == 1


def test_a_second_form_ends_the_first_pass_at_its_block(tmp_path):
    """Also within one file, where no first line shows it."""
    log = tmp_path / "journal.log"
    log.write_text("\n".join([*map(line, range(50)), UWSGI, ""]))
    whole = log.read_bytes()
    begun = []

    def lines():
        for block in (whole, whole):
            begun.append(block)
            yield parts.Lines(block, str(log), parts.years_of(b"", 1.5e9))

    figures = adding_up.figures_of_lines(
        Asked(), True, adding_up.probes_of([]), lines(), Unread()
    )

    assert not figures.is_whole
    assert len(begun) == 1
