# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler shipper``: configuration for what takes records away."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import click

from nova_profiler.reading.shipping import (
    alloy,
    clickhouse,
    fluentd,
    logstash,
    opensearch,
    rsyslog,
    vector,
)
from nova_profiler.reading.shipping.plan import Plan

# What no configuration reads as more than a part of a path.
_PATH = re.compile(r"/[\w./*@+-]+", re.ASCII)


class Shipper(NamedTuple):
    """One thing to configure: what it is, and what writes its file."""

    meaning: str
    text: Callable[[Plan], str]


SHIPPERS = {
    "vector": Shipper("Vector, into ClickHouse", vector.text),
    "fluentd": Shipper("Fluentd, kolla's too, into OpenSearch", fluentd.text),
    "logstash": Shipper("Logstash, into OpenSearch", logstash.text),
    "rsyslog": Shipper("rsyslog, to a collector by TCP", rsyslog.text),
    "alloy": Shipper("Grafana Alloy, into Loki", alloy.text),
    "opensearch": Shipper(
        "index template of OpenSearch's data stream", opensearch.text
    ),
    "clickhouse": Shipper("table of ClickHouse", clickhouse.text),
}
_MEANINGS = "\n".join(f"{k:12}{one.meaning}" for k, one in SHIPPERS.items())


def _path(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if _PATH.fullmatch(value) is None:
        raise click.BadParameter(
            f"{value!r}: expected a whole path of letters, digits and "
            "./*@+-_ such as /var/log/nova/profiler.jsonl",
            ctx,
            param,
        )
    return value


@click.command(
    "shipper",
    help=f"""Print configuration for what ships or stores records.

    \b
    {_MEANINGS.replace(chr(10), chr(10) + "    ")}

    The fields are those of `nova-profiler schema record`.

    \b
    nova-profiler shipper rsyslog > /etc/rsyslog.d/10-nova-profiler.conf
    nova-profiler shipper clickhouse --days 90 | clickhouse-client --multiquery
    """,
)
@click.argument("shipper", metavar="FORM", type=click.Choice(list(SHIPPERS)))
@click.option(
    "--log-file",
    default="/var/log/nova/profiler.jsonl",
    show_default=True,
    callback=_path,
    help="The option log_file of nova.conf.",
)
@click.option(
    "--days",
    type=click.IntRange(1, 3650),
    default=30,
    show_default=True,
    help="How long clickhouse keeps a record.",
)
def command(shipper: str, log_file: str, days: int) -> None:
    """Print the file of *shipper*."""
    click.echo(SHIPPERS[shipper].text(Plan(log_file, days)), nl=False)
