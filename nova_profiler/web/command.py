# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler serve``: pages of requests for a browser."""

from __future__ import annotations

import os
import secrets
import sys
from contextlib import closing, suppress
from datetime import tzinfo
from socket import (
    AI_PASSIVE,
    SO_REUSEADDR,
    SOCK_STREAM,
    SOL_SOCKET,
    getaddrinfo,
)
from socket import socket as Socket
from typing import TYPE_CHECKING, Any, NoReturn

import click

from nova_profiler.errors import NovaProfilerError, missing_extra
from nova_profiler.reading.command_line.answers import print_json
from nova_profiler.reading.command_line.dump_dir import dump_dir_of
from nova_profiler.reading.command_line.durations import Duration
from nova_profiler.reading.command_line.form_option import form_option
from nova_profiler.reading.command_line.options import (
    json_option,
    timezone_option,
)
from nova_profiler.web.guard import PARAMETER, is_loopback
from nova_profiler.web.mounting import pages_of

if TYPE_CHECKING:
    from nova_profiler.web.application import Pages

# What a page's reader sends is an address and a few headers.
_LARGEST_HEADER = 32 * 1024
_LARGEST_BODY = 1024
_SILENT_S = 20
# No service of OpenStack has it: 8775 was that of nova-metadata.
_PORT = 7775
_MOST_CONNECTIONS = 100
# Connections without a whole request: the stalest makes room for a new one.
_MOST_WAITING = 50
_THREADS = 4


@click.command("serve")
@click.argument("paths", metavar="[DIR|LOG|HISTORY]...", nargs=-1)
@click.option(
    "--config-file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="nova.conf or api-paste.ini to take dump_dir from.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="The address to listen on; another than loopback needs a token.",
)
@click.option(
    "--port",
    default=_PORT,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="0 takes a free one.",
)
@click.option(
    "--allow-host",
    multiple=True,
    metavar="NAME",
    help="A name that browsers may know this machine by; repeatable.",
)
@click.option(
    "--token",
    envvar="NOVA_PROFILER_TOKEN",
    help="What browsers need besides the address; better given as "
    "NOVA_PROFILER_TOKEN, which other users do not see. One is made for "
    "another address than loopback.",
)
@click.option(
    "--slow",
    "slow_s",
    metavar="TIME",
    default="1s",
    show_default=True,
    type=Duration("s", 0.000001),
    help="A request that takes at least this is slow: 1s, 500ms, or seconds.",
)
@click.option(
    "--slow-ms",
    # The former name, whose number is milliseconds.
    hidden=True,
    type=Duration("ms", 0.001),
)
@timezone_option
@form_option
@json_option
def command(
    paths: tuple[str, ...],
    config_file: str | None,
    host: str,
    port: int,
    allow_host: tuple[str, ...],
    token: str | None,
    slow_s: float,
    slow_ms: float | None,
    local: tzinfo | None,
    stated: tuple[str, ...],
    as_json: bool,
) -> None:
    """Serve pages of requests: heat map, routes, waterfalls.

    DIR is a dump directory, or a folder with dumps and logs; without any,
    NOVA_PROFILER_DUMP_DIR or the dump_dir of nova's configuration. LOG is
    what `report` reads, HISTORY a directory that `history add` filled. Of a
    request that has no dump the pages have what the log has. Nothing of
    these is changed. Each page is JSON, too: ask for application/json, or
    add format=json.

    \b
    nova-profiler serve /var/log/nova/profiler
    nova-profiler serve /var/log/nova/nova-api.log*
    nova-profiler serve ~/.local/share/nova-profiler/history
    """
    if not is_loopback(host) and not token:
        token = secrets.token_urlsafe(24)
    pages = pages_of(
        paths or _configured(config_file),
        [host, *allow_host],
        token or "",
        1000 * slow_s if slow_ms is None else slow_ms,
        local,
        stated,
    )
    _serve(pages, host, port, token, as_json)


def _configured(config_file: str | None) -> tuple[str]:
    chosen = os.environ.get("NOVA_PROFILER_DUMP_DIR")
    if chosen and config_file is None:
        return (chosen,)
    return (dump_dir_of(config_file),)


def _serve(
    pages: Pages, host: str, port: int, token: str | None, as_json: bool
) -> None:
    """Listen, print the address, and answer until Ctrl-C."""
    try:
        import waitress
    except ImportError as exc:
        raise missing_extra("serve needs waitress", "web") from exc
    # Bound before waitress begins its threads, which it would leave.
    socket = _bound(host, port)
    server = waitress.create_server(
        pages,
        sockets=[socket],
        threads=_THREADS,
        connection_limit=_MOST_CONNECTIONS,
        channel_timeout=_SILENT_S,
        cleanup_interval=_SILENT_S,
        max_request_header_size=_LARGEST_HEADER,
        max_request_body_size=_LARGEST_BODY,
        ident=None,
    )
    _keep_room(server)
    pages.index.start()
    address = _address(socket, host, token)
    if as_json:
        print_json({"address": address})
    else:
        click.echo(f"{address}\nCtrl-C ends it")
    with closing(server):
        # It takes Ctrl-C for its end, and returns.
        server.run()
    _end_at_once()


def _end_at_once() -> NoReturn:
    """End the process without taking its interpreter apart.

    That ends threads which read wherever they are, and numpy's C++ aborts
    the process where this is inside it.
    """
    with suppress(Exception):
        # Only here: it loads what starts processes.
        from nova_profiler.reading.process_pools import end_processes

        end_processes()
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(0)


def _keep_room(server: Any) -> None:
    """Have no client hold all connections of a waitress *server*.

    One that sends a byte now and then is never silent.
    """

    class Channel(server.channel_class):  # type: ignore[misc]
        def __init__(self, server: Any, *rest: Any, **named: Any) -> None:
            waiting = [
                one
                for one in server.active_channels.values()
                if not one.requests and not one.will_close
            ]
            if len(waiting) >= _MOST_WAITING:
                stalest = min(waiting, key=lambda one: one.last_activity)
                stalest.will_close = True
            super().__init__(server, *rest, **named)

    server.channel_class = Channel


def _bound(host: str, port: int) -> Socket:
    """Return a socket that is bound; raises NovaProfilerError."""
    try:
        [(family, kind, protocol, _, address), *_] = getaddrinfo(
            host, port, type=SOCK_STREAM, flags=AI_PASSIVE
        )
        made = Socket(family, kind, protocol)
        try:
            made.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
            made.bind(address)
        except OSError:
            made.close()
            raise
    except OSError as exc:
        raise NovaProfilerError(
            f"cannot listen on {host} port {port}: {exc.strerror or exc}; "
            f"give another --host or --port"
        ) from exc
    return made


def _address(socket: Socket, host: str, token: str | None) -> str:
    port = socket.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    query = f"?{PARAMETER}={token}" if token else ""
    return f"http://{shown}:{port}/{query}"
