# SPDX-License-Identifier: Apache-2.0
"""Slow requests arm the next few of their kind, in every worker."""

from __future__ import annotations

import os
import stat
import warnings

import pytest

from nova_profiler.capture.choosing import armed_routes
from nova_profiler.capture.choosing.armed_routes import (
    ARMED_KINDS,
    ARMED_REQUESTS,
    ARMED_S,
    REST_S,
    Armed,
)

SERVER = "/v2.1/servers/2b7a1b9e-6f7d-4d3c-8f27-0d3b7c8a91e4"
OTHER_SERVER = "/v2.1/servers/9f7a1b9e-6f7d-4d3c-8f27-0d3b7c8a91e4"


def test_the_next_few_of_a_kind_are_armed(clock):
    """The same method and route, whatever the id."""
    armed = Armed(clock)

    armed.arm("GET", SERVER)

    assert not armed.take("DELETE", SERVER)
    assert not armed.take("GET", "/v2.1/servers")
    assert [armed.take("GET", OTHER_SERVER) for _ in range(5)] == [
        *[True] * ARMED_REQUESTS, *[False] * (5 - ARMED_REQUESTS)
    ]  # fmt: skip


def test_a_kind_that_is_always_slow_is_not_always_watched(clock):
    """It rests before it can be armed again."""
    armed = Armed(clock)

    taken = 0
    for _ in range(600):
        armed.arm("GET", SERVER)
        taken += armed.take("GET", SERVER)
        clock.advance(1.0)

    assert taken == 600 / REST_S * ARMED_REQUESTS


def test_nobody_waits_for_ever(clock):
    """After some minutes it is forgotten."""
    armed = Armed(clock)

    armed.arm("GET", SERVER)
    clock.advance(ARMED_S + 1)

    assert not armed.take("GET", SERVER)


@pytest.mark.parametrize("path", ["/" + "x" * 600, "/a b", "/a" * 20, "/\xff"])
def test_odd_paths_arm_nothing(clock, path):
    """Nobody keeps what a scanner asks for."""
    armed = Armed(clock)

    armed.arm("GET", path)

    assert not armed.take("GET", path)


def test_kinds_make_room_for_others(clock):
    """Scanners may be slow, too: the newest kinds are those that count."""
    armed = Armed(clock)

    for number in range(20 * ARMED_KINDS):
        clock.advance(0.01)
        armed.arm("GET", f"/name-{number}x")

    known = [
        number
        for number in range(20 * ARMED_KINDS)
        if armed.take("GET", f"/name-{number}x")
    ]
    assert 20 * ARMED_KINDS - 1 in known
    assert 0 not in known
    assert len(known) <= ARMED_KINDS


def test_workers_with_one_directory_share_what_is_armed(clock, tmp_path):
    """Each loaded nova-api by itself, as under uWSGI's lazy-apps."""
    directory = tmp_path / "dumps"
    one, other = (Armed(clock, str(directory)) for _ in range(2))

    assert not other.take("GET", SERVER)
    clock.advance(2.0)
    one.arm("GET", SERVER)

    assert [w.take("GET", SERVER) for w in (one, other, other, one)] == [
        *[True] * ARMED_REQUESTS, False
    ]  # fmt: skip
    file = directory / ".armed"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"servers" not in file.read_bytes()


def test_a_request_costs_nothing_while_nothing_is_armed_for_it(
    clock, tmp_path, monkeypatch
):
    """Neither a read of the table nor the kind of its path."""
    armed = Armed(clock, str(tmp_path))
    armed.arm("GET", SERVER)
    armed.take("GET", "/v2.1/servers")
    dear = []
    monkeypatch.setattr(
        armed_routes.os, "pread", lambda *_: dear.append("read")
    )
    monkeypatch.setattr(armed_routes, "shape_of", dear.append)

    for method, path in [("GET", "/v2.1/servers"), ("POST", SERVER)]:
        assert not armed.take(method, path)

    assert dear == []


def test_what_others_arm_is_seen_within_a_second(clock, tmp_path):
    """A worker that has looked a moment ago does so again."""
    one, other = (Armed(clock, str(tmp_path)) for _ in range(2))
    one.arm("DELETE", SERVER)
    assert not other.take("GET", SERVER)

    one.arm("GET", SERVER)
    clock.advance(1.0)

    assert other.take("GET", SERVER)


def test_a_table_that_was_made_again_is_seen_by_the_others(clock, tmp_path):
    """They do not stay with the one that was removed; its file is closed."""
    one, other = (Armed(clock, str(tmp_path)) for _ in range(2))
    one.arm("DELETE", SERVER)
    other.take("GET", SERVER)
    before = len(os.listdir("/proc/self/fd"))
    (tmp_path / ".armed").unlink()

    one.arm("GET", SERVER)
    clock.advance(1.0)

    assert other.take("GET", SERVER)
    assert len(os.listdir("/proc/self/fd")) == before


def test_nothing_is_made_before_anything_is_armed(clock, tmp_path):
    """A directory that is not there stays so."""
    armed = Armed(clock, str(tmp_path / "dumps"))

    assert not armed.take("GET", SERVER)
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_was_removed_is_made_again(clock, tmp_path):
    """Somebody emptied the directory."""
    armed = Armed(clock, str(tmp_path))
    armed.arm("GET", SERVER)
    (tmp_path / ".armed").unlink()

    armed.arm("GET", SERVER)

    assert Armed(clock, str(tmp_path)).take("GET", SERVER)


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"\xff" * 9000])
def test_a_damaged_table_does_no_harm(clock, tmp_path, content):
    """Whatever is in it."""
    (tmp_path / ".armed").write_bytes(content)
    armed = Armed(clock, str(tmp_path))

    armed.take("GET", SERVER)
    armed.arm("GET", SERVER)

    assert armed.take("GET", SERVER)
    assert (tmp_path / ".armed").stat().st_size <= 9000


def test_what_was_armed_before_the_machine_was_started_is_over(
    clock, tmp_path
):
    """The clock began anew: that time is yet to come."""
    Armed(clock, str(tmp_path)).arm("GET", SERVER)
    clock.now = 5.0
    armed = Armed(clock, str(tmp_path))

    assert not armed.take("GET", SERVER)
    armed.arm("GET", SERVER)
    assert armed.take("GET", SERVER)


def test_methods_that_a_client_makes_up_are_one(clock):
    """Of any length, and there may be many."""
    armed = Armed(clock)

    armed.arm("M1", SERVER)

    assert armed.take("M2" * 1000, SERVER)


def test_what_one_worker_arms_the_others_see(clock):
    """The next slow request may well come to another one."""
    armed = Armed(clock)
    with warnings.catch_warnings():
        # Other tests may have threads: the child calls nothing of theirs.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if not pid:
        armed.arm("GET", SERVER)
        os._exit(0)
    os.waitpid(pid, 0)

    assert [armed.take("GET", SERVER) for _ in range(4)] == [
        *[True] * ARMED_REQUESTS, False
    ]  # fmt: skip
