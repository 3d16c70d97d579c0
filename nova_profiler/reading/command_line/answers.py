# SPDX-License-Identifier: Apache-2.0
"""What all commands agree on: JSON, exit codes, and finding nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import islice
from typing import Any

import click
from click.core import ParameterSource

SCHEMA = 1

# The exit codes, with the manual's table in commands.rst. An empty answer is
# an answer: nothing fits the options, or a place where dumps or runs are kept
# has none yet, which is how each installation begins. What was named as an
# argument must have what the command reads: a job that names the wrong log
# must not be green.
ANSWERED = 0
GATE_FOUND = 1
FAILED = 2

# More than any folder has.
_ALL = 10**9
# Of an answer in JSON, a few kB each.
_PARTS_AT_ONCE = 1000


def print_json(fields: Mapping[str, Any]) -> None:
    """Print *fields* as one JSON object, with ``schema`` as its first key.

    A ``schema`` of their own stays: a record has the record's.
    """
    parts = json.JSONEncoder(indent=2).iterencode({"schema": SCHEMA, **fields})
    # Written as it is made: the parts of a long answer take more memory than
    # all that it is about.
    while part := "".join(islice(parts, _PARTS_AT_ONCE)):
        click.echo(part, nl=False)
    click.echo()


def json_limit() -> int:
    """Return the ``--limit`` that was given; without one JSON has all."""
    ctx = click.get_current_context()
    if ctx.get_parameter_source("limit") is ParameterSource.DEFAULT:
        return _ALL
    return int(ctx.params["limit"])


def say_nothing_found(message: str) -> None:
    """Print in one line why an answer is empty; the exit code is ANSWERED."""
    click.echo(" ".join(message.split()), err=True)
