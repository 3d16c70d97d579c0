# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler report``: which calls are slow, from any logs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

import click

from nova_profiler.errors import NovaProfilerError
from nova_profiler.reading.command_line.answers import (
    json_limit,
    print_json,
)
from nova_profiler.reading.command_line.durations import slow_option
from nova_profiler.reading.command_line.form_option import form_option
from nova_profiler.reading.command_line.options import (
    JSON_HAS_ALL,
    json_option,
    limit_option,
    moment_of,
    timezone_option,
)
from nova_profiler.reading.command_line.progress import log_progress
from nova_profiler.reading.command_line.route_option import route_option
from nova_profiler.reading.logs.files.sources import MISSING, sources_of
from nova_profiler.reading.logs.line_parts.stamps import iso_epoch
from nova_profiler.reading.logs.unread import (
    Unread,
    kind_text,
    no_files_in,
)
from nova_profiler.reading.report.adding_up import report_of
from nova_profiler.reading.report.figures import BY, METADATA, Asked
from nova_profiler.reading.report.summary import summary_of
from nova_profiler.reading.screen.terminal import printable

_READING = "reading logs"
_FORMATS = ("table", "text", "json", "csv", "markdown", "html", "prometheus")


@click.command("report")
@click.argument("logs", metavar="LOG...", nargs=-1, required=True)
@slow_option
@click.option(
    "--by",
    type=click.Choice(BY),
    default="route",
    show_default=True,
    help="What each line of the table is for.",
)
@route_option
@click.option(
    "--exclude",
    metavar="ROUTE",
    multiple=True,
    help=f"Leave this route out; {METADATA} means all of the metadata API. "
    "May be given several times.",
)
@click.option(
    "--since",
    metavar="WHEN",
    callback=moment_of,
    help="Only calls from then on: 30m, 2h, 7d or 2026-11-21T10:35.",
)
@click.option(
    "--until",
    metavar="WHEN",
    callback=moment_of,
    help="Only calls before that time.",
)
@limit_option(15, f"How many lines of each table to show; {JSON_HAS_ALL}.")
@click.option(
    "--format",
    "shown_as",
    type=click.Choice(_FORMATS),
    help="html is one page with plots that needs no network; text has the "
    "sections of the first such report, in seconds; prometheus is for the "
    "textfile collector of node_exporter; table is the default.",
)
@timezone_option
@form_option
@json_option
def command(
    logs: tuple[str, ...],
    slow_s: float,
    by: str,
    route: str | None,
    exclude: tuple[str, ...],
    since: str | None,
    until: str | None,
    limit: int,
    shown_as: str | None,
    local: tzinfo | None,
    stated: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show which REST calls are slow, and for whom, from any logs.

    LOG is a file, a folder, a pattern or - for standard input, compressed
    or not: nova's own log of any release, uWSGI's, Apache's, the filter's
    log_file. Forms may be mixed; a request with several lines is counted
    once.

    \b
    nova-profiler report /var/log/nova --exclude metadata
    nova-profiler report screen-n-api.txt.gz --by user --slow 500ms
    nova-profiler report 'logs/**/*.gz' --format html > report.html
    """
    if as_json and shown_as not in (None, "json"):
        raise click.UsageError(f"--json is not --format {shown_as}")
    if shown_as == "prometheus" and by == "hour":
        raise click.UsageError(
            "--format prometheus has no hours: Prometheus keeps times itself"
        )
    asked = Asked(
        1000 * slow_s,
        by,
        exclude,
        None if since is None else iso_epoch(since),
        None if until is None else iso_epoch(until),
        route,
    )
    unread = Unread()
    sources = sources_of(logs, unread, local, stated)
    with log_progress(sources, _READING) as progress:
        report = report_of(
            sources,
            asked,
            unread,
            progress.advance,
            lambda: progress.restart(f"{_READING}, lines of several forms"),
        )
    left_out = report.figures.out_of_time + report.figures.without_time
    if not report.figures.forms and not left_out:
        is_empty = not sources and not any(unread)
        raise NovaProfilerError(
            no_files_in(logs) if is_empty else _nothing_read(unread)
        )
    shown_as = "json" if as_json else shown_as or "table"
    if shown_as == "json":
        limit = json_limit()
    _print(summary_of(report, limit), shown_as, logs)


def _nothing_read(unread: Unread) -> str:
    """Return in one line why no request was found."""
    missing = unread.count_of(MISSING)
    if missing and missing == sum(row.count for row in unread):
        (row,) = unread
        more = f" and {missing - 1} more" * (missing > 1)
        return f"no such file or folder: {printable(row.example)}{more}"
    kinds = [
        f"{row.count} {kind_text(row.count, row.kind)} "
        f"({printable(row.example)[:100]})"
        for row in unread
    ]
    why = "; ".join(kinds[:3]) or "the logs are empty"
    return f"no timed requests found: {why}"


def _print(
    summary: dict[str, Any], shown_as: str, logs: Sequence[str]
) -> None:
    if shown_as == "json":
        print_json(summary)
        return
    if shown_as == "table":
        from nova_profiler.reading.report.page import print_report
        from nova_profiler.reading.screen.terminal import terminal

        print_report(terminal(), summary, logs)
        return
    from nova_profiler.reading.command_line import prometheus_text
    from nova_profiler.reading.report.formats import plain_text

    if shown_as == "html":
        from nova_profiler.reading.report.formats.html_page import html_of

        click.echo(html_of(summary).encode("utf-8", "replace"))
        return
    show = {
        "text": plain_text.text_of,
        "csv": plain_text.csv_of,
        "markdown": plain_text.markdown_of,
        "prometheus": prometheus_text.text_of,
    }[shown_as]
    click.echo(show(summary), nl=False)
