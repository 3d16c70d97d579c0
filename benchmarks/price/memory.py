# SPDX-License-Identifier: Apache-2.0
"""Whether a process grows while hostile requests go through the filter.

Their bodies are read, left unread, dropped, aborted, or never answered.
"""

from __future__ import annotations

import gc
import io
import os
import random
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from wsgiref.util import FileWrapper

from benchmarks.application import db_api
from benchmarks.application.workloads import Engines, environ_of
from benchmarks.contenders import Place
from benchmarks.contenders.ours import LOG_NAME, everything
from benchmarks.running import processes
from benchmarks.running.figures import Figure
from benchmarks.running.wsgi_client import App, get
from demo.statsd_listener import StatsdListener

WARM_UP = 50_000
_SLICE = 10_000
_METHODS = ("GET", "POST", "DELETE", "PUT", "HEAD", "BREW", "G\nET", "")
_SNIPPETS = (
    "\n",
    "|",
    ":",
    "%0d%0a",
    "\xff\xfe",
    "../..",
    "\x00",
    '"',
    "{id}",
    "\N{LATIN SMALL LETTER E WITH ACUTE}",
)
_STATUSES = ("200 OK", "404 Not Found", "500 Internal Server Error", "999 ?")


class Growth(NamedTuple):
    """Memory in RAM after the warm-up and at the end."""

    requests: int
    before_mb: float
    after_mb: float

    @property
    def mb(self) -> float:
        """Return by how much the process grew."""
        return self.after_mb - self.before_mb


def figure_of(growth: Growth) -> Figure:
    """Return by how much a process grew, and by how much it may."""
    label = f"memory: growth over {growth.requests} hostile requests"
    return Figure(label, growth.mb, 5.0, "MB")


def measure(requests: int, progress: Callable[[str], None]) -> Growth:
    """Send *requests*, each unlike all others, through the filter."""
    chance = random.Random(3)
    with StatsdListener() as statsd, tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        engine = db_api.engine_of(listened=True)
        application = _Hostile(chance, db_api.Context(engine, "", "", ""))
        place = Place(
            application, Engines(engine, engine), statsd.port, directory
        )
        app = everything(place).app
        log_file = directory / LOG_NAME
        progress("memory: warming up")
        _send(app, chance, WARM_UP, log_file)
        before = _settled_mb()
        for sent in range(0, requests, _SLICE):
            if sent % (_SLICE * 10) == 0:
                progress(f"memory: {sent} of {requests} requests")
            _send(app, chance, min(_SLICE, requests - sent), log_file)
        after = _settled_mb()
        # A filter that records nothing grows by nothing.
        assert statsd.datagrams, "the filter sent no metric"
    return Growth(requests, before, after)


class _Hostile:
    """Answers at random, with SQL texts that never come again."""

    def __init__(self, chance: random.Random, context: db_api.Context) -> None:
        self._chance = chance
        self._context = context

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Any:
        environ["openstack.request_id"] = environ["HTTP_X_REQUEST_ID"]
        environ["nova.context"] = self._context._replace(
            user_id=environ["HTTP_USER_AGENT"],
            project_id=environ["QUERY_STRING"],
        )
        roll = self._chance.random()
        if roll < 0.02:
            self._select()
        elif roll < 0.2:
            db_api.nothing(self._context)
        elif roll < 0.21:
            raise ValueError(environ["PATH_INFO"][:100])
        if roll > 0.97:
            # It took the connection.
            return self._chance.choice((_chunks, list, bytes))()
        start_response(self._chance.choice(_STATUSES), [])
        body = [b"x" * self._chance.randrange(1000)] * 3
        return self._chance.choice(_BODIES)(body, environ)

    def _select(self) -> None:
        number = self._chance.getrandbits(60)
        # A new text each time: a cache by text has to be bounded. The number
        # is ours, so that there is nothing to inject.
        statement = f"SELECT {number} AS c{number} FROM instances LIMIT 1"  # noqa: S608 - as above
        with self._context.engine.connect() as connection:
            connection.exec_driver_sql(statement).all()


class _Sized:
    """A body with a length, as some frameworks make them."""

    def __init__(self, chunks: list[bytes]) -> None:
        self._made = chunks

    def __len__(self) -> int:
        return len(self._made)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._made)


def _chunks(chunks: Iterable[bytes] = ()) -> Iterator[bytes]:
    yield from chunks


def _wrapped(chunks: list[bytes], environ: dict[str, Any]) -> Any:
    return environ["wsgi.file_wrapper"](io.BytesIO(chunks[0]))


_BODIES: tuple[Callable[[list[bytes], dict[str, Any]], Any], ...] = (
    lambda chunks, environ: chunks,
    lambda chunks, environ: _chunks(chunks),
    lambda chunks, environ: _Sized(chunks),
    _wrapped,
)


class _Left(Exception):
    """The client has gone."""


def _send(
    app: App, chance: random.Random, requests: int, log_file: Path
) -> None:
    for _ in range(requests):
        environ = _environ(chance)
        environ["wsgi.file_wrapper"] = chance.choice(
            (FileWrapper, lambda file, size=0: file)
        )
        try:
            _serve(app, environ, chance.randrange(5))
        except (ValueError, _Left):
            # The application above raises the first; a server would
            # answer 500.
            continue
    # Memory is measured, and the lines would fill the disk.
    if log_file.exists():
        os.truncate(log_file, 0)


def _serve(app: App, environ: dict[str, Any], how: int) -> None:
    """Take the body in one of the ways that servers have."""
    if how == 0:
        get(app, environ)
        return
    body = app(environ, lambda status, headers, exc_info=None: len)
    if how == 1:
        # Dropped unread.
        return
    if how == 2:
        # Dropped in the middle, in a cycle with what failed.
        chunks: list[Any] = [iter(body)]
        chunks.append(chunks)
        next(chunks[0], None)
        return
    close = getattr(body, "close", None)
    try:
        next(iter(body), None)
        if how == 3:
            raise _Left
    finally:
        if close is not None:
            close()


def _environ(chance: random.Random) -> dict[str, Any]:
    unique = f"{chance.getrandbits(128):032x}"
    path = f"/v2.1/servers/{unique}{chance.choice(_SNIPPETS)}{unique[:8]}"
    if chance.random() < 0.001:
        path += "x" * 65536
    return {
        **environ_of("hostile"),
        "REQUEST_METHOD": chance.choice(_METHODS),
        "PATH_INFO": path,
        "SCRIPT_NAME": chance.choice(("", "/v2.1", "/v2", unique)),
        "QUERY_STRING": unique,
        "REMOTE_ADDR": unique,
        "HTTP_USER_AGENT": chance.choice(_SNIPPETS) + unique,
        "HTTP_X_REQUEST_ID": "../../" + unique,
    }


def _settled_mb() -> float:
    gc.collect()
    return processes.resident_mb()
