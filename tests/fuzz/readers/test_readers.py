# SPDX-License-Identifier: Apache-2.0
"""What the fuzz found once is tried again, and so is each reader's seed."""

from __future__ import annotations

import sys
import traceback
from random import Random

import pytest

from fuzz.inputs.mutations import near
from fuzz.readers import READERS
from fuzz.readers.contracts import BrokenPromiseError, command
from fuzz.readers.kinds import BUNDLE
from nova_profiler.cli import COMMANDS

# Each takes a second, or has libraries that other Pythons lack.
SLOW = {"parquet", "compare", "report", "kinds"}
FINDS = [
    (name, number)
    for name, reader in READERS.items()
    for number in range(len(reader.finds))
]
# It reads what its own user types; the other one's pages have a reader, which
# asks them without a server.
WITHOUT_A_READER = {"metrics", "schema", "serve", "shipper", "sign"}


@pytest.fixture
def folder(tmp_path):
    """Return a folder as the fuzz gives one to a reader."""
    tmp_path.chmod(0o700)
    return tmp_path


@pytest.mark.parametrize(("name", "number"), FINDS)
def test_what_was_found_once_stays_mended(name, number, folder):
    """Each input at which a reader failed."""
    READERS[name].read(READERS[name].finds[number], folder)


@pytest.mark.parametrize("name", sorted(set(READERS) - SLOW))
def test_every_reader_takes_what_it_knows_and_what_is_near(name, folder):
    """Its seeds are whole files, else the fuzz tries the way in alone."""
    reader = READERS[name]
    inputs = near(reader.seeds, reader.pieces, is_json=reader.is_json)
    chance = Random(name)

    for data in reader.seeds:
        reader.read(data, folder)
    for _ in range(10):
        reader.read((reader.maker or inputs)(chance), folder)


@pytest.mark.slow
@pytest.mark.parametrize("data", BUNDLE.seeds)
def test_no_kind_of_file_is_waited_for_or_shown(data, folder):
    """In the place of each file of a bundle that commands read."""
    pytest.importorskip("ibis")

    BUNDLE.read(data, folder)


def test_every_command_is_tried(monkeypatch, folder):
    """A command that reads files of others has a reader here."""
    pytest.importorskip("ibis")
    tried = set()

    def noted(args):
        tried.add(args[0])
        return 0

    monkeypatch.setattr("fuzz.readers.contracts.main", noted)
    for reader in READERS.values():
        reader.read(reader.seeds[0], folder)

    assert tried == set(COMMANDS) - WITHOUT_A_READER


def test_what_steers_a_terminal_is_a_find(monkeypatch):
    """Of any command that prints it."""
    monkeypatch.setattr(
        "fuzz.readers.contracts.main", lambda args: print("\x1b[2J") or 0
    )

    with pytest.raises(BrokenPromiseError, match="steers a terminal"):
        command("list")


def test_a_traceback_of_ours_is_a_find(monkeypatch):
    """A thread or a log handler prints one, and the command goes on."""

    def failing(args):
        try:
            raise KeyError("id")
        except KeyError:
            traceback.print_exc(file=sys.stderr)
        return 0

    monkeypatch.setattr("fuzz.readers.contracts.main", failing)

    with pytest.raises(BrokenPromiseError, match="list prints a traceback"):
        command("list")


def test_a_line_of_a_log_is_no_traceback_of_ours(folder):
    """The error names a line that it could not read, in its own words."""
    log = folder / "nova-api.log"
    log.write_text("Traceback (most recent call last):\n")

    assert command("report", log) == ""
