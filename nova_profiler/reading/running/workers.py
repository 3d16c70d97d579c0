# SPDX-License-Identifier: Apache-2.0
"""The workers of this host, and the requests that are on in each."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from nova_profiler.command_name import command_name
from nova_profiler.dump_store import DumpError, read_dump
from nova_profiler.dump_store.asking import ask
from nova_profiler.dump_store.processes import ENDED, state_of
from nova_profiler.dump_store.running import (
    running_folder,
    traces_of,
    workers_of,
)
from nova_profiler.errors import NovaProfilerError
from nova_profiler.record import RecordError, RequestRecord
from nova_profiler.record.rows import number_of

# A worker that can answer does so within milliseconds, on a machine that has
# a processor for it.
WAIT_S = 2.0


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
    # Directories that could not be asked, and why.
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
            seen.problems,
        )
    is_any = are_there or seen.answered or seen.silent
    if seen.problems and not is_any:
        raise NovaProfilerError(seen.problems[0])
    seen.requests.sort(key=_longest_first)
    return seen


def _seen_in(directory: Path) -> Seen:
    folder = running_folder(directory)
    try:
        workers = {
            name: process
            for name, process in workers_of(directory)
            if state_of(process) != ENDED
        }
        asked = ask(folder, list(workers), WAIT_S)
    except (FileNotFoundError, NotADirectoryError):
        error = NoWorkerError if directory.is_dir() else NovaProfilerError
        raise error(
            f"{directory}: no worker is known there; has one served a "
            f"request since nova-api was started with this dump_dir?"
        ) from None
    except PermissionError as exc:
        raise NovaProfilerError(
            f"{folder}: {exc.strerror}; run this as nova-api's user: "
            f"sudo -u nova {command_name()} running"
        ) from None
    if len(asked.ended) == len(workers):
        raise NoWorkerError(
            f"{directory}: no worker that dumps there runs now"
        )
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
    requests += _last_words(directory, set(silent))
    answered = len(workers) - len(asked.ended) - len(silent)
    return Seen(requests, answered, sorted(silent), more, [])


def _records_of(answer: bytes) -> tuple[list[RequestRecord], int]:
    """Return the records in an answer, and how many requests are on."""
    try:
        fields: Any = json.loads(answer)
        on = int(number_of("on", fields["on"]))
        return [RequestRecord.from_dict(one) for one in fields["requests"]], on
    except (ValueError, TypeError, KeyError, RecursionError) as exc:
        raise RecordError(f"no answer of a worker: {exc}") from None


def _last_words(directory: Path, silent: set[int]) -> Iterator[Request]:
    """Yield the requests that workers which do not answer wrote down."""
    for trace in traces_of(directory, of_living=True):
        if trace.process.pid not in silent:
            continue
        try:
            age_s = max(0.0, time.time() - trace.path.stat().st_mtime)
            yield Request(read_dump(trace.path), age_s)
        except (OSError, DumpError):
            # It has ended meanwhile.
            continue


def _longest_first(request: Request) -> float:
    return -request.on_ms
