# SPDX-License-Identifier: Apache-2.0
"""Which function it is, whose, and whether it only waits."""

from __future__ import annotations

import pytest

from nova_profiler.profiles.functions import Function


@pytest.mark.parametrize(
    ("file", "label", "place"),
    [
        (
            "/usr/lib/python3/dist-packages/nova/compute/api.py",
            "nova.compute.api:rebuild",
            "nova/compute/api.py:7",
        ),
        (
            "/opt/venv/lib/python3.12/site-packages/nova/compute/api.py",
            "nova.compute.api:rebuild",
            "nova/compute/api.py:7",
        ),
        (
            "/opt/stack/nova/nova/compute/api.py",
            "nova.compute.api:rebuild",
            "nova/compute/api.py:7",
        ),
        (
            "/usr/lib/python3.11/json/__init__.py",
            "json:rebuild",
            "json/__init__.py:7",
        ),
        ("/srv/odd/thing.py", "thing:rebuild", "/srv/odd/thing.py:7"),
        ("<string>", "rebuild", "<string>:7"),
        ("~", "rebuild", ""),
        ("<built-in>", "rebuild", ""),
        ("", "rebuild", ""),
    ],
)
def test_a_function_is_named_from_its_package_on(file, label, place):
    """Wherever it is installed, a function has one name and one place."""
    function = Function(file, 7, "rebuild")

    assert (function.label, function.place) == (label, place)


def test_names_lose_what_says_nothing():
    """A function made in another one has that one's name, no more."""
    function = Function("/a/nova/nova/x.py", 1, "outer.<locals>.wrapper")

    assert function.label == "nova.x:outer.wrapper"
    assert function.short_place == "x.py:1"


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("~", "<method 'poll' of 'select.epoll' objects>"),
        ("~", "<built-in method select.select>"),
        ("~", "<method 'acquire' of '_thread.lock' objects>"),
        ("~", "<method 'switch' of 'greenlet.greenlet' objects>"),
        ("~", "<built-in method time.sleep>"),
        ("~", "<method 'join' of '_thread._ThreadHandle' objects>"),
        ("<built-in>", "lock.acquire"),
        ("<built-in>", "epoll.poll"),
        ("<built-in>", "sleep"),
    ],
)
def test_built_in_functions_that_wait(file, name):
    """Both ways of naming what only waits are known."""
    assert Function(file, 0, name).is_wait


@pytest.mark.parametrize(
    ("file", "name"),
    [
        # Somebody is at work there for the request.
        ("~", "<method 'recv_into' of '_socket.socket' objects>"),
        ("~", "<method 'execute' of 'sqlite3.Cursor' objects>"),
        ("/usr/lib/python3.11/select.py", "select"),
        ("/srv/app.py", "sleep"),
        ("~", "<built-in method sleep"),
    ],
)
def test_other_functions_do_not_wait(file, name):
    """Neither a driver's call nor a function of the same name is idle."""
    assert not Function(file, 0, name).is_wait


def test_decorators_tell_nothing():
    """What stands round many functions is nova's, and is passed over."""
    file = "/usr/lib/python3/dist-packages/nova/api/validation/__init__.py"
    decorator = Function(file, 296, "schema.<locals>.add.<locals>.wrapper")
    function = Function(file, 10, "validate")

    assert decorator.is_own
    assert not decorator.is_telling
    assert function.is_telling
    assert not Function("~", 0, "len").is_own
