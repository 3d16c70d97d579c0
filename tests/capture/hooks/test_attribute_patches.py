# SPDX-License-Identifier: Apache-2.0
"""Replaced attributes: put back as they were, in whatever order."""

from __future__ import annotations

import functools
import itertools
import types

import pytest

from nova_profiler.capture.hooks.attribute_patches import patch, undo_all


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
