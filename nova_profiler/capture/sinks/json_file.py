# SPDX-License-Identifier: Apache-2.0
"""Sink that appends each record to a file, one JSON object a line."""

from __future__ import annotations

import errno
import json.encoder
import os
import stat
from functools import lru_cache
from posix import write
from time import monotonic

from nova_profiler.capture.sinks.own_descriptors import (
    Write,
    is_left,
    own_descriptor,
    taken,
)
from nova_profiler.errors import with_path
from nova_profiler.record import SCHEMA, CallTotals, RequestRecord

# A look takes 2 us, more than writing the line: not at each one.
LOOK_EVERY_S = 0.1
_TORN = OSError(errno.ENOSPC, "only a part of the line was written")
_quoted = json.encoder.encode_basestring_ascii


class JsonFileSink:
    """Append one line a record with one write; notice rotation by rename.

    Within LOOK_EVERY_S: that long a renamed file may still get lines. A path
    that leads to a descriptor of this process is written to as that.
    """

    name = "log_file"

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: int | None = None
        self._write: Write = write
        # The first one: a socket's descriptor is good as long as that.
        self._kept: Write = write
        # The descriptor that the path means, if it means one.
        self._number: int | None = None
        self._identity = (0, 0)
        self._torn = False
        self._look_at = 0.0

    def emit(self, record: RequestRecord) -> None:
        """Write *record*'s line. May raise OSError, which has the path.

        Not one that was made for the sake of its figures alone.
        """
        if not record.is_kept:
            return
        try:
            file = self._file
            now = monotonic()
            if file is None or now >= self._look_at:
                if file is None or self._is_moved():
                    file = self._opened()
                self._look_at = now + LOOK_EVERY_S
            data = line_of(record).encode("ascii")
            if self._torn:
                data = b"\n" + data
            written = self._write(file, data)
        except OSError as exc:
            raise with_path(exc, self._path) from exc
        # A full disk takes a part: the next line must not join it.
        self._torn = written != len(data)
        if self._torn:
            raise with_path(_TORN, self._path)

    def _opened(self) -> int:
        number = own_descriptor(self._path)
        how: Write
        if number is None:
            made, how = _by_name(self._path), write
        else:
            made, how = taken(number)
        found = os.fstat(made)
        if self._file is not None and stat.S_ISSOCK(found.st_mode):
            raise OSError(errno.ENXIO, "it has become a socket")
        self._number = number
        self._write = how
        self._identity = found.st_dev, found.st_ino
        self._torn = False
        if self._file is None:
            self._file, self._kept = made, how
        else:
            # Under the number of the old one, which other threads may be
            # about to write to: closed, it might become a socket's.
            os.dup2(made, self._file, inheritable=False)
            os.close(made)
        return self._file

    def _is_moved(self) -> bool:
        """Return whether the name is gone, or leads to another file."""
        if self._number is not None:
            return is_left(self._number, self._identity)
        try:
            found = os.stat(self._path)
        except OSError:
            # Gone, or its folder is: made anew.
            return True
        return (found.st_dev, found.st_ino) != self._identity


def _by_name(path: str) -> int:
    folder = os.path.dirname(path)
    if folder:
        os.makedirs(folder, exist_ok=True)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    # Never a wait for a reader, should the path be a pipe.
    return os.open(path, flags | os.O_NONBLOCK, 0o640)


def line_of(record: RequestRecord) -> str:
    """Return *record* as one line of JSON with its newline, ASCII only.

    Equal to its ``to_dict()`` without timeline and statements, and with
    ``@timestamp`` and ``@version`` for logstash. Put together by hand: it
    is done for each request, and json.dumps takes three times as long.
    """
    r = record
    q = _quoted
    request_id = r.request_id
    overall_id = r.global_request_id
    head = (
        f'{{"schema":{SCHEMA},"@timestamp":"{r.started_at}","@version":"1",'
        f"{_origin(r.kind, r.service, r.host, r.pid)}"
        f'"request_id":{q(request_id) if request_id is not None else "null"},'
        '"global_request_id":'
        f"{q(overall_id) if overall_id is not None else 'null'},"
        f'"started_at":"{r.started_at}",'
        f"{_asked(r.method, r.route, r.action, r.status)}"
        f'"path":{q(r.path)},"response_bytes":'
        f"{'null' if r.response_bytes is None else r.response_bytes},"
        f'"duration_ms":{r.duration_ms:.3f},"app_ms":{r.app_ms:.3f},"cpu_ms":'
    )
    identity = _identity(
        r.user_id, r.project_id, r.user_name, r.project_name, r.remote_address
    )
    if (
        r.user_domain_id is not None
        or r.project_domain_id is not None
        or r.domain_id is not None
    ):
        identity += _domains(r)
    if r.record_id is not None:
        identity += f'"record_id":{q(r.record_id)},'
    if (
        r.parent_id is not None
        or r.sent_at is not None
        or r.trace_id is not None
        or r.span_id is not None
        or r.wait_ms is not None
    ):
        identity += _way_here(r)
    buckets = ",".join(
        [f'"{bucket}":{ms:.3f}' for bucket, ms in r.breakdown_ms.items()]
    )
    if r.unnamed_ms is not None:
        parts = ",".join([f'"{k}":{ms:.3f}' for k, ms in r.unnamed_ms.items()])
        identity += f'"unnamed_ms":{{{parts}}},'
    return (
        f"{head}{'null' if r.cpu_ms is None else f'{r.cpu_ms:.3f}'},{identity}"
        f'"outcome":"{r.outcome}",'
        f'"error":{q(r.error) if r.error is not None else "null"},'
        f'"groups":{_groups(r) if r.groups else "{}"},'
        f'"breakdown_ms":{{{buckets}}},'
        f'"calls":[{",".join(map(_call, r.calls)) if r.calls else ""}],'
        f'"counts":{json.dumps(r.counts) if r.counts else "{}"},'
        f'"dropped_calls":{r.dropped_calls},'
        f'"profile":{"null" if r.profile is None else json.dumps(r.profile)},'
        f'"self_ms":{r.self_ms:.3f}}}\n'
    )


@lru_cache(512)
def _identity(
    user_id: str | None,
    project_id: str | None,
    user: str | None,
    project: str | None,
    address: str | None,
) -> str:
    """Return what the requests of a user have in common.

    Kept for those that ask most: to put it together costs each line 3 %.
    """
    q = _quoted
    return (
        f'"user_id":{q(user_id) if user_id is not None else "null"},'
        f'"project_id":{q(project_id) if project_id is not None else "null"},'
        f'"user_name":{q(user) if user is not None else "null"},'
        f'"project_name":{q(project) if project is not None else "null"},'
        f'"remote_address":{q(address) if address is not None else "null"},'
    )


@lru_cache(512)
def _asked(method: str, route: str, action: str | None, status: int) -> str:
    """Return what many requests have in common; their set is bounded."""
    shown = "null" if action is None else _quoted(action)
    return (
        f'"method":{_quoted(method)},"route":{_quoted(route)},'
        f'"action":{shown},"status":{status},'
    )


@lru_cache(64)
def _origin(kind: str, service: str, host: str, pid: int) -> str:
    """Return what all lines of a kind share in a process."""
    return (
        f'"kind":{_quoted(kind)},"service":{_quoted(service)},'
        f'"host":{_quoted(host)},"pid":{pid},'
    )


def _domains(record: RequestRecord) -> str:
    return _known(
        user_domain_id=record.user_domain_id,
        project_domain_id=record.project_domain_id,
        domain_id=record.domain_id,
    )


def _way_here(record: RequestRecord) -> str:
    """Return what it came from, and how long it waited."""
    text = _known(
        parent_id=record.parent_id,
        sent_at=record.sent_at,
        trace_id=record.trace_id,
        span_id=record.span_id,
    )
    if record.wait_ms is None:
        return text
    return f'{text}"wait_ms":{record.wait_ms:.3f},'


def _known(**named: str | None) -> str:
    """Return those of the fields *named* that are known."""
    return "".join(
        f'"{name}":{_quoted(value)},'
        for name, value in named.items()
        if value is not None
    )


def _groups(record: RequestRecord) -> str:
    groups = []
    for group, (calls, ms, wall_ms) in record.groups.items():
        shown = "%.3f" % ms
        # In one thread the two are the same number.
        wall = shown if wall_ms is ms else "%.3f" % wall_ms
        groups.append(
            f'"{group}":{{"calls":{calls},"ms":{shown},"wall_ms":{wall}}}'
        )
    return "{" + ",".join(groups) + "}"


# The beginning of a call's JSON by group and name; a few hundred in a
# service, and never more than this.
_MAX_BEGINNINGS = 4_000
_beginnings: dict[tuple[str, str], str] = {}


def _call(call: CallTotals) -> str:
    group, name, count, ms, max_ms, errors, nested, driver_ms = call
    start = _beginnings.get(call[:2])
    if start is None:
        start = '{"group":"%s","name":%s,"count":' % (group, _quoted(name))
        if len(_beginnings) < _MAX_BEGINNINGS:
            _beginnings[group, name] = start
    if count == 1 and not errors and not nested:
        shown = "%.3f" % ms
        if driver_ms is None:
            return (
                f'{start}1,"ms":{shown},"max_ms":{shown},"errors":0,'
                '"nested":0}'
            )
        return (
            f'{start}1,"ms":{shown},"max_ms":{shown},"errors":0,'
            f'"nested":0,"driver_ms":{driver_ms:.3f}}}'
        )
    driver = "" if driver_ms is None else f',"driver_ms":{driver_ms:.3f}'
    return (
        f'{start}{count},"ms":{ms:.3f},"max_ms":{max_ms:.3f},'
        f'"errors":{errors},"nested":{nested}{driver}}}'
    )
