# SPDX-License-Identifier: Apache-2.0
"""The application that the environment names, and names of none."""

from __future__ import annotations

import re
import sys
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.capture.served.named_application import (
    VARIABLE,
    Named,
    loaded,
    named_in,
)
from nova_profiler.capture.settings.options import ConfigError


def _app(environ, start_response):
    start_response("200 OK", [])
    return [b"ok"]


class _Object:
    """An application that is an object, as most of OpenStack's are."""

    def __call__(self, environ, start_response):
        return _app(environ, start_response)


@pytest.fixture(autouse=True)
def module(monkeypatch):
    """Return a module that holds applications, and what is none."""
    found = types.ModuleType("served.wsgi.api")
    found.application = _app
    found.made = lambda: _app
    found.made_with_options = lambda options=None, **more: _app
    found.by_object = _Object()
    found.holder = types.SimpleNamespace(inner=_app)
    found.nothing = None
    found.any_way = lambda *args: _app(*args)
    for name in ("served", "served.wsgi"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, found.__name__, found)
    return found


def _loaded(name: str):
    return loaded(named_in({VARIABLE: name}))


@pytest.mark.parametrize(
    "name",
    [
        "served.wsgi.api:application",
        " served.wsgi.api:application\n",
        "served.wsgi.api:holder.inner",
        "served.wsgi.api:made()",
        "served.wsgi.api:made_with_options()",
    ],
)
def test_a_name_leads_to_the_application(name):
    """By its own name, inside an object, or as what a function makes."""
    assert _loaded(name) is _app


def test_an_application_may_be_an_object_or_take_anything(module):
    """What a call with a request fits is an application."""
    assert _loaded("served.wsgi.api:by_object") is module.by_object
    assert _loaded("served.wsgi.api:any_way") is module.any_way


def test_the_project_is_the_package():
    """By it defaults and configuration files are found."""
    named = named_in({VARIABLE: "keystone.wsgi.api:application"})

    assert named == Named("keystone.wsgi.api", "application", False)
    assert named.project == "keystone"


@pytest.mark.parametrize(
    "name",
    [
        "placement.wsgi.api",
        "placement.wsgi.api:",
        ":application",
        "/usr/bin/keystone-wsgi-public:application",
        "a.b:c:d",
        "a.b:c(1)",
        "a..b:c",
        "a b:c",
        "a:b\nc:d",
        "a:" + "b" * 10_000 + "!",
    ],
)
def test_what_is_no_such_name_is_one_line(name):
    """With the variable, what it holds, and what is expected."""
    with pytest.raises(ConfigError, match="expected module:callable") as told:
        named_in({VARIABLE: name})

    assert str(told.value).startswith(f"{VARIABLE} = ")
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 400


@given(st.text(max_size=60))
def test_any_text_is_a_name_or_an_error_of_one_line(text):
    """Whatever an environment holds."""
    try:
        named = named_in({VARIABLE: text})
    except ConfigError as exc:
        assert len(str(exc).splitlines()) == 1
    else:
        assert re.fullmatch(r"[\w.]+", named.module)
        assert re.fullmatch(r"[\w.]+", named.path)


@pytest.mark.parametrize("environ", [{}, {VARIABLE: ""}, {VARIABLE: "  "}])
def test_without_a_name_there_is_nothing_to_serve(environ):
    """The one thing that our module cannot do without."""
    with pytest.raises(ConfigError, match=f"{VARIABLE} is not set: expected"):
        named_in(environ)


def test_our_own_module_is_not_wrapped():
    """Its import would be waited for by itself."""
    with pytest.raises(ConfigError, match="is nova-profiler itself"):
        named_in({VARIABLE: "nova_profiler.wsgi:application"})


def test_a_module_that_does_not_exist_fails_as_it_always_does():
    """With the exception that any server would have shown."""
    with pytest.raises(ModuleNotFoundError, match="no_such_project"):
        _loaded("no_such_project.wsgi.api:application")


def test_an_attribute_that_does_not_exist_fails_as_it_always_does():
    """So a server names it as if the module had been its own."""
    with pytest.raises(AttributeError, match="no attribute 'app'"):
        _loaded("served.wsgi.api:app")


def test_what_an_application_raises_at_its_import_passes_on(
    tmp_path, monkeypatch
):
    """The very exception, whatever its kind."""
    (tmp_path / "fails_at_import.py").write_text("raise SystemExit(3)\n")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(SystemExit, match="3"):
        _loaded("fails_at_import:application")


def test_a_factory_that_is_not_called_is_named():
    """Each request would have ended in a TypeError."""
    with pytest.raises(ConfigError, match=r"takes no request; .* append \(\)"):
        _loaded("served.wsgi.api:made")


@pytest.mark.parametrize("name", ["nothing", "holder"])
def test_what_cannot_be_called_is_named_by_its_type(name):
    """Older modules hold None until somebody asks for the application."""
    with pytest.raises(ConfigError, match="is of type (NoneType|Simple)"):
        _loaded(f"served.wsgi.api:{name}")
