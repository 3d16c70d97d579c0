# SPDX-License-Identifier: Apache-2.0
"""What an operator names is timed: functions and methods of every kind."""

from __future__ import annotations

import copy
import functools
import inspect
import sys
import types

import pytest
import wrapt
from serving import added_up, calls_of, recorded

from nova_profiler.capture.hooks import HookError, timed_callables


class Base:
    def inherited(self):
        return type(self).__name__

    @staticmethod
    def inherited_static(value):
        return value

    @classmethod
    def inherited_class(cls, value):
        return cls.__name__, value


class Worker(Base):
    def method(self, value: int = 1) -> int:
        """Return *value*."""
        return value

    @staticmethod
    def static(value):
        return value

    @classmethod
    def of_class(cls, value):
        return cls.__name__, value

    class Inner:
        def deep(self):
            return "deep"

    attribute = 5


def function(value: int = 1, *, fails: bool = False) -> int:
    """Return *value*."""
    if fails:
        raise LookupError("told to")
    return value


def recursive(depth):
    return depth and recursive(depth - 1)


@pytest.fixture
def timed(monkeypatch):
    """Return what installs the hook for names of the module ``host``."""
    host = types.ModuleType("timed_host")
    host.Worker = Worker
    host.function = function
    host.recursive = recursive
    host.Base = Base
    monkeypatch.setitem(sys.modules, "timed_host", host)
    undos = []

    def install(*names):
        undos.append(
            timed_callables.install([f"timed_host:{name}" for name in names])
        )
        return host

    yield install
    for undo in undos:
        undo()


@pytest.mark.parametrize(
    ("name", "call", "expected"),
    [
        ("function", lambda host: host.function(3), 3),
        ("Worker.method", lambda host: Worker().method(3), 3),
        ("Worker.static", lambda host: Worker.static(3), 3),
        ("Worker.static", lambda host: Worker().static(3), 3),
        ("Worker.of_class", lambda host: Worker.of_class(3), ("Worker", 3)),
        ("Worker.of_class", lambda host: Worker().of_class(3), ("Worker", 3)),
        ("Worker.Inner.deep", lambda host: Worker.Inner().deep(), "deep"),
        ("Worker.inherited", lambda host: Worker().inherited(), "Worker"),
        ("Worker.inherited_static", lambda host: Worker().inherited_static(3),
         3),
        ("Worker.inherited_static", lambda host: Worker.inherited_static(3),
         3),
        ("Worker.inherited_class", lambda host: Worker().inherited_class(3),
         ("Worker", 3)),
        ("Worker.inherited_class", lambda host: Worker.inherited_class(3),
         ("Worker", 3)),
    ],
)  # fmt: skip
def test_every_kind_is_timed_and_works(timed, name, call, expected):
    """The result is what it was, and the call is in the record."""
    host = timed(name)
    results = []

    record = recorded(lambda: results.append(call(host)))

    assert results == [expected]
    assert calls_of(record, "timed")[name].count == 1
    assert record.groups["timed"].calls == 1
    assert added_up(record) == pytest.approx(record.duration_ms, abs=0.001)


def test_an_exception_is_told_and_raised(timed):
    """The caller gets it as it was."""
    host = timed("function")

    def work():
        with pytest.raises(LookupError, match="told to"):
            host.function(fails=True)

    record = recorded(work)

    assert calls_of(record, "timed")["function"].errors == 1


def test_calls_within_calls_are_nested(timed):
    """Their time is in the outermost call already."""
    host = timed("recursive")

    record = recorded(lambda: host.recursive(0))
    host.recursive.__wrapped__.__globals__["recursive"] = host.recursive
    nested = recorded(lambda: host.recursive(2))
    host.recursive.__wrapped__.__globals__["recursive"] = recursive

    assert calls_of(record, "timed")["recursive"].nested == 0
    assert calls_of(nested, "timed")["recursive"].count == 3
    assert calls_of(nested, "timed")["recursive"].nested == 2
    assert nested.groups["timed"].calls == 1


def test_outside_a_request_nothing_is_kept(timed):
    """The function works as ever."""
    host = timed("function")

    assert host.function(4) == 4


def test_it_looks_like_the_original(timed):
    """Name, text and signature are kept; so is the way to the original."""
    host = timed("function")

    assert host.function is not function
    assert host.function.__name__ == "function"
    assert host.function.__doc__ == function.__doc__
    assert inspect.signature(host.function) == inspect.signature(function)
    assert host.function.__wrapped__ is function


def test_undo_puts_everything_back(timed):
    """Classes and modules are as they were, object by object."""
    host = timed()
    before = [dict(vars(owner)) for owner in (Base, Worker, host)]
    names = ["function", "Worker.method", "Worker.static", "Worker.inherited"]
    names = [f"timed_host:{name}" for name in names]
    first = timed_callables.install(names)
    second = timed_callables.install(names)

    first()
    second()

    assert [dict(vars(owner)) for owner in (Base, Worker, host)] == before


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("function", "expected module:function or module:Class.method"),
        ("timed_host:", "expected module:function"),
        (":function", "':function'"),
        ("no_such_module:function", "No module named 'no_such_module'"),
        ("timed_host:missing", "missing"),
        ("timed_host:Worker.missing", "missing"),
        ("timed_host:Worker", "is no function"),
        ("timed_host:Worker.attribute", "is no function"),
        ("builtins:str.upper", "builtins:str.upper"),
    ],
)
def test_a_name_that_leads_nowhere_is_one_line(timed, name, message):
    """The name is told, and none of the others is left timed."""
    host = timed()

    with pytest.raises(HookError, match=message) as caught:
        timed_callables.install(["timed_host:function", name])

    assert "\n" not in str(caught.value)
    assert host.function is function


async def coroutine():
    """Do nothing, later."""


def generator():
    yield 1


@pytest.mark.parametrize("name", ["coroutine", "generator"])
def test_what_only_begins_its_work_is_refused(name):
    """Timing the call would tell nothing of the work."""
    with pytest.raises(HookError, match="only begins its work"):
        timed_callables.install([f"{__name__}:{name}"])


# -- what is no plain function ----------------------------------------------


def noting(wrapped, instance, args, kwargs):
    """Return what a decorator of wrapt is given, beside the result."""
    of = instance if isinstance(instance, type) else type(instance)
    return of.__name__, args, kwargs, wrapped(*args, **kwargs)


class Decorated:
    def method(self, value):
        return value

    @staticmethod
    def static(value):
        return value

    @classmethod
    def of_class(cls, value):
        return cls.__name__, value

    half = functools.partialmethod(method, 3)
    named = staticmethod(str.upper)
    builtin = len


class DerivedOne(Decorated):
    pass


@pytest.fixture
def decorated(monkeypatch):
    """Return what installs the hook for methods that wrapt has decorated."""
    host = types.ModuleType("decorated_host")
    host.Decorated = Decorated
    host.cached = functools.lru_cache(lambda value: [value])
    monkeypatch.setitem(sys.modules, "decorated_host", host)
    for name in ("method", "static", "of_class"):
        monkeypatch.setattr(
            Decorated,
            name,
            wrapt.FunctionWrapper(vars(Decorated)[name], noting),
        )
    undos = []

    def install(name):
        undos.append(timed_callables.install([f"decorated_host:{name}"]))
        return host

    yield install
    for undo in undos:
        undo()


CALLS = {
    "method": lambda: DerivedOne().method(1),
    "method, by the class": lambda: Decorated.method(DerivedOne(), 1),
    "static": lambda: DerivedOne().static(1),
    "static, by the class": lambda: Decorated.static(1),
    "of_class": lambda: DerivedOne().of_class(1),
    "of_class, by the class": lambda: DerivedOne.of_class(1),
    "half": lambda: DerivedOne().half(),
    "named": lambda: DerivedOne().named("word"),
    "builtin": lambda: DerivedOne().builtin("word"),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_decorator_gets_what_it_got_before(decorated, call):
    """The instance, the class that asked, the arguments; and it is timed."""
    name = f"Decorated.{call.partition(',')[0]}"
    expected = CALLS[call]()
    results = []
    decorated(name)

    record = recorded(lambda: results.append(CALLS[call]()))

    assert results == [expected]
    assert calls_of(record, "timed")[name].count == 1


@pytest.mark.parametrize("name", ["method", "static", "of_class", "half"])
def test_a_decorator_over_ours_sees_the_same_kind_of_method(
    decorated, monkeypatch, name
):
    """wrapt asks what it wraps whether it is static or of the class."""

    def over():
        monkeypatch.setattr(
            Decorated,
            name,
            wrapt.FunctionWrapper(vars(Decorated)[name], noting),
        )
        return CALLS[name]()

    before = vars(Decorated)[name]
    expected = over()
    monkeypatch.setattr(Decorated, name, before)
    decorated(f"Decorated.{name}")

    assert over() == expected


def test_what_an_object_has_besides_is_still_there(decorated):
    """A cache can be cleared, and copied by its name."""
    host = decorated("cached")

    host.cached(1)

    assert host.cached.cache_info().currsize == 1
    host.cached.cache_clear()
    assert host.cached.cache_info().currsize == 0
    assert inspect.signature(host.cached) == inspect.signature(lambda value: 0)
    assert copy.copy(host.cached).__wrapped__ is not None


def test_notes_of_ddtrace_stay_where_they_are(timed):
    """It would put back what they name, into ours."""
    host = timed()
    marked = types.FunctionType(function.__code__, globals(), "marked")
    vars(marked).update({"__dd_wrapped__": 1, "wsgi_action": 2})
    host.marked = marked
    timed("marked")

    assert host.marked.wsgi_action == 2
    assert not hasattr(host.marked, "__dd_wrapped__")
