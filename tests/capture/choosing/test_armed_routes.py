# SPDX-License-Identifier: Apache-2.0
"""Slow requests arm the next few of their kind, in every worker."""

from __future__ import annotations

import json
import os
import stat
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from open_files import open_files

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


@pytest.fixture(params=["with a directory", "without"])
def armed(request, clock, tmp_path):
    """Return a table of its own, in a file or in this process."""
    with_directory = request.param == "with a directory"
    return Armed(clock, tmp_path if with_directory else None)


def test_the_next_few_of_a_kind_are_armed(armed):
    """The same method and route, whatever the id."""
    armed.arm("GET", SERVER)

    assert not armed.take("DELETE", SERVER)
    assert not armed.take("GET", "/v2.1/servers")
    assert [armed.take("GET", OTHER_SERVER) for _ in range(5)] == [
        *[True] * ARMED_REQUESTS, *[False] * (5 - ARMED_REQUESTS)
    ]  # fmt: skip


def test_what_is_no_request_is_armed_by_its_route(armed):
    """A slow build arms builds, and nothing else that has a long name."""
    build = "LONG_TASK ComputeManager.build_and_run_instance.<locals>.build"
    armed.arm("TASK", f"task {build}")
    armed.arm("CALL", "rpc compute ping")

    assert not armed.take("TASK", f"task {build.replace('build', 'stop')}")
    assert not armed.take("CALL", f"task {build}")
    assert armed.take("TASK", f"task {build}")
    assert armed.take("CALL", "rpc compute ping")
    armed.arm("CALL", "rpc " + "x" * 600)
    assert not armed.take("CALL", "rpc " + "x" * 600)


def test_a_kind_that_is_always_slow_is_not_always_watched(armed, clock):
    """It rests before it can be armed again."""
    taken = 0
    for _ in range(600):
        armed.arm("GET", SERVER)
        taken += armed.take("GET", SERVER)
        clock.advance(1.0)

    assert taken == 600 / REST_S * ARMED_REQUESTS


def test_no_kind_stays_armed_for_ever(armed, clock):
    """After some minutes it is forgotten."""
    armed.arm("GET", SERVER)
    clock.advance(ARMED_S + 1)

    assert not armed.take("GET", SERVER)


@pytest.mark.parametrize("path", ["/" + "x" * 600, "/a b", "/a" * 20, "/\xff"])
def test_odd_paths_arm_nothing(armed, path):
    """What a scanner asks for is not kept."""
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
    assert known == [*range(19 * ARMED_KINDS, 20 * ARMED_KINDS)]


@pytest.mark.parametrize("with_directory", [True, False])
def test_no_user_drives_out_what_others_armed(clock, tmp_path, with_directory):
    """It loses its own oldest, however many kinds it is slow with."""
    armed = Armed(clock, tmp_path if with_directory else None)
    for number in range(10):
        armed.arm("GET", f"/other-{number}x", f"user-{number % 2}")
    for number in range(3 * ARMED_KINDS):
        clock.advance(0.01)
        armed.arm("GET", f"/name-{number}x", "flood")

    assert all(armed.take("GET", f"/other-{n}x") for n in range(10))
    assert armed.take("GET", f"/name-{3 * ARMED_KINDS - 1}x")
    assert not armed.take("GET", "/name-0x")


def test_workers_with_one_directory_share_what_is_armed(clock, tmp_path):
    """Whether each loaded nova-api by itself or was forked off another."""
    directory = tmp_path / "dumps"
    one, other = (Armed(clock, str(directory)) for _ in range(2))

    assert not other.take("GET", SERVER)
    clock.advance(2.0)
    one.arm("GET", SERVER)

    assert [w.take("GET", SERVER) for w in (one, other, other, one)] == [
        *[True] * ARMED_REQUESTS, False
    ]  # fmt: skip


def test_the_table_is_private_and_has_no_names(clock, tmp_path):
    """A small file that a person can read; nothing is left beside it."""
    Armed(clock, tmp_path).arm("GET", SERVER)

    file = tmp_path / ".armed"
    ((digest, row),) = json.loads(file.read_text()).items()
    assert row == [clock.now, ARMED_REQUESTS, ""]
    assert len(digest) == 16
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [*(tmp_path / ".writing").iterdir()] == []


def test_a_request_costs_nothing_while_nothing_is_armed(
    clock, tmp_path, monkeypatch
):
    """Not even a look at the file, but twice a second."""
    armed = Armed(clock, tmp_path)
    armed.take("GET", SERVER)
    dear = []
    monkeypatch.setattr(armed, "_read", lambda: dear.append("read"))
    monkeypatch.setattr(armed_routes, "shape_of", dear.append)

    for _ in range(3):
        assert not armed.take("GET", SERVER)

    assert dear == []


def test_a_table_that_was_not_written_since_is_not_read_again(
    clock, tmp_path, monkeypatch
):
    """Its time shows that."""
    armed = Armed(clock, tmp_path)
    armed.arm("GET", SERVER)
    read = []
    genuine = armed_routes.read_regular
    monkeypatch.setattr(
        armed_routes,
        "read_regular",
        lambda *args: read.append(1) or genuine(*args),
    )

    for _ in range(5):
        clock.advance(1.0)
        armed.take("GET", "/v2.1/servers")

    assert len(read) == 1


def test_what_others_arm_is_seen_within_a_second(clock, tmp_path):
    """A worker that has looked a moment ago does so again."""
    one, other = (Armed(clock, tmp_path) for _ in range(2))
    one.arm("DELETE", SERVER)
    assert not other.take("GET", SERVER)

    one.arm("GET", SERVER)
    clock.advance(1.0)

    assert other.take("GET", SERVER)


def test_a_table_that_was_made_again_is_seen_by_the_others(clock, tmp_path):
    """They do not stay with the one that was removed; no file stays open."""
    before = len(open_files())
    one, other = (Armed(clock, tmp_path) for _ in range(2))
    one.arm("DELETE", SERVER)
    other.take("GET", SERVER)
    (tmp_path / ".armed").unlink()

    one.arm("GET", SERVER)
    clock.advance(1.0)

    assert not other.take("DELETE", SERVER)
    assert other.take("GET", SERVER)
    assert len(open_files()) == before


def test_nothing_is_made_before_anything_is_armed(clock, tmp_path):
    """A directory that is not there stays so."""
    armed = Armed(clock, tmp_path / "dumps")

    assert not armed.take("GET", SERVER)
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_takes_at_once_with_another_loses_a_count(
    clock, tmp_path, monkeypatch
):
    """One watched request more, and no other harm."""
    one, other = (Armed(clock, tmp_path) for _ in range(2))
    one.arm("GET", SERVER)
    genuine = armed_routes.publish

    def publish_after_the_other(*paths):
        monkeypatch.setattr(armed_routes, "publish", genuine)
        assert other.take("GET", SERVER)
        genuine(*paths)

    monkeypatch.setattr(armed_routes, "publish", publish_after_the_other)

    taken = [one.take("GET", SERVER) for _ in range(ARMED_REQUESTS + 1)]

    assert taken == [*[True] * ARMED_REQUESTS, False]


# As releases wrote it that kept a hash table: kind, armed at, left.
BINARY = struct.pack("=QdQ", 2**63 + 21, 999.0, 3).ljust(64 * 24, b"\0")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        BINARY,
        b"x" * 100,
        b"\xff" * 9000,
        b"[" * 9000,
        b"[]",
        b'{"a": 1, "b": [1.0], "c": [1.0, 2, 3], "d": ["1", 2]}',
        b'{"a": [NaN, 3], "b": [1e999, 3], "c": [1000.0, true]}',
        b'{"a": [' + b"9" * 5000 + b", 3]}",
    ],
)
def test_a_damaged_table_does_no_harm(clock, tmp_path, content):
    """It is replaced by the next that is armed."""
    (tmp_path / ".armed").write_bytes(content)
    armed = Armed(clock, tmp_path)

    assert not armed.take("GET", SERVER)
    armed.arm("GET", SERVER)

    assert armed.take("GET", SERVER)
    assert len(json.loads((tmp_path / ".armed").read_text())) == 1


@given(st.binary(max_size=100))
def test_any_content_is_a_table_or_none(content):
    """What is no table is empty."""
    assert isinstance(armed_routes._kinds_in(content), dict)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (os.mkdir, "directory"),
        (lambda path: os.symlink("/etc/hostname", path), "symbolic links"),
    ],
)
def test_what_cannot_be_a_table_is_an_oserror(clock, tmp_path, make, why):
    """It is counted, and stays until a person takes it away."""
    make(tmp_path / ".armed")
    armed = Armed(clock, tmp_path)

    with pytest.raises(OSError, match=why):
        armed.take("GET", SERVER)
    with pytest.raises(OSError, match=why):
        armed.arm("GET", SERVER)
    # Not again before the next look.
    assert not armed.take("GET", SERVER)


def test_what_was_armed_before_the_machine_was_started_is_over(
    clock, tmp_path
):
    """The clock began anew: that time is yet to come."""
    Armed(clock, tmp_path).arm("GET", SERVER)
    clock.now = 5.0
    armed = Armed(clock, tmp_path)

    assert not armed.take("GET", SERVER)
    armed.arm("GET", SERVER)
    assert armed.take("GET", SERVER)


def test_methods_that_a_client_makes_up_are_one(armed):
    """Of any length, and there may be many."""
    armed.arm("M1", SERVER)

    assert armed.take("M2" * 1000, SERVER)


@pytest.mark.parametrize(
    "make", [os.mkfifo, lambda path: path.write_bytes(b" " * 70_000)]
)
def test_what_is_no_table_of_ours_is_replaced(clock, tmp_path, make):
    """It arms nothing, and the next slow request writes a table."""
    make(tmp_path / ".armed")
    armed = Armed(clock, tmp_path)

    before = armed.take("GET", "/v2.1/servers")
    armed.arm("GET", "/v2.1/servers")

    assert before is False
    assert Armed(clock, tmp_path).take("GET", "/v2.1/servers") is True
