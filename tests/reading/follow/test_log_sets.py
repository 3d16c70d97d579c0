# SPDX-License-Identifier: Apache-2.0
"""Logs as people have them: which service held the time of a request."""

from __future__ import annotations

import io

import log_sets
import pytest
from followed import found, written
from rich.console import Console

from nova_profiler.reading.follow.page import print_story
from nova_profiler.reading.follow.story import Story, story_of


def story(tmp_path, files, number: int = 1) -> Story:
    """Return the story of one of these requests."""
    return story_of(found(written(tmp_path, files), log_sets.req(number)))


def held(one: Story) -> dict[str, float]:
    return {each.holder: round(each.ms, 3) for each in one.held}


def page(one: Story) -> str:
    """Return the page, as a pipe gets it."""
    written_to = io.StringIO()
    print_story(Console(file=written_to, width=200), one, whole=True)
    return written_to.getvalue()


@pytest.mark.parametrize(
    "esc", ["\x1b", "", "#033", "^["], ids=["ESC", "lost", "rsyslog", "cat"]
)
def test_colours_hide_no_id(tmp_path, esc):
    """However ESC is written: the same as without colours."""
    one = story(tmp_path, log_sets.coloured(esc))

    assert one.request.related_ids == (log_sets.req(2),)
    # nova-api from 0.8 to 1.25 and from 3.5 to 4.0, where neutron is done.
    assert held(one) == {"neutron-server": 2250.0, "nova-api": 950.0}


def test_a_service_under_its_callers_id(tmp_path):
    """Each of its requests has its begin; between them the caller waits."""
    one = story(tmp_path, log_sets.callers_id())

    assert held(one) == {"glance-api": 1800.0, "cinder-api": 1200.0}
    assert one.skews == []


def test_services_of_packages(tmp_path):
    """A folder names the project, a file the service; libraries neither."""
    one = story(tmp_path, log_sets.packages())

    # cinder-api: 0 to 0.9 and 1.8 to 2.0; glance in between.
    assert held(one) == {
        "cinder-volume": 5000.0,
        "cinder-api": 1100.0,
        "glance-api": 900.0,
        "cinder-scheduler": 200.0,
        "between cinder-api and cinder-scheduler": 100.0,
        "between cinder-scheduler and cinder-volume": 100.0,
    }


def test_what_went_on_after_the_answer(tmp_path):
    """The time ends with the client's answer; the rest stands apart."""
    answer = story(tmp_path, log_sets.packages()).answer

    assert answer.until_ms == pytest.approx(2000.0)
    assert [one.holder for one in answer.until] == [
        "cinder-api",
        "glance-api",
    ]
    assert answer.after_ms == pytest.approx(5400.0)
    assert answer.after[0].holder == "cinder-volume"


def test_the_first_lines_answer(tmp_path):
    """Who held the time, and what went on."""
    lines = page(story(tmp_path, log_sets.packages())).splitlines()

    assert lines[0].startswith("POST /v3/volumes 202 2000.0 ms")
    assert lines[1] == (
        "until the answer held by cinder-api 1100.0 ms (55.0 %), glance-api "
        "900.0 ms (45.0 %)"
    )
    assert lines[2].startswith(
        "went on for 5400.0 ms after the answer: cinder-volume 5000.0 ms"
    )


def test_periodic_tasks_are_set_apart(tmp_path):
    """They log under the id of the request that their process had last."""
    one = story(tmp_path, log_sets.left_over_id())

    assert one.ms == pytest.approx(3500.0)
    assert held(one) == {
        "nova-api": 2000.0,
        "nova-scheduler": 1000.0,
        "between nova-api and nova-scheduler": 500.0,
    }
    assert [line.message for line in one.left_over][1] == "Updated"
    assert "Set apart: 2 lines of nova-scheduler: periodic" in page(one)


def test_periodic_tasks_beside_the_requests_work(tmp_path):
    """What took until later is the request's; the task itself is not."""

    def compute(clock: str, logger: str, text: str) -> str:
        return log_sets.line(clock, logger, log_sets.req(1), text, pid=51)

    task = "Running periodic task ComputeManager._heal_instance_info_cache"
    one = story(
        tmp_path,
        {
            "nova-compute.log": [
                compute("08:00:03.000", "nova.compute.claims", "Claimed"),
                compute("08:00:05.000", "oslo_service.periodic_task", task),
                compute("08:00:08.000", "nova.virt.x", "Created image"),
                compute(
                    "08:00:10.000",
                    "nova.compute.manager",
                    "[instance: x] Took 7.00 seconds to build instance.",
                ),
                compute("08:01:05.000", "oslo_service.periodic_task", task),
                compute("08:01:06.000", "nova.network", "Updated"),
            ]
        },
    )

    assert held(one) == {"nova-compute": 7000.0}
    assert [line.message for line in one.left_over] == [task, task, "Updated"]


def test_a_periodic_task_that_is_the_request(tmp_path):
    """Nothing came before it: its lines are the story."""
    files = log_sets.left_over_id()
    files = {"nova-scheduler.log": files["nova-scheduler.log"][2:]}

    one = story(tmp_path, files)

    assert (len(one.rows), one.left_over) == (2, [])


def test_a_late_reply_leads_to_the_service_that_owed_it(tmp_path):
    """At level INFO no line has the call: the message's id does."""
    one = story(tmp_path, log_sets.late_reply())

    assert held(one) == {"cinder-volume": 60000.0, "cinder-api": 0.0}
    assert "Waited 60000.0 ms for the reply to message 00aa" in page(one)


def test_a_reply_that_no_service_names(tmp_path):
    """Then the time is between: the caller did not work for it."""
    files = log_sets.late_reply()
    del files["cinder-volume.log"]

    one = story(tmp_path, files)

    assert held(one) == {
        "between an RPC server and cinder-api": 60000.0,
        "cinder-api": 0.0,
    }


def test_other_requests_continue_no_line(tmp_path):
    """A line that is itself a request is no part of a message."""
    one = story(tmp_path, log_sets.containers_output())

    assert len(one.request.lines) == 2
    assert all(not line.more for line in one.request.lines)


@pytest.mark.parametrize(
    "other",
    [
        "2026-03-04 08:00:00.001 18 ERROR nova.api.openstack.wsgi   File x",
        '192.0.2.9:1234 [04/Mar/2026:08:00:00.000] f b/s 0/0/0/1/1 200 1 "GET',
        '{"log": "another line"}',
        "{address space usage: 1 bytes/0MB} [pid: 8|app: 0|req: 1/1] x",
    ],
)
def test_lines_of_others_continue_no_line(tmp_path, other):
    """Another process, another server, another record."""
    files = log_sets.containers_output()
    files["nova-api.log"].insert(1, other)

    one = story(tmp_path, files)

    assert all(not line.more for line in one.request.lines)


def test_a_traceback_without_stamps(tmp_path):
    """It stays with its error, without the prefix of its lines."""
    one = story(tmp_path, log_sets.no_stamps())

    assert [line.message for line in one.request.lines] == [
        "Building",
        "Build failed",
    ]
    assert one.request.lines[1].more == (
        "[instance: x] Traceback (most recent call last):",
        '[instance: x]   File "a.py", line 1',
    )


def test_copies_of_a_line_are_one(tmp_path):
    """Three collectors, one line."""
    one = story(tmp_path, log_sets.copies())

    assert len(one.request.lines) == 1
    assert one.ms == pytest.approx(100.0)


def test_a_begin_and_an_end_are_a_request(tmp_path):
    """The time between the two lines, with method and route."""
    one = story(tmp_path, log_sets.begin_and_end())

    assert (one.entry.method, one.entry.route, one.entry.ms) == (
        "GET",
        "/v2/shares/detail",
        pytest.approx(2250.0),
    )
    assert held(one) == {"manila-api": 2250.0}


def test_a_clients_call_begins_before_its_line(tmp_path):
    """tempest logs it when it has the answer."""
    one = story(tmp_path, log_sets.clients())

    assert one.entry.ms == pytest.approx(4500.0)
    assert one.ms == pytest.approx(4501.0)


def test_a_wait_before_the_first_line(tmp_path):
    """The begin follows from the duration; what belongs stays."""
    one = story(tmp_path, log_sets.pool_is_full())

    assert one.ms == pytest.approx(30000.0)
    assert one.largest_gap.ms == pytest.approx(29990.0)
    assert one.request.lines[0].more == (
        "Traceback (most recent call last):",
        '  File "a.py", line 1, in f',
    )
    assert one.request.lines[1].more == (
        "<class 'sqlalchemy.exc.TimeoutError'>",
    )


def test_a_clock_that_is_behind(tmp_path):
    """A line of the request from before its begin."""
    (skew,) = story(tmp_path, log_sets.clock_behind()).skews

    assert (skew.service, skew.other, skew.ms) == (
        "nova-compute",
        "nova-api",
        pytest.approx(4000.0),
    )
    assert page(story(tmp_path, log_sets.clock_behind())).splitlines()[2] == (
        "these parts are in doubt: the clock of nova-compute seems 4000.0 ms "
        "or more behind nova-api"
    )


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_any_collectors_record(tmp_path, number):
    """Its line has the service, the time and the message."""
    one = story(tmp_path, log_sets.collectors(), number)

    (line,) = one.request.lines
    assert line.service == "nova-api"
    assert line.message.startswith('192.0.2.7 "GET /v2.1/')
    assert one.ms == pytest.approx(100.0 * number)
