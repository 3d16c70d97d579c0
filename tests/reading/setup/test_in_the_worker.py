# SPDX-License-Identifier: Apache-2.0
"""`nova-profiler check` of hooks and profiler: each doubt has a remedy."""

from __future__ import annotations

import pwd
import socket
from types import SimpleNamespace

import pytest

from nova_profiler.dump_store.processes import this_process
from nova_profiler.reading.setup import OK, WARNING, WRONG
from nova_profiler.reading.setup import in_the_worker as module

NOVA = ("nova", "x", 2, 3, "", "", "")
KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def scope(tmp_path, monkeypatch):
    """Return the file of Yama's setting; not there."""
    path = tmp_path / "ptrace_scope"
    monkeypatch.setattr(module, "PTRACE_SCOPE", path)
    return path


def points(profiler="pyinstrument", problem=None, **options):
    """Return name and state of each point."""
    options = {
        "profile_when": ("armed", "signed"),
        "profile_keys": (KEY,),
        "dump_dir": "/dumps",
        **options,
    }
    found = list(module.profiler_points(profiler, problem, **options))
    for point in found:
        assert bool(point.remedy) == (point.state != OK)
    return [(point.name, point.state) for point in found]


GOOD = [("profiler", OK), ("profile_when", OK), ("profile_keys", OK)]


def test_without_a_profiler_there_is_nothing_to_say():
    """The default; keys and engines do not matter then."""
    assert points("none", profile_keys=()) == [("profiler", OK)]


def test_a_good_setting_is_good():
    """Nothing to do."""
    assert points() == GOOD


def test_a_profiler_that_cannot_work_is_wrong():
    """nova-api would not start."""
    assert points(problem="install it") == [("profiler", WRONG)]


def test_a_profiler_that_works_in_some_servers_is_doubtful():
    """With what to do in the others."""
    assert points("stacks", doubt="it depends")[0] == ("profiler", WARNING)


def test_only_root_can_become_another_user(tmp_path, monkeypatch):
    """Others can only try the reader as themselves."""
    monkeypatch.setattr(module.os, "geteuid", lambda: 1000)

    assert module.user_of_workers(str(tmp_path)) is None


def test_root_becomes_the_owner_of_the_dumps(tmp_path, monkeypatch):
    """Or nova, where root made the directory, if there is one."""
    users = {7: ("stack", "x", 7, 8, "", "", ""), "nova": NOVA}
    monkeypatch.setattr(module.os, "geteuid", lambda: 0)
    monkeypatch.setattr(
        module.pwd, "getpwuid", lambda uid: pwd.struct_passwd(users[uid])
    )
    monkeypatch.setattr(
        module.pwd, "getpwnam", lambda name: pwd.struct_passwd(users[name])
    )
    owners = {"/dumps": 7, "/new": 0}
    monkeypatch.setattr(
        module.os, "stat", lambda path: SimpleNamespace(st_uid=owners[path])
    )

    assert module.user_of_workers("/dumps") == ("stack", 7, 8)
    assert module.user_of_workers("/new") == ("nova", 2, 3)
    assert module.user_of_workers(None) == ("nova", 2, 3)
    del users["nova"]
    assert module.user_of_workers(None) is None


def test_workers_are_those_that_are_on(tmp_path, monkeypatch):
    """Sockets of workers that have ended are left out."""
    folder = tmp_path / ".running"
    folder.mkdir()
    # A socket's path has room for a hundred characters.
    monkeypatch.chdir(folder)
    here = this_process()
    for process in (here, here._replace(started=here.started + 1)):
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(f"{process}-0a1b2c3d.sock")

    assert module.pids_of_workers(str(tmp_path)) == [here.pid]
    assert module.pids_of_workers(str(tmp_path / "none")) == []
    assert module.pids_of_workers(None) == []


@pytest.mark.parametrize("keys", [(), ("",), ("short",), (KEY, "short")])
def test_keys_that_are_missing_or_short_are_doubtful(keys):
    """No client can ask for a profile, or any client can."""
    assert points(profile_keys=keys) == [
        *GOOD[:2], ("profile_keys", WARNING)
    ]  # fmt: skip


def test_keys_are_not_asked_for_where_nothing_is_signed():
    """They would not be used."""
    assert points(profile_when=("armed",), profile_keys=()) == GOOD[:2]


@pytest.mark.parametrize(
    ("profiler", "when", "state"),
    [
        ("pyinstrument", (), WARNING),
        ("pyinstrument", ("always",), WARNING),
        ("cprofile", ("always", "rate"), WARNING),
        ("stacks", ("always",), OK),
        ("cprofile", ("rate",), OK),
    ],
)
def test_never_and_always_are_doubtful(profiler, when, state):
    """The one is of no use, the other slows every request."""
    assert ("profile_when", state) in points(profiler, profile_when=when)


def test_stacks_without_a_directory_are_doubtful():
    """They would be taken for nothing."""
    assert points(dump_dir=None) == [*GOOD, ("profiler", WARNING)]


@pytest.mark.parametrize(
    ("text", "state"),
    [(None, OK), ("0\n", OK), ("1\n", OK), ("2\n", WARNING), ("3\n", WARNING)],
)
def test_what_the_kernel_lets_a_reader_do(scope, text, state):
    """At 1 the worker allows it by itself."""
    if text is not None:
        scope.write_text(text)

    assert ("ptrace_scope", state) in points("stacks")


def test_a_hook_is_taken_out_of_hooks():
    """Or what it needs is installed."""
    remedy = module.hook_remedy(
        "no module sqlalchemy", ["db_api", "threads"], []
    )

    assert remedy == ("take it out of hooks = db_api,threads, or install it",)


def test_a_named_callable_is_mended_where_it_is_named():
    """The hooks have nothing to do with it."""
    remedy = module.hook_remedy(
        "ConfigError: nova_profiler: timed_callables: 'a:b': no such",
        ["db_api"],
        ["a:b", "c:d"],
    )

    assert remedy[0].endswith("that name in timed_callables = a:b,c:d")
    assert not any("hooks" in line for line in remedy)


@pytest.mark.parametrize(
    ("version", "state"),
    [
        ("1.4.54", OK),
        ("2.1.0b1", OK),
        ("1.3.0", WARNING),
        ("2.2.0", WARNING),
        (None, WARNING),
    ],
)
def test_the_version_of_sqlalchemy_is_a_point(version, state):
    """Those that are tested are good; without any there is nothing to hook."""
    assert module.sqlalchemy_point(version).state == state
