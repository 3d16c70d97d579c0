# SPDX-License-Identifier: Apache-2.0
"""Routes of tasks: the code's own names, few, without any value."""

from __future__ import annotations

import functools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from task_pools import ExecutorType

from nova_profiler.capture.call_names import MOST_NAMES
from nova_profiler.capture.served.kinds.task_names import (
    Routes,
    function_of,
    pool_of,
)

SECRET = "hunter2"


class Manager:
    def migrate(self, secret):
        pass

    def __call__(self, secret):
        pass

    def maker(self):
        def locked(secret):
            pass

        return locked, lambda: None


class Named:
    def __init__(self, name):
        self.__qualname__ = name


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (Manager.migrate, "Manager.migrate"),
        (Manager().migrate, "Manager.migrate"),
        (functools.partial(Manager().migrate, SECRET), "Manager.migrate"),
        (
            functools.partial(functools.partial(Manager.migrate), SECRET),
            "Manager.migrate",
        ),
        (Manager(), "Manager"),
        (Manager().maker()[0], "Manager.maker.locked"),
        (Manager().maker()[1], "Manager.maker.lambda"),
        (len, "len"),
        ([].append, "list.append"),
        (Named("req-6ec84648 hunter2"), "other"),
        (Named("a" * 5000), "other"),
        (Named(7), "Named"),
    ],
)
def test_a_function_has_its_qualified_name(function, name):
    """Under partials, bound or not; never with an argument."""
    assert function_of(function) == name


def test_a_function_in_endless_partials_has_a_name_all_the_same():
    function = Manager.migrate
    for _ in range(500):
        # A partial of a partial is one of its function, unless it has
        # attributes.
        function = functools.partial(function)
        function.note = 1

    assert function_of(function) == "partial"


@pytest.mark.parametrize(
    ("executor", "name"),
    [
        (ExecutorType.LONG_TASK, "LONG_TASK"),
        (Named("x"), "Named"),
        (None, "NoneType"),
    ],
)
def test_a_pool_has_the_name_that_nova_gave_it(executor, name):
    assert pool_of(executor) == name


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("MainProcess.cell_worker", "CELL_WORKER"),
        ("default", "DEFAULT"),
        ("a pool of hunter2", "other"),
        ("", "Executor"),
        (5, "Executor"),
    ],
)
def test_an_executor_is_a_pool_too(given_name, name):
    """In older releases; the process is not part of its name."""

    class Executor:
        pass

    executor = Executor()
    executor.name = given_name

    assert pool_of(executor) == name


def test_routes_are_bounded():
    """Whatever the functions are called."""
    routes = Routes("task", 2)

    found = {routes.route("POOL", f"f{n}") for n in range(MOST_NAMES * 3)}

    assert len(found) == MOST_NAMES + 1
    assert "task other other" in found
    assert routes.route("POOL", "f0") == "task POOL f0"


@given(st.text(max_size=600))
def test_any_name_is_one_word(text):
    """A route's words are told apart by blanks."""
    assert " " not in function_of(Named(text))
    executor = Named("x")
    executor.name = text
    assert " " not in pool_of(executor)
