# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler follow``: one request through the logs of all services."""

from __future__ import annotations

import sys
from datetime import tzinfo

import click

from nova_profiler.reading.command_line.answers import print_json
from nova_profiler.reading.command_line.durations import Duration
from nova_profiler.reading.command_line.form_option import form_option
from nova_profiler.reading.command_line.options import (
    json_option,
    timezone_option,
)
from nova_profiler.reading.command_line.paging import unpaged
from nova_profiler.reading.command_line.progress import log_progress
from nova_profiler.reading.command_line.skipped import print_unread
from nova_profiler.reading.follow.progress import LABELS, SearchProgress
from nova_profiler.reading.follow.records.finding import Records
from nova_profiler.reading.follow.search.search import (
    FollowedRequest,
    RequestNotFound,
    RequestSearch,
)
from nova_profiler.reading.follow.story import figures_of, story_of
from nova_profiler.reading.logs.files.sources import sources_of
from nova_profiler.reading.logs.unread import Unread
from nova_profiler.reading.screen.terminal import printable

_SHORTEST_ID = 4


def _request_id(ctx: click.Context, param: click.Parameter, value: str) -> str:
    bare = value.strip().removeprefix("req-")
    if len(bare) < _SHORTEST_ID or not bare.replace("-", "").isalnum():
        raise click.BadParameter(
            f"{printable(value)!r}: expected a request id or the first "
            f"{_SHORTEST_ID} or more letters of it, with or without req-",
            ctx,
            param,
        )
    return value.strip()


def _request(
    search: RequestSearch, text: str, records: Records
) -> FollowedRequest:
    """Return the lines of the request; none, where only records have it."""
    try:
        return search.find(text)
    except RequestNotFound:
        request_id = records.id_of(text) if records.has_dumps else None
        if request_id is None:
            raise
        return FollowedRequest(request_id, (), [], 0, 0, 0)


@click.command("follow")
@click.argument("request_id", metavar="REQUEST_ID", callback=_request_id)
@click.argument("logs", metavar="LOG...", nargs=-1, required=True)
@click.option(
    "--gap",
    "gap_ms",
    metavar="TIME",
    type=Duration("ms"),
    help="Show gaps of at least this: 1s, 20ms, or milliseconds; without "
    "it, of 2 % of the whole.",
)
@click.option(
    "--full", is_flag=True, help="Show messages whole, however wide they are."
)
@click.option(
    "--stream", is_flag=True, help="First print each line when it is found."
)
@click.option(
    "--format",
    "shape",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
)
@timezone_option
@form_option
@json_option
def command(
    request_id: str,
    logs: tuple[str, ...],
    gap_ms: float | None,
    full: bool,
    stream: bool,
    shape: str,
    local: tzinfo | None,
    stated: tuple[str, ...],
    as_json: bool,
) -> None:
    """Follow one request through the logs of all services.

    Shows every line of the request and of the requests to other services
    that it led to, in the order of time, the gaps between them, and which
    service held the time. LOG is a file, a folder, a pattern or - for
    standard input, compressed or not. Where a service has records, as dumps
    in a folder or lines of log_file, these show what held the time.

    \b
    nova-profiler follow req-6ec84648-93a7-4e51-8d02-b0d2a2b0b2d0 /var/log
    nova-profiler follow 6ec84648 logs/*.log.gz --format markdown
    """
    unread = Unread()
    sources = sources_of(logs, unread, local, stated)
    records = Records(logs, sources, unread)
    unread = records.unread
    stream = stream and shape == "text" and not as_json
    if stream:
        unpaged()
    with log_progress(sources, LABELS[0], is_shown=not stream) as bar:
        progress = SearchProgress(bar, stream=stream)
        search = RequestSearch(
            sources,
            unread,
            on_round=progress.on_round,
            on_bytes=bar.advance,
            on_line=progress.on_line,
        )
        try:
            request = _request(search, request_id, records)
        except RequestNotFound:
            print_unread(unread)
            raise
        picture = records.picture_of(request)
    story = story_of(request, gap_ms, picture)
    if as_json or shape == "json":
        print_json({**figures_of(story), "unread": unread.figures()})
        return
    print_unread(unread)
    if shape == "markdown":
        from nova_profiler.reading.follow.markdown import markdown_of

        click.echo(markdown_of(story))
        return
    from nova_profiler.reading.follow.page import print_story
    from nova_profiler.reading.screen.terminal import terminal

    whole = full or not sys.stdout.isatty()
    print_story(terminal(), story, whole=whole)
