# SPDX-License-Identifier: Apache-2.0
"""The processes of this host, whose names give a service and its files.

Of a command line only the program's name and the names of files are kept.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from nova_profiler.reading.setup.services import SYSTEM_PREFIXES, Kind
from nova_profiler.reading.setup.services.known import (
    kind_of_module,
    kind_of_program,
)

_LARGEST = 20_000
_LONGEST_TITLE = 200
# "nova-apiuWSGI worker 1", with procname-prefix; "(wsgi:nova-api" of mod_wsgi.
_TITLES = (
    re.compile(r"([a-z][a-z0-9-]*?)[: -]*uWSGI (?:master|worker|http|cheap)"),
    re.compile(r"\(wsgi:([a-z][a-z0-9-]*)"),
    re.compile(r"(?:gunicorn: )?(?:master|worker) \[([a-z][a-z0-9.:_-]*)\]"),
)
_APPLICATION = re.compile(r"[a-z_][a-z0-9_.]*(?::[a-z_][a-z0-9_]*)?")
_UWSGI_FILE = re.compile(r"([a-z][a-z0-9-]*?)(?:-uwsgi)?\.ini")
# What stands for the program of a service that a WSGI server loads.
_SERVER = "uwsgi"
# What multiprocessing has in the command line of a spawned process.
_SPAWNED = "--multiprocessing-fork"


class Process(NamedTuple):
    """One process: words of its command line, and where its files are."""

    pid: int
    parent: int
    words: tuple[str, ...]
    # Put before a path to find it as the process does; empty on the host.
    root: str = ""
    # Its executable, where this user may know it.
    executable: str = ""


class Found(NamedTuple):
    """A process of a service that we know, and what its command line names."""

    kind: Kind
    # Under which name oslo.config looks for files of its own.
    program: str
    process: Process
    files: tuple[str, ...]
    folders: tuple[str, ...]
    uwsgi: str
    # The environment of the Python that runs it; empty: not known.
    prefix: str


def processes(proc: str = "/proc") -> Iterator[Process]:
    """Yield what can be read of each process."""
    try:
        names = os.listdir(proc)
    except OSError:
        return
    for name in sorted(filter(str.isdecimal, names), key=int):
        # It may be over meanwhile, or another user's.
        with suppress(OSError, ValueError, IndexError):
            folder = f"{proc}/{name}"
            with open(f"{folder}/cmdline", "rb") as file:
                line = file.read(_LARGEST).decode("utf-8", "replace")
            with open(f"{folder}/stat", "rb") as file:
                # Behind the name, which may hold anything.
                rest = file.read(_LARGEST).rpartition(b")")[2].split()
            words = tuple(line.rstrip("\0").split("\0")) if line else ()
            yield Process(
                int(name),
                int(rest[1]),
                words,
                _root_of(folder),
                _executable_of(folder),
            )


def _root_of(folder: str) -> str:
    """Return where the root of a process's files is seen from here."""
    try:
        same = os.path.samefile(f"{folder}/root", "/")
    except OSError:
        # Another user's: most run on the host's own files.
        return ""
    return "" if same else f"{folder}/root"


def _executable_of(folder: str) -> str:
    try:
        return os.readlink(f"{folder}/exe")
    except OSError:
        return ""


def found_in(running: Sequence[Process]) -> list[Found]:
    """Return those of *running* that are services we know."""
    return [one for one in map(_found, running) if one is not None]


def spawned_of(running: Sequence[Process], pids: Sequence[int]) -> list[int]:
    """Return the children of *pids* that multiprocessing spawned."""
    return [
        one.pid
        for one in running
        if one.parent in pids and _SPAWNED in one.words
    ]


def _found(process: Process) -> Found | None:
    words = process.words
    if not words or _SPAWNED in words:
        return None
    program = _SERVER
    kind = _kind_of_title(words[0])
    if kind is None:
        program = _program_of(words)
        kind = kind_of_program(program)
    if kind is None:
        program = _SERVER if _is_server(program) else program
        kind = _kind_served(words) if program == _SERVER else None
    if kind is None:
        return None
    return Found(
        kind,
        program,
        process,
        tuple(_values(words, "--config-file")),
        tuple(_values(words, "--config-dir")),
        next((one for one in words[1:] if one.endswith(".ini")), ""),
        _environment(process),
    )


def _kind_of_title(title: str) -> Kind | None:
    for form in _TITLES:
        # A form looks at each letter once for each before it.
        match = form.match(title[:_LONGEST_TITLE])
        if match:
            return kind_of_program(match[1]) or kind_of_module(match[1])
    return None


def _program_of(words: Sequence[str]) -> str:
    """Return the name of what runs: of Python, that of its script.

    ``vi nova-compute`` is no nova-compute, and neither is ``python -c``.
    """
    program = os.path.basename(words[0])
    if not program.startswith("python"):
        return program
    rest = [one for one in words[1:] if not one.startswith("-")]
    if not rest or "-c" in words[: words.index(rest[0])]:
        return program
    return os.path.basename(rest[0])


def _is_server(program: str) -> bool:
    return program.startswith(("uwsgi", "gunicorn"))


def _kind_served(words: Sequence[str]) -> Kind | None:
    """Return the service that the arguments of a WSGI server name."""
    for word in words[1:]:
        name = os.path.basename(word)
        ini = _UWSGI_FILE.fullmatch(name)
        if ini and kind_of_program(ini[1]):
            return kind_of_program(ini[1])
        if _APPLICATION.fullmatch(word) and kind_of_module(word):
            return kind_of_module(word)
    return None


def _values(words: Sequence[str], option: str) -> Iterator[str]:
    """Yield the values of *option* in a command line."""
    for at, word in enumerate(words):
        if word.startswith(f"{option}="):
            yield word.removeprefix(f"{option}=")
        elif word == option and at + 1 < len(words):
            yield words[at + 1]


def _environment(process: Process) -> str:
    """Return the environment of a process; empty where it is not known.

    A title hides the command line of uWSGI, and with it a ``--venv``. Then
    only an executable in an environment of its own says which it is.
    """
    words = process.words
    for option in ("--venv", "--virtualenv", "--home", "-H"):
        for value in _values(words, option):
            return value
    if words[0].startswith("/"):
        return _two_up(words[0])
    prefix = _two_up(process.executable)
    return "" if prefix in SYSTEM_PREFIXES else prefix


def _two_up(path: str) -> str:
    return os.path.dirname(os.path.dirname(path))
