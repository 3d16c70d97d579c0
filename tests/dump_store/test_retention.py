# SPDX-License-Identifier: Apache-2.0
"""Retention: the limits hold across processes, also when some die."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from builders import dump_files, numbered, record

from nova_profiler.dump_store import DumpStore, locks
from nova_profiler.dump_store import retention as retention_module
from nova_profiler.dump_store.locks import FILE, locked
from nova_profiler.dump_store.opened import Directory
from nova_profiler.dump_store.usage import UsageFile
from nova_profiler.trust.folders import UntrustedFolder

FORK = multiprocessing.get_context("fork")


def write_many(directory: Path, first: int, count: int, limits: dict) -> None:
    store = DumpStore(directory, **limits)
    for number in range(first, first + count):
        store.write(numbered(number))


def in_processes(directory: Path, workers: int, count: int, **limits) -> None:
    processes = [
        FORK.Process(
            target=write_many, args=(directory, n * count, count, limits)
        )
        for n in range(workers)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * workers


def test_max_files_holds_after_every_write(tmp_path):
    """One process never has more files than allowed, and drops the oldest."""
    store = DumpStore(tmp_path, max_files=10)

    for number in range(100):
        store.write(numbered(number))
        assert len(dump_files(tmp_path)) <= 10

    newest = next(store.entries())
    assert newest.id_prefix == f"{99:08x}"
    assert len(dump_files(tmp_path)) >= 9


@pytest.mark.parametrize("max_files", [1, 2, 50])
def test_max_files_holds_across_processes(tmp_path, max_files, monkeypatch):
    """Workers that write at once keep one limit between them."""
    # However busy the machine is that tests this.
    monkeypatch.setattr(locks, "BRIEF_WAITS_S", (0.01,) * 3_000)
    in_processes(tmp_path, workers=6, count=30, max_files=max_files)
    # Of what was set aside at the same moment none could go.
    assert 0 < len(dump_files(tmp_path)) < max_files + 6

    DumpStore(tmp_path, max_files=max_files).write(numbered(1_000))

    assert 0 < len(dump_files(tmp_path)) <= max_files
    assert not list((tmp_path / ".writing").iterdir())


def test_every_dump_is_kept_where_there_is_room(tmp_path):
    """Without need nothing is pruned and nothing is lost."""
    in_processes(tmp_path, workers=4, count=50, max_files=200)

    assert len(dump_files(tmp_path)) == 200


def test_max_mb_holds_across_processes(tmp_path):
    """The bytes of all dumps together stay below the limit."""
    in_processes(tmp_path, workers=4, count=60, max_mb=0.05)

    size = sum(
        (tmp_path / file).stat().st_size for file in dump_files(tmp_path)
    )
    assert 0 < size <= 0.05 * 1024 * 1024


def kill_at(directory: Path, name: str, write_at: int, limits: dict) -> None:
    """Die at the *write_at*-th call of os.*name*, as by kill -9."""
    real = getattr(os, name)
    calls = 0

    def deadly(*args, **kwargs):
        nonlocal calls
        calls += 1
        if calls == write_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **kwargs)

    setattr(os, name, deadly)
    write_many(directory, 1000 + write_at * 100, 100, limits)


@pytest.mark.parametrize("name", ["open", "pwrite", "rename", "unlink"])
def test_a_worker_killed_anywhere_breaks_nothing(tmp_path, name):
    """Files stay whole, the limit holds, and the others go on."""
    limits = {"max_files": 20}
    for write_at in (1, 2, 3, 17, 30):
        victim = FORK.Process(
            target=kill_at, args=(tmp_path, name, write_at, limits)
        )
        victim.start()
        victim.join()
        assert victim.exitcode == -signal.SIGKILL
        assert len(dump_files(tmp_path)) <= 20
    in_processes(tmp_path, workers=3, count=40, **limits)

    store = DumpStore(tmp_path)
    assert 0 < len(dump_files(tmp_path)) <= 20
    assert all(store.read(entry).status == 200 for entry in store.entries())


ASIDE = "2026-11-21T080001.000-42ms-GET-v2_1_servers-00000001"


@pytest.mark.parametrize(
    "name",
    [
        ASIDE,
        f"{ASIDE}--0123abcd",
        f"{ASIDE}.prof",
        f"{ASIDE}--0123abcd.pyisession",
        ".armed-0123456789abcdef",
    ],
)
def test_what_a_dead_worker_left_is_removed_later(tmp_path, name):
    """A file set aside for long is pruned and counted, a young one is left."""
    store = DumpStore(tmp_path, max_files=5)
    store.write(numbered(1))
    old = tmp_path / ".writing" / name
    old.write_text("half")
    os.utime(old, (1, 1))
    young = tmp_path / ".writing" / ASIDE.replace("08", "09", 1)
    young.write_text("half")

    would = store.prune(dry_run=True)
    assert old.exists()
    removed = store.prune()

    assert not old.exists()
    assert young.exists()
    assert would == removed
    assert [(one.files, one.bytes) for one in removed.halves] == [((name,), 4)]


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.with_name("notes.txt").write_text("mine"),
        lambda path: path.with_name(f"{ASIDE}.txt").write_text("mine"),
        lambda path: path.with_name(".armed").write_text("mine"),
        lambda path: path.symlink_to("/etc/hostname"),
        lambda path: path.mkdir(),
        os.mkfifo,
    ],
)
def test_nothing_aside_goes_that_is_not_ours(tmp_path, make):
    """By its name, and by its kind."""
    folder = tmp_path / ".writing"
    folder.mkdir(mode=0o700)
    make(folder / ASIDE)
    (made,) = folder.iterdir()
    os.utime(made, (1, 1), follow_symlinks=False)

    removed = DumpStore(tmp_path, max_files=1).prune()

    assert removed.halves == []
    assert [*folder.iterdir()] == [made]


@pytest.mark.parametrize("kind", ["link", "others", "file"])
@pytest.mark.parametrize("name", [".writing", "2026-11-21"])
def test_a_folder_that_is_not_ours_is_left_alone(tmp_path, name, kind):
    """A link leads to files of others; one that others fill has theirs."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    stem = ASIDE.partition("T")[2]
    for file in (ASIDE, f"{stem}.json"):
        (elsewhere / file).write_text("mine")
        os.utime(elsewhere / file, (1, 1))
    directory = tmp_path / "dumps"
    directory.mkdir(mode=0o700)
    if kind == "link":
        (directory / name).symlink_to(elsewhere)
    elif kind == "others":
        elsewhere.rename(directory / name)
        (directory / name).chmod(0o777)
        elsewhere = directory / name
    else:
        (directory / name).write_text("")
    store = DumpStore(directory, max_files=1, max_age_hours=1)

    for number in range(3):
        with suppress(UntrustedFolder):
            store.write(numbered(number))
    removed = store.prune()

    assert sorted(os.listdir(elsewhere)) == sorted([ASIDE, f"{stem}.json"])
    assert not {ASIDE, stem} & {one.stem for one in sum(removed, [])}


def test_a_dump_goes_with_its_companions(tmp_path):
    """Profiles of a dump count as files and are removed with it."""
    store = DumpStore(tmp_path, max_files=4)
    for number in range(2):
        path = store.write(numbered(number))
        path.with_suffix(".prof").write_bytes(b"profile")
        path.with_suffix(".pyisession").write_text("session")

    removed = store.prune()

    assert [len(dump.files) for dump in removed.dumps] == [3]
    assert len(dump_files(tmp_path)) == 3


def test_foreign_files_are_never_removed(tmp_path):
    """Pruning touches dumps alone, and keeps the folder they lay in."""
    path = DumpStore(tmp_path).write(numbered(1))
    foreign = path.parent / "notes.json"
    foreign.write_text("mine")
    DumpStore(tmp_path).write(numbered(90000))

    DumpStore(tmp_path, max_files=1).prune()

    assert foreign.read_text() == "mine"
    assert not path.exists()


def test_an_emptied_day_goes_too(tmp_path):
    """A folder without dumps is removed."""
    path = DumpStore(tmp_path).write(numbered(1))
    DumpStore(tmp_path).write(numbered(90000))

    DumpStore(tmp_path, max_files=1).prune()

    assert not path.parent.exists()


def test_max_age_counts_from_the_request(tmp_path):
    """Dumps of requests older than the limit go, younger ones stay."""
    now = datetime.now(timezone.utc)
    store = DumpStore(tmp_path, max_age_hours=2)
    for hours in (1, 3, 30):
        at = now - timedelta(hours=hours)
        store.write(record(started_at=at.isoformat()))

    assert len(store.prune().dumps) == 2
    assert len(dump_files(tmp_path)) == 1


def test_dry_run_only_tells(tmp_path):
    """A dry run names what would go and leaves it there."""
    for number in range(5):
        DumpStore(tmp_path).write(numbered(number))
    before = dump_files(tmp_path)

    doomed = DumpStore(tmp_path, max_files=2).prune(dry_run=True)

    assert [dump.stem[:6] for dump in doomed.dumps] == [
        "080000",
        "080001",
        "080002",
    ]
    assert dump_files(tmp_path) == before


def test_prune_makes_no_files_of_its_own(tmp_path):
    """Run by root it must leave nothing that the service cannot open."""
    DumpStore(tmp_path / "dumps", max_files=1).prune()

    assert not list(tmp_path.iterdir())


def test_writing_looks_at_the_directory_only_when_needed(
    tmp_path, monkeypatch
):
    """Below the limits a write scans nothing."""
    store = DumpStore(tmp_path, max_files=100)
    store.write(numbered(0))
    monkeypatch.setattr(retention_module, "stored_dumps", None)

    for number in range(1, 100):
        store.write(numbered(number))

    assert len(dump_files(tmp_path)) == 100


@pytest.mark.parametrize("content", [b"", b"junk", b"\xff" * 300, b"1 2 3"])
def test_a_damaged_usage_file_heals(tmp_path, content):
    """Whatever is in it, the limit holds and the figures come back."""
    store = DumpStore(tmp_path, max_files=10)
    for number in range(10):
        store.write(numbered(number))
    (tmp_path / ".usage").write_bytes(content)

    store.write(numbered(10))

    with Directory(tmp_path).opened() as opened:
        usage = UsageFile().read(opened.fd)
    assert len(dump_files(tmp_path)) <= 10
    assert usage is not None
    assert usage.files == len(dump_files(tmp_path))


def test_a_stopped_lock_holder_does_not_stop_us(tmp_path):
    """With both locks held by a stopped process the limit holds."""
    store = DumpStore(tmp_path, max_files=3)
    store.write(numbered(0))

    with (
        locked(tmp_path / ".usage") as usage,
        locked(tmp_path / ".prune", FILE | os.O_CREAT) as prune,
    ):
        # Since long ago.
        os.utime(tmp_path / ".prune", (0, 0))
        for number in range(1, 6):
            store.write(numbered(number))

    assert usage is not None
    assert prune is not None
    assert len(dump_files(tmp_path)) <= 3


def test_one_prunes_for_all(tmp_path, monkeypatch):
    """While one looks at all files the others do not look as well."""
    looks = []
    monkeypatch.setattr(
        retention_module.Retention,
        "prune",
        lambda self, *args: looks.append(args),
    )
    store = DumpStore(tmp_path, max_files=1)

    with locked(tmp_path / ".prune", FILE | os.O_CREAT) as prune:
        os.pwrite(prune, b"pruning", 0)
        store.write(numbered(0))
        store.write(numbered(1))

    assert prune is not None
    assert looks == []


def test_an_unreadable_usage_file_costs_time_only(tmp_path):
    """Where it cannot be opened every write looks for itself."""
    store = DumpStore(tmp_path, max_files=3)
    (tmp_path / ".usage").mkdir(parents=True)

    for number in range(6):
        store.write(numbered(number))

    assert len(dump_files(tmp_path)) <= 3


def test_a_lock_that_is_refused_as_if_taken_breaks_no_limit(
    tmp_path, monkeypatch
):
    """Nobody prunes then, however recent the file of the lock is."""

    def refuse(fd, operation):
        raise BlockingIOError(errno.EWOULDBLOCK, "taken")

    waits = []
    monkeypatch.setattr(locks.fcntl, "flock", refuse)
    monkeypatch.setattr(locks.time, "sleep", waits.append)
    store = DumpStore(tmp_path, max_files=5)

    for number in range(20):
        store.write(numbered(number))

    assert len(dump_files(tmp_path)) <= 5
    assert len(waits) <= 2 * locks.STOPPED_AFTER * len(locks.BRIEF_WAITS_S)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EACCES])
def test_without_locks_the_limits_hold(tmp_path, monkeypatch, number):
    """No write waits, the directory is not looked at each time."""
    looks, waits, errors = [], [], []

    def refuse(fd, operation):
        raise OSError(number, os.strerror(number))

    def look(*args, **named):
        looks.append(args)
        return found(*args, **named)

    found = retention_module.stored_dumps
    monkeypatch.setattr(locks.fcntl, "flock", refuse)
    monkeypatch.setattr(locks.time, "sleep", waits.append)
    monkeypatch.setattr(retention_module, "stored_dumps", look)
    store = DumpStore(tmp_path, max_files=100, without_lock=errors.append)

    for number_of_dump in range(150):
        store.write(numbered(number_of_dump))
        assert len(dump_files(tmp_path)) <= 100

    assert waits == []
    assert len(looks) < 15
    assert {error.strerror for error in errors} == {
        f"{os.strerror(number)}: {tmp_path}; dumps go on without"
    }


def test_a_lock_that_is_always_taken_is_not_waited_for_each_time(
    tmp_path, monkeypatch
):
    """A stopped worker costs each of the others a moment a minute."""
    waits = []
    monkeypatch.setattr(locks.time, "sleep", waits.append)
    store = DumpStore(tmp_path, max_files=5)
    store.write(numbered(0))

    with (
        locked(tmp_path / ".usage") as usage,
        locked(tmp_path / ".prune", FILE | os.O_CREAT) as prune,
    ):
        os.utime(tmp_path / ".prune", (0, 0))
        for number in range(1, 30):
            store.write(numbered(number))

    assert usage is not None
    assert prune is not None
    assert len(waits) <= 2 * locks.STOPPED_AFTER * len(locks.BRIEF_WAITS_S)
    assert len(dump_files(tmp_path)) <= 5


def dated(days: float, number: int = 0):
    """Return a record of *days* after now."""
    at = datetime.now(timezone.utc) + timedelta(days=days, seconds=number)
    return numbered(number, started_at=at.isoformat())


@pytest.mark.parametrize("days", [0.01, 1, 365, 365 * 500])
@pytest.mark.parametrize("limits", [{"max_files": 10}, {"max_mb": 0.01}])
def test_dumps_of_the_future_are_the_first_to_go(tmp_path, limits, days):
    """Whatever was kept while a clock was ahead makes room for new ones."""
    store = DumpStore(tmp_path, **limits)
    for number in range(30):
        store.write(dated(days, number))
    for number in range(40):
        store.write(dated(-0.01, number))

    kept = [entry.started_at for entry in store.entries()]
    now = datetime.now(timezone.utc).isoformat()
    assert len(kept) > 4
    assert all(started_at < now for started_at in kept)


def test_clocks_that_differ_a_little_are_no_future(tmp_path):
    """Two hosts may share a directory: the oldest of all goes first."""
    store = DumpStore(tmp_path, max_files=2)
    for seconds in (0, 60, 120):
        store.write(dated(0, seconds))

    ids = [entry.id_prefix for entry in store.entries()]
    assert ids == [f"{120:08x}"]


def test_the_age_limit_reaches_dumps_of_the_future(tmp_path, monkeypatch):
    """From when it was first seen, where the file's time is wrong, too."""
    DumpStore(tmp_path).write(dated(400))
    store = DumpStore(tmp_path, max_age_hours=1)
    (file,) = dump_files(tmp_path)
    ahead = (datetime.now(timezone.utc) + timedelta(days=400)).timestamp()
    os.utime(tmp_path / file, (ahead, ahead))

    assert store.prune().dumps == []
    now = retention_module.time.time()
    monkeypatch.setattr(retention_module.time, "time", lambda: now + 3000)
    assert store.prune().dumps == []
    monkeypatch.setattr(retention_module.time, "time", lambda: now + 4000)
    assert len(store.prune().dumps) == 1


def test_a_dry_run_changes_no_time(tmp_path):
    """Also of a dump of the future."""
    path = DumpStore(tmp_path).write(dated(400))
    os.utime(path, (4e9, 4e9))

    DumpStore(tmp_path, max_age_hours=1).prune(dry_run=True)

    assert path.stat().st_mtime == 4e9
