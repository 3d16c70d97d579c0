# SPDX-License-Identifier: Apache-2.0
"""A request is found in all files, and with it what it led to."""

from __future__ import annotations

import gzip
import io
import os
import threading

import pytest
from followed import (
    GLOBAL,
    MESSAGE,
    NEUTRON,
    OTHER,
    REQUEST,
    bare,
    found,
    line,
    rebuild,
    written,
)
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.reading.follow.search import leads
from nova_profiler.reading.follow.search import search as follow_search
from nova_profiler.reading.follow.search.leads import Leads
from nova_profiler.reading.follow.search.search import (
    READ_ONCE,
    RequestNotFound,
    RequestSearch,
)
from nova_profiler.reading.logs.files.blocks import DAMAGED
from nova_profiler.reading.logs.files.sources import sources_of
from nova_profiler.reading.logs.unread import Unread


def messages(request) -> list[str]:
    return [one.message.split(" ")[0] for one in request.lines]


@pytest.mark.parametrize(
    "wanted", [REQUEST, REQUEST[4:], REQUEST[:12], "6ec84", "6ec84648-93"]
)
def test_an_id_or_its_start_with_or_without_req(tmp_path, wanted):
    """However much of the id was at hand."""
    written(tmp_path, rebuild())

    request = found(tmp_path, wanted)

    assert request.request_id == REQUEST
    assert len(request.lines) == 6
    assert request.searched_files == 2


def test_the_start_of_two_ids_is_refused(tmp_path):
    """Both are named, so that one can be chosen."""
    twin = f"{REQUEST[:-1]}f"
    written(tmp_path, {"a.log": [line("00:01:00.0", "x", ids=f"None {twin}")]})
    written(tmp_path, rebuild())

    with pytest.raises(RequestNotFound, match=f"2 requests.*: {REQUEST}, "):
        found(tmp_path, REQUEST[4:12])


def test_too_many_ids_end_the_search(tmp_path, monkeypatch):
    """A start that says nothing costs no memory."""
    monkeypatch.setattr(follow_search, "_MOST_IDS", 10)
    lines = [
        line("00:01:00.000", "x", ids=f"None req-6ec8{number:032x}")
        for number in range(50)
    ]

    with pytest.raises(RequestNotFound, match="10 or more requests"):
        found(written(tmp_path, {"a.log": lines}), "6ec8")


def test_an_id_that_is_nowhere(tmp_path):
    """The error has the amount that was searched."""
    written(tmp_path, rebuild())

    with pytest.raises(RequestNotFound, match="searched: 2 files, 0.0 MB"):
        found(tmp_path, "req-00000000-0000-4000-8000-000000000000")


def test_one_file_has_its_grammar(tmp_path):
    """As more have."""
    written(tmp_path, {"a.log": [line("10:35:01.700", "Started")]})

    with pytest.raises(RequestNotFound, match="searched: 1 file, 0.0 MB"):
        found(tmp_path, "req-00000000-0000-4000-8000-000000000000")


def test_another_uuid_is_no_request(tmp_path):
    """A server's id begins with the same letters, after no req-."""
    server = f"server {REQUEST[4:12]}-0000-4000-8000-000000000001 built"
    written(
        tmp_path,
        {"a.log": [line("00:01:00.000", server, ids=f"None {OTHER}")]},
    )

    with pytest.raises(RequestNotFound):
        found(tmp_path, REQUEST[:12])


def test_old_ids_have_no_req(tmp_path):
    """Before Folsom an id was the UUID alone."""
    written(
        tmp_path, {"a.log": [line("00:01:00.000", "old", ids=REQUEST[4:])]}
    )

    assert messages(found(tmp_path, REQUEST[4:])) == ["old"]


def test_the_global_id_leads_to_other_services(tmp_path):
    """Its other requests belong to the same piece of work."""
    logs = {
        "heat.log": [line("00:01:00.000", "heat", ids=f"{GLOBAL} {OTHER}")],
        "nova-api.log": [line("00:01:01.0", "api", ids=f"{GLOBAL} {REQUEST}")],
    }

    request = found(written(tmp_path, logs))

    assert messages(request) == ["heat", "api"]
    assert set(request.related_ids) == {GLOBAL, OTHER}


def test_a_request_that_was_given_the_id(tmp_path):
    """Neutron logs nova's id as its global one; here in some lines only."""
    logs = {
        "neutron-server.log": [
            line("00:01:00.100", "with", ids=f"{REQUEST} {NEUTRON}"),
            line("00:01:00.200", "without", ids=NEUTRON),
        ],
        "nova-api.log": [line("00:01:00.000", "api")],
    }

    request = found(written(tmp_path, logs))

    assert messages(request) == ["with", "without", "api"]
    assert request.related_ids == (NEUTRON,)


def test_a_request_that_the_answer_names(tmp_path):
    """Old formats have no global id: keystoneauth tells the other's id."""
    logs = {
        "neutron-server.log": [line("00:01:00.1", "ports", ids=NEUTRON)],
        "nova-api.log": [
            line("00:01:00.2", f"GET call used request id {NEUTRON}")
        ],
    }

    assert messages(found(written(tmp_path, logs))) == ["ports", "GET"]


def test_a_line_that_only_names_the_request_leads_nowhere(tmp_path):
    """The line that names it is shown; that request's others are not."""
    logs = {
        "nova-api.log": [
            line("00:01:00.0", "other", ids=f"None {OTHER}"),
            line(
                "00:01:00.2",
                f"GET call used request id {REQUEST}",
                ids=f"None {OTHER}",
            ),
        ],
        "neutron-server.log": [line("00:01:00.1", "ports")],
    }

    request = found(written(tmp_path, logs))

    assert messages(request) == ["ports", "GET"]
    assert request.related_ids == ()


def test_rpc_messages_are_followed_by_their_ids(tmp_path):
    """The receiver of a message logs it before it knows the request."""
    request = found(written(tmp_path, rebuild()))

    assert [
        one.message for one in request.lines if one.request_id is None
    ] == [f"received message with unique_id: {MESSAGE}"]


def test_other_rpc_messages_are_not(tmp_path):
    """There are thousands of them."""
    logs = rebuild()
    logs["nova-compute.log"].append(
        "2026-11-21 00:53:55.610 90 DEBUG x [-] received message with "
        f"unique_id: {'f' * 32}"
    )

    assert len(found(written(tmp_path, logs)).lines) == 6


def test_compressed_logs(tmp_path):
    """Several are decompressed at a time; the result is the same."""
    plain = found(written(tmp_path / "plain", rebuild()))
    packed = found(
        written(
            tmp_path / "packed",
            {f"{name}.gz": lines for name, lines in rebuild().items()},
        )
    )

    assert [one._replace(source="") for one in packed.lines] == [
        one._replace(source="") for one in plain.lines
    ]


def test_a_truncated_archive_is_read_as_far_as_it_goes(tmp_path):
    """And named once, however often it is read."""
    lines = "\n".join([line("00:01:00.000", "x" * 99)] * 999)
    data = gzip.compress(lines.encode())
    (tmp_path / "nova-api.log.gz").write_bytes(data[:-20])
    written(tmp_path, rebuild())
    unread = Unread()

    request = RequestSearch(sources_of([str(tmp_path)], unread), unread).find(
        REQUEST
    )

    assert len(request.lines) > 6
    assert unread.count_of(DAMAGED) == 1


def test_a_traceback_in_the_midst(tmp_path):
    """Its lines carry no id and come with the line that has it."""
    logger = "nova.compute.manager"
    logs = {
        "nova-compute.log": [
            line("00:01:00.000", "failed", logger=logger, level="ERROR"),
            bare("00:01:00.000", "Traceback (most recent", logger=logger),
            bare("00:01:00.000", "ValueError: 7", logger=logger),
            line("00:01:00.001", "next", ids=f"None {OTHER}"),
        ]
    }

    request = found(written(tmp_path, logs))

    assert [one.more for one in request.lines] == [
        ("Traceback (most recent", "ValueError: 7")
    ]


def test_lines_without_stamps_are_counted_one_by_one(tmp_path):
    """Each that names the request; not those of others between them."""
    lines = [f"INFO nova.api [{REQUEST} u p] {number}" for number in range(3)]
    lines.insert(1, f"INFO nova.api [{OTHER} u p] other")
    lines += ["Traceback (most recent call last):", "  raise", "Failed: 7"]

    request = found(written(tmp_path, {"a.log": lines}))

    assert [one.more for one in request.lines] == [
        (),
        (),
        ("Traceback (most recent call last):", "  raise", "Failed: 7"),
    ]


def test_an_exception_that_quotes_the_id_stays_with_its_line(tmp_path):
    """Clients put the id of the answer into their exceptions."""
    failed = f"BadRequest: 400 (Request-ID: {REQUEST})"
    lines = [line("00:01:00.000", "failed"), "Traceback (most", failed]

    request = found(written(tmp_path, {"a.log": lines}))

    assert [one.more for one in request.lines] == [("Traceback (most", failed)]


def test_more_lines_than_anybody_reads_are_counted(tmp_path, monkeypatch):
    """A global id may cover days of work."""
    monkeypatch.setattr(follow_search, "MOST_LINES", 3)
    lines = [line(f"00:01:00.{number:03}", "x") for number in range(10)]

    request = found(written(tmp_path, {"a.log": lines}))

    assert (len(request.lines), request.lines_left_out) == (3, 7)


def test_lines_kept_already_are_not_left_out(tmp_path, monkeypatch):
    """The second reading comes upon the first one's lines again."""
    monkeypatch.setattr(follow_search, "MOST_LINES", 5)
    ids = f"{GLOBAL} {REQUEST}"
    lines = [
        *(
            line(f"00:01:00.{number:03}", "own", ids=ids)
            for number in range(4)
        ),
        *(
            line(f"00:01:01.{number:03}", "other", ids=f"{GLOBAL} {OTHER}")
            for number in range(3)
        ),
    ]

    request = found(written(tmp_path, {"a.log": lines}))

    assert messages(request) == ["own"] * 4 + ["other"]
    assert request.lines_left_out == 2


def test_standard_input_is_read_once(tmp_path, monkeypatch):
    """What belongs to the request may be missing there, as a note says."""
    text = line("00:01:00.000", "in", ids=f"{GLOBAL} {REQUEST}") + "\n"
    monkeypatch.setattr(
        "sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode()))
    )
    unread = Unread()

    request = RequestSearch(sources_of(["-"], unread), unread).find(REQUEST)

    assert messages(request) == ["in"]
    assert unread.count_of(READ_ONCE) == 1


def test_a_listener_hears_of_rounds_bytes_and_lines(tmp_path):
    """So that a person who waits sees something."""
    logs = {
        **rebuild(),
        "other.log": [line("00:01:00.0", "x", ids=f"None {OTHER}")],
    }
    written(tmp_path, logs)
    first, second, third = (
        os.path.getsize(tmp_path / name) for name in sorted(logs)
    )
    rounds: list[int] = []
    counts: list[int] = []
    lines: list[str] = []
    unread = Unread()

    RequestSearch(
        sources_of([str(tmp_path)], unread),
        unread,
        on_round=rounds.append,
        on_bytes=counts.append,
        on_line=lambda one: lines.append(one.message),
    ).find(REQUEST)

    assert rounds == [0, 1]
    # The third is known to hold nothing of what the first leads to.
    assert counts == [first, second, third, first, second]
    assert len(lines) == 6


SENT = "CAST unique_id: {} exchange 'nova' topic 'compute'"
RECEIVED = "received message with unique_id: {}"
SECOND = "fedcba9876543210fedcba9876543210"


@pytest.mark.parametrize("most_messages", [0, 8])
@given(order=st.permutations("abcdef"))
def test_files_that_are_passed_over_change_nothing(
    tmp_path_factory, most_messages, order
):
    """Whichever file comes first, and whatever it knows of the others."""
    texts = [
        line("00:01:00.0", "api", ids=f"{GLOBAL} {REQUEST}"),
        line("00:01:00.1", SENT.format(MESSAGE), ids=f"None {REQUEST}"),
        line("00:01:00.2", SENT.format(SECOND), ids=f"None {REQUEST}"),
        line("00:01:00.3", RECEIVED.format(MESSAGE), ids="-")
        + "\n"
        + line("00:01:00.4", RECEIVED.format(SECOND), ids="-"),
        line("00:01:00.5", "heat", ids=f"{GLOBAL} {OTHER}"),
        line("00:01:00.6", "nobody's", ids=f"None {NEUTRON}"),
    ]
    logs = {
        f"{name}.log": [text] for name, text in zip(order, texts, strict=True)
    }
    folder = written(tmp_path_factory.mktemp("logs"), logs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leads, "_MOST_MESSAGES", most_messages)
        some_passed_over = found(folder)
        patch.setattr(Leads, "learn", lambda *line: None)
        plain = found(folder)

    assert len(plain.lines) == 6
    assert some_passed_over.lines == plain.lines
    assert set(some_passed_over.related_ids) == set(plain.related_ids)
    assert some_passed_over.lines_left_out == plain.lines_left_out == 0


def test_later_pipes_are_searched_for_what_earlier_ones_led_to(tmp_path):
    """A pipe is read once; the message that its sender named is known."""
    sent = line("00:01:00.1", SENT.format(MESSAGE), ids=f"None {REQUEST}")
    received = line("00:01:00.3", RECEIVED.format(MESSAGE), ids="-")
    pipes = []
    writers = []
    for name, text in (("api", sent), ("compute", received)):
        pipe = tmp_path / name
        os.mkfifo(pipe)
        pipes.append(str(pipe))
        writers.append(
            threading.Thread(target=pipe.write_text, args=(text + "\n",))
        )
        writers[-1].start()
    unread = Unread()

    request = RequestSearch(sources_of(pipes, unread), unread).find(REQUEST)
    for writer in writers:
        writer.join()

    assert [one.message[:4] for one in request.lines] == ["CAST", "rece"]
