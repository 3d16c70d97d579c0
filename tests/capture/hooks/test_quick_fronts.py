# SPDX-License-Identifier: Apache-2.0
"""A front passes on what it gets, whatever the original's parameters are."""

from __future__ import annotations

import functools
import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving import recorded

from nova_profiler.capture import current
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks import quick_fronts

MARK = object()


def plain(self, target, wait=None, retry=MARK):
    return self, target, wait, retry


def by_name(self, *, target, wait=None):
    return self, target, wait


def more(self, target, wait=None, **kwargs):
    return self, target, wait, kwargs


def odd_names(exc, Exception=MARK, front=MARK, active=MARK):
    return exc, Exception, front, active


FUNCTIONS = [plain, by_name, more, odd_names]
CALLS = st.tuples(
    st.lists(st.sampled_from([None, 0, "a", MARK]), max_size=4),
    st.dictionaries(
        st.sampled_from(["target", "wait", "retry", "exc", "other", "front"]),
        st.sampled_from([None, 0, MARK]),
        max_size=3,
    ),
)


def taking_all(calls):
    """Return what wraps a function, and notes each call of it."""

    def wrap(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            calls.append((args, kwargs))
            return function(*args, **kwargs)

        return wrapper

    return wrap


def outcome(function, args, kwargs):
    """Return what comes back, or that the arguments do not fit."""
    try:
        return function(*args, **kwargs)
    except TypeError:
        return TypeError


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("is_on", [False, True])
@given(call=CALLS)
def test_a_call_is_as_it_was(function, is_on, call):
    """Each way to name the arguments, and each wrong one."""
    args, kwargs = call
    calls = []
    front = quick_fronts.with_front(taking_all(calls))(function)
    if is_on:
        current.active[0] = None
    try:
        found = outcome(front, args, kwargs)
    finally:
        current.active.pop(0, None)

    assert found == outcome(function, args, kwargs)
    assert len(calls) == (is_on and found is not TypeError)
    assert inspect.signature(front) == inspect.signature(function)


def test_the_wrapper_gets_what_differs_by_name():
    """What has no default comes by place."""
    calls = []
    front = quick_fronts.with_front(taking_all(calls))(plain)

    recorded(lambda: [front(1, 2, 3), front(1, target=2, retry=MARK)])

    assert calls == [((1, 2), {"wait": 3}), ((1, 2), {})]


def stating(*args, **kwargs):
    return args, kwargs


stating.__signature__ = inspect.signature(lambda target: target)


@pytest.mark.parametrize(
    "function",
    [
        # What it states is not what it takes.
        stating,
        lambda *args: args,
        lambda a, /, b: (a, b),
        functools.partial(plain, 1),
        len,
    ],
)
def test_what_cannot_be_written_out_has_no_front(function):
    """The wrapper stands there by itself, as any hook's."""

    def wrapper(*args):
        return function(*args)

    assert quick_fronts.with_front(lambda one: wrapper)(function) is wrapper


def test_a_fault_costs_a_figure_and_no_call(monkeypatch):
    """The original is called, and the fault is counted."""

    class Broken:
        def __bool__(self):
            raise MemoryError

    before = HOOK_FAILURES.counts().get("hook", 0)
    monkeypatch.setattr(quick_fronts, "active", Broken())
    calls = []
    front = quick_fronts.with_front(taking_all(calls))(plain)

    assert front(1, 2) == plain(1, 2)
    assert calls == []
    assert HOOK_FAILURES.counts()["hook"] == before + 1
