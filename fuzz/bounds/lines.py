# SPDX-License-Identifier: Apache-2.0
"""A million lines that are hard to read: no fault, no hang, little memory."""

from __future__ import annotations

import random
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click

from fuzz.bounds.commands import Ran, ran
from fuzz.inputs.log_lines import FORMS, ID, UNITS
from fuzz.readers.logs import read_line

_LINES = 1_000_000
# One line in so many is long.
_LONG = 200
_LONGEST_PART = 60_000
_MOST_S = 1.0
_MOST_MB = 300.0
_LIMIT_S = 1_800.0
_COMMANDS = {
    "report": ("--json",),
    "calls": ("--json",),
    "follow": ("--json",),
}


def adversarial_lines(count: int, chance: random.Random) -> Iterator[bytes]:
    """Yield *count* lines, each near some form, no two alike."""
    forms = tuple(FORMS.values())
    for number in range(count):
        line = chance.choice(forms)
        for _ in range(chance.randrange(4)):
            at = chance.randrange(len(line) + 1)
            is_long = chance.randrange(_LONG) == 0
            most = _LONGEST_PART if is_long else 12
            unit = chance.choice(UNITS) * chance.randrange(1, 4)
            times = chance.randrange(1, 2 + most // len(unit))
            end = at + chance.choice((0, 0, 1, 20))
            line = line[:at] + unit * times + line[end:]
        # Routes, users and ids of which there are ever more.
        line = line.replace("/v2.1/", f"/v2.1/{number:x}z/")
        yield line.replace("\n", " ").encode("utf-8", "replace")


@click.command("lines")
@click.option(
    "--lines", "count", type=click.IntRange(1), default=_LINES,
    show_default=True,
)  # fmt: skip
@click.option("--seed", type=int, default=1, show_default=True)
def command(count: int, seed: int) -> None:
    """Read a million adversarial lines, alone and by each command.

    Ends with 1 at an error, a line of more than a second, or 300 MB.
    """
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        path = Path(folder) / "nova-api.log"
        faults, longest_s, size = _read_each(count, seed, path)
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        click.echo(
            f"{count} lines, {size / 1e6:.0f} MB: {len(faults)} faults, the "
            f"longest took {longest_s * 1000:.0f} ms, {peak_mb:.0f} MB"
        )
        for fault in faults[:10]:
            click.echo(f"  {fault}")
        is_good = not faults and longest_s < _MOST_S and peak_mb < _MOST_MB
        for name, options in _COMMANDS.items():
            words = (ID, path) if name == "follow" else (path,)
            is_good &= _show(
                name, ran(name, *words, *options, limit_s=_LIMIT_S)
            )
    if not is_good:
        raise click.exceptions.Exit(1)


def _read_each(
    count: int, seed: int, path: Path
) -> tuple[list[str], float, int]:
    """Return the faults, the longest time of a line, and the bytes.

    All lines are written to *path*.
    """
    faults: list[str] = []
    longest_s = 0.0
    size = 0
    chance = random.Random(seed)  # a run must come again
    with path.open("wb") as file:
        for line in adversarial_lines(count, chance):
            began = time.process_time()
            try:
                read_line(line, path)
            except Exception as exc:
                faults.append(f"{type(exc).__name__}: {exc}: {line[:200]!r}")
            longest_s = max(longest_s, time.process_time() - began)
            size += file.write(line + b"\n")
    return faults, longest_s, size


def _show(name: str, found: Ran) -> bool:
    """Print how a command ended; return whether that is as promised."""
    # 2: none of its lines is a record that calls reads.
    is_good = found.code in (0, 1, 2) and found.peak_mb < _MOST_MB
    click.echo(
        f"{name}: {found.seconds:.1f} s, largest process "
        f"{found.peak_mb:.0f} MB, code {found.code}"
        + ("" if is_good else f"  MISSED {found.output[-300:]}")
    )
    return is_good
