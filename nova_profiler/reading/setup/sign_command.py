# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler sign``: the header that has nova profile one request."""

from __future__ import annotations

import re
import stat
import uuid
from pathlib import Path
from time import time
from urllib.parse import unquote_to_bytes, urlsplit

import click

from nova_profiler.reading.command_line.answers import print_json
from nova_profiler.reading.command_line.durations import Duration
from nova_profiler.reading.command_line.options import json_option
from nova_profiler.trust.signed_headers import (
    HEADER,
    LONGEST_S,
    SHORTEST_KEY,
    osprofiler_headers,
    trigger_of,
)

_NOT_IN_URL = re.compile(r"[\x00-\x20\x7f]")
_QUERY = re.compile(r"[?#]")
_METHOD = re.compile(r"[A-Za-z]{1,16}")


@click.command("sign")
@click.argument("method")
@click.argument("url", metavar="PATH|URL")
@click.option(
    "--key",
    envvar="NOVA_PROFILER_KEY",
    show_envvar=True,
    help="One of nova's profile_keys. On the command line other users of "
    "the machine can see it.",
)
@click.option(
    "--key-file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File whose first line is the key.",
)
@click.option(
    "--expires",
    metavar="TIME",
    default="10m",
    show_default=True,
    type=Duration("s", 1, LONGEST_S),
    help="How long the header is good for: 90s, 10m, 2h, or seconds; a day "
    "at most.",
)
@click.option(
    "--osprofiler",
    is_flag=True,
    help="Print osprofiler's two headers, which also have osprofiler trace "
    "the request. They never expire and are good for any request.",
)
@json_option
def command(
    method: str,
    url: str,
    key: str | None,
    key_file: Path | None,
    expires: float,
    osprofiler: bool,
    as_json: bool,
) -> None:
    """Print the header that has nova profile one request.

    The path is that of the request's record: as nova-api sees it, without
    the query string. The profiler must be on, with signed in profile_when.

    \b
    curl -H "$(nova-profiler sign GET /v2.1/servers/detail)" \\
        -H "X-Auth-Token: $TOKEN" $NOVA/servers/detail
    """
    secret = _key_of(key, key_file)
    method = method.upper()
    if not _METHOD.fullmatch(method):
        raise click.UsageError(f"{method!r} is not a method such as GET")
    path = _path_of(url)
    expires_at = int(time()) + int(expires)
    if osprofiler:
        headers = osprofiler_headers(secret, str(uuid.uuid4()))
    else:
        headers = {HEADER: trigger_of(method, path, expires_at, secret)}
    if len(secret) < SHORTEST_KEY:
        click.echo(
            f"a key of {len(secret)} characters can be guessed; "
            f"take 32 from `openssl rand -hex 16`",
            err=True,
        )
    if as_json:
        shown: dict[str, object] = {
            "method": method,
            "path": path,
            "headers": headers,
        }
        if not osprofiler:
            shown["expires"] = expires_at
        print_json(shown)
        return
    for name, value in headers.items():
        click.echo(f"{name}: {value}")


def _key_of(key: str | None, key_file: Path | None) -> str:
    if key_file is not None:
        # Once: the file may be a pipe, as of <(...).
        with key_file.open(encoding="utf-8", errors="surrogateescape") as file:
            key = file.readline(4096).strip()
        mode = key_file.stat().st_mode
        if stat.S_ISREG(mode) and mode & (stat.S_IRGRP | stat.S_IROTH):
            click.echo(
                f"{key_file} can be read by others: chmod 600 it", err=True
            )
    if not key:
        raise click.UsageError(
            "there is no key: give --key-file, --key or NOVA_PROFILER_KEY, "
            "one of the profile_keys in nova's configuration"
        )
    return key


def _path_of(url: str) -> str:
    """Return the path as WSGI has it: unquoted, its bytes as latin-1.

    A text that begins with a slash is a path as it stands, ``//v2.1`` too.
    """
    if _NOT_IN_URL.search(url):
        # urlsplit() would leave some of them out, and sign another path.
        raise click.UsageError(f"{url!r} has a blank or a control character")
    path = _QUERY.split(url, 1)[0]
    if not path.startswith("/"):
        try:
            path = urlsplit(url).path
        except ValueError:
            path = ""
    if not path.startswith("/"):
        raise click.UsageError(
            f"{url!r} has no path: expected one such as /v2.1/servers/detail"
        )
    return unquote_to_bytes(path).decode("latin-1")
