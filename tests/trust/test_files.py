# SPDX-License-Identifier: Apache-2.0
"""Files of anybody are read whole, or refused with the reason."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from open_files import open_files

from nova_profiler.trust.files import (
    FileError,
    content_of,
    read_itself,
    read_regular,
    without_links,
)


def test_a_regular_file_is_read(tmp_path):
    """All of it, through a link as well, unless that is forbidden."""
    (tmp_path / "a.json").write_bytes(b"{}")
    (tmp_path / "b.json").symlink_to(tmp_path / "a.json")

    assert content_of(tmp_path / "a.json") == b"{}"
    assert read_regular(tmp_path / "b.json") == b"{}"
    with pytest.raises(OSError, match="symbolic"):
        read_regular(tmp_path / "b.json", flags=os.O_NOFOLLOW)


def test_no_link_is_followed_unless_a_person_named_it(tmp_path, monkeypatch):
    """What was found in a folder may be another's since."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.json").write_bytes(b"{}")
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    (tmp_path / "b.json").symlink_to(tmp_path / "folder" / "a.json")
    monkeypatch.chdir(tmp_path)
    before = open_files()

    with pytest.raises(OSError, match="Not a directory"):
        read_itself(tmp_path / "link" / "a.json")
    with pytest.raises(FileError, match=r"^b.json: a link, which is not fol"):
        content_of(tmp_path / "b.json")
    assert len(open_files()) == len(before)

    for name in ("link/a.json", "b.json", "folder/a.json"):
        assert read_itself(without_links(Path(name))) == b"{}"
    assert without_links(Path("folder/a.json")) == Path("folder/a.json")


def test_what_is_no_file_is_refused(tmp_path):
    """A pipe does not hold us up; whatever was opened is closed."""
    os.mkfifo(tmp_path / "pipe")
    before = open_files()

    with pytest.raises(FileError, match=r"^pipe: not a regular file$"):
        content_of(tmp_path / "pipe")
    with pytest.raises(FileError, match=rf"^{tmp_path.name}: Is a directory"):
        content_of(tmp_path)
    with pytest.raises(FileError, match=r"^gone: No such file"):
        content_of(tmp_path / "gone")

    assert len(open_files()) == len(before)


def test_a_file_too_large_is_refused(tmp_path):
    """Memory is bounded by what is expected of such a file."""
    (tmp_path / "a.json").write_bytes(b"{     }")

    assert read_regular(tmp_path / "a.json", largest=7)
    with pytest.raises(
        FileError, match=r"^7 bytes, more than a dump ever has \(6\)$"
    ):
        read_regular(tmp_path / "a.json", "a dump ever has", largest=6)


def test_a_link_to_itself_is_one_that_cannot_be_read(tmp_path):
    """On each Python alike."""
    loop = tmp_path / "loop.json"
    loop.symlink_to(loop)

    with pytest.raises(FileError, match="a link, which is not followed"):
        read_itself(without_links(loop))
