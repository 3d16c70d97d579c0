# SPDX-License-Identifier: Apache-2.0
"""What all commands agree on: the form of JSON, and of finding nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click
from click.core import ParameterSource

SCHEMA = 1

# More than any folder has.
_ALL = 10**9


def print_json(fields: Mapping[str, Any]) -> None:
    """Print *fields* as one JSON object, with ``schema`` as its first key.

    A ``schema`` of their own stays: a record has the record's.
    """
    click.echo(json.dumps({"schema": SCHEMA, **fields}, indent=2))


def json_limit() -> int:
    """Return the ``--limit`` that was given; without one JSON has all."""
    ctx = click.get_current_context()
    if ctx.get_parameter_source("limit") is ParameterSource.DEFAULT:
        return _ALL
    return int(ctx.params["limit"])


def say_nothing_found(message: str) -> None:
    """Print in one line why an answer is empty.

    An empty answer is an answer: the exit code stays 0, in all commands. What
    was named and is not there is an error, and so is a gate that saw nothing.
    """
    click.echo(" ".join(message.split()), err=True)
