# SPDX-License-Identifier: Apache-2.0
"""A dump promises stacks as long as they can come, and no longer."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.capture.captures import Capture
from nova_profiler.capture.contracts import NothingServed
from nova_profiler.capture.profilers.stacks.slots import Slots
from nova_profiler.capture.profilers.stacks.watch import StacksWatch
from nova_profiler.cli import main
from nova_profiler.dump_store import DumpStore
from nova_profiler.dump_store.processes import this_process
from nova_profiler.profiles.pending import (
    ASKED_FOR,
    FOLLOWS,
    LOST,
    NEVER_CAME,
    PENDING,
    UNANSWERED,
    give_up,
    why_lost,
)
from nova_profiler.record import RequestRecord


def promising(pending=None, age_s=1.0, notes=(FOLLOWS,)):
    """Return the record of a request that ended *age_s* ago."""
    record = RequestRecord()
    began = datetime.now(timezone.utc) - timedelta(seconds=age_s + 2)
    record.started_at = began.isoformat()
    record.duration_ms = 2000.0
    record.method, record.route = "GET", "/v2.1/servers"
    record.request_id = "req-6ec84648"
    record.timeline = []
    record.profile = {"engine": "pyspy", "file": None, "notes": [*notes]}
    if pending is not None:
        record.profile[PENDING] = str(pending)
    return record


@pytest.fixture
def killed():
    """Return a process that has ended."""
    program = (
        "from nova_profiler.dump_store.processes import this_process\n"
        "print(this_process())"
    )
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        check=True,
        text=True,
    ).stdout.strip()


def test_what_a_living_worker_promises_may_come():
    """For as long as a recording can last, and more."""
    assert why_lost(promising(this_process())) is None


def test_what_a_killed_worker_promised_is_lost(killed):
    """At once: kill -9 a moment after the dump."""
    assert why_lost(promising(killed)) == LOST


@pytest.mark.parametrize(
    "pending",
    [
        None,
        "1-1-00000000-1",
        "../../x",
        this_process(),
    ],
    ids=["none", "elsewhere", "hostile", "alive"],
)
def test_no_promise_holds_for_ever(pending):
    """Of older releases, of another host, and of a worker that hangs."""
    assert why_lost(promising(pending, age_s=30)) is None
    assert why_lost(promising(pending, age_s=3600)) == NEVER_CAME


@pytest.mark.parametrize("started_at", ["", "x", "9999-12-31T23:59:59"])
def test_a_time_that_is_none_promises_nothing_for_ever(started_at):
    """It was not written by this program."""
    record = promising()
    record.started_at = started_at

    assert why_lost(record) in (NEVER_CAME, None)


def test_other_notes_are_left_alone(killed):
    """Where nothing is promised, nothing can be lost."""
    assert why_lost(promising(killed, notes=["few samples"])) is None


@given(
    st.dictionaries(
        st.sampled_from(["notes", PENDING, "engine"]),
        st.none() | st.text() | st.lists(st.text()) | st.integers(),
    )
)
def test_a_profile_may_hold_anything(profile):
    """Dumps are read without trust."""
    record = promising()
    record.profile = profile

    why = why_lost(record)
    if why is not None:
        give_up(record, why)

    assert record.profile is not None


def test_show_says_that_they_were_lost(tmp_path, killed, capsys):
    """On the page and as JSON."""
    DumpStore(tmp_path).write(promising(killed))

    assert main(["show", "6ec8", "--dump-dir", str(tmp_path)]) == 0
    assert LOST in " ".join(capsys.readouterr().out.split())
    main(["show", "6ec8", "--dump-dir", str(tmp_path), "--json"])
    profile = json.loads(capsys.readouterr().out)["profile"]
    assert profile == {"engine": "pyspy", "file": None, "notes": [LOST]}


class Keeper:
    """Stands for the other end of a reader, which takes what it is asked."""

    slots = Slots(8)

    def wake(self):
        """Nothing sleeps."""

    def keep(self, watch):
        """It can be kept."""


def test_a_dump_names_the_process_that_is_to_write_its_stacks():
    """And only a dump: other records promise what is never looked for."""
    capture = Capture(NothingServed(), 0)
    watch = StacksWatch(Keeper(), Keeper.slots.take(), None, capture)
    record = RequestRecord()

    watch.finish(record)
    before = dict(record.profile)
    watch.attach(lambda *attached: None)

    assert PENDING not in before
    assert record.profile[PENDING] == str(this_process())


def test_what_a_reader_was_asked_for_is_lost_with_its_worker(killed):
    """Another promise, another reason."""
    record = promising(killed, notes=(ASKED_FOR,))

    why = why_lost(record)
    give_up(record, why)

    assert why == UNANSWERED
    assert record.profile["notes"] == [UNANSWERED]
    assert why_lost(record) is None
