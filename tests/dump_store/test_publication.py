# SPDX-License-Identifier: Apache-2.0
"""Stacks beside a dump: whole or absent, named by it, within its limits."""

from __future__ import annotations

import json
import os
import stat
import threading

import pytest
from builders import dump_files, numbered, record

from nova_profiler.dump_store import DumpStore, publication

STACKS = b"x" * 1000
STEM = "2026-11-21/103501.123-42ms-GET-v2_1_servers-6ec84648-ued5276"


class Profiled:
    """Stacks that are attached at once, or when a test does so."""

    def __init__(self, *files, later=False) -> None:
        self.files = files
        self.later = later
        self.attach_now = None

    def attach(self, attach) -> None:
        self.attach_now = attach
        if not self.later:
            for file in self.files:
                attach(*file)


def profiled(*files, later=False, **fields):
    """Return a record with *files* to attach."""
    made = record(**fields)
    made.profile = {"engine": "stacks", "file": None, "notes": ["first"]}
    made.profiled = Profiled(*files, later=later)
    return made


def profile_in(path):
    """Return what the dump at *path* has of its profile."""
    return json.loads(path.read_bytes())["profile"]


@pytest.mark.parametrize("suffix", [".prof", ".pyisession"])
def test_stacks_that_are_ready_are_written_with_the_dump(tmp_path, suffix):
    """The dump names the file beside it."""
    path = DumpStore(tmp_path).write(profiled((suffix, STACKS, None)))

    assert dump_files(tmp_path) == sorted([f"{STEM}.json", f"{STEM}{suffix}"])
    companion = path.with_name(profile_in(path)["file"])
    assert companion.read_bytes() == STACKS
    assert stat.S_IMODE(companion.stat().st_mode) == 0o600


def test_the_record_is_told_the_name_too(tmp_path):
    """Sinks that come after the dump see it."""
    one = profiled((".prof", STACKS, None))

    path = DumpStore(tmp_path).write(one)

    assert one.profile == profile_in(path)


def test_stacks_that_come_later_are_attached(tmp_path):
    """With a profile that replaces the dump's; nothing else changes."""
    one = profiled(later=True)
    path = DumpStore(tmp_path).write(one)
    before = json.loads(path.read_bytes())
    assert before["profile"]["file"] is None

    one.profiled.attach_now(".pyisession", STACKS, {"engine": "stacks"})

    assert profile_in(path) == {
        "engine": "stacks",
        "file": os.path.basename(STEM) + ".pyisession",
    }
    after = json.loads(path.read_bytes())
    assert after | {"profile": None} == before | {"profile": None}
    assert path.with_suffix(".pyisession").read_bytes() == STACKS
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_stacks_of_a_dump_that_is_gone_are_not_kept(tmp_path):
    """It was pruned, or removed by hand."""
    one = profiled(later=True)
    path = DumpStore(tmp_path).write(one)
    path.unlink()

    one.profiled.attach_now(".pyisession", STACKS, None)

    assert dump_files(tmp_path) == []
    assert os.listdir(tmp_path / ".writing") == []


@pytest.mark.parametrize("renamed", [0, 1, 2])
def test_a_dump_pruned_while_its_stacks_come_leaves_nothing(
    tmp_path, monkeypatch, renamed
):
    """Before its stacks are moved there, before the dump itself, or after."""
    one = profiled(later=True)
    path = DumpStore(tmp_path).write(one)
    make_room, rename = publication.Retention.make_room, os.rename
    seen = []

    def and_prune(function):
        def call(*args, **kwargs):
            function(*args, **kwargs)
            if len(seen) == renamed:
                path.unlink()
            seen.append(args)

        return call

    monkeypatch.setattr(
        publication.Retention, "make_room", and_prune(make_room)
    )
    monkeypatch.setattr(publication.os, "rename", and_prune(rename))

    one.profiled.attach_now(".prof", STACKS, None)

    assert len(seen) == renamed + 1
    assert dump_files(tmp_path) == []
    assert os.listdir(tmp_path / ".writing") == []


def test_stacks_that_come_before_the_dump_is_there_wait_for_it(
    tmp_path, monkeypatch
):
    """From another thread, between the dump's name and its file."""
    one = profiled(later=True)
    publish = publication.publish

    def publish_slowly(*names):
        if names[-1].endswith(".json"):
            thread = threading.Thread(
                target=one.profiled.attach_now, args=(".prof", STACKS, None)
            )
            thread.start()
            thread.join()
        publish(*names)

    monkeypatch.setattr(publication, "publish", publish_slowly)

    path = DumpStore(tmp_path).write(one)

    assert path.with_name(profile_in(path)["file"]).read_bytes() == STACKS


@pytest.mark.parametrize("later", [False, True])
def test_nothing_to_keep_leaves_no_file(tmp_path, later):
    """The dump still has what is known of the profile."""
    file = (".pyisession", b"", {"engine": "stacks", "notes": ["no stack"]})
    one = profiled(file, later=later)

    path = DumpStore(tmp_path).write(one)
    if later:
        one.profiled.attach_now(*file)

    assert dump_files(tmp_path) == [f"{STEM}.json"]
    assert profile_in(path) == {
        "engine": "stacks",
        "file": None,
        "notes": ["no stack"],
    }
    assert os.listdir(tmp_path / ".writing") == []


def test_another_thread_attaches_while_the_first_is_asked(tmp_path):
    """An engine may hand over in its own thread, at once."""
    one = profiled()

    def attach_elsewhere(attach):
        thread = threading.Thread(target=attach, args=(".prof", STACKS, None))
        thread.start()
        thread.join()

    one.profiled.attach = attach_elsewhere

    path = DumpStore(tmp_path).write(one)

    assert path.with_name(profile_in(path)["file"]).read_bytes() == STACKS


@pytest.mark.parametrize("later", [False, True])
def test_stacks_that_are_more_than_all_dumps_may_have_are_not_kept(
    tmp_path, later
):
    """The dump is, and has a note on it."""
    huge = b"x" * (1024 * 1024 + 1)
    one = profiled((".prof", huge, None), later=later)

    path = DumpStore(tmp_path, max_mb=1).write(one)
    if later:
        one.profiled.attach_now(".prof", huge, None)

    assert dump_files(tmp_path) == [f"{STEM}.json"]
    assert profile_in(path) == {
        "engine": "stacks",
        "file": None,
        "notes": [
            "first",
            "The stacks were not kept: 1048577 bytes are more than all dumps "
            "together may have.",
        ],
    }


@pytest.mark.parametrize("later", [False, True])
def test_stacks_count_against_the_limit_of_files(tmp_path, later):
    """A dump goes with what is beside it."""
    store = DumpStore(tmp_path, max_files=6)
    for number in range(20):
        one = numbered(number)
        one.profile = {"engine": "x", "file": None, "notes": []}
        one.profiled = Profiled((".prof", STACKS, None), later=later)
        store.write(one)
        if later:
            one.profiled.attach_now(".prof", STACKS, None)
        assert len(dump_files(tmp_path)) <= 6

    left = dump_files(tmp_path)
    assert len(left) >= 4
    dumps = [name for name in left if name.endswith(".json")]
    assert sorted(
        [*dumps, *(name[: -len("json")] + "prof" for name in dumps)]
    ) == (left)


@pytest.mark.parametrize("later", [False, True])
def test_stacks_count_against_the_limit_of_bytes(tmp_path, later):
    """Whenever they come."""
    store = DumpStore(tmp_path, max_mb=1)
    stacks = b"x" * 300_000
    for number in range(10):
        one = numbered(number)
        one.profile = {"engine": "x", "file": None, "notes": []}
        one.profiled = Profiled((".prof", stacks, None), later=later)
        store.write(one)
        if later:
            one.profiled.attach_now(".prof", stacks, None)
        sizes = [
            (tmp_path / name).stat().st_size for name in dump_files(tmp_path)
        ]
        assert sum(sizes) <= 1024 * 1024

    assert any(name.endswith(".prof") for name in dump_files(tmp_path))


@pytest.mark.parametrize("failing", ["write_new", "publish"])
def test_a_dump_that_fails_leaves_nothing(tmp_path, monkeypatch, failing):
    """Neither of the two files, nor what was written aside."""
    DumpStore(tmp_path).write(numbered(1))
    before = dump_files(tmp_path)
    original = getattr(publication, failing)

    def fails(path, *args):
        original(path, *args)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(publication, failing, fails)

    with pytest.raises(OSError, match="No space left"):
        DumpStore(tmp_path).write(profiled((".prof", STACKS, None)))

    assert dump_files(tmp_path) == before
    assert os.listdir(tmp_path / ".writing") == []


def test_an_attachment_that_fails_leaves_the_dump_as_it_was(
    tmp_path, monkeypatch
):
    """Who attaches it hears of it."""
    one = profiled(later=True)
    path = DumpStore(tmp_path).write(one)
    before = path.read_bytes()

    def fails(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(publication, "write_new", fails)

    with pytest.raises(OSError, match="No space left"):
        one.profiled.attach_now(".prof", STACKS, None)

    assert path.read_bytes() == before
    assert dump_files(tmp_path) == [f"{STEM}.json"]
    assert os.listdir(tmp_path / ".writing") == []


def test_a_suffix_that_is_no_companions_is_refused(tmp_path):
    """Nothing of a name comes from anywhere but the store."""
    one = profiled(later=True)
    DumpStore(tmp_path).write(one)

    with pytest.raises(ValueError, match="not a companion's suffix"):
        one.profiled.attach_now("/../../x", STACKS, None)


def test_companions_are_no_foreign_files(tmp_path):
    """A list names the dumps, and nothing of these is unknown."""
    foreign: list[str] = []
    store = DumpStore(tmp_path)
    store.write(profiled((".prof", STACKS, None)))

    entries = list(store.entries(foreign))

    assert len(entries) == 1
    assert foreign == []
