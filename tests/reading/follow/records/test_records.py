# SPDX-License-Identifier: Apache-2.0
"""Records and log lines of one request in one story."""

from __future__ import annotations

import json

import pytest
from builders import numbered, one_of_each_kind
from builders import record as plain
from builders import written as dumped
from created_servers import created, rebuilt
from followed import line, written
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_served import SERVED
from rich.console import Console

from nova_profiler.cli import main
from nova_profiler.reading.follow.markdown import markdown_of
from nova_profiler.reading.follow.page import print_story
from nova_profiler.reading.follow.search.search import FollowedRequest
from nova_profiler.reading.follow.story import figures_of, story_of
from nova_profiler.reading.over_services.picture import picture_of

NEUTRON = "neutron-server.log"


@pytest.fixture
def create(tmp_path, monkeypatch):
    """Return a create with dumps of three services, and logs of others."""
    monkeypatch.setenv("COLUMNS", "80")
    one = created(saves=2)
    for record in one.records:
        if record.service in ("nova-api", "nova-conductor", "nova-compute"):
            dumped(tmp_path / record.host / "dumps", record)
    ids = f"{one.request_id} req-77777777-2222-4333-8444-555555555555"
    own = f"None {one.request_id}"
    logs = {
        "nova-scheduler.log": [
            line("10:35:01.700", "Filtering hosts", ids=own),
        ],
        NEUTRON: [
            line("10:35:04.500", "Port bound", ids=ids, logger="neutron.x"),
        ],
        "nova-compute.log": [
            # Its clock is ahead by 240 ms.
            line("10:35:03.300", "Waiting", ids=own),
        ],
    }  # fmt: skip
    written(tmp_path / "logs", logs)
    return one


def story(capsys, tmp_path, text: str = "6ec84648"):
    assert main(["follow", text, str(tmp_path), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_lines_and_records_are_one_story(create, tmp_path, capsys):
    """Lines of services without records, records of the others."""
    figures = story(capsys, tmp_path)

    services = {row["service"] for row in figures["rows"]}
    assert {"nova-scheduler", "neutron-server", "nova-api"} <= services
    texts = [row["text"] for row in figures["rows"]]
    assert "Port bound" in texts
    assert any(
        text.startswith("build_and_run_instance arrives from nova-conductor")
        for text in texts
    )
    assert len(figures["records"]["records"]) == 6
    assert figures["entry"]["ms"] == 620.0


def test_records_say_who_held_the_time(create, tmp_path, capsys):
    """Exactly: until the answer nova-api, then the wait for the port."""
    figures = story(capsys, tmp_path)

    (first,) = figures["answer"]["until"]
    assert (first["holder"], first["share"]) == ("nova-api", 1.0)
    after = figures["answer"]["after"]
    assert after[0]["holder"] == "nova-compute"
    assert sum(one["ms"] for one in after) == pytest.approx(
        figures["answer"]["after_ms"], abs=0.1
    )


def test_lines_stand_by_the_clock_of_the_records(create, tmp_path, capsys):
    """That of nova-compute's host is ahead, which its lines show as well."""
    figures = story(capsys, tmp_path)

    (waiting,) = (r for r in figures["rows"] if r["text"] == "Waiting")
    # As exactly as two calls of nearly half a second show.
    assert waiting["since_ms"] == pytest.approx(2300 - 240, abs=40)


def test_a_request_of_which_only_records_are_left(create, tmp_path, capsys):
    """Logs are rotated away sooner."""
    for log in (tmp_path / "logs").iterdir():
        log.write_text("\n")

    assert main(["follow", "6ec84648", str(tmp_path)]) == 0

    shown = capsys.readouterr().out
    assert shown.startswith("POST /v2.1/servers 202 620.0 ms")
    assert "What each service did when, by records" in shown


def test_what_a_record_says_no_line_says_again(tmp_path, capsys):
    """The log_file's lines are the records themselves."""
    one = rebuilt()
    log = tmp_path / "requests.json"
    lines = []
    for record in [*one.records, numbered(1)]:
        record.timeline = record.statements = None
        lines.append(json.dumps(record.to_dict()))
    log.write_text("\n".join(lines) + "\n")

    figures = story(capsys, tmp_path, "00001bad")

    assert [row["text"].split(":")[0] for row in figures["rows"]] == [
        "POST /v2.1/servers/{id}/action rebuild begins",
        "rebuild_instance arrives from nova-api, 3.8 ms on the way, 0.4 ms "
        "in line",
        "POST /v2.1/servers/{id}/action rebuild ends",
        "rebuild_instance ends",
    ]
    # From its begin, of which it may have waited the most.
    assert figures["rows"][2]["text"].endswith(" ends: 202 after 3.12 s")


def test_the_page_for_a_bug_report(create, tmp_path, capsys):
    """Markdown has the records as a table."""
    args = ["follow", "6ec84648", str(tmp_path), "--format", "markdown"]

    assert main(args) == 0

    shown = capsys.readouterr().out
    assert "| nova-conductor | - - - - 2 x Instance.save |" in shown


def test_the_page_fits(create, tmp_path, capsys):
    """80 columns, as all pages."""
    assert main(["follow", "6ec84648", str(tmp_path)]) == 0

    lines = capsys.readouterr().out.splitlines()
    rows = [one for one in lines if not one[:2].isdigit()]
    assert max(map(len, rows)) <= 80
    head = " ".join(lines).partition("UTC")[0]
    assert "6 records, " in head
    # A record's user has no project: a dash would say that it is unknown.
    assert "user " in head
    assert "project -" not in head


def test_a_damaged_dump_is_named(create, tmp_path, capsys):
    """The others are shown."""
    (dump,) = (tmp_path / "controller-1").rglob("*.json")
    dump.write_text("{")

    assert main(["follow", "6ec84648", str(tmp_path)]) == 0

    assert "cannot be read" in capsys.readouterr().err


def test_several_that_begin_so_are_refused(create, tmp_path, capsys):
    """Names of dumps are enough to see that."""
    dumped(
        tmp_path / "controller-1" / "dumps",
        plain(request_id="req-6ec00000-ab"),
    )
    for log in (tmp_path / "logs").iterdir():
        log.write_text("\n")

    assert main(["follow", "6ec0", str(tmp_path)]) == 0
    assert main(["follow", "req-6ec", str(tmp_path)]) == 2


def test_a_record_without_a_time_stands_apart(tmp_path, capsys):
    """A time that no calendar has."""
    one = plain(started_at="2026-11-21512T10:00:00+00:00")
    dumped(tmp_path / "dumps", one)

    assert main(["follow", "6ec84648", str(tmp_path)]) == 0

    assert "The time of this line is not known" in capsys.readouterr().out


@settings(max_examples=50)
@given(st.lists(SERVED, min_size=1, max_size=6))
def test_any_records_make_a_story(served):
    """Circles, forged parents, clocks decades off, no times at all."""
    request = FollowedRequest("1", (), [], 0, 0, 0)

    shown = story_of(request, None, picture_of("1", served))

    json.dumps(figures_of(shown), allow_nan=False)
    markdown_of(shown)
    with open("/dev/null", "w") as file:
        print_story(Console(file=file, width=80), shown, whole=False)
    if shown.answer is not None and shown.answer.until:
        assert sum(one.share for one in shown.answer.until) < 1.001


def test_a_periodic_task_is_due_and_a_task_is_handed_over(tmp_path, capsys):
    """Each came in its own way."""
    _, _, task, periodic = one_of_each_kind()
    task.request_id = periodic.request_id
    task.parent_id, periodic.parent_id = periodic.record_id, None
    dumped(tmp_path, periodic, task)

    texts = [
        row["text"] for row in story(capsys, tmp_path, "00000003")["rows"]
    ]

    assert [text for text in texts if "is due" in text] == [
        "periodic ComputeManager._sync is due"
    ]
    (one,) = [text for text in texts if "is handed to a pool" in text]
    assert one.startswith("task ComputeManager._build ")
