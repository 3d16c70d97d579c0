# SPDX-License-Identifier: Apache-2.0
"""The rules: what each looks for, and its sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from nova_profiler.groups import (
    CACHE,
    CONNECT,
    DB_API,
    EVENT,
    FETCH,
    GC,
    HTTP,
    HTTP_GROUPS,
    IDENTITY,
    LOCK,
    LOG,
    NOT_PROCESSOR,
    PING,
    POOL,
    POOL_WAIT,
    PROCESS,
    PROCESSOR,
    RPC,
    SQL,
    Group,
)
from nova_profiler.reading.advice.findings import Finding, parts_of
from nova_profiler.reading.advice.rules import (
    connections,
    largest_part,
    repeated_requests,
    repeated_statements,
    requests_in_a_row,
    slowest_cell,
)
from nova_profiler.reading.record_calls import SHORTEST_MS
from nova_profiler.record import RequestRecord


class Rule(NamedTuple):
    """A kind of advice.

    ``evidence`` is its text in the manual's table. ``sentence`` is formatted
    with the fields of a Finding, and goes on with "saves at most 12.3 ms,
    4.5 %". A rule with ``largest`` is asked where the bucket of that group is
    the largest part, one ``of_dumps`` where there is a timeline, one
    ``of_calls`` where there are ``calls``. ``of_parts`` names the parts of
    the breakdown that a rule without ``largest`` saves time of. One
    ``of_whole`` saves the part in all requests that have it, also where
    another is larger. Less than ``least_requests`` of a route, or a smaller
    share of them than
    ``least_share``, are no evidence.
    """

    name: str
    found: Callable[[RequestRecord], Iterable[Finding]]
    evidence: str
    sentence: str
    largest: Group | None = None
    of_parts: tuple[str, ...] = ()
    of_dumps: bool = False
    of_calls: bool = False
    of_whole: bool = False
    least_requests: int = 1
    least_share: float = 0.0

    @property
    def parts(self) -> tuple[str, ...]:
        """Return the parts of the breakdown that it saves time of."""
        if self.largest is None:
            return self.of_parts
        return (self.largest.bucket.name,)

    @property
    def is_of_names(self) -> bool:
        """Return whether it is about one name of the largest part."""
        return self.largest is not None and not self.of_whole


# Parts of the breakdown that go with each other.
_STATEMENTS = (SQL.bucket.name, FETCH.bucket.name, DB_API.bucket.name)
_FAR = (HTTP.bucket.name, IDENTITY.bucket.name)

# A new rule is a function and a row.
RULES = (
    Rule(
        "repeated_statement",
        repeated_statements.found,
        "One statement, five times or more, each execution for itself "
        "(N+1). A DB API call that sent it once each goes away with it.",
        "{about} ran {times} times{by}: one statement for all",
        of_dumps=True,
        of_parts=_STATEMENTS,
    ),
    Rule(
        "same_request",
        repeated_requests.same,
        "One route of another service, without ids, read twice or more. "
        "Queries are never kept, so that they may have differed.",
        "{about} was sent {times} times{by}: asking once, where the queries "
        "are equal,",
        of_calls=True,
        of_parts=_FAR,
    ),
    Rule(
        "request_for_each",
        repeated_requests.of_one_each,
        "One route with an id, read twice or more.",
        "{about} was sent {times} times{by}: one request for all",
        of_calls=True,
        of_parts=_FAR,
    ),
    Rule(
        "requests_in_a_row",
        requests_in_a_row.found,
        "Different routes of one service, read by one call of one thread, "
        "each after the one before. Whether an answer was needed for the "
        "next cannot be seen.",
        "{times} requests to {about} were sent one after the other{by}: "
        "sending them at once, where none needs another's answer,",
        of_dumps=True,
        of_parts=_FAR,
    ),
    Rule(
        "slow_service",
        largest_part.of_a_service,
        "HTTP is the largest part of the time; of all services this one "
        "has the most of it.",
        "waiting for {about} is the largest part ({longest}{by}): an answer "
        "in no time",
        largest=HTTP,
    ),
    Rule(
        "slow_answer",
        largest_part.longest_of(RPC),
        "Messages are the largest part; the one with the most time.",
        "waiting for the message {about}{by} is the largest part: an answer "
        "in no time",
        largest=RPC,
    ),
    Rule(
        "slow_process",
        largest_part.longest_of(PROCESS),
        "Child processes are the largest part; the program with the most "
        "time.",
        "waiting for the child process {about}{by} is the largest part: "
        "doing without it",
        largest=PROCESS,
    ),
    Rule(
        "slow_event",
        largest_part.longest_of(EVENT),
        "Events of instances are the largest part; the one with the most "
        "time.",
        "waiting for the event {about}{by} is the largest part: an event in "
        "no time",
        largest=EVENT,
    ),
    Rule(
        "contended_lock",
        largest_part.longest_of(LOCK),
        "Waiting for locks is the largest part; the lock with the most time.",
        "waiting for the lock {about}{by} is the largest part: a free lock",
        largest=LOCK,
    ),
    Rule(
        "full_executor",
        largest_part.longest_of(POOL),
        "Waiting for workers of executors is the largest part; the pool "
        "with the most time.",
        "waiting for a worker of the pool {about} is the largest part: a "
        "larger pool",
        largest=POOL,
    ),
    Rule(
        "full_connection_pool",
        largest_part.without_names(POOL_WAIT),
        "Waiting for a pooled connection is the largest part.",
        "waiting for a pooled connection is the largest part: a larger pool",
        largest=POOL_WAIT,
        of_whole=True,
    ),
    Rule(
        "slow_identity",
        largest_part.longest_of(IDENTITY),
        "Tokens and discovery are the largest part; the request with the "
        "most time.",
        "waiting for keystone ({about}){by} is the largest part: an answer "
        "in no time",
        largest=IDENTITY,
    ),
    Rule(
        "slow_cache",
        largest_part.longest_of(CACHE),
        "Caches are the largest part; the operation with the most time.",
        "waiting for the cache ({about}){by} is the largest part: an answer "
        "in no time",
        largest=CACHE,
    ),
    Rule(
        "slow_log",
        largest_part.without_names(LOG),
        "Log handlers are the largest part.",
        "log handlers are the largest part: a quicker place for the log, or "
        "fewer messages,",
        largest=LOG,
        of_whole=True,
    ),
    Rule(
        "garbage_collection",
        largest_part.without_names(GC),
        "Full garbage collections are the largest part.",
        "a full garbage collection is the largest part: collecting between "
        "requests",
        largest=GC,
        of_whole=True,
    ),
    Rule(
        "busy_processors",
        largest_part.of_waiting(PROCESSOR),
        "Waiting in line for a processor is the largest part.",
        "waiting in line for a processor is the largest part: more "
        "processors, or fewer workers on this machine,",
        of_parts=(PROCESSOR.name,),
        of_whole=True,
    ),
    Rule(
        "busy_interpreter",
        largest_part.of_waiting(NOT_PROCESSOR),
        "Waiting for the GIL, or for what no hook names, is the largest "
        "part. Stacks tell these apart (``profiler = stacks``).",
        "waiting for the GIL, or for what no hook names, is the largest "
        "part: more workers with fewer threads each",
        of_parts=(NOT_PROCESSOR.name,),
        of_whole=True,
    ),
    Rule(
        "no_kept_connections",
        connections.opened,
        "Half of the requests of a route, of ten at least, opened "
        "connections to databases.",
        "{times} connections to databases were opened: keeping them in the "
        "pool",
        least_requests=10,
        least_share=0.5,
        of_parts=(CONNECT.bucket.name,),
    ),
    Rule(
        "reconnected",
        connections.opened_again,
        "One thread of one request opened two connections or more to one "
        "database.",
        "one thread connected {times} times to {about}: keeping the "
        "connection",
        of_dumps=True,
        of_parts=(CONNECT.bucket.name,),
    ),
    Rule(
        "many_pings",
        connections.mostly_tested,
        "Tests of connections are at least half of the time in the driver "
        "and its pool.",
        "tests of connections take at least half of the database driver's "
        "time: testing less often",
        of_parts=(PING.bucket.name,),
        of_whole=True,
    ),
    Rule(
        "slow_cell",
        slowest_cell.found,
        "Cells were asked side by side, and from when all others had "
        "answered the last one took as long again; cell0 does not count.",
        "{about} answered long after the other cells: an answer as quick as "
        "theirs",
        of_dumps=True,
        of_parts=_STATEMENTS,
    ),
)
BY_NAME = {rule.name: rule for rule in RULES}


_LARGEST = {
    rule.largest.bucket.name: rule.largest.name
    for rule in RULES
    if rule.largest is not None
}


@lru_cache(64)
def _rules_for(
    largest: str, *, is_dump: bool, has_calls: bool
) -> tuple[Rule, ...]:
    """Return the rules to ask where the group *largest* is the largest."""
    return tuple(
        rule
        for rule in RULES
        if (rule.largest is None or rule.largest.name == largest)
        and (is_dump or not rule.of_dumps)
        and (has_calls or not rule.of_calls)
    )


def findings_of(
    record: RequestRecord, largest: str | None = None
) -> Iterator[tuple[str, Finding]]:
    """Yield what the rules find in *record*, each with its rule's name.

    *largest* is its ``largest_group``, if that is known already.
    """
    if record.duration_ms < SHORTEST_MS:
        return
    if largest is None:
        largest = largest_group(record)
    is_dump = record.timeline is not None
    has_calls = bool(record.calls)
    for rule in _rules_for(largest, is_dump=is_dump, has_calls=has_calls):
        for finding in rule.found(record):
            if finding.saves_ms > 0:
                yield rule.name, finding


def looks_at(group: object, largest: str) -> bool:
    """Return whether rules look at ``calls`` of *group* without a timeline."""
    return group in HTTP_GROUPS or group == largest


def largest_group(record: RequestRecord) -> str:
    """Return the group of the largest part, if a rule is about that."""
    parts = parts_of(record)
    if not parts:
        return ""
    return _LARGEST.get(max(parts, key=parts.__getitem__), "")
