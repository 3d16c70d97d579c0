# SPDX-License-Identifier: Apache-2.0
"""Which requests are watched, and which records become dumps."""

from __future__ import annotations

import random
import uuid

import pytest
from builders import record
from hypothesis import given
from hypothesis import strategies as st
from serving import Asked

from nova_profiler.capture.choosing.choice import Choice, is_drawn, is_kept
from nova_profiler.trust.signed_headers import (
    EXPIRED,
    FORGED,
    GARBLED,
    osprofiler_headers,
    trigger_of,
)

SLOW = {"duration_ms": 1000.0}
FAILED = {"outcome": "failed"}
ABORTED = {"outcome": "aborted"}
PROFILED = {"profile": {"engine": "x"}}


@pytest.mark.parametrize(
    ("dump_when", "fields", "kept"),
    [
        (["slow"], SLOW, True),
        (["slow"], {"duration_ms": 999.999}, False),
        (["slow"], FAILED, False),
        (["failed"], FAILED, True),
        (["failed"], ABORTED, False),
        # Its client left while it was told so.
        (["failed"], {**ABORTED, "status": 503}, True),
        (["failed"], {"outcome": "killed"}, True),
        (["failed"], SLOW, False),
        (["profiled"], PROFILED, True),
        (["profiled"], SLOW, False),
        (["slow", "failed"], FAILED, True),
        (["all"], {}, True),
        (["slow", "failed", "profiled"], {}, False),
        ([], {**SLOW, **FAILED, **PROFILED}, False),
    ],
)
def test_a_record_is_kept_for_any_reason_that_was_asked_for(
    dump_when, fields, kept
):
    """Slow from the limit on, failed, profiled; or all."""
    assert is_kept(record(**fields), dump_when, slow_ms=1000.0) is kept


def test_what_was_not_chosen_is_not_kept_for_its_profile():
    """Engines that watch every request have one of each."""
    profiled = record(**PROFILED)

    assert not is_kept(profiled, ["profiled"], slow_ms=1000.0, chosen=False)
    assert is_kept(profiled, ["all"], slow_ms=1000.0, chosen=False)


ID = "req-6ec84648-1f0d-4f2c-9a53-6cc2b5e0b7aa"


def ids(count):
    """Return as many request ids."""
    return [f"req-{uuid.UUID(int=n * 7919 + 1)}" for n in range(count)]


def test_the_draw_takes_the_share_that_was_asked_for():
    """Of many ids, within what chance allows."""
    drawn = sum(is_drawn(one, 0.1) for one in ids(20_000))

    assert 1_850 < drawn < 2_150


@given(
    request_id=st.text(),
    rates=st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted),
)
def test_a_higher_rate_takes_at_least_the_same_ids(request_id, rates):
    """Services of different rates agree as far as they can."""
    lower, higher = rates

    assert is_drawn(request_id, lower) <= is_drawn(request_id, higher)
    assert is_drawn(request_id, 1.0)
    assert not is_drawn(request_id, 0.0)


@pytest.mark.parametrize(
    ("request_id", "drawn_from"),
    [
        (ID, 0.1816290913268111),
        ("req-00000000-0000-0000-0000-000000000000", 0.5711155520083064),
        ("req-a1b2c3d4-e5f6-4789-8abc-def012345678", 0.0653207257224676),
    ],
)
def test_an_id_is_drawn_the_same_everywhere(request_id, drawn_from):
    """Fixed for ever: other releases and services must agree."""
    near = [drawn_from - 1e-12, drawn_from + 1e-12]

    assert [is_drawn(request_id, rate) for rate in near] == [False, True]


def test_what_has_no_id_is_not_drawn():
    """Another service would have nothing to agree on."""
    assert not is_drawn(None, 1.0)


def test_an_id_is_drawn_in_any_letters():
    """oslo.middleware takes both."""
    for one in ids(50):
        assert is_drawn(one, 0.5) == is_drawn(one.upper(), 0.5)


def test_a_key_makes_another_draw_that_all_with_it_share():
    """Without it no client knows which ids are drawn."""
    with_key = [is_drawn(one, 0.5, KEY) for one in ids(200)]

    assert with_key == [is_drawn(one, 0.5, KEY) for one in ids(200)]
    assert with_key != [is_drawn(one, 0.5) for one in ids(200)]
    assert with_key != [is_drawn(one, 0.5, KEY + "x") for one in ids(200)]
    assert is_drawn(ID, 0.999999, "\udcff" * 100)


class Chosen:
    """A choice with clocks and draws of its own."""

    def __init__(self, clock, draw=0.5) -> None:
        self.counted: list[str] = []
        self.choice = Choice(
            self.counted.append, clock, lambda: NOW, lambda: draw
        )

    def reason(self, when, path="/v2.1/servers", rate=0.0, **environ):
        return self.choice.reason(Asked(path, environ), when, rate, [KEY])


NOW = 1_795_257_000.5
KEY = "0123456789abcdef0123456789abcdef"
GOOD = trigger_of("GET", "/v2.1/servers", int(NOW) + 60, KEY)


def test_always_is_always(clock):
    """Nothing else is asked."""
    assert Chosen(clock).reason(["always", "rate"]) == "always"


def test_nothing_is_chosen_for_no_reason(clock):
    """Whatever headers a client sends."""
    chosen = Chosen(clock, draw=0.0)

    assert chosen.reason([], HTTP_X_NOVA_PROFILER=GOOD, rate=1.0) is None
    assert chosen.counted == []


@pytest.mark.parametrize(
    ("draw", "expected"), [(0.0, "rate"), (0.1, None), (0.9, None)]
)
def test_without_an_id_chance_decides(clock, draw, expected):
    """nova makes its own id only later."""
    assert Chosen(clock, draw).reason(["rate"], rate=0.1) == expected


def test_an_id_from_the_client_decides(clock):
    """It is the one that every service of this request knows."""
    for one in ids(50):
        expected = "rate" if is_drawn(one, 0.5, KEY) else None
        for draw in (0.0, 0.9):
            assert expected == Chosen(clock, draw).reason(
                ["rate"], rate=0.5, HTTP_X_OPENSTACK_REQUEST_ID=one
            )


@pytest.mark.parametrize("is_late", [False, True])
def test_no_client_chooses_itself_by_its_id(clock, is_late):
    """Neither by one that is always drawn, nor by many that it tried."""
    drawn = [one for one in ids(5000) if is_drawn(one, 0.05)]
    rng = random.Random(1)
    choice = Choice([].append, clock, lambda: NOW, rng.random)

    def is_chosen(request_id):
        if is_late:
            asked = record(global_request_id=request_id)
            return choice.is_drawn_late(asked, 0.05, [])
        headers = {"HTTP_X_OPENSTACK_REQUEST_ID": request_id}
        asked = Asked("/v2.1", headers)
        return choice.reason(asked, ["rate"], 0.05, []) is not None

    same = sum(is_chosen(drawn[0]) for _ in range(2000))
    many = sum(is_chosen(rng.choice(drawn)) for _ in range(2000))

    # Three times the rate, and what may come in a row.
    assert same < 2000 * 0.15 + 60
    assert many < 2000 * 0.15 + 60


def test_honest_ids_are_nearly_all_chosen_as_everywhere(clock):
    """The allowance is wide enough for what chance brings."""
    choice = Choice([].append, clock, lambda: NOW, lambda: 0.9)
    agreed = [
        choice.reason(
            Asked("/v2.1", {"HTTP_X_OPENSTACK_REQUEST_ID": one}),
            ["rate"],
            0.01,
            [],
        )
        is not None
        for one in ids(30_000)
    ]
    expected = [is_drawn(one, 0.01) for one in ids(30_000)]

    assert sum(expected) > 200
    assert sum(agreed) >= 0.99 * sum(expected)


@pytest.mark.parametrize("odd", ["", "req-", ID + "\n", ID * 2, None, 7])
def test_what_is_no_id_does_not_decide(clock, odd):
    """A client must not choose by a text that nova throws away."""
    assert Chosen(clock, 0.0).reason(
        ["rate"], rate=0.01, HTTP_X_OPENSTACK_REQUEST_ID=odd
    ) == ("rate")


def test_a_signed_request_is_chosen(clock):
    """Ours, or osprofiler's."""
    chosen = Chosen(clock)
    theirs = {
        "HTTP_" + name.upper().replace("-", "_"): value
        for name, value in osprofiler_headers(KEY, ID).items()
    }

    assert chosen.reason(["signed"], HTTP_X_NOVA_PROFILER=GOOD) == "signed"
    assert chosen.reason(["signed"], **theirs) == "signed"
    assert chosen.counted == []


@pytest.mark.parametrize(
    ("header", "counted"),
    [
        (GOOD.replace("1", "2", 1), FORGED),
        (trigger_of("GET", "/v2.1/servers", int(NOW), KEY), EXPIRED),
        ("what?", GARBLED),
    ],
)
def test_a_bad_trigger_is_only_counted(clock, header, counted):
    """Each kind under a name of its own."""
    chosen = Chosen(clock)

    reason = chosen.reason(["signed"], HTTP_X_NOVA_PROFILER=header)

    assert reason is None
    assert chosen.counted == [counted]


def test_a_bad_trigger_may_be_chosen_for_another_reason(clock):
    """It does no harm either."""
    chosen = Chosen(clock, 0.0)

    assert (
        chosen.reason(
            ["signed", "rate"], rate=0.1, HTTP_X_NOVA_PROFILER="what?"
        )
        == "rate"
    )


def test_a_table_that_cannot_be_read_arms_nothing(clock, tmp_path):
    """It is counted; the other reasons still hold."""
    (tmp_path / ".armed").mkdir()
    counted: list[str] = []
    choice = Choice(
        counted.append, clock, draw=lambda: 0.0, directory=tmp_path
    )

    reason = choice.reason(Asked("/v2.1", {}), ["armed", "rate"], 0.1, [])

    assert reason == "rate"
    assert counted == ["armed"]
