# SPDX-License-Identifier: Apache-2.0
"""Tries one reader for some seconds: ``python -m fuzz.trying.child``.

It may crash, hang or be killed: the input that it is at stands in a file, and
what it found so far in another.
"""

from __future__ import annotations

import base64
import json
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings

from fuzz.readers import READERS
from fuzz.readers.contracts import BrokenPromiseError, Reader
from fuzz.trying.outcomes import Find, Outcome

# The input that is tried, and what was found, in the folder of a child.
CURRENT, FOUND = "current", "found.json"

# With the 100 MB of libraries it is less than 300 MB.
MOST_MB = 190.0
# Of processor time: on a busy machine an easy input may take long as well.
MOST_S = 10.0
# By the clock, of what waits and takes no processor.
MOST_WAIT_S = 100.0
_KIB_PER_MB = 1024
# hypothesis keeps what it has tried in memory, of each batch alone.
_BATCH = 500
_SHORTEN_S = 20.0
_PACKAGE = "nova_profiler"


class HangError(BrokenPromiseError):
    """One input took more than MOST_S, or waited more than MOST_WAIT_S."""


class Attempts:
    """All inputs that a reader was given, and the kinds of its failures."""

    def __init__(self, name: str, reader: Reader, folder: Path) -> None:
        self._name = name
        self._read = reader.read
        self._folder = folder
        self._files = folder / "files"
        self._files.mkdir(mode=0o700)
        self._tried = 0
        self._longest_s, self._slowest = 0.0, b""
        # The input by what went wrong.
        self._finds: dict[str, bytes] = {}
        self._current = os.open(folder / CURRENT, os.O_RDWR | os.O_CREAT)

    def load(self, data: bytes) -> None:
        """Have the reader load its libraries, which is no fault of *data*."""
        with suppress(Exception):
            self._read(data, self._files)

    def attempt(self, data: bytes) -> None:
        """Have the reader read *data*, and keep what goes wrong."""
        os.pwrite(self._current, data, 0)
        os.ftruncate(self._current, len(data))
        self._tried += 1
        began = time.process_time()
        try:
            self._try(data)
        except Exception as exc:
            what = what_of(exc)
            if what in self._finds:
                return
            self._finds[what] = data
            self._finds[what] = self._shortened(what, data)
            self.settle()
        else:
            taken_s = time.process_time() - began
            if taken_s > self._longest_s:
                self._longest_s, self._slowest = taken_s, data

    def _try(self, data: bytes) -> None:
        """Have the reader read *data*; raises what must not come."""
        before_mb = _peak_mb()
        with _at_most(MOST_S, MOST_WAIT_S):
            self._read(data, self._files)
        grown_mb = _peak_mb() - before_mb
        if grown_mb > MOST_MB:
            raise BrokenPromiseError("takes too much memory")

    def _shortened(self, what: str, data: bytes) -> bytes:
        """Return a part of *data* with which the same goes wrong."""
        until = time.monotonic() + _SHORTEN_S
        length = len(data)
        while length and time.monotonic() < until:
            length //= 2
            at = 0
            while length and at < len(data) and time.monotonic() < until:
                shorter = data[:at] + data[at + length :]
                try:
                    self._try(shorter)
                except Exception as exc:
                    if what_of(exc) == what:
                        data = shorter
                        continue
                at += length
        return data

    def settle(self) -> None:
        """Write what there is so far."""
        outcome = self.outcome()
        fields = {
            **outcome._asdict(),
            "slowest": _written(outcome.slowest),
            "finds": [_written(find) for find in outcome.finds],
        }
        aside = self._folder / f"{FOUND}.new"
        aside.write_text(json.dumps(fields))
        aside.rename(self._folder / FOUND)

    def outcome(self) -> Outcome:
        """Return what came of all attempts so far."""
        return Outcome(
            self._name,
            self._tried,
            self._longest_s,
            _peak_mb(),
            Find("the slowest", self._slowest),
            tuple(Find(*one) for one in self._finds.items()),
        )


def outcome_of(fields: dict[str, Any]) -> Outcome:
    """Return the outcome that a child has written."""
    return Outcome(
        **{
            **fields,
            "slowest": _read_find(fields["slowest"]),
            "finds": tuple(map(_read_find, fields["finds"])),
        }
    )


def _written(find: Find) -> dict[str, str]:
    return {"what": find.what, "data": base64.b64encode(find.data).decode()}


def _read_find(fields: dict[str, str]) -> Find:
    return Find(fields["what"], base64.b64decode(fields["data"]))


def try_reader(
    name: str, reader: Reader, seconds: float, seed: int, folder: Path
) -> Outcome:
    """Return what *reader* did with its seeds, its finds and others.

    At most *seconds*, and what the last failure takes to be made short.
    """
    attempts = Attempts(name, reader, folder)
    attempts.load(reader.seeds[0])
    until = time.monotonic() + seconds
    for data in (*reader.finds, *reader.seeds):
        if time.monotonic() < until:
            attempts.attempt(data)
    attempts.settle()
    while time.monotonic() < until:
        _try_batch(attempts, reader, until, seed)
        attempts.settle()
        seed += 1
    attempts.settle()
    return attempts.outcome()


class _TimeIsUp(BaseException):
    """Ends a batch; hypothesis lets what is no Exception pass."""


def _try_batch(
    attempts: Attempts, reader: Reader, until: float, seed: int
) -> None:
    @hypothesis.seed(seed)
    @settings(
        max_examples=_BATCH,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(reader.inputs)
    def batch(data: bytes) -> None:
        if time.monotonic() >= until:
            # The rest of the batch would be made for nothing.
            raise _TimeIsUp
        attempts.attempt(data)

    with suppress(_TimeIsUp):
        batch()


def what_of(exc: BaseException) -> str:
    """Return the error, and the innermost place of ours that led to it."""
    place = ""
    for frame in traceback.extract_tb(exc.__traceback__):
        if f"/{_PACKAGE}/" in frame.filename:
            path = Path(frame.filename)
            inside = path.parts[path.parts.index(_PACKAGE) :]
            place = f" in {'/'.join(inside)}:{frame.lineno}"
    text = "".join(map(_shown, f"{exc}"[:80].splitlines()[:1]))
    return f"{type(exc).__name__}: {text}{place}"


def _shown(line: str) -> str:
    return line.encode("ascii", "backslashreplace").decode()


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIB_PER_MB


@contextmanager
def _at_most(cpu_s: float, wait_s: float) -> Iterator[None]:
    """End what runs or waits longer, if it runs Python."""

    def hung(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGPROF:
            raise HangError(f"takes more than {cpu_s:g} s")
        raise HangError(f"waits more than {wait_s:g} s")

    signal.signal(signal.SIGPROF, hung)
    signal.signal(signal.SIGALRM, hung)
    signal.setitimer(signal.ITIMER_PROF, cpu_s)
    signal.setitimer(signal.ITIMER_REAL, wait_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


def main() -> None:
    """Try the reader of the command line: name, seconds, seed, folder."""
    name, seconds, seed, folder = sys.argv[1:]
    # No home, and no directory of this machine's nova.
    for variable in ("NOVA_PROFILER_DUMP_DIR", "NOVA_PROFILER_HISTORY"):
        os.environ.pop(variable, None)
    os.environ["HOME"] = folder
    try_reader(name, READERS[name], float(seconds), int(seed), Path(folder))


if __name__ == "__main__":
    main()
