# SPDX-License-Identifier: Apache-2.0
"""The garbage collector waits, and is what it was after that."""

from __future__ import annotations

import gc
import json
import os
from contextlib import contextmanager

import pytest

from nova_profiler.dump_store.reading import record_of_json
from nova_profiler.profiles.session_files import read_session
from nova_profiler.reading.running import workers
from nova_profiler.record import RequestRecord
from nova_profiler.trust.collector_pause import collector_paused

# In its place: a text of that size would be held as long as tests run.
MANY = "[0]"
RECORD = json.dumps(RequestRecord().to_dict())


@contextmanager
def collector(is_on):
    """Have the collector switched on or off."""
    was_on = gc.isenabled()
    (gc.enable if is_on else gc.disable)()
    try:
        yield
    finally:
        (gc.enable if was_on else gc.disable)()


@pytest.mark.parametrize("is_on", [True, False])
def test_the_collector_is_as_it_was(is_on):
    """Also when what is done fails, and when one pause is within another."""
    with collector(is_on):
        with collector_paused():
            with collector_paused():
                assert not gc.isenabled()
            assert not gc.isenabled()
        assert gc.isenabled() is is_on

        with pytest.raises(RuntimeError, match="damaged"):
            with collector_paused():
                raise RuntimeError("damaged")
        assert gc.isenabled() is is_on


@pytest.mark.parametrize("is_on", [True, False])
def test_a_fork_meanwhile_has_its_collector(is_on):
    """Another thread may fork a worker while this one reads."""
    with collector(is_on), collector_paused():
        pid = os.fork()
        if pid == 0:
            os._exit(gc.isenabled())
        _, status = os.waitpid(pid, 0)
        assert os.waitstatus_to_exitcode(status) == is_on
        assert not gc.isenabled()


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (record_of_json, f'{RECORD[:-1]}, "more": {MANY}}}'),
        (read_session, f'{{"frame_records": [], "more": {MANY}}}'),
        (workers._records_of, f'{{"on": 0, "requests": [], "a": {MANY}}}'),
    ],
)
def test_nothing_large_is_read_with_collections(read, text):
    """Each would go through all that has been read so far."""
    begun = []
    text = text.replace(MANY, "[" + "[]," * 500_000 + "0]")
    with collector(True):
        gc.collect()
        gc.callbacks.append(lambda phase, info: begun.append(phase))
        try:
            read(text.encode())
            during = len(begun)
        finally:
            gc.callbacks.pop()
        assert gc.isenabled()

    # One as it goes on, when all of that is gone.
    assert during <= 2


def test_a_service_s_collector_is_left_alone(monkeypatch):
    """It reads what its workers wrote of a request, which is not large."""
    monkeypatch.setattr(gc, "disable", None)

    with collector(True):
        assert record_of_json(RECORD) == RequestRecord()
