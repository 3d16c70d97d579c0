# SPDX-License-Identifier: Apache-2.0
"""Measures profilers: shares beside clocks, samples of other requests."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from benchmarks.running.figures import Figure
from benchmarks.truth import loads
from benchmarks.truth.contenders import ENGINES, PEERS
from benchmarks.truth.worker import NEEDED
from demo.places import ROOT

CONTENDERS = (*ENGINES, *PEERS)
MODES = ("threads", "eventlet")
# A share that is more points off needs a note that explains it.
LIMIT_POINTS = 3.0
LEAST_SAMPLES = 5000
# What those notes hold. They explain nothing where little is called.
WHY = "called often"

_INTERVAL_MS = 2.0
_TIMEOUT_S = 600
# Runs in which a contender may collect its samples.
_TRIES = 6
_LONGEST_S = 60.0

Progress = Callable[[str], None]


class TruthError(Exception):
    """A process that measures failed; one line with the reason."""


class Share(NamedTuple):
    """A part's share of a load in percent, by clocks and by a profiler."""

    contender: str
    load: str
    part: str
    truth: float
    found: float
    samples: int
    notes: tuple[str, ...]

    @property
    def off(self) -> float:
        """Return by how many points the profiler is off."""
        return self.found - self.truth

    @property
    def reasons(self) -> list[str]:
        """Return the notes that explain it."""
        if not loads.LOADS[self.load].calls_often:
            return []
        return [note for note in self.notes if WHY in note]

    @property
    def is_explained(self) -> bool:
        """Whether a note explains it."""
        return bool(self.reasons)


class Foreign(NamedTuple):
    """What a profiler put into a request's profile that was another's.

    ``noted`` of the ``foreign`` samples are in profiles with a note about
    them; ``without`` are requests without a profile, ``errors`` those for
    which the profiler raised.
    """

    contender: str
    python: str
    mode: str
    requests: int = 0
    profiles: int = 0
    without: int = 0
    errors: int = 0
    samples: int = 0
    foreign: int = 0
    noted: int = 0

    @property
    def verdict(self) -> str:
        """Return whether the stacks are right, in a word or two."""
        if self.foreign > self.noted:
            return "WRONG, no note"
        if self.errors:
            return "raises"
        return "wrong, noted" if self.foreign else "right"


def measure_shares(seconds: float, progress: Progress) -> list[Share]:
    """Return the shares of each load's parts by each contender."""
    rows = []
    for load in loads.LOADS.values():
        for name in CONTENDERS:
            progress(f"shares of {load.name} by {name}, {seconds:g} s")
            answer = _answer(
                sys.executable, "shares", name, load.name, str(seconds)
            )
            if not answer["shares"]:
                raise TruthError(f"{name} recorded nothing of {load.name}")
            for part in load.parts:
                rows.append(
                    Share(
                        name,
                        load.name,
                        part,
                        answer["truth"][part],
                        answer["shares"][part],
                        answer["samples"],
                        tuple(answer["notes"]),
                    )
                )
    return rows


def measure_foreign(
    pythons: Iterable[str], seconds: float, progress: Progress
) -> list[Foreign]:
    """Return what is foreign in each contender's profiles on each Python."""
    rows = []
    for python in pythons:
        version = version_of(python)
        for mode in MODES:
            for name in CONTENDERS:
                row = Foreign(name, version, mode)
                rows.append(_collected(row, python, seconds, progress))
    return rows


def version_of(python: str) -> str:
    """Return the version of *python*, which must have what is needed."""
    look = (
        "import importlib.util as u, sys; "
        f"missing = [n for n in {NEEDED!r} if not u.find_spec(n)]; "
        "print(*missing or [], sep=', ', file=sys.stderr); "
        "print(sys.version.split()[0]); sys.exit(bool(missing))"
    )
    try:
        done = subprocess.run(
            [python, "-c", look], capture_output=True, text=True, timeout=60
        )
    except OSError as exc:
        raise TruthError(f"{python}: {exc.strerror}") from exc
    if done.returncode:
        raise TruthError(
            f"{python} has no {done.stderr.strip()}; install them with "
            f"{python} -m pip install -e . -r tests/requirements.txt "
            f"'SQLAlchemy>=2'"
        )
    return done.stdout.strip()


def _collected(
    row: Foreign, python: str, seconds: float, progress: Progress
) -> Foreign:
    """Return *row* with enough samples, or with those of all tries."""
    for _ in range(_TRIES):
        progress(
            f"16 requests at once in {row.mode}, Python {row.python}, "
            f"{row.contender}, {seconds:.0f} s"
        )
        answer = _answer(
            python,
            *("foreign", row.contender, row.mode),
            *(str(seconds), str(_INTERVAL_MS)),
        )
        row = row._replace(
            **{
                field: getattr(row, field) + value
                for field, value in answer.items()
            }
        )
        if row.samples >= LEAST_SAMPLES:
            break
        rate = max(1.0, answer["samples"] / seconds)
        missing_s = (LEAST_SAMPLES - row.samples) / rate
        seconds = min(_LONGEST_S, 1.2 * missing_s + 1)
    return row


def _answer(python: str, *words: str) -> dict[str, Any]:
    module = "benchmarks.truth.worker"
    command = [python, "-W", "ignore", "-m", module, *words]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            cwd=ROOT,
        )
    except subprocess.TimeoutExpired as exc:
        raise TruthError(f"{' '.join(words)}: no answer") from exc
    if done.returncode:
        last = done.stderr.strip().splitlines() or ["no message"]
        raise TruthError(f"{' '.join(words)}: {last[-1]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def figures(shares: Sequence[Share], rows: Sequence[Foreign]) -> list[Figure]:
    """Return what our engines found beside its limits."""
    found = []
    for name in ENGINES:
        off = [abs(s.off) for s in shares if s.contender == name]
        unexplained = [
            abs(s.off)
            for s in shares
            if s.contender == name and not s.is_explained
        ]
        if off:
            found.append(
                Figure(
                    f"{name}: shares off the clocks' without a note, at most",
                    *(max(unexplained, default=0.0), LIMIT_POINTS, "points"),
                )
            )
    for name in ENGINES:
        own = [row for row in rows if row.contender == name]
        if own:
            found += _foreign_figures(name, own)
    return found


def _foreign_figures(name: str, rows: Sequence[Foreign]) -> list[Figure]:
    without_note = sum(row.foreign - row.noted for row in rows)
    return [
        Figure(f"{name}: foreign samples without a note", without_note, 0, ""),
        Figure(
            f"{name}: samples looked at, the least of {len(rows)} runs",
            *(min(row.samples for row in rows), LEAST_SAMPLES, ""),
            at_least=True,
        ),
    ]


def truth_of(shares: Iterable[Share], load: str, part: str) -> float:
    """Return a part's share by the clocks, the median of all runs."""
    return statistics.median(
        share.truth
        for share in shares
        if share.load == load and share.part == part
    )
