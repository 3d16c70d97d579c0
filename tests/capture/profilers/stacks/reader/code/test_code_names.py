# SPDX-License-Identifier: Apache-2.0
"""Names of code objects, read from this very process."""

from __future__ import annotations

import ctypes
import os
import sys
from types import CodeType

import pytest

from nova_profiler.capture.profilers.stacks.layouts import layout_here
from nova_profiler.capture.profilers.stacks.reader.code.code_names import Names
from nova_profiler.capture.profilers.stacks.reader.memory import Memory


@pytest.fixture
def names():
    return Names(Memory(os.getpid()), layout_here(), id(CodeType))


def code_named(name):
    """Return a code object of its own that is called *name*."""
    code = (lambda: None).__code__
    names = {"co_name": name}
    if sys.version_info >= (3, 11):
        names["co_qualname"] = name
    return code.replace(**names)


@pytest.mark.parametrize("name", ["plain", "na\xefve", "\u03bb", "\U0001f40d"])
def test_a_name_is_read_however_it_is_kept(names, name):
    """ASCII, and one, two or four bytes a character."""
    code = code_named(name)

    found = names.of(id(code))

    assert found.name == name
    assert found.file == __file__
    assert found.first_line == code.co_firstlineno
    assert found.lines == code.co_linetable


@pytest.mark.parametrize("what", [object(), "text", [1, 2], ...])
def test_what_is_no_code_has_no_name(names, what):
    """A torn pointer leads anywhere."""
    assert names.of(id(what)) is None


@pytest.mark.parametrize("address", [0, 1, 2**47, 2**64 - 1])
def test_what_is_nowhere_has_no_name(names, address):
    """Addresses that cannot be are no error."""
    assert names.of(address) is None


def test_a_name_holds_as_long_as_its_code():
    """A code object may be freed, and its place taken by another one."""
    names = Names(Memory(os.getpid()), layout_here(), id(CodeType))
    first, second = code_named("first"), code_named("second")
    # A copy in memory of ours, whose content is another's the next time.
    size = sys.getsizeof(first)
    place = ctypes.create_string_buffer(size)
    at = ctypes.addressof(place)
    ctypes.memmove(at, id(first), size)
    found = names.of(at)
    assert names.verify() == set()
    assert found.is_sure

    ctypes.memmove(at, id(second), size)

    assert names.verify() == {at}
    assert not found.is_sure
    assert names.of(at).name == "second"
    assert names.verify() == set()
