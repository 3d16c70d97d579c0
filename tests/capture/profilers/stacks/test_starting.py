# SPDX-License-Identifier: Apache-2.0
"""The start of a reader: what is refused, for how long, with which words."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from places import PROGRAMS, PYTHONPATH
from services import missing

from nova_profiler.capture.profilers.stacks import sampling
from nova_profiler.capture.profilers.stacks import starting as module
from nova_profiler.capture.profilers.stacks.reader.thread_states import (
    HIDDEN,
    NO_CLOCKS,
)
from nova_profiler.capture.profilers.stacks.start_test import (
    Mismatch,
    Refusal,
    Unseen,
)

REFUSED = "Operation not permitted"


class Child:
    """Stands for a reader that was started."""

    sees_parked = False

    def __init__(self):
        self.is_closed = False

    def close(self):
        self.is_closed = True


@pytest.fixture
def child(monkeypatch):
    """Return the reader that is started, which is none."""
    made = Child()
    monkeypatch.setattr(module, "Child", lambda *what: made)
    return made


@pytest.mark.parametrize(
    ("found", "is_final", "words"),
    [
        (Mismatch("it saw x for y"), True, "it saw x for y"),
        (Refusal(REFUSED), True, "CAP_SYS_PTRACE"),
        (Unseen("it did not answer"), False, "it did not answer"),
        (EOFError(), False, "ended at once"),
    ],
)
def test_only_what_is_proven_is_refused_for_good(
    child, monkeypatch, found, is_final, words
):
    """A machine that is too busy for the test may be less so later."""

    def fail(*what):
        raise found

    monkeypatch.setattr(module, "try_out", fail)

    with pytest.raises(module.StacksError, match="pyinstrument") as raised:
        module.started(None)

    assert raised.value.is_final is is_final
    assert words in raised.value.strerror
    assert child.is_closed


def test_the_reason_is_the_change_of_user(monkeypatch):
    """Not what is the case already: yama's setting, or one user."""
    monkeypatch.setattr(module, "has_changed_user", lambda: True)

    assert module.advice_on(REFUSED) == (
        "Operation not permitted: this process changed its user after it had "
        "started, so that the kernel lets no process of that user look into "
        "it: start the server as that user, or set profiler_dumpable = true"
    )


@pytest.mark.parametrize(
    ("why", "words"),
    [
        (REFUSED, "process_vm_readv"),
        (HIDDEN, "a /proc that shows it"),
        (NO_CLOCKS, "this kernel was built without them"),
    ],
)
def test_each_reason_has_its_remedy(why, words):
    """In one line."""
    advice = module.advice_on(why)

    assert advice.startswith(f"{why}: ")
    assert words in advice
    assert "\n" not in advice


@pytest.fixture
def changed(monkeypatch, child):
    """Be a process that changed its user; return what it asks of prctl."""
    asked = []
    monkeypatch.setattr(sampling, "has_changed_user", lambda: True)
    monkeypatch.setattr(sampling, "be_dumpable", asked.append)
    monkeypatch.setattr(sampling, "allow_tracer", lambda pid: None)
    monkeypatch.setattr(sampling, "started", lambda *what: child)
    return asked


def over(may_be_dumpable):
    """Have a reader begin and end."""
    one = sampling.Sampling(lambda *noted: None, may_be_dumpable)
    one.close()
    one.supervise()
    assert one.is_over


def test_a_worker_is_open_only_where_the_option_says_so(changed):
    """It holds what its former user could read."""
    over(may_be_dumpable=False)

    assert changed == []


def test_a_worker_is_open_while_it_has_a_reader(changed):
    """And no longer."""
    over(may_be_dumpable=True)

    assert changed == [True, False]


def test_a_worker_that_kept_its_user_stays_as_it_is(changed, monkeypatch):
    """The option changes nothing there."""
    monkeypatch.setattr(sampling, "has_changed_user", lambda: False)

    over(may_be_dumpable=True)

    assert changed == []


@pytest.mark.services
@pytest.mark.parametrize(
    ("how", "why", "is_final"),
    [("seccomp", REFUSED, True), ("hidden", HIDDEN, False)],
)
def test_a_worker_whose_reader_is_kept_out_serves(how, why, is_final):
    """By the kernel itself: one line says why, and what else there is."""
    done = subprocess.run(
        [sys.executable, str(PROGRAMS / "kept_out.py"), how],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": PYTHONPATH},
    )
    if done.returncode == 3:
        missing(f"{how}: this machine lets no process be kept out")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)

    assert found["served"] == 5
    ((what, line),) = found["notes"]
    assert what == "stacks"
    assert f"{why}: " in line
    assert "profiler = pyinstrument" in line
    assert "\n" not in line
    assert found["is_final"] is is_final
    assert found["watched_again"] is not is_final
