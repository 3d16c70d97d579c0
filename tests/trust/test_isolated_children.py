# SPDX-License-Identifier: Apache-2.0
"""No process of ours imports what lies in the current folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from multiprocessing import resource_tracker
from multiprocessing.spawn import get_command_line
from pathlib import Path

import pytest

from nova_profiler import OWN_FOLDER
from nova_profiler.cli import COMMANDS as COMMANDS_OF_CLI
from nova_profiler.reading.process_pools import process_pool
from nova_profiler.trust.isolated_children import (
    isolated_python,
    isolated_spawn,
    leave_out_current_folder,
)

CANARY = "open(__import__('os').environ['CANARY'], 'a').write(__file__)\n"
# Modules that a new Python, multiprocessing or a command of ours imports.
NAMES = (
    "multiprocessing pickle socket struct signal runpy json click rich "
    "tempfile subprocess nova_profiler oslo_config pyarrow sitecustomize"
).split()


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    """Return a folder full of modules that note who imports them."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    for name in NAMES:
        (folder / f"{name}.py").write_text(CANARY)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("CANARY", str(tmp_path / "canary"))
    return folder


def executed(tmp_path):
    """Return the modules of the bundle that were imported."""
    canary = tmp_path / "canary"
    return canary.read_text() if canary.exists() else ""


def test_a_new_python_imports_nothing_from_here(bundle, tmp_path):
    """It still finds what this one does."""
    code = "import json, sys, nova_profiler; print(json.dumps(sys.path))"

    done = subprocess.run(
        isolated_python(code), capture_output=True, check=True
    )

    assert executed(tmp_path) == ""
    assert json.loads(done.stdout) == [
        place for place in sys.path if os.path.isabs(place)
    ]


@pytest.mark.parametrize("places", ["", ":/nowhere", "."])
def test_pythonpath_brings_nothing_in(bundle, tmp_path, monkeypatch, places):
    """An empty word in it is the current folder to Python."""
    monkeypatch.setenv("PYTHONPATH", places)

    subprocess.run(isolated_python("import nova_profiler"), check=True)

    assert executed(tmp_path) == ""


def test_a_child_finds_us_where_no_place_leads_to_us(bundle, monkeypatch):
    """As in a checkout that is installed as it stands, by a hook of imports.

    Nothing else than such a hook would know it, and a child without the
    hook's file is to import us, too.
    """
    home = os.path.dirname(OWN_FOLDER.rstrip(os.sep))
    others = [one for one in sys.path if os.path.realpath(one or ".") != home]
    monkeypatch.setattr(sys, "path", others)

    command = isolated_python("import nova_profiler; print(sys.path[-1])")
    command.insert(1, "-S")
    done = subprocess.run(command, capture_output=True, check=True, text=True)

    assert done.stdout.strip() == home


def test_spawned_processes_import_nothing_from_here(
    bundle, tmp_path, monkeypatch
):
    """Those of a pool, and the one that tracks its semaphores."""
    tracker = resource_tracker._resource_tracker
    # A new one starts; the other goes on with what it tracks.
    for name in ("_fd", "_pid"):
        monkeypatch.setattr(tracker, name, None)
    monkeypatch.syspath_prepend("")

    with isolated_spawn() as spawn, process_pool(1, spawn) as pool:
        places = pool.submit(eval, "__import__('sys').path").result()

    tracker._stop()
    assert executed(tmp_path) == ""
    assert str(bundle) not in places
    assert "" not in places
    assert sys.path[0] == ""


def test_multiprocessing_is_left_as_it_was(bundle):
    """Others in this process may spawn, too."""
    before = get_command_line(pipe_handle=1)

    with isolated_spawn():
        within = get_command_line(pipe_handle=1)

    assert within[1] == "-I"
    assert get_command_line(pipe_handle=1) == before


@pytest.mark.parametrize("place", ["", ".", "lib"])
def test_the_current_folder_is_left_out(bundle, monkeypatch, place):
    """However it came in; folders that were named whole stay."""
    monkeypatch.setattr(sys, "path", [place, str(bundle), "/usr/lib"])

    leave_out_current_folder()

    assert sys.path == ["/usr/lib"]


def test_a_checkout_in_the_current_folder_stays(monkeypatch):
    """Where this package itself was loaded from it."""
    checkout = str(Path(__file__).parents[2])
    monkeypatch.chdir(checkout)
    for before in (["", checkout], ["."], [""]):
        monkeypatch.setattr(sys, "path", before)

        leave_out_current_folder()

        assert set(sys.path) == {checkout}


def test_a_current_folder_that_is_gone(tmp_path, monkeypatch):
    """Nothing can be in it."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    monkeypatch.setattr(sys, "path", ["", "/usr/lib"])

    leave_out_current_folder()

    assert sys.path == ["/usr/lib"]


LINE = (
    "2026-11-21 10:35:01.123 1 INFO nova.osapi_compute.wsgi.server "
    "[req-6ec84648-93a7-4e51-8d02-b0d2a2b0b2d0 u p - - -] 10.0.0.1 "
    '"GET /v2.1/servers/detail HTTP/1.1" status: 200 len: 1893 time: 0.2\n'
)
COMMANDS = [
    "calls --dump-dir dumps",
    "check --paste api-paste.ini --config-file nova.conf",
    "compare a n.log --history h",
    "diff --dump-dir dumps GET POST",
    "export --dump-dir dumps 6ec84648",
    "follow req-6ec84648-93a7-4e51-8d02-b0d2a2b0b2d0 n.log",
    "history add a n.log --history h",
    "history trend --history h",
    "list --dump-dir dumps",
    "metrics rules",
    "prune --dump-dir dumps --max-files 1",
    "report n.log",
    "running --dump-dir dumps",
    "schema record",
    # An address of no machine: it ends where it would listen.
    "serve dumps --host 192.0.2.1",
    "shipper vector",
    "show --dump-dir dumps 6ec84648",
    "size n.log",
    "sign GET /v2.1/servers --key 0123456789abcdef",
    "top --dump-dir dumps",
]


@pytest.mark.slow
def test_no_command_imports_what_lies_in_the_current_folder(bundle, tmp_path):
    """With logs that several processes read, and a trial of stacks."""
    program = Path(sys.executable).with_name("nova-profiler")
    with open("n.log", "w") as log:
        # More than one process reads so much.
        log.write(LINE * (26 * 1024 * 1024 // len(LINE)))
    Path("dumps").mkdir(mode=0o700)
    Path("nova.conf").write_text("[nova_profiler]\nprofiler = stacks\n")
    Path("api-paste.ini").write_text("[app:x]\npaste.app_factory = x:y\n")

    assert {words.split()[0] for words in COMMANDS} == COMMANDS_OF_CLI.keys()
    for words in COMMANDS:
        subprocess.run(
            [program, *words.split()], capture_output=True, check=False
        )

        assert executed(tmp_path) == "", words
