# SPDX-License-Identifier: Apache-2.0
"""A reader that fails is found out, and the input that it failed at."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
from places import ROOT

from fuzz.readers.contracts import Reader
from fuzz.trying import child, children
from fuzz.trying.child import FOUND, outcome_of, try_reader


def reader_of(read, **more):
    """Return a reader that calls *read* with its input."""
    return Reader(lambda data, folder: read(data), (b"seed",), **more)


def breaks_at_x(data):
    if b"x" in data:
        raise ValueError(f"at {len(data) > 3}")


def test_a_failure_is_found_and_made_short(tmp_path):
    """Of several that are one kind the input is kept once."""
    reader = reader_of(breaks_at_x, finds=(b"longer-x-text", b"abcd-x"))

    outcome = try_reader("odd", reader, 0.5, 1, tmp_path)

    assert ("ValueError: at True", 4) in [
        (find.what, len(find.data)) for find in outcome.finds
    ]
    assert outcome.tried >= 3
    assert outcome_of(json.loads((tmp_path / FOUND).read_text())) == (
        outcome._replace(peak_mb=pytest.approx(outcome.peak_mb, abs=20))
    )


def test_when_the_time_is_up_no_more_is_made(tmp_path, monkeypatch):
    """Though the batch has not come to its end."""
    now = 0.0
    made = []

    def read(data):
        nonlocal now
        now += 1.0

    # Its own clock alone: what is imported meanwhile keeps the real one.
    clock = SimpleNamespace(
        monotonic=lambda: now, process_time=time.process_time
    )
    monkeypatch.setattr(child, "time", clock)

    def make(random):
        made.append(1)
        return b"made"

    outcome = try_reader("odd", reader_of(read, maker=make), 10, 1, tmp_path)

    assert outcome.tried == 10
    assert len(made) == 10


@pytest.mark.parametrize("limit", ["MOST_S", "MOST_WAIT_S"])
def test_what_takes_too_long_is_found(tmp_path, monkeypatch, limit):
    """It is ended, and the run goes on; one that waits takes no processor."""
    monkeypatch.setattr(child, limit, 0.02)
    monkeypatch.setattr(child, "_SHORTEN_S", 0.0)

    def hangs(data):
        while data == b"find":
            if limit == "MOST_WAIT_S":
                signal.pause()

    reader = reader_of(hangs, finds=(b"find",))

    outcome = try_reader("odd", reader, 0.2, 1, tmp_path)

    assert [find.data for find in outcome.finds] == [b"find"]
    assert outcome.finds[0].what.startswith("HangError")


def test_a_process_that_is_killed_leaves_its_input(tmp_path):
    """That is how a crash of a library ends."""
    code = (
        "import os; from pathlib import Path\n"
        "from fuzz.readers.contracts import Reader\n"
        "from fuzz.trying.child import try_reader\n"
        "def read(data, folder):\n"
        "    if data == b'deadly': os.kill(os.getpid(), 9)\n"
        "reader = Reader(read, (b'seed',), finds=(b'deadly',))\n"
        f"try_reader('odd', reader, 9, 1, Path({str(tmp_path)!r}))\n"
    )
    with open(tmp_path / "errors", "wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", code], cwd=ROOT, stderr=errors
        )
    process.wait()

    outcome = children._outcome_of(
        children._Child("odd", process, tmp_path, 0.0)
    )

    (find,) = outcome.finds
    assert find.data == b"deadly"
    assert "signal 9" in find.what


def test_the_place_of_an_error_is_named():
    """The innermost one of ours, so that kinds stay apart."""
    from nova_profiler.dump_store import record_of_json
    from nova_profiler.record import RecordError

    with pytest.raises(RecordError, match="not JSON") as caught:
        record_of_json(b"{")

    assert "in nova_profiler/dump_store/reading.py:" in child.what_of(
        caught.value
    )
