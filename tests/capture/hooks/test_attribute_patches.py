# SPDX-License-Identifier: Apache-2.0
"""Replaced attributes: put back as they were, in whatever order."""

from __future__ import annotations

import functools
import inspect
import itertools
import types

import pytest
import wrapt

from nova_profiler.capture.hooks.attribute_patches import (
    as_function,
    patch,
    patch_family,
    patch_method,
    undo_all,
)


class Base:
    def plain(self):
        return "plain"

    @staticmethod
    def static():
        return "static"

    @classmethod
    def of_class(cls):
        return cls.__name__


@pytest.fixture
def host():
    """Return a module of somebody else with one function."""
    module = types.ModuleType("host")
    module.work = lambda: ["work"]
    return module


def adding(word):
    """Return what wraps a function so that it adds *word* to its result."""

    def wrap(function):
        @functools.wraps(function)
        def wrapped():
            return [word, *function()]

        return wrapped

    return wrap


def test_it_is_replaced_and_put_back(host):
    """After undo the very object is there again."""
    original = host.work

    undo = patch(host, "work", adding("ours"))
    during = host.work()
    undo()

    assert during == ["ours", "work"]
    assert host.work is original


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_several_installers_share_one_patch(host, order):
    """It is there once for all, and goes with the last, in any order."""
    original = host.work
    undos = [patch(host, "work", adding("ours")) for _ in range(3)]

    results = []
    for index in order:
        results.append(host.work())
        undos[index]()

    assert results == [["ours", "work"]] * 3
    assert host.work is original


def test_undoing_twice_is_undoing_once(host):
    """An installer cannot take away what another one still wants."""
    first = patch(host, "work", adding("ours"))
    second = patch(host, "work", adding("ours"))

    first()
    first()

    assert host.work() == ["ours", "work"]
    second()


def test_what_somebody_put_over_ours_stays(host):
    """Their wrapper is not ours to remove."""
    undo = patch(host, "work", adding("ours"))
    host.work = theirs = adding("theirs")(host.work)

    undo()

    assert host.work is theirs


def test_installed_again_under_somebodys_wrapper_it_is_there_once(host):
    """What could not be taken away is used again, not wrapped again."""
    patch(host, "work", adding("ours"))()
    undo = patch(host, "work", adding("ours"))
    host.work = adding("theirs")(host.work)
    undo()

    again = patch(host, "work", adding("ours"))

    assert host.work() == ["theirs", "ours", "work"]
    again()


def test_taken_off_again_it_goes_with_the_next_undo(host):
    """Once theirs is gone, ours can go, too."""
    original = host.work
    undo = patch(host, "work", adding("ours"))
    ours = host.work
    host.work = adding("theirs")(ours)
    undo()
    host.work = ours

    patch(host, "work", adding("ours"))()

    assert host.work is original


def test_replaced_by_somebody_else_it_is_patched_anew(host):
    """A function that holds nothing of ours is one that we never saw."""
    undo = patch(host, "work", adding("ours"))
    host.work = lambda: ["new"]
    undo()

    again = patch(host, "work", adding("ours"))

    assert host.work() == ["ours", "new"]
    again()
    assert host.work() == ["new"]


@pytest.mark.parametrize("name", ["plain", "static", "of_class"])
def test_an_inherited_attribute_is_deleted_again(name):
    """A class that had none of its own has none afterwards."""

    class Derived(Base):
        pass

    before = dict(vars(Base))
    undo = patch(Derived, name, lambda found: found)
    assert name in vars(Derived)

    undo()

    assert name not in vars(Derived)
    assert dict(vars(Base)) == before


@pytest.mark.parametrize("name", ["plain", "static", "of_class"])
def test_an_inherited_attribute_keeps_its_kind(name):
    """A staticmethod or classmethod is handed over as one."""

    class Derived(Base):
        pass

    seen = []

    def wrap(found):
        seen.append(found)
        return found

    expected = getattr(Derived(), name)()
    undo = patch(Derived, name, wrap)
    result = getattr(Derived(), name)()
    undo()

    assert seen == [vars(Base)[name]]
    assert result == expected


def test_what_cannot_be_replaced_leaves_nothing_behind():
    """A type made in C says so each time, not only the first."""
    for _ in range(2):
        with pytest.raises(TypeError, match="can.t set|cannot set|immutable"):
            patch(str, "upper", lambda found: lambda self: found(self))


def test_undo_all_is_newest_first():
    """What was put on last comes off first."""
    done = []

    undo_all([functools.partial(done.append, n) for n in range(3)])()

    assert done == [2, 1, 0]


# -- what stands in a class is bound as Python binds it --------------------


class Binding:
    """A descriptor of its own kind."""

    def __get__(self, instance, owner=None):
        return lambda *args, **kwargs: (instance, owner, args, kwargs)


class NoDescriptor:
    def __call__(self, *args, **kwargs):
        return args, kwargs


def seeing(wrapped, instance, args, kwargs):
    return type(instance).__name__, args, kwargs, wrapped(*args, **kwargs)


def plain(self, *args, **kwargs):
    return type(self).__name__, args, kwargs


KINDS = {
    "function": plain,
    "static": staticmethod(lambda *args, **kwargs: (args, kwargs)),
    "of_class": classmethod(lambda cls, *args, **kw: (cls.__name__, args, kw)),
    "partialmethod": functools.partialmethod(plain, 0, word=0),
    "partial": functools.partial(lambda *args, **kwargs: (args, kwargs), 0),
    "descriptor": Binding(),
    "no_descriptor": NoDescriptor(),
    "method_of_c": dict.get,
    "slot_of_c": dict.__repr__,
    "builtin": repr,
    "wrapt": wrapt.FunctionWrapper(plain, seeing),
    "wrapt_static": wrapt.FunctionWrapper(
        staticmethod(lambda *args, **kwargs: (args, kwargs)), seeing
    ),
    "wrapt_of_class": wrapt.FunctionWrapper(
        classmethod(lambda cls, *args, **kw: (cls.__name__, args, kw)), seeing
    ),
}


@pytest.mark.filterwarnings("ignore:functools.partial will be")
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_called_as_it_was(kind):
    """Instance and arguments are those that it had in the class itself."""
    owner = type("Owner", (dict,), {kind: KINDS[kind]})
    instance = owner(key="value")
    arguments = {
        "method_of_c": (("key",), {}),
        "slot_of_c": ((), {}),
        "builtin": ((1,), {}),
    }
    args, kwargs = arguments.get(kind, ((1, 2), {"other": 3}))
    expected = getattr(instance, kind)(*args, **kwargs)

    undo = patch_method(
        owner,
        kind,
        lambda found: (
            lambda self, *args, **kw: ["ours", found(self, *args, **kw)]
        ),
    )
    got = getattr(instance, kind)(*args, **kwargs)
    undo()

    assert got == ["ours", expected]
    assert vars(owner)[kind] is KINDS[kind]


def test_a_plain_function_is_called_without_a_detour():
    """The quickest hooks are round these."""
    assert as_function(plain) is plain
    assert as_function(dict.get) is dict.get


def test_a_replacement_looks_like_the_original(host):
    """Agents ask for names and signatures; some keep notes in __dict__."""

    def work(one, *, two=2):
        """Do it."""

    work.__dd_wrapped__ = "theirs"
    host.work = work
    undo = patch(host, "work", lambda found: lambda *args, **kwargs: None)

    assert host.work.__name__ == "work"
    assert host.work.__qualname__ == work.__qualname__
    assert host.work.__doc__ == "Do it."
    assert inspect.signature(host.work) == inspect.signature(work)
    assert not hasattr(host.work, "__dd_wrapped__")
    undo()


def hidden_in_a_closure(found):
    def theirs():
        return ["theirs", *found()]

    return theirs


@pytest.mark.parametrize(
    "over",
    [
        adding("theirs"),
        hidden_in_a_closure,
        lambda found: wrapt.FunctionWrapper(
            found, lambda wrapped, *_: ["theirs", *wrapped()]
        ),
        lambda found: functools.partial(hidden_in_a_closure(found)),
        lambda found: staticmethod(hidden_in_a_closure(found)),
    ],
)
def test_under_whatever_wrapper_ours_is_found_again(host, over):
    """Otherwise the next filter would put a second one on."""
    undo = patch(host, "work", adding("ours"))
    host.work = over(host.work)
    undo()

    again = patch(host, "work", adding("ours"))

    assert host.work() == ["theirs", "ours", "work"]
    again()


def test_a_wrapper_that_objects_to_questions_is_no_error(host):
    """Then nothing of ours is found under it."""

    class Objecting:
        def __getattr__(self, name):
            raise RuntimeError(name)

        def __call__(self):
            return ["objecting"]

    undo = patch(host, "work", adding("ours"))
    host.work = Objecting()
    undo()

    again = patch(host, "work", lambda found: lambda: ["ours", *found()])

    assert host.work() == ["ours", "objecting"]
    again()


def adding_to_method(found):
    @functools.wraps(found)
    def start(self):
        return ["later", *found(self)]

    return start


def test_what_an_agent_has_put_into_a_subclass_is_patched_there():
    """It holds the method as it was before ours."""

    class Parent:
        def start(self):
            return ["start"]

    class Wrapped(Parent):
        pass

    class Own(Parent):
        def start(self):
            return ["own", *super().start()]

    @functools.wraps(Parent.start)
    def start(self, before=Parent.start):
        return ["theirs", *before(self)]

    Wrapped.start = start

    def ours(found):
        return lambda self: ["ours", *found(self)]

    undo = patch_family(Parent, "start", ours)

    class Later(Parent):
        start = adding_to_method(Parent.start)

    again = patch_family(Parent, "start", ours)

    assert Later().start() == ["later", "ours", "start"]
    again()
    assert Parent().start() == ["ours", "start"]
    assert Wrapped().start() == ["ours", "theirs", "start"]
    assert Own().start() == ["own", "ours", "start"]
    undo()
    assert vars(Wrapped)["start"] is start
