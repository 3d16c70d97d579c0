# SPDX-License-Identifier: Apache-2.0
"""The figures of one request's page."""

from __future__ import annotations

import io
import json

import pytest
from builders import SELECT_INSTANCES, parallel_detail, record, slow_rebuild
from profile_builders import API, stacks_session
from rich.console import Console

from nova_profiler.profiles import WAITING_FOR_GIL
from nova_profiler.profiles.loading import load
from nova_profiler.reading.record_words import title_of, user_of
from nova_profiler.reading.requests.one_request.figures import (
    buckets_of,
    condensed,
    db_api_share,
    gil_sentence,
    group_sentences,
    lanes_of,
    notes_of,
)
from nova_profiler.reading.requests.one_request.page import print_request
from nova_profiler.record import GroupTotals, StatementTotals


def test_the_sentence_of_the_slow_call():
    """15 calls, 840.0 ms, 26.9 %: the form in which it was once asked."""
    sentences = group_sentences(slow_rebuild())

    assert sentences == [
        "db_api 15 calls 840.0 ms, 26.9 % of the call; driver 188.3 ms of "
        "it, the rest SQLAlchemy and what else runs inside",
        "sql 22 statements 150.3 ms, 4.8 % of the call",
    ]


def test_parallel_calls_name_sum_and_cover():
    """What ran side by side is never a share of more than the call."""
    sentence = group_sentences(parallel_detail())[0]

    assert sentence.startswith(
        "db_api 6 calls 450.0 ms added up, 290.0 ms of the clock, 72.5 %"
    )


def test_no_sentence_without_calls():
    """There is no sentence about what was not recorded."""
    assert group_sentences(record()) == []
    assert group_sentences(record(groups={"sql": GroupTotals(0, 0, 0)})) == []


def test_one_call_is_singular():
    """One statement is not one statements."""
    sentences = group_sentences(
        record(groups={"sql": GroupTotals(1, 4.0, 4.0)})
    )

    assert sentences == ["sql 1 statement 4.0 ms, 9.4 % of the call"]


@pytest.mark.parametrize(
    ("gil_s", "looks", "is_said"),
    [
        (0.3, 5, True),
        (0.3, 4, False),
        (0.2, 20, False),
        # Of several threads together: no part of the request's time.
        (1.2, 20, False),
    ],
)
def test_much_waiting_for_the_gil_is_said(tmp_path, gil_s, looks, is_said):
    """Calls contain it, so the breakdown alone would accuse the database."""
    path = tmp_path / "a.pyisession"
    samples = ([f"{API}\x01l9", WAITING_FOR_GIL], gil_s), ([API], 0.1)
    path.write_text(json.dumps(stacks_session(*samples, number=looks)))
    one = record(duration_ms=1000.0, breakdown_ms={"sql": 900.0})
    console = Console(file=io.StringIO(), width=80)

    sentence = gil_sentence(one, load(path))
    print_request(console, one, [], load(path))

    page = console.file.getvalue()
    words = f"of this the stacks saw {1000 * gil_s:.1f} ms waiting for the GIL"
    assert sentence.startswith(words) == is_said
    assert bool(sentence) == is_said
    assert (words in page) == is_said
    if is_said:
        assert page.index(words) < page.index("900.0 ms")
    assert gil_sentence(one, None) == ""


@pytest.mark.parametrize("one", [slow_rebuild(), parallel_detail()])
def test_the_share_is_that_of_the_sentence(one):
    """The list and the page of a request have one figure for one thing."""
    share = db_api_share(one)

    assert share is not None
    assert f" {100 * share:.1f} % of the call" in group_sentences(one)[0]


def test_waiting_within_calls_is_theirs():
    """The share is of the calls, not of a bucket."""
    one = parallel_detail()
    one.breakdown_ms = {"waiting": 290.0, "python": 110.0}

    assert db_api_share(one) == pytest.approx(290.0 / 400.0)


def test_the_share_of_nothing_is_unknown():
    """Without calls or a duration there is no share."""
    some = {"db_api": GroupTotals(1, 4.0, 4.0)}

    assert db_api_share(record()) is None
    assert (
        db_api_share(record(groups={"db_api": GroupTotals(0, 0, 0)})) is None
    )
    assert db_api_share(record(groups=some, duration_ms=0.0)) is None


def test_buckets_are_largest_first_and_none_is_empty():
    """What took no time has no bar; an unknown one keeps its name."""
    buckets = buckets_of(
        record(
            duration_ms=100.0,
            breakdown_ms={"sql": 0.0, "odd": 20.0, "python": 80.0},
        )
    )

    assert [(bucket.label, bucket.share) for bucket in buckets] == [
        ("Python, the rest", 0.8),
        ("odd", 0.2),
    ]


def statement(text: str):
    return StatementTotals(text, "SELECT t", "nova", 1, 1.0, 1.0, 0, 0)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            SELECT_INSTANCES,
            "SELECT ... FROM (SELECT instances.* FROM instances WHERE "
            "instances.deleted = ? AND instances.project_id = ? LIMIT ?) AS "
            "anon_1 LEFT OUTER JOIN instance_extra AS instance_extra_1 ON "
            "instance_extra_1.instance_uuid = anon_1.instances_uuid",
        ),
        ("SELECT count(*) FROM t", "SELECT count(*) FROM t"),
        (
            "SELECT t.a, t.b ...",
            "SELECT t (its text was cut within the columns)",
        ),
    ],
)
def test_condensed_statements_keep_what_tells_them_apart(text, shown):
    """Columns go; tables, joins and conditions stay."""
    assert condensed(statement(text)) == shown


def test_lanes_are_in_their_order():
    """Each thread has its own spans."""
    lanes = lanes_of(parallel_detail())

    assert [(lane.number, lane.busy_ms) for lane in lanes] == [
        (0, 150.0),
        (1, 110.0),
        (2, 90.0),
        (3, 100.0),
    ]


def test_notes_tell_what_is_missing():
    """A capped list, late calls and an engine's doubts have notes."""
    notes = notes_of(
        record(
            dropped_calls=312,
            counts={"late_calls": 1, "config_lookups": 450, "odd": 2, "no": 0},
            profile={"engine": "cprofile", "notes": ["overlapped"]},
        )
    )

    assert notes == [
        "312 calls beyond max_calls: in the totals, missing from the timeline",
        "450 look-ups of configuration",
        "1 call ended after the request, left out",
        "odd: 2",
        "cprofile: overlapped",
    ]


def test_who_and_what():
    """Equal user and project are one word; an action follows its route."""
    assert user_of(record()) == "demo"
    assert user_of(record(user_name="a", project_name="b")) == "a/b"
    assert user_of(record(user_name=None, project_name=None)) == (
        "0f" * 16 + "/" + "1e" * 16
    )
    assert title_of(slow_rebuild()) == "/v2.1/servers/{id}/action rebuild"
