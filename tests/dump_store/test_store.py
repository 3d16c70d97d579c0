# SPDX-License-Identifier: Apache-2.0
"""The dump directory: names, whole files, finding and reading."""

from __future__ import annotations

import json
import os
import re
import stat
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from builders import REQUEST_ID, dump_files, numbered, record, slow_rebuild
from hypothesis import given, settings
from hypothesis import strategies as st

from nova_profiler.dump_store import (
    DumpError,
    DumpStore,
    name_of_route,
    read_dump,
    read_head,
    reading,
    record_of_json,
)
from nova_profiler.dump_store.names import entry_of, name_of_dump
from nova_profiler.record import RecordError
from nova_profiler.routes import metric_name

ANY_TEXT = st.text(max_size=400)


@pytest.fixture
def store(tmp_path: Path) -> DumpStore:
    return DumpStore(tmp_path / "dumps")


def test_a_dump_is_where_its_name_says(store):
    """Day folder, time of day, duration, method, route and id's start."""
    path = store.write(slow_rebuild())

    assert path == (
        store.directory
        / "2026-11-21"
        / "103501.123-3117ms-POST-v2_1_servers_id_action-6ec84648-ued5276.json"
    )


def test_a_dump_reads_back_as_it_was(store):
    """What is read is what was written, timeline and all."""
    written = slow_rebuild()

    read = store.read(store.find(store.write(written).stem))

    assert read.to_dict() == written.to_dict()


def test_only_the_owner_may_read(store):
    """Directories are 0700 and files 0600, whatever the umask allows."""
    path = store.write(record())

    modes = [
        stat.S_IMODE(where.stat().st_mode)
        for where in (store.directory, path.parent, path)
    ]
    assert modes == [0o700, 0o700, 0o600]


def test_same_name_twice_keeps_both(store):
    """Equal requests in one millisecond get names of their own."""
    paths = {store.write(record()) for _ in range(50)}

    assert len(paths) == 50
    assert len(list(store.entries())) == 50


def test_a_name_claimed_by_another_writer_is_left_alone(store):
    """A file aside of the same name belongs to another writer."""
    first = store.write(record())
    first.unlink()
    aside = store.directory / ".writing" / f"2026-11-21T{first.stem}"
    aside.write_text("half")

    second = store.write(record())

    assert second != first
    assert aside.read_text() == "half"


@pytest.mark.parametrize(
    ("route", "name"),
    [
        ("/v2.1/servers/{id}/action", "v2_1_servers_id_action"),
        ("/", "root"),
        ("", "root"),
        ("/2009-04-04/meta-data/*", "2009-04-04_meta-data"),
        ("unmatched", "unmatched"),
        ("/a--b", "a-b"),
        ("/a----b/-", "a-b"),
        ("/_-/x_y/-_", "x_y"),
        ("/v2/" + "x" * 200, "v2_" + "x" * 117),
        # Cut between two words.
        ("/" + "x" * 119 + "/y", "x" * 119),
        ("/" * 500 + "x", "root"),
        ("/é/ü", "root"),
    ],
)
def test_route_names(route, name):
    """A route keeps its words and loses everything else."""
    assert name_of_route(route) == name


@pytest.mark.parametrize(
    "route",
    [
        "/",
        "/v2.1/servers/{id}/action",
        "/v2.1/os-keypairs",
        "/latest/meta-data/*",
        "/" + "x" * 120,
        "rpc compute build_and_run_instance",
    ],
)
def test_a_route_is_one_name_in_files_and_metrics(route):
    """Of up to 120 letters, and without two dashes in a row."""
    assert name_of_route(route) == metric_name(route)


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT, ANY_TEXT, st.floats())
def test_no_text_of_a_client_reaches_a_name(
    route, method, request_id, started_at, duration_ms
):
    """Whatever a record holds, its name is short, plain and readable."""
    hostile = record(
        route=route,
        method=method,
        request_id=request_id,
        started_at=started_at,
        duration_ms=duration_ms,
    )

    day, stem = name_of_dump(hostile)

    assert re.fullmatch(r"\d{4}-\d\d-\d\d", day, re.ASCII)
    assert re.fullmatch(r"[0-9]{6}\.[0-9]{3}-[A-Za-z0-9_-]+", stem)
    assert len(stem) < 200
    assert entry_of("folder", day, stem) is not None


@settings(max_examples=30, deadline=None)
@given(path=ANY_TEXT, user_name=ANY_TEXT, error=ANY_TEXT)
def test_hostile_text_comes_back_unharmed(
    tmp_path_factory, path, user_name, error
):
    """Control characters and newlines stay inside their JSON strings."""
    store = DumpStore(tmp_path_factory.mktemp("dumps"))

    file = store.write(record(path=path, user_name=user_name, error=error))

    read = store.read(next(store.entries()))
    assert (read.path, read.user_name, read.error) == (path, user_name, error)
    assert file.read_bytes().count(b"\n") == 0


def test_a_removed_directory_is_made_again(store):
    """Removing dump_dir under a running server loses no later dump."""
    first = store.write(record())
    first.unlink()
    first.parent.rmdir()
    for name in (".writing", "."):
        folder = store.directory / name
        for file in folder.iterdir():
            if file.is_file():
                file.unlink()
        folder.rmdir() if name != "." else os.rmdir(store.directory)

    assert store.write(record()).is_file()


def test_a_day_pruned_while_it_is_published_is_made_again(store, monkeypatch):
    """A pruner may remove the empty folder more than once in between."""
    real = os.mkdir
    made = []

    def mkdir(path, *args, **kwargs):
        if str(path).endswith("-21"):
            made.append(path)
            if len(made) < 3:
                raise FileExistsError(17, "File exists", str(path))
        real(path, *args, **kwargs)

    monkeypatch.setattr(os, "mkdir", mkdir)

    assert store.write(record()).is_file()
    assert len(made) == 3


def test_a_failed_write_leaves_nothing(store, monkeypatch):
    """A disk that fills up at the last step leaves no half file."""
    store.write(numbered(1))

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(OSError, match="No space left"):
        store.write(numbered(2))

    assert len(dump_files(store.directory)) == 1
    assert not list((store.directory / ".writing").iterdir())


def test_a_directory_that_cannot_be_made_raises(tmp_path):
    """The sink gets the error, and counts it."""
    (tmp_path / "file").write_text("")

    with pytest.raises(OSError, match="file"):
        DumpStore(tmp_path / "file" / "dumps").write(record())


def test_a_dump_larger_than_all_may_be_is_refused(tmp_path):
    """Nothing else is thrown away for it."""
    store = DumpStore(tmp_path, max_mb=0.01)
    store.write(record())

    with pytest.raises(OSError, match="more than all dumps together"):
        store.write(record(path="x" * 20000))

    assert len(dump_files(tmp_path)) == 1


def test_entries_are_newest_first_and_open_nothing(store, monkeypatch):
    """Names have all that a listing sorts and filters by."""
    for number in (3, 90000, 1):
        store.write(numbered(number))
    opened = os.open

    def folders_alone(path, flags, *more, **by_name):
        assert flags & os.O_DIRECTORY
        return opened(path, flags, *more, **by_name)

    monkeypatch.setattr(os, "open", folders_alone)

    entries = list(store.entries())

    assert [entry.id_prefix for entry in entries] == [
        "00015f90",
        "00000003",
        "00000001",
    ]
    assert entries[1].started_at == "2026-11-10T08:00:03.000+00:00"
    assert entries[1].duration_ms == 103
    assert (entries[1].method, entries[1].route_name) == (
        "GET",
        "v2_1_servers",
    )


def test_foreign_files_are_named(store):
    """What is no dump is known by its name and left alone."""
    path = store.write(record())
    (path.parent / "notes.txt").write_text("mine")
    (path.parent / "core.json").write_text("{}")
    path.with_suffix(".prof").write_bytes(b"")
    (path.parent / path.name.replace("GET", "PUT")).mkdir()
    path.with_suffix(".pyisession").symlink_to("/etc/passwd")
    (store.directory / "lost+found").mkdir()

    foreign: list[str] = []
    entries = list(store.entries(foreign))

    assert [entry.path for entry in entries] == [path]
    assert sorted(foreign) == [
        f"2026-11-21/{path.stem}.pyisession",
        f"2026-11-21/{path.name.replace('GET', 'PUT')}",
        "2026-11-21/core.json",
        "2026-11-21/notes.txt",
        "lost+found",
    ]


@pytest.mark.parametrize(
    "text",
    [
        REQUEST_ID,
        REQUEST_ID[:20],
        "req-6ec8",
        "6ec8",
        REQUEST_ID.removeprefix("req-"),
        "103501.123-42ms-GET-v2_1_servers-6ec84648-ued5276",
        "2026-11-21/103501.123-42ms-GET-v2_1_servers-6ec84648-ued5276.json",
    ],
)
def test_find_by_what_a_user_has_at_hand(store, text):
    """A request id or its start, a stem and a path all find the dump."""
    path = store.write(record())
    store.write(numbered(7))

    assert store.find(text).path == path


def test_find_by_the_whole_id_tells_equal_starts_apart(store):
    """Of two ids that begin alike the files' content decides."""
    store.write(record(request_id=f"{REQUEST_ID[:-1]}b"))
    path = store.write(record(method="PUT"))

    assert store.find(REQUEST_ID).path == path
    with pytest.raises(DumpError, match="is in 1035.*, 1035.*; give one"):
        store.find("6ec84648")


def test_find_says_what_to_do_when_there_is_none(store):
    """An unknown id and an absent file name their remedy."""
    with pytest.raises(DumpError, match="no such directory; has nova-api"):
        store.find("req-12345678")
    store.write(record())
    with pytest.raises(
        DumpError, match="`nova-profiler list --dump-dir .*` sh"
    ):
        store.find("req-12345678")
    with pytest.raises(DumpError, match="away.json: no such file"):
        store.find("away.json")


@pytest.mark.parametrize("is_day", [False, True])
def test_a_link_that_was_put_there_since_is_not_read(store, tmp_path, is_day):
    """Neither in the place of a dump nor in that of its day."""
    path = store.write(record())
    (entry,) = store.entries()
    swapped = path.parent if is_day else path
    swapped.rename(tmp_path / "outside")
    swapped.symlink_to(tmp_path / "outside")

    for read in (read_dump, read_head):
        with pytest.raises(DumpError, match="link|Not a directory"):
            read(entry.path)
    foreign = []
    assert list(store.entries(foreign)) == []
    assert len(foreign) == 1


def test_a_day_that_is_swapped_while_it_is_listed_is_not_read(store, tmp_path):
    """What was looked at may be another's when it is opened."""
    path = store.write(record())
    outside = tmp_path / "outside"
    days = reading._entries_of_days(store.directory, [path.parent.name], [])
    path.parent.rename(outside)
    path.parent.symlink_to(outside)

    with pytest.raises(OSError, match="Not a directory"):
        list(days)


def test_a_link_that_a_person_named_is_followed(store, tmp_path):
    """It is what they mean."""
    path = store.write(record())
    (tmp_path / "link.json").symlink_to(path)
    (tmp_path / "day").symlink_to(path.parent)

    for named in (tmp_path / "link.json", tmp_path / "day" / path.name):
        assert store.read(store.find(str(named))).status == record().status


def test_a_dump_from_elsewhere_can_be_read(store, tmp_path):
    """A file that a colleague sent is read by its path."""
    sent = tmp_path / "sent.json"
    sent.write_text(json.dumps(slow_rebuild().to_dict()))

    assert store.read(store.find(str(sent))).status == 202


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 100_000, "too deep"),
        (b"[]", "not a nova-profiler record"),
        (b'{"schema": 7}', r"schema 7 is newer than this version reads \(2\)"),
        (b'{"schema": 1, "duration_ms": NaN}', "NaN is no number"),
        (b'{"schema": 1, "duration_ms": 1e999}', "duration_ms = inf"),
        (b'{"schema": 1, "breakdown_ms": {"a": 1' + b"0" * 400 + b"}}", "10"),
        (b'{"schema": 1, "status": 1' + b"0" * 5000 + b"}", "not JSON"),
        (b'{"schema": 1, "calls": [{"group": 3}]}', "damaged record"),
        (b'{"schema": 1, "counts": {"a": 1e999}}', "counts = inf"),
    ],
)
def test_damaged_content_is_one_clear_error(store, content, message):
    """Nothing in a file makes a reader fail in any other way."""
    path = store.write(record())
    path.write_bytes(content)

    with pytest.raises(DumpError, match=f"dump {path.name}: .*{message}"):
        store.read(next(store.entries()))


def test_files_that_are_no_files_are_not_waited_for(store):
    """A pipe with a dump's name neither blocks nor is listed."""
    path = store.write(record())
    path.unlink()
    os.mkfifo(path)

    assert not list(store.entries())
    with pytest.raises(DumpError, match="not a regular file"):
        store.read(entry_of(str(path.parent), path.parent.name, path.stem))


def test_a_huge_file_is_not_read(store):
    """A file of more than any dump's size is named, not loaded."""
    path = store.write(record())
    os.truncate(path, 65 * 1024 * 1024)

    with pytest.raises(DumpError, match="more than a dump ever has"):
        store.read(next(store.entries()))


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
        lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner),
        max_leaves=10,
    )
)
def test_any_json_in_any_field_is_a_record_or_an_error(value):
    """No value anywhere in a record's JSON gets past the checks."""
    fields = slow_rebuild().to_dict()
    for name in fields:
        if name == "schema":
            continue
        text = json.dumps({**fields, name: value})
        try:
            read = record_of_json(text)
        except RecordError:
            continue
        assert read.to_dict()["schema"] == 2


def test_a_day_that_goes_while_it_is_listed_is_passed_over(store, monkeypatch):
    """Pruning beside a listing does not make it fail."""
    old = store.write(numbered(1))
    new = store.write(numbered(90000))

    entries = store.entries()
    first = next(entries)
    old.unlink()
    old.parent.rmdir()

    assert (first.path, list(entries)) == (new, [])


def test_a_file_that_is_no_dump_has_its_reason(store, tmp_path):
    """A path with another ending is not read at all."""
    other = tmp_path / "notes.txt"
    other.write_text("")

    with pytest.raises(DumpError, match="not a dump; dumps end in .json"):
        store.find(str(other))


def test_a_dump_that_went_away_has_its_reason(store):
    """Pruned between listing and reading."""
    path = store.write(record())
    entry = next(store.entries())
    path.unlink()

    with pytest.raises(DumpError, match=f"dump {path.name}: No such file"):
        store.read(entry)


def test_a_file_as_dump_dir_is_one_clear_error(tmp_path):
    """Anything but a directory is named with its reason."""
    (tmp_path / "file").write_text("")

    with pytest.raises(DumpError, match="file: Not a directory"):
        list(DumpStore(tmp_path / "file").entries())


def _at(moment: datetime, number: int):
    return numbered(number, started_at=moment.isoformat())


def test_dumps_of_the_future_come_last(tmp_path):
    """The newest is the newest of those whose date can be."""
    now = datetime.now(timezone.utc)
    store = DumpStore(tmp_path)
    moments = [
        now + timedelta(days=365),
        now + timedelta(minutes=20),
        now,
        now - timedelta(minutes=1),
        now - timedelta(days=3),
    ]
    for number, moment in enumerate(moments):
        store.write(_at(moment, number))

    def ids(since: datetime | None = None) -> list[int]:
        text = None if since is None else since.isoformat()
        return [
            int(entry.id_prefix, 16) for entry in store.entries(since=text)
        ]

    assert ids() == [2, 3, 4, 0, 1]
    assert ids(now - timedelta(minutes=2)) == [2, 3, 0, 1]
    assert ids(now + timedelta(days=1)) == [0]
