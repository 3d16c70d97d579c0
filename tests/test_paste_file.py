# SPDX-License-Identifier: Apache-2.0
"""One reader of paste files, for the worker as for the commands."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.paste_file import (
    PasteFileError,
    own_filters,
    sections_of,
)
from nova_profiler.trust.files import FileError

TEXT = """
[DEFAULT]
state_path = /var/lib/nova
[filter : timing]
use = egg:nova-profiler
slow_ms = 1
slow_ms = 300
Slow: 1
hooks = db_api

    threads
[filter:nova_profiler]
paste.filter_factory = nova_profiler.factory:filter_factory
[filter:cors]
use = egg:oslo.middleware#cors
[app:nova_profiler]
use = egg:nova_profiler
only_a_name
"""


@pytest.fixture
def paste_file(tmp_path):
    """Return what writes a paste file, and its path."""

    def written(text: str) -> str:
        path = tmp_path / "api-paste.ini"
        path.write_text(text, encoding="latin-1")
        return str(path)

    return written


def test_options_are_as_they_are_written(paste_file):
    """The last of several counts; a value goes on in an indented line."""
    sections = sections_of(paste_file(TEXT))

    assert sections["DEFAULT"] == {"state_path": "/var/lib/nova"}
    assert sections["filter:timing"] == {
        "use": "egg:nova-profiler",
        "slow_ms": "300",
        "Slow": "1",
        "hooks": "db_api\n\nthreads",
    }
    assert sections["app:nova_profiler"]["only_a_name"] == ""


def test_our_filters_are_known_by_their_makers(paste_file):
    """A name says nothing, and an application is no filter."""
    ours = own_filters(sections_of(paste_file(TEXT)))

    assert list(ours) == ["filter:timing", "filter:nova_profiler"]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("s3cret\n", " in line 1"),
        ("[a\ns3cret\n", " in line 1"),
        ("[a]\n= s3cret\n", " in line 2"),
        ("[a]\nb\n  s3cret\n", ""),
    ],
)
def test_an_error_holds_no_line_of_the_file(paste_file, text, where):
    """A line may be a password; its number is enough to find it."""
    path = paste_file(text)

    with pytest.raises(PasteFileError, match="cannot be read") as caught:
        sections_of(path)

    assert str(caught.value).startswith(f"{path}: cannot be read{where}")
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_bytes_that_are_no_text_cost_their_own_value_only(paste_file):
    """As of a comment in another encoding."""
    sections = sections_of(paste_file("# \xe9\n[a]\nb = 1\n"))

    assert sections == {"a": {"b": "1"}}


@given(st.text(alphabet="[]=:# \n\tab%\0"))
def test_any_text_is_read_or_refused(tmp_path_factory, text):
    """And nothing else is raised."""
    path = tmp_path_factory.mktemp("paste") / "api-paste.ini"
    path.write_text(text)

    try:
        sections = sections_of(str(path))
    except PasteFileError as exc:
        assert str(exc).startswith(f"{path}: cannot be read")
    else:
        assert all(isinstance(v, dict) for v in sections.values())


def test_a_pipe_is_not_waited_for(tmp_path):
    """It is no paste file."""
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(FileError, match="not a regular file"):
        sections_of(str(tmp_path / "pipe"))
