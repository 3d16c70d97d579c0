# SPDX-License-Identifier: Apache-2.0
"""The workers of this host, and the requests that are on in each."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from nova_profiler.command_name import command_name
from nova_profiler.dump_store import DumpError
from nova_profiler.dump_store.asking import Asked, ask
from nova_profiler.dump_store.processes import ENDED, Process, state_of
from nova_profiler.dump_store.running import (
    record_of,
    running_folder,
    seen_running,
    traces_in,
    workers_in,
)
from nova_profiler.errors import NovaProfilerError
from nova_profiler.record import RecordError, RequestRecord
from nova_profiler.record.rows import number_of
from nova_profiler.trust.collector_pause import collector_paused

# A worker that can answer does so within milliseconds, on a machine that has
# a processor for it.
WAIT_S = 2.0
# Files in the place of sockets, of one directory.
_NAMED = 3


class NoWorkerError(NovaProfilerError):
    """A directory is there, and no worker that dumps to it runs."""


class Request(NamedTuple):
    """A request that is on, and how old that knowledge is."""

    record: RequestRecord
    age_s: float = 0.0

    @property
    def on_ms(self) -> float:
        """Return how long it has been on by now."""
        return self.record.duration_ms + self.age_s * 1000


class Seen(NamedTuple):
    """What is on, the longest first; the pids of silent workers."""

    requests: list[Request]
    answered: int
    silent: list[int]
    # Requests beyond those that a worker describes.
    more: int
    # What could not be asked, and why.
    problems: list[str]


def seen_in(directories: Iterable[str]) -> Seen:
    """Return what is on in the workers that dump to *directories*.

    ``problems`` has those without a worker. Raises NovaProfilerError if none
    of them can be asked, for another reason.
    """
    seen = Seen([], 0, [], 0, [])
    are_there = False
    for directory in dict.fromkeys(directories):
        try:
            found = _seen_in(Path(directory))
        except NovaProfilerError as exc:
            are_there = are_there or isinstance(exc, NoWorkerError)
            seen.problems.append(str(exc))
            continue
        seen = Seen(
            seen.requests + found.requests,
            seen.answered + found.answered,
            seen.silent + found.silent,
            seen.more + found.more,
            seen.problems + found.problems,
        )
    is_any = are_there or seen.answered or seen.silent
    if seen.problems and not is_any:
        raise NovaProfilerError(seen.problems[0])
    seen.requests.sort(key=_longest_first)
    return seen


def _seen_in(directory: Path) -> Seen:
    foreign: list[str] = []
    try:
        with seen_running(directory) as folder:
            workers = {
                name: process
                for name, process in workers_in(folder, foreign)
                if state_of(process) != ENDED
            }
            asked = ask(folder, list(workers), WAIT_S)
            seen = _seen_of(folder, workers, asked)
    except (FileNotFoundError, NotADirectoryError, PermissionError) as exc:
        raise _unasked(directory, exc) from None
    problems = [f"{directory / name}: no socket, left out" for name in foreign]
    if len(asked.ended) == len(workers):
        none = f"{directory}: no worker that dumps there runs now"
        raise NoWorkerError("; ".join([none, *problems[:_NAMED]]))
    seen.problems.extend(problems[:_NAMED])
    return seen


def _unasked(directory: Path, error: OSError) -> NovaProfilerError:
    """Return the error for a directory whose workers cannot be looked for."""
    folder = running_folder(directory)
    if isinstance(error, PermissionError):
        return NovaProfilerError(
            f"{folder}: {error.strerror}; run this as nova-api's user: "
            f"sudo -u nova {command_name()} running"
        )
    if folder.is_symlink():
        return NovaProfilerError(
            f"{folder}: a link, which is not followed; take it away"
        )
    error_class = NoWorkerError if directory.is_dir() else NovaProfilerError
    return error_class(
        f"{directory}: no worker is known there; has one served a "
        f"request since nova-api was started with this dump_dir?"
    )


def _seen_of(folder: Path, workers: dict[str, Process], asked: Asked) -> Seen:
    requests: list[Request] = []
    more = 0
    silent = [workers[name].pid for name in asked.silent]
    for name, answer in asked.answers.items():
        try:
            records, on = _records_of(answer)
        except RecordError:
            silent.append(workers[name].pid)
            continue
        requests += map(Request, records)
        more += max(0, on - len(records))
    requests += _last_words(folder, set(silent))
    answered = len(workers) - len(asked.ended) - len(silent)
    return Seen(requests, answered, sorted(silent), more, [])


def _records_of(answer: bytes) -> tuple[list[RequestRecord], int]:
    """Return the records in an answer, and how many requests are on."""
    try:
        with collector_paused():
            fields: Any = json.loads(answer)
            on = int(number_of("on", fields["on"]))
            rows = fields["requests"]
            return [RequestRecord.from_dict(one) for one in rows], on
    except (ValueError, TypeError, KeyError, RecursionError) as exc:
        raise RecordError(f"no answer of a worker: {exc}") from None


def _last_words(folder: Path, silent: set[int]) -> Iterator[Request]:
    """Yield the requests that workers which do not answer wrote down."""
    for trace in traces_in(folder, of_living=True):
        if trace.process.pid not in silent:
            continue
        try:
            age_s = max(0.0, time.time() - os.lstat(trace.path).st_mtime)
            yield Request(record_of(trace), age_s)
        except (OSError, DumpError):
            # It has ended meanwhile.
            continue


def _longest_first(request: Request) -> float:
    return -request.on_ms
