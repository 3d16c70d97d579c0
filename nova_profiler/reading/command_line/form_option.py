# SPDX-License-Identifier: Apache-2.0
"""``--form``: formats of access logs that the user states."""

from __future__ import annotations

from collections.abc import Iterator

import click

from nova_profiler.reading.logs.forms.stated_formats import (
    FormatError,
    stated_format,
)

_MOST_BYTES = 64 * 1024


def _stated(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    try:
        return tuple(
            stated_format(text) for value in values for text in _texts(value)
        )
    except (FormatError, OSError, ValueError) as exc:
        reason = str(exc)
        if isinstance(exc, OSError):
            reason = f"{exc.filename}: {exc.strerror}"
        raise click.BadParameter(reason, ctx, param) from exc


def _texts(value: str) -> Iterator[str]:
    if not value.startswith("@"):
        yield value
        return
    with open(value[1:], encoding="utf-8") as file:
        for line in file.read(_MOST_BYTES).splitlines():
            if line.strip() and not line.startswith("#"):
                yield line


form_option = click.option(
    "--form",
    "stated",
    metavar="NAME=FORMAT",
    multiple=True,
    callback=_stated,
    help="The format of an access log, as Apache's LogFormat or nginx's "
    "log_format has it; @FILE has one a line. May be given several times.",
)
