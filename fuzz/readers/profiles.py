# SPDX-License-Identifier: Apache-2.0
"""Profiles: samples in a session, counted calls in a ``.prof``."""

from __future__ import annotations

from pathlib import Path

from fuzz.inputs.seeds import contents
from fuzz.readers.contracts import Reader, command
from nova_profiler.profiles import (
    CALLS_SUFFIX,
    SAMPLES_SUFFIX,
    ProfileError,
)
from nova_profiler.profiles.loading import Profiles

_SESSIONS = contents("*.pyisession")
_CALLS = contents("*.prof")
_CODES = (b"{", b"0", b"r\0\0\0\0", b"r\1\0\0\0", b")\3", b"(\5\0\0\0", b"z")


def read_session(data: bytes, folder: Path) -> None:
    """Read *data* as a session, and add it up with itself."""
    _read(data, folder / f"a{SAMPLES_SUFFIX}")


def read_calls(data: bytes, folder: Path) -> None:
    """Read *data* as a ``.prof``, and add it up with itself."""
    _read(data, folder / f"a{CALLS_SUFFIX}")


def read_session_pages(data: bytes, folder: Path) -> None:
    """Show a session by each command that reads stacks."""
    _show(data, folder / f"a{SAMPLES_SUFFIX}")


def read_calls_pages(data: bytes, folder: Path) -> None:
    """Show a ``.prof`` by each command that reads stacks."""
    _show(data, folder / f"a{CALLS_SUFFIX}")


def _read(data: bytes, path: Path) -> None:
    path.write_bytes(data)
    profiles = Profiles()
    try:
        profiles.add(path)
        profiles.add(path)
    except ProfileError:
        return


def _show(data: bytes, path: Path) -> None:
    path.write_bytes(data)
    command("top", path)
    command("top", path, "--json")
    command("diff", path, path)
    for form in ("speedscope", "collapsed", "html", "firefox", "perfetto"):
        command("export", path, "--format", form, "-o", path.parent / "out")
    command("export", path, "--format", "collapsed", "-o", "-")


SESSION = Reader(read_session, _SESSIONS, is_json=True)
SESSION_PAGES = Reader(read_session_pages, _SESSIONS, is_json=True)
CALLS = Reader(read_calls, _CALLS, _CODES)
CALLS_PAGES = Reader(read_calls_pages, _CALLS, _CODES)
