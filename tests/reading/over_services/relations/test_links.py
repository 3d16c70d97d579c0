# SPDX-License-Identifier: Apache-2.0
"""Which record sent which: by ids, by calls of a name and time, by time."""

from __future__ import annotations

import pytest
from created_servers import created, shuffled

from nova_profiler.reading.over_services.picture import picture_of
from nova_profiler.reading.over_services.relations.links import (
    BY_CALL,
    BY_ID,
    BY_TIME,
    BY_TIME_ALONE,
    BY_VERB_AND_TIME,
    CIRCLE,
    NO_SUCH_CALL,
    PARENT_MISSING,
    links_by_id,
)
from nova_profiler.reading.over_services.relations.served import (
    CALL,
    CAST,
    Sent,
    Served,
    message_key,
    served_of,
)

API = Served(
    record_id="a", service="nova-api", host="one", began=100.0,
    duration_s=3.0, request_id="req-1", is_whole=True,
    sends=(
        Sent(CAST, "compute rebuild", 102.0, 102.01),
        Sent(CALL, "conductor save", 101.0, 101.5),
        Sent(CALL, "conductor save", 101.6, 101.9),
    ),
)  # fmt: skip


def message(**fields) -> Served:
    own = {
        "kind": "message", "record_id": "b", "parent_id": "a",
        "service": "nova-conductor", "host": "two", "key": "conductor save",
        "request_id": "req-1", "sent": 101.1, "began": 101.2,
        "duration_s": 0.2,
    }  # fmt: skip
    return Served(**{**own, **fields})


def link_of(*served: Served):
    """Return the link of the last one in their picture."""
    return picture_of("req-1", served).links[-1]


@pytest.mark.parametrize(
    ("sender", "far_side"),
    [
        ("compute rebuild_instance cast", "rpc compute rebuild_instance"),
        (
            "conductor object_action.Instance.save",
            "rpc conductor Instance.save",
        ),
        (
            "conductor object_class_action_versions.Instance.get_by_uuid",
            "rpc conductor Instance.get_by_uuid",
        ),
        (
            "conductor object_backport_versions.Instance",
            "rpc conductor Instance.object_backport_versions",
        ),
        ("compute.rebuild_instance", "rpc compute rebuild_instance"),
        ("scheduler update fanout", "rpc scheduler update"),
    ],
)
def test_a_message_has_one_name_on_both_sides(sender, far_side):
    """The sender's call has its kind, and conductor's own method."""
    assert message_key(sender) == message_key(far_side)


def test_the_call_is_the_one_that_went_on_when_it_was_sent():
    """Two calls of one name: the moment of sending decides."""
    link = link_of(API, message(sent=101.7, began=101.71))

    assert (link.parent, link.how, link.waits) == (0, BY_ID, True)
    assert link.sent.start == 101.6


def test_nothing_waits_for_what_was_cast():
    """The sender went on at once."""
    cast = message(key="compute rebuild", sent=102.005, began=102.1)

    link = link_of(API, cast)

    assert (link.how, link.waits) == (BY_ID, False)
    assert link.sent.how == CAST


def test_two_that_were_sent_at_once_have_a_call_each():
    """Threads of one request may call the same at the same moment."""
    sends = tuple(
        Sent(CALL, "conductor save", 101.0, end) for end in (102, 103)
    )
    api = API._replace(sends=sends)
    two = message(sent=101.0), message(record_id="c", sent=101.0)

    links = picture_of("req-1", [api, *two]).links

    assert {link.sent.end for link in links[1:]} == {102, 103}


def test_a_forged_parent_is_marked():
    """The record that it names is whole and has no such call."""
    picture = picture_of("req-1", [API, message(key="conductor evil")])

    assert picture.links[1].parent == 0
    assert picture.doubts == {1: NO_SUCH_CALL}


@pytest.mark.parametrize(
    ("sender", "far_side"),
    [
        ("conductor other", "conductor Made.up"),
        ("other other", "conductor Made.up"),
        ("conductor Made.up", "conductor other"),
    ],
)
def test_one_side_may_have_no_name_for_it(sender, far_side):
    """Each names only objects that it has: the moment of sending decides."""
    api = API._replace(sends=(Sent(CALL, sender, 101.0, 101.5),))

    link = link_of(api, message(key=far_side))

    assert (link.waits, link.doubt) == (True, "")


def test_the_message_says_that_its_sender_waits():
    """Where the sender's record has no calls, as in a log's line."""
    api = API._replace(sends=(), is_whole=False)

    assert link_of(api, message(is_waited_for=True)).waits
    assert not link_of(api, message()).waits


def test_a_record_that_is_not_whole_may_have_made_the_call():
    """Calls past max_calls are in no timeline: that is no doubt."""
    api = API._replace(is_whole=False)

    assert link_of(api, message(key="conductor other")).doubt == ""


def test_a_call_of_its_name_and_time_stands_for_a_missing_parent_id():
    """A half-upgraded service sends no ids."""
    link = link_of(API, message(parent_id=None))

    assert (link.parent, link.how, link.waits) == (0, BY_CALL, True)
    assert link.doubt == ""


def test_a_missing_parent_is_said():
    """The record of the one between was not kept."""
    lost = message(parent_id="f" * 16, key="conductor lost")

    link = link_of(API, lost)

    assert (link.parent, link.how, link.doubt) == (0, BY_TIME, PARENT_MISSING)


def test_what_nothing_names_comes_from_what_went_on_then():
    """The last that had begun: work is sent from within work."""
    outer = message(parent_id=None, key="", sent=None)
    inner = outer._replace(record_id="c", began=101.25, duration_s=0.1)

    picture = picture_of("req-1", [API, outer, inner])

    assert [link and link.parent for link in picture.links] == [None, 0, 1]
    assert picture.doubts[2] == BY_TIME_ALONE


def test_an_http_request_is_found_by_the_id_in_its_answer():
    """The other service gave it an id of its own."""
    sent = Sent("http", "placement GET /x", 101.0, 101.5, "req-far")
    api = API._replace(sends=(sent,))
    far = Served(
        record_id="p", service="placement", host="two", request_id="req-far",
        global_request_id="req-1", began=101.1, duration_s=0.3, method="GET",
    )  # fmt: skip

    link = link_of(api, far)

    assert (link.parent, link.waits, link.sent) == (0, True, sent)


def test_an_http_request_without_an_id_is_found_by_its_verb_and_time():
    """Its answer had no id: the request that was around it is its own."""
    sends = (
        Sent("http", "placement GET /x", 101.0, 101.5),
        Sent("http", "placement PUT /x", 101.0, 101.5),
    )
    far = Served(
        record_id="p", service="placement", host="one", request_id="req-far",
        global_request_id="req-1", began=101.1, duration_s=0.3, method="PUT",
    )  # fmt: skip

    link = link_of(API._replace(sends=sends), far)

    assert (link.how, link.waits, link.sent) == (BY_CALL, True, sends[1])
    assert link.doubt == BY_VERB_AND_TIME


IMAGE = Sent("http", "image GET /image/v2/images/{id}", 101.0, 101.5)
PORTS = Sent("http", "network GET /v2.0/ports", 101.01, 101.51)
NETWORKS = Sent("http", "network GET /v2.0/networks", 101.02, 101.52)
BY_HOST = Sent("http", "10.0.0.7 GET /v2.0/ports", 101.03, 101.53)


def far_side(service: str, title: str) -> Served:
    return Served(
        record_id=service, service=service, host="one", title=title,
        request_id=f"req-{service}", global_request_id="req-1",
        began=101.1, duration_s=0.3, method="GET",
    )  # fmt: skip


@pytest.mark.parametrize("is_turned", [False, True])
def test_parallel_http_requests_go_to_their_own_services(is_turned):
    """All of one verb at one time: services and routes distinguish them."""
    sides = [
        (far_side("glance-api", "/v2/images/{image_id}"), IMAGE),
        (far_side("neutron-server", "/v2.0/ports"), PORTS),
        (far_side("neutron", "/v2.0/networks"), NETWORKS),
    ]
    sides = sides[::-1] if is_turned else sides
    api = API._replace(sends=(IMAGE, PORTS, NETWORKS))

    links = picture_of("req-1", [api, *(far for far, _ in sides)]).links[1:]

    assert [link.sent for link in links] == [sent for _, sent in sides]
    assert [link.doubt for link in links] == ["", "", ""]


@pytest.mark.parametrize(
    ("sent", "far"),
    [
        (PORTS, far_side("neutron", "/v2.0/subnets")),
        (BY_HOST, far_side("neutron", "/v2.0/ports")),
        (PORTS, far_side("made-up", "/v2.0/ports")),
        (PORTS, far_side("neutron", "")),
        (Sent("http", "other", 101.0, 101.5), far_side("neutron", "/")),
    ],
)
def test_an_http_request_that_may_be_another_one_is_marked(sent, far):
    """The route differs, or one side does not know the service."""
    if sent.key == "other":
        far = far._replace(method="")

    link = link_of(API._replace(sends=(sent,)), far)

    assert (link.sent, link.doubt) == (sent, BY_VERB_AND_TIME)


def test_what_is_not_sure_takes_no_call_of_what_is():
    """Of two requests to one service the call's record may come second."""
    other = far_side("neutron", "/v2.0/subnets")
    own = far_side("neutron-server", "/v2.0/ports")

    picture = picture_of("req-1", [API._replace(sends=(PORTS,)), other, own])

    assert [link.sent for link in picture.links[1:]] == [None, PORTS]
    assert picture.doubts == {1: BY_TIME_ALONE}


def test_a_call_to_another_service_is_no_parent():
    """However well its verb and time fit."""
    link = link_of(
        API._replace(sends=(IMAGE,)), far_side("neutron", "/v2.0/ports")
    )

    assert (link.how, link.sent) == (BY_TIME, None)


TASK = message(
    kind="task", record_id="t", service="nova-compute", key="", sent=None,
    parent_id="m", began=101.25, duration_s=1.0, is_whole=True,
    sends=(Sent(CALL, "conductor save", 101.3, 101.6),),
)  # fmt: skip
SUBMITTER = message(
    record_id="m", service="nova-compute", key="compute rebuild", sent=102.0,
    is_whole=True,
)  # fmt: skip
SAVE = message(record_id="s", parent_id="m", sent=101.35, began=101.4)


def test_what_a_task_sends_while_its_parent_goes_on_is_the_tasks():
    """It has the parent's id, and its call is in the task's record alone."""
    picture = picture_of("req-1", [API, SUBMITTER, TASK, SAVE])

    link = picture.links[3]
    assert (link.parent, link.how, link.waits) == (2, BY_CALL, True)
    assert (link.sent, link.doubt) == (TASK.sends[0], "")


@pytest.mark.parametrize(
    "changed",
    [
        {"service": "nova-forged"},
        {"host": "elsewhere"},
        {"kind": "message"},
        {"parent_id": "a"},
        {"sends": (Sent(CALL, "conductor other.name", 101.3, 101.6),)},
        {"sends": (Sent(CALL, "conductor save", 101.4, 101.6),)},
    ],
)
def test_no_other_record_than_a_task_of_the_parent_has_its_calls(changed):
    """Of the same process, and of that name and time."""
    task = TASK._replace(**changed)

    link = picture_of("req-1", [API, SUBMITTER, task, SAVE]).links[3]

    assert (link.parent, link.doubt) == (1, NO_SUCH_CALL)


def test_a_call_of_the_parent_comes_before_one_of_its_task():
    """The id that came with it is the parent's."""
    own = Sent(CALL, "conductor save", 101.34, 101.6)

    picture = picture_of(
        "req-1", [API, SUBMITTER._replace(sends=(own,)), TASK, SAVE]
    )

    assert (picture.links[3].parent, picture.links[3].sent) == (1, own)


def test_another_request_of_the_client_comes_from_nothing():
    """One global id may cover many requests."""
    other = API._replace(
        record_id="z", request_id="req-2", global_request_id="req-g",
        began=101.0, duration_s=1.0,
    )  # fmt: skip
    first = API._replace(global_request_id="req-g")

    picture = picture_of("req-g", [first, other])

    assert picture.links == [None, None]


def test_periodic_tasks_of_a_round_are_side_by_side():
    """They have one id, and run one after the other."""
    first = message(kind="periodic", parent_id=None, key="", sent=None)
    second = first._replace(record_id="c", began=101.3)

    picture = picture_of("req-1", [first, second])

    assert (picture.links, picture.doubts) == ([None, None], {})


@pytest.mark.parametrize("length", [1, 2, 3, 50])
def test_a_circle_of_parents_is_cut_and_marked(length):
    """Forged ids lead to themselves."""
    ring = [
        message(
            record_id=str(number), parent_id=str((number + 1) % length),
            began=101.2 + number / 1000,
        )
        for number in range(length)
    ]  # fmt: skip

    picture = picture_of("req-1", [API, *ring])

    assert picture.root == 0
    assert CIRCLE in picture.doubts.values() or picture.links[1].how == BY_CALL
    for place in range(len(picture.links)):
        steps = 0
        while picture.links[place] is not None:
            place = picture.links[place].parent
            steps += 1
            assert steps <= length + 1


def test_a_deep_chain_takes_no_recursion():
    """A message may lead to a message, ten thousand times."""
    chain = [API] + [
        message(
            record_id=f"m{number}",
            parent_id=f"m{number - 1}",
            key="",
            sent=None,
        )
        for number in range(10_000)
    ]
    chain[1] = chain[1]._replace(parent_id="a")

    links = links_by_id(chain)

    assert [link and link.parent for link in links] == [None, *range(10_000)]


def test_parents_of_a_thousand_concurrent_creates():
    """All under one global id, interleaved, by clocks that differ."""
    creates = [created(number, saves=3) for number in range(1000)]
    records = shuffled(creates)
    parents = {
        child: parent
        for one in creates
        for child, parent in one.parents.items()
    }

    picture = picture_of("req-none", [served_of(one) for one in records])

    ids = [one.record_id for one in picture.served]
    found = {
        ids[place]: None if link is None else ids[link.parent]
        for place, link in enumerate(picture.links)
    }
    right = sum(
        all(found[child] == parent for child, parent in one.parents.items())
        for one in creates
    )
    assert (right, found == parents) == (1000, True)


def test_parents_of_a_thousand_creates_by_their_ids():
    """Each alone, as show finds them, half of the parents' ids unknown.

    The calls, which have the moment of sending, say which it was.
    """
    right = 0
    for number in range(1000):
        one = created(number, saves=3, skews={"compute-7": number - 500.0})
        for record in one.records[1::2]:
            if record.kind == "message":
                record.parent_id = None

        picture = picture_of(
            one.request_id, [served_of(record) for record in one.records]
        )

        ids = [served.record_id for served in picture.served]
        right += all(
            (None if link is None else ids[link.parent])
            == one.parents[ids[place]]
            for place, link in enumerate(picture.links)
        )
    assert right == 1000
