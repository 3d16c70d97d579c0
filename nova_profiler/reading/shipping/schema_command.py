# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler schema``: what a record and a dump are, for machines."""

from __future__ import annotations

import json

import click

from nova_profiler.record.json_schema import FORMS, RECORD, schema_of


@click.command("schema")
@click.argument(
    "form",
    metavar="[record|dump]",
    type=click.Choice(list(FORMS)),
    default=RECORD,
)
def command(form: str) -> None:
    """Print the JSON Schema (2020-12) of a record or a dump.

    A record is a line of log_file, a dump a file of dump_dir.

    \b
    nova-profiler schema record > record.schema.json
    nova-profiler schema dump > dump.schema.json
    """
    click.echo(json.dumps(schema_of(form), indent=2))
