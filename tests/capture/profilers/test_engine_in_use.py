# SPDX-License-Identifier: Apache-2.0
"""Engines are made once in each process, and asked for the right requests."""

from __future__ import annotations

import os

import pytest
from fake_engines import ALWAYS, FakeEngine, app, profiled
from hypothesis import given
from hypothesis import strategies as st
from serving import Profiled

from nova_profiler.capture import captures
from nova_profiler.capture.profilers import EngineError
from nova_profiler.capture.served import wsgi_exchange


def test_no_engine_is_asked_for_when_there_is_none():
    """The default: the loader of this test would raise."""
    over = Profiled(app, profile_when=("always",))

    over.get()

    assert over.record.profile is None
    assert over.failures.counts() == {}


def test_the_record_says_why_it_was_chosen():
    """Beside what the engine has put there."""
    over, engine = profiled()

    over.get()

    assert over.record.profile == {
        "engine": "stacks",
        "file": None,
        "notes": [],
        "chosen_by": "always",
    }
    assert engine.asked == [(True, 0.0)]


def test_an_interval_that_is_set_is_the_engines():
    """Whatever the engine's own would be."""
    over, engine = profiled(profiler_interval_ms=3.0)

    over.get()

    assert engine.asked == [(True, 3.0)]


def test_a_request_that_was_not_chosen_is_not_watched():
    """Nobody asked for it."""
    over, engine = profiled(profile_when=("signed",))

    over.get()

    assert engine.asked == []
    assert over.record.profile is None


def test_an_engine_that_watches_all_is_asked_for_all():
    """It gets to know which of them were chosen."""
    over, engine = profiled(
        engine=FakeEngine(watches_all=True), profile_when=("signed",)
    )

    over.get()

    assert engine.asked == [(False, 0.0)]
    assert "chosen_by" not in over.record.profile


def test_where_all_are_watched_the_rate_is_decided_by_the_request_id():
    """It is known at the end only."""

    def with_id(environ, start_response):
        environ["openstack.request_id"] = "req-1"
        return app(environ, start_response)

    over, engine = profiled(
        with_id,
        FakeEngine(watches_all=True),
        profile_when=("rate",),
        profile_rate=1.0,
    )

    over.get()

    assert engine.asked == [(False, 0.0)]
    assert over.record.profile["chosen_by"] == "rate"


class Loader:
    """Makes engines and keeps them; those of *missing* cannot be had."""

    def __init__(self, *missing: str) -> None:
        self.missing = missing
        self.made: list[FakeEngine] = []

    def __call__(self, name, note):
        if name in self.missing:
            raise EngineError(f"install nova-profiler[{name}]")
        self.made.append(FakeEngine(name))
        return self.made[-1]


def changed(over, **options) -> None:
    """Change *options* of the filter as a changed file does."""
    over.live.current = over.live.current.changed(options)


def test_one_engine_is_made_for_many_requests():
    """At the first request, and not before."""
    load = Loader()
    over = Profiled(app, load=load, **ALWAYS)
    assert load.made == []

    over.get()
    over.get()

    assert len(load.made) == 1


def test_another_engine_takes_over_while_running():
    """The former is closed."""
    load = Loader()
    over = Profiled(app, load=load, **ALWAYS)

    over.get()
    changed(over, profiler="cprofile")
    over.get()

    assert [(one.name, one.closed) for one in load.made] == [
        ("stacks", 1),
        ("cprofile", 0),
    ]


def test_an_engine_that_cannot_be_had_leaves_the_former(caplog):
    """Said once, with what to install."""
    load = Loader("cprofile")
    over = Profiled(app, load=load, **ALWAYS)

    over.get()
    changed(over, profiler="cprofile")
    over.get()
    over.get()

    assert [one.name for one in load.made] == ["stacks"]
    assert len(load.made[0].asked) == 3
    assert load.made[0].closed == 0
    assert [record.getMessage() for record in caplog.records] == [
        "profiler stays stacks: install nova-profiler[cprofile]"
    ]


def test_an_engine_that_fails_to_load_is_none(caplog):
    """Whatever it raises; its text may hold anything."""

    def load(name, note):
        raise ValueError("secret")

    over = Profiled(app, load=load, **ALWAYS)

    assert over.get().body == b"ok"

    assert "profiler stays none: ValueError" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize("change", [{"profiler": "none"}, {"enabled": False}])
def test_an_engine_that_nobody_asks_for_is_closed(change):
    """At the next look at the files: it may have a child process."""
    load = Loader()
    over = Profiled(app, load=load, **ALWAYS)
    over.live.check = lambda now: None

    over.get()
    changed(over, **change)
    over.live.check_at = 0.0
    over.get()

    assert load.made[0].closed == 1


def test_a_forked_worker_makes_its_own(monkeypatch):
    """The parent's is not its to close."""
    load = Loader()
    over = Profiled(app, load=load, **ALWAYS)
    over.get()

    pid = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: pid + 1)
    over.get()
    over.watching.close()

    assert [one.closed for one in load.made] == [0, 1]


def test_closing_twice_is_closing_once():
    """At the end of the process, and when the hooks are taken away."""
    load = Loader()
    over = Profiled(app, load=load, **ALWAYS)
    over.get()

    over.watching.close()
    over.watching.close()

    assert load.made[0].closed == 1


def test_a_close_that_fails_is_counted():
    """The next engine is there all the same."""
    load = Loader()
    over = Profiled(app, load=load, **ALWAYS)
    over.get()
    load.made[0].close = lambda: 1 / 0

    changed(over, profiler="cprofile")
    over.get()

    assert over.failures.counts() == {"profiler": 1}
    assert load.made[1].asked


def slow_app(clock):
    """Return an application that takes two seconds of *clock*."""

    def application(environ, start_response):
        clock.advance(2.0)
        return app(environ, start_response)

    return application


def test_a_slow_request_arms_the_engine_for_the_next_of_its_route(
    clock, monkeypatch
):
    """By its path without ids, since it is not routed yet."""
    monkeypatch.setattr(wsgi_exchange, "perf_counter", clock)
    monkeypatch.setattr(captures, "perf_counter", clock)
    over, engine = profiled(slow_app(clock), profile_when=("armed",))

    for number in range(5):
        over.get(f"/v2.1/servers/{number}")
    over.get("/v2.1/flavors")

    assert [record.profile is not None for record in over.records] == [
        *(False, True, True, True, False),
        False,
    ]


@given(header=st.text(max_size=300), info=st.text(max_size=300))
def test_no_header_of_a_client_touches_the_response(header, info):
    """Whatever it is, the request is served."""
    over, _ = profiled(profile_when=("signed",), profile_keys=("a" * 32,))

    answer = over.get(
        HTTP_X_NOVA_PROFILER=header,
        HTTP_X_TRACE_INFO=info,
        HTTP_X_TRACE_HMAC=info,
    )

    assert answer.body == b"ok"
    assert over.record.profile is None
    assert over.failures.counts() == {"trigger_garbled": 1}
