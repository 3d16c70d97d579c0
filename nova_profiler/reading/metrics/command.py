# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler metrics``: configuration for what takes the metrics."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import click

from nova_profiler.reading.command_line.answers import print_json
from nova_profiler.reading.command_line.options import json_option
from nova_profiler.reading.metrics import (
    collector,
    grafana,
    prometheus_rules,
    statsd_exporter,
)
from nova_profiler.routes import metric_name


class Form(NamedTuple):
    """One thing to configure: what it is, and what writes its file."""

    meaning: str
    text: Callable[[str], str]


FORMS = {
    "statsd-exporter": Form(
        "mapping of Prometheus's statsd_exporter", statsd_exporter.text
    ),
    "collector": Form(
        "OpenTelemetry Collector with a statsd receiver", collector.text
    ),
    "rules": Form(
        "recording and alert rules of Prometheus", prometheus_rules.text
    ),
    "grafana": Form("dashboard of Grafana over Prometheus", grafana.text),
}
_MEANINGS = "\n".join(f"{name:16}{one.meaning}" for name, one in FORMS.items())


@click.command(
    "metrics",
    help=f"""Print configuration for what takes the metrics.

    \b
    {_MEANINGS.replace(chr(10), chr(10) + "    ")}

    Rules and dashboard have the names that the statsd_exporter gives.

    \b
    nova-profiler metrics statsd-exporter > mapping.yaml
    nova-profiler metrics grafana > dashboard.json
    """,
)
@click.argument("form", metavar="FORM", type=click.Choice(list(FORMS)))
@click.option(
    "--prefix",
    default="nova",
    show_default=True,
    help="The option statsd_prefix of nova.conf.",
)
@json_option
def command(form: str, prefix: str, as_json: bool) -> None:
    """Print the file of *form*."""
    words = [metric_name(word) for word in prefix.split(".") if word]
    if not words:
        raise click.BadParameter("it is empty", param_hint="--prefix")
    text = FORMS[form].text(".".join(words))
    if as_json:
        print_json({"form": form, "text": text})
    else:
        click.echo(text, nl=False)
