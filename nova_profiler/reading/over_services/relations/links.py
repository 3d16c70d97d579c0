# SPDX-License-Identifier: Apache-2.0
"""Which record sent which: by ids, by calls, and else by time."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import NamedTuple

from nova_profiler.groups import HTTP
from nova_profiler.reading.over_services.relations.calls import Calls
from nova_profiler.reading.over_services.relations.http_requests import (
    keys_for_sure,
    keys_of_sent,
    likely_keys,
    sent_request,
    served_request,
)
from nova_profiler.reading.over_services.relations.served import (
    CALL,
    CAST,
    OTHER,
    Sent,
    Served,
)
from nova_profiler.record import MESSAGE, PERIODIC, REQUEST, TASK

# How the parent of a record is known.
BY_ID = "id"
BY_ANSWER = "the id in its answer"
BY_CALL = "a call of that name and time"
BY_TIME = "time"

PARENT_MISSING = "the record of what sent it is missing"
NO_SUCH_CALL = "its parent's record has no such call"
CIRCLE = "its parents go round in a circle"
BY_TIME_ALONE = "no record names what sent it: placed by time"
BY_VERB_AND_TIME = "its call is found by verb and time: it may be another one"


class Link(NamedTuple):
    """What a record comes from: the place of its parent, and how it is known.

    ``sent`` is the parent's call that led to it. ``waits``: the parent waited
    for its answer. ``doubt`` is why the link may be wrong.
    """

    parent: int
    how: str
    sent: Sent | None = None
    waits: bool = False
    doubt: str = ""


def links_by_id(served: Sequence[Served]) -> list[Link | None]:
    """Return what each of *served* comes from, as far as ids show it."""
    by_id: dict[str, int] = {}
    for place, one in enumerate(served):
        if one.record_id is not None:
            by_id.setdefault(one.record_id, place)
    calls = _calls_of(served, by_id)
    answers = _answers_of(served)
    links: list[Link | None] = [None] * len(served)
    # In the order of sending, so that equal calls go to equal records.
    for place in sorted(range(len(served)), key=lambda i: _moment(served[i])):
        one = served[place]
        parent = by_id.get(one.parent_id or "")
        if parent is not None and parent != place:
            links[place] = _by_id(served, place, parent, calls)
        elif one.kind == REQUEST.name and one.request_id in answers:
            at, sent = answers[one.request_id]
            if at != place:
                links[place] = Link(at, BY_ANSWER, sent, waits=True)
    _cut_circles(links)
    return links


def _moment(one: Served) -> float:
    moment = one.sent if one.sent is not None else one.arrived
    return 0.0 if moment is None else moment


def _calls_of(served: Sequence[Served], by_id: Mapping[str, int]) -> Calls:
    """Return the messages of each record by its place and their key.

    And all of a record, for what its far side has no name for; and those of
    its tasks once more, by the place of what submitted them.
    """
    calls = Calls()
    for place, one in enumerate(served):
        owners: list[object] = [place]
        above = by_id.get(one.parent_id or "")
        if above is not None and _is_task_of(one, served[above]):
            owners.append(_tasks_of(above))
        for sent in one.sends:
            if sent.how != HTTP.name:
                for owner in owners:
                    calls.add((owner, sent.key), place, sent)
                    calls.add((owner, None), place, sent)
    calls.sort()
    return calls


def _tasks_of(place: int) -> object:
    """Return what has the calls of all tasks that the record *place* sent."""
    return "tasks of", place


def _is_task_of(one: Served, parent: Served) -> bool:
    """Return whether *one* is a task where *parent*, which sent it, was."""
    here, there = (one.service, one.host), (parent.service, parent.host)
    return one.kind == TASK.name and here == there


def _answers_of(served: Sequence[Served]) -> dict[str, tuple[int, Sent]]:
    """Return the HTTP requests whose answers had an id, by that id."""
    found: dict[str, tuple[int, Sent]] = {}
    for place, one in enumerate(served):
        for sent in one.sends:
            if sent.request_id is not None:
                found.setdefault(sent.request_id, (place, sent))
    return found


def _by_id(
    served: Sequence[Served], place: int, parent: int, calls: Calls
) -> Link:
    one, above = served[place], served[parent]
    if one.kind == MESSAGE.name and one.sent is not None:
        for key in _keys_of(one.key):
            found = calls.take((parent, key), one.sent, place)
            if found is not None:
                return Link(parent, BY_ID, found[1], found[1].how == CALL)
            # What a task sends before its parent has ended has the parent's
            # id, and stands in the task's record alone.
            of_task = calls.take((_tasks_of(parent), key), one.sent, place)
            link = _by_call(of_task)
            if link is not None:
                return link
    doubt = ""
    if one.kind == MESSAGE.name and one.sent is not None and above.is_whole:
        doubt = NO_SUCH_CALL
    waits = one.is_waited_for or (
        one.kind == MESSAGE.name and one.key in above.waits_for
    )
    return Link(parent, BY_ID, None, waits and not doubt, doubt)


def _keys_of(key: str) -> tuple[str | None, ...]:
    """Return the keys that a sender may have for a message of *key*.

    Either side names only objects that it has, and not too many of them.
    """
    topic, _, method = key.partition(" ")
    keys = key, f"{topic} {OTHER}", f"{OTHER} {OTHER}"
    return (*keys, None) if method == OTHER else keys


def _cut_circles(links: list[Link | None]) -> None:
    """Take the link away at which a way up comes round to itself."""
    done: set[int] = set()
    for start in range(len(links)):
        way: set[int] = set()
        place = start
        while place not in done:
            way.add(place)
            link = links[place]
            if link is None:
                break
            if link.parent in way:
                links[place] = None
                break
            place = link.parent
        done |= way


class Times(NamedTuple):
    """When a record was at work by one clock, ``ahead_s`` of which is its own.

    All of a picture count from the same moment.
    """

    arrived: float
    ended: float
    ahead_s: float


def links_by_time(
    served: Sequence[Served],
    links: Sequence[Link | None],
    times: Sequence[Times],
    root: int,
) -> list[Link | None]:
    """Return *links*, and for records without one the likely parent.

    What was sent comes from a call of that name and time, or else from what
    went on then, or else from *root*.
    """
    found = list(links)
    ids = {one.record_id for one in served}
    calls = _messages_of_all(served)
    requests = _http_of_all(served, links, times)
    around = _around(times)
    # What is sure comes first, so that nothing else takes its call.
    for place, one in enumerate(served):
        if place != root and found[place] is None and _came_by_http(one):
            keys = keys_for_sure(served_request(one))
            doubt = _doubt_of(one, ids)
            taken = _request_around(place, requests, times, keys)
            found[place] = _by_call(taken, doubt)
    for place, one in enumerate(served):
        if place == root or found[place] is not None:
            continue
        doubt = _doubt_of(one, ids)
        if one.kind == MESSAGE.name and one.sent is not None:
            taken = calls.take(one.key, one.sent, place)
            found[place] = _by_call(taken, doubt)
        elif _came_by_http(one):
            keys = likely_keys(served_request(one))
            taken = _request_around(place, requests, times, keys)
            found[place] = _by_call(taken, doubt or BY_VERB_AND_TIME)
        if found[place] is not None:
            continue
        parent = around[place]
        if one.kind == PERIODIC.name or (
            one.kind == REQUEST.name
            and (parent is None or served[parent].service == one.service)
        ):
            # Another request of the client, another task of one round.
            continue
        found[place] = Link(
            root if parent is None else parent,
            BY_TIME,
            doubt=doubt or BY_TIME_ALONE,
        )
    _cut_circles(found)
    return found


def _came_by_http(one: Served) -> bool:
    """Return whether another service may have sent it by HTTP."""
    return one.kind == REQUEST.name and one.global_request_id is not None


def _doubt_of(one: Served, ids: Container[str | None]) -> str:
    if one.parent_id is None:
        return ""
    return CIRCLE if one.parent_id in ids else PARENT_MISSING


def _by_call(taken: tuple[int, Sent] | None, doubt: str = "") -> Link | None:
    if taken is None:
        return None
    place, sent = taken
    return Link(place, BY_CALL, sent, sent.how != CAST, doubt)


def _request_around(
    place: int,
    requests: Calls,
    times: Sequence[Times],
    keys: Iterable[object],
) -> tuple[int, Sent] | None:
    """Return the HTTP request of one of *keys* around the record *place*."""
    arrived, ended, _ = times[place]
    for key in keys:
        taken = requests.take(key, arrived, place, ended)
        if taken is not None:
            # Back to the clock of the record that the call is of.
            return taken[0], _moved(taken[1], times[taken[0]].ahead_s)
    return None


def _moved(sent: Sent, seconds: float) -> Sent:
    return sent._replace(start=sent.start + seconds, end=sent.end + seconds)


def _messages_of_all(served: Sequence[Served]) -> Calls:
    calls = Calls()
    for place, one in enumerate(served):
        for sent in one.sends:
            if sent.how != HTTP.name:
                calls.add(sent.key, place, sent)
    calls.sort()
    return calls


def _http_of_all(
    served: Sequence[Served],
    links: Sequence[Link | None],
    times: Sequence[Times],
) -> Calls:
    """Return the HTTP requests of which no record is known.

    By what each side may call them, and by the clock that all *times* have.
    """
    known = {
        (link.parent, link.sent)
        for link in links
        if link is not None and link.sent is not None
    }
    calls = Calls()
    for place, one in enumerate(served):
        for sent in one.sends:
            if sent.how == HTTP.name and (place, sent) not in known:
                moved = _moved(sent, -times[place].ahead_s)
                for key in keys_of_sent(sent_request(sent.key)):
                    calls.add(key, place, moved)
    calls.sort()
    return calls


def _around(times: Sequence[Times]) -> list[int | None]:
    """Return for each record the last one begun before it that went on then.

    Messages and tasks are sent from within another record.
    """
    found: list[int | None] = [None] * len(times)
    going_on: list[int] = []
    # Of two that begin at once the longer one is around the other.
    for place in sorted(
        range(len(times)), key=lambda i: (times[i].arrived, -times[i].ended)
    ):
        arrived = times[place].arrived
        while going_on and times[going_on[-1]].ended < arrived:
            going_on.pop()
        if going_on:
            found[place] = going_on[-1]
        going_on.append(place)
    return found
