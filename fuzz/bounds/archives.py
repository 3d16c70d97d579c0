# SPDX-License-Identifier: Apache-2.0
"""Archives of a few kilobytes that hold gigabytes: memory and time."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import click

from fuzz.bounds.commands import Ran, ran
from fuzz.inputs.log_lines import FORMS, ID, PREFIX

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_GIB = 1 << 30
_STREAM_BYTES = 64 * 1024 * 1024
_MOST_MB = 300.0
_LIMIT_S = 900.0
_REQUESTS = 2_000
_BEGIN = f"{PREFIX}Calling method ServersController.detail"
_DEBUG = tuple(
    f"{PREFIX.replace('INFO', 'DEBUG')}policy check {number} of "
    "os_compute_api:servers:detail passed for the credentials of a user"
    for number in range(6)
)
_DEBUG_JSON = tuple(
    json.dumps({"message": line, "levelname": "DEBUG", "request_id": ID})
    for line in _DEBUG
)

_PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "xz": partial(lzma.compress, preset=6),
    # The window that --ultra --long=27 asks for, the largest that is read.
    "zst": partial(
        zstd.compress,
        options={
            zstd.CompressionParameter.window_log: 27,
            zstd.CompressionParameter.compression_level: 3,
        },
    ),
    "bz2": bz2.compress,
}
# Each is repeated to fill an archive.
_TEXTS: dict[str, Callable[[], bytes]] = {
    "one line": lambda: b"a",
    "one JSON line": lambda: b'{"message": "' + b'{"a": [' * 1000,
    "zeros": lambda: b"\0",
    "empty lines": lambda: b"\n",
    "lines of one request": lambda: FORMS["requestlog"].encode() + b"\n",
    "lines of a service": lambda: _lines_of(
        _BEGIN,
        *_DEBUG,
        FORMS["requestlog"],
        FORMS["log_requests"],
    ),
    "JSON lines": lambda: _lines_of(*_DEBUG_JSON, FORMS["oslo JSON"]),
}


def _lines_of(*forms: str) -> bytes:
    """Return the lines of many requests, each with all *forms*."""
    return "".join(
        f"{form}\n".replace(ID, _id_of(number))
        for number in range(_REQUESTS)
        for form in forms
    ).encode()


def _id_of(number: int) -> str:
    return f"req-{number:08x}{ID[12:]}"


@click.command("archives")
@click.option(
    "--gib", type=click.FloatRange(0.06), default=4.0, show_default=True,
    help="What each archive holds.",
)  # fmt: skip
@click.option(
    "--kind", "kinds", type=click.Choice(list(_PACKERS)), multiple=True,
    help="One sort of archive; default: all.",
)  # fmt: skip
@click.option(
    "--text", "texts", type=click.Choice(list(_TEXTS)), multiple=True,
    help="One sort of content; default: all.",
)  # fmt: skip
def command(gib: float, kinds: Sequence[str], texts: Sequence[str]) -> None:
    """Read small archives of much text by report and follow.

    Ends with 1 where a process takes more than 300 MB or 15 minutes.
    """
    is_good = True
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        for kind in kinds or _PACKERS:
            for text in texts or _TEXTS:
                path = Path(folder) / f"nova-api.log.{kind}"
                unit = _TEXTS[text]()
                stream = _PACKERS[kind](unit * (_STREAM_BYTES // len(unit)))
                path.write_bytes(stream * round(gib * _GIB / _STREAM_BYTES))
                is_good &= _read(f"{kind}, {text}", path)
                path.unlink()
    if not is_good:
        raise click.exceptions.Exit(1)


def _read(what: str, path: Path) -> bool:
    """Print how both commands fared; return whether as promised."""
    is_good = True
    for words in (("report", path, "--json"), ("follow", ID, path, "--json")):
        try:
            found = ran(*words, limit_s=_LIMIT_S)
        except subprocess.TimeoutExpired:
            found = Ran(-1, _LIMIT_S, 0.0, 0.0, "it did not end")
        good = found.code in (0, 1, 2) and found.peak_mb < _MOST_MB
        is_good &= good
        click.echo(
            f"{what} ({path.stat().st_size / 1e3:.0f} kB), {words[0]}: "
            f"{found.seconds:.1f} s, of processors {found.cpu_s:.1f} s, "
            f"largest process {found.peak_mb:.0f} MB"
            + ("" if good else f"  MISSED {found.output[-300:]}")
        )
    return is_good
