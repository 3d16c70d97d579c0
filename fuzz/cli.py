# SPDX-License-Identifier: Apache-2.0
"""The commands of the fuzz."""

from __future__ import annotations

import hashlib
import json
import os
import random
import sys
import tempfile
from pathlib import Path

import click
from rich.console import Console

from fuzz.bounds import archives, lines
from fuzz.inputs.seeds import ROOT
from fuzz.page import show_outcomes
from fuzz.readers import READERS
from fuzz.trying.children import outcomes_of
from fuzz.trying.outcomes import Outcome

_SECONDS = 600.0
# Wide enough for the table where the output is no terminal.
_WIDTH = 100
_FINDS = ROOT / ".state" / "fuzz"


def _readers(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> list[str]:
    names = [name.strip() for name in value.split(",")] if value else []
    for name in names:
        if name not in READERS:
            raise click.BadParameter(
                f"{name!r} is none of {', '.join(READERS)}", ctx, param
            )
    return names or list(READERS)


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--seconds",
    type=click.FloatRange(0),
    default=_SECONDS,
    show_default=True,
    help="How long each reader is tried.",
)
@click.option(
    "--only",
    "names",
    metavar="READER,...",
    callback=_readers,
    help="Readers, by comma; default: all of them.",
)
@click.option(
    "--seed", type=int, help="Repeat the inputs of a run, which prints it."
)
@click.option(
    "--at-once",
    type=click.IntRange(1),
    help="Readers at a time; default: one for each core.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def main(
    context: click.Context,
    seconds: float,
    names: list[str],
    seed: int | None,
    at_once: int | None,
    as_json: bool,
) -> None:
    """Give made-up bytes to all that reads what others wrote.

    Ends with 1 if a reader raised what it must not, hung, crashed, took more
    than 300 MB or printed what steers a terminal. Each find is kept as a file
    below .state/fuzz.

    Example: python -m fuzz --seconds 20 --only dump,line
    """
    if context.invoked_subcommand is not None:
        return
    seed = random.SystemRandom().randrange(2**31) if seed is None else seed
    outcomes, finds = [], []
    for one in outcomes_of(
        names, seconds, seed, at_once or os.cpu_count() or 1
    ):
        outcomes.append(one)
        # At once: it is hours to the end.
        finds += _kept(one)
        found = f", {len(one.finds)} finds" if one.finds else ""
        click.echo(f"{one.reader}: {one.tried} inputs{found}", err=True)
    outcomes.sort(key=lambda one: names.index(one.reader))
    if as_json:
        click.echo(json.dumps([_figures(one) for one in outcomes], indent=2))
    else:
        show_outcomes(_console(), outcomes)
    for line in finds:
        click.echo(line, err=True)
    if finds:
        click.echo(f"again: --seed {seed} --only READER", err=True)
        context.exit(1)


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else _WIDTH)


def _kept(outcome: Outcome) -> list[str]:
    """Write finds and slowest input to files; return a line for a find."""
    about = []
    _FINDS.mkdir(parents=True, exist_ok=True)
    (_FINDS / f"{outcome.reader}-slowest").write_bytes(outcome.slowest.data)
    for what, data in outcome.finds:
        name = hashlib.sha256(data).hexdigest()[:12]
        path = _FINDS / f"{outcome.reader}-{name}"
        path.write_bytes(data)
        about.append(f"{path.relative_to(ROOT)}: {what}")
    return about


def _figures(one: Outcome) -> dict[str, object]:
    finds = [find.what for find in one.finds]
    return {**one._asdict(), "slowest": len(one.slowest.data), "finds": finds}


@main.command("again")
@click.argument(
    "files", nargs=-1, type=click.Path(exists=True, path_type=Path)
)
def again_command(files: tuple[Path, ...]) -> None:
    """Try kept finds once more; the first failure is raised as it is.

    Example: python -m fuzz again .state/fuzz/dump-4f1d00aa1234
    """
    for file in files:
        reader = READERS[file.name.rpartition("-")[0]]
        with tempfile.TemporaryDirectory() as folder:
            reader.read(file.read_bytes(), Path(folder))


main.add_command(lines.command)
main.add_command(archives.command)
