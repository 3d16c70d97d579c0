# SPDX-License-Identifier: Apache-2.0
"""Files are whole or absent, and no name is taken twice."""

from __future__ import annotations

import os

import pytest
from builders import record

from nova_profiler.dump_store import DumpStore, publication, writing
from nova_profiler.dump_store.opened import Directory

DAY, STEM = "2026-11-21", "103501.123-42ms-GET-root-6ec84648"


def test_a_name_published_between_two_looks_is_left_alone(
    tmp_path, monkeypatch
):
    """Its writer had the name aside before, and has just moved it."""
    published = tmp_path / DAY / f"{STEM}.json"
    genuine = writing.make_new

    def make_as_another_publishes(*names):
        monkeypatch.setattr(writing, "make_new", genuine)
        published.parent.mkdir(mode=0o700)
        published.write_text("another's")
        return genuine(*names)

    monkeypatch.setattr(writing, "make_new", make_as_another_publishes)

    with Directory(tmp_path).opened() as opened:
        file, aside, stem = writing.claim(opened, DAY, STEM)
        file.close()

    assert stem.startswith(f"{STEM}--")
    assert published.read_text() == "another's"
    assert os.listdir(tmp_path / ".writing") == [aside]


def test_no_link_is_written_through(tmp_path, monkeypatch):
    """Not even one that takes the place of a file that was just made."""
    target = tmp_path / "target"
    target.write_text("mine")
    store = DumpStore(tmp_path / "dumps")
    genuine = publication.claim

    def claim_then_swap(*args):
        fd, aside, stem = genuine(*args)
        path = tmp_path / "dumps" / ".writing" / aside
        path.unlink()
        path.symlink_to(target)
        return fd, aside, stem

    monkeypatch.setattr(publication, "claim", claim_then_swap)

    store.write(record())

    assert target.read_text() == "mine"


@pytest.mark.parametrize("suffix", ["", ".prof"])
def test_no_file_that_is_there_is_opened(tmp_path, suffix):
    """A link, or a file of another writer."""
    target = tmp_path / "target"
    target.write_text("mine")
    with Directory(tmp_path / "dumps").opened() as opened:
        writing.write_new(opened, "first", b"")
        aside = tmp_path / "dumps" / ".writing" / f"{DAY}T{STEM}{suffix}"
        aside.symlink_to(target)

        with pytest.raises(FileExistsError):
            writing.write_new(opened, aside.name, b"x")

    assert target.read_text() == "mine"
