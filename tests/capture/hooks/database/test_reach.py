# SPDX-License-Identifier: Apache-2.0
"""Checks of a context are no calls of the DB API; all else is."""

from __future__ import annotations

import functools
import importlib
import sys

import pytest
from serving import calls_of, recorded

from nova_profiler.capture.hooks.database import db_api_calls
from nova_profiler.capture.hooks.database.reach import reaches_database

# Such functions as cinder, manila and glance have beside their queries.
SOURCE = '''
import functools
import logging
import warnings

import sqlalchemy
from oslo_i18n import TranslatorFactory

_ = TranslatorFactory("test").primary
LOG = logging.getLogger(__name__)
IMPL = object()


class NotAuthorized(Exception):
    pass


class exception:
    NotAuthorized = NotAuthorized


class Thing:
    pass


def is_admin_context(context):
    """Indicates if the request context is an administrator."""
    if not context:
        warnings.warn(_("Use of empty request context"), DeprecationWarning)
        raise Exception("die")
    return context.is_admin


def is_user_context(context):
    if not context or is_admin_context(context):
        return False
    return bool(context.user_id and context.project_id)


def authorize_project_context(context, project_id):
    if is_user_context(context):
        if not context.project_id:
            raise NotAuthorized()
        elif context.project_id != project_id:
            LOG.warning("no: %s", project_id.strip())
            raise NotAuthorized(f"not {project_id}")


def is_thing_mutable(context, thing):
    if thing["owner"] is None or context.owner is None:
        return False
    return thing["owner"] == context.owner


def is_thing_there(context, thing_id):
    return context.session.query(Thing).count() > 0


def is_thing_known(context, session):
    return session.get("thing", 1) is not None


def is_thing_in(context, things):
    return context.thing in things


def is_any_thing(context, things):
    for thing in things:
        return True
    return False


def is_thing_listed(context, query):
    return bool(list(query))


def is_thing_visible(context, thing, find):
    return bool(find(context, thing))


def is_thing_of_impl(context):
    return IMPL.is_thing(context)


def is_thing_behind(context):
    return is_thing_there(context, 1)


def is_thing_in_a_transaction(context):
    with context.session.begin():
        return True


def is_thing_of_sqlalchemy(context):
    return sqlalchemy.inspect(context)


def is_circular(context):
    return is_circular_too(context)


def is_circular_too(context):
    return is_circular(context)


def wrapped(function):
    @functools.wraps(function)
    def wrapper(context):
        return function(context)
    return wrapper


@wrapped
def is_wrapped(context):
    return context.is_admin


is_lambda = lambda context: context.session.x()


def thing_get(context, thing_id):
    return thing_id
'''
CHECKS = {
    "is_admin_context",
    "is_user_context",
    "authorize_project_context",
    "is_thing_mutable",
}


@pytest.fixture
def api(tmp_path, monkeypatch):
    """Return a DB API with checks among its functions."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "db_with_checks.py").write_text(SOURCE)
    yield importlib.import_module("db_with_checks")
    del sys.modules["db_with_checks"]


def test_checks_of_the_context_reach_no_database(api):
    """All that may is a call of the DB API, also where it is not sure."""
    functions = {
        name: function
        for name, function in vars(api).items()
        if callable(function) and name.startswith(("is_", "auth", "thing"))
    }

    found = {n for n, f in functions.items() if not reaches_database(f)}

    assert found == CHECKS
    assert set(db_api_calls.functions_of(api)) == functions.keys() - CHECKS


def test_calls_of_checks_are_not_counted(api):
    """Not even those that raise."""

    class Context:
        is_admin = False
        user_id = project_id = "x"

    def work():
        with pytest.raises(api.NotAuthorized, match="not y"):
            api.authorize_project_context(Context, "y")
        api.is_admin_context(Context)
        api.thing_get(Context, 1)

    undo = db_api_calls.install(["db_with_checks"])
    record = recorded(work)
    undo()

    assert set(calls_of(record, "db_api")) == {"thing_get"}
    assert record.groups["db_api"].calls == 1


def test_what_has_no_code_may_reach_it():
    """Made in C or a partial of a check, whatever it is called."""

    def is_admin(context):
        return context.is_admin

    partly = functools.partial(is_admin)
    partly.__name__ = "is_admin"

    assert not reaches_database(is_admin)
    assert reaches_database(partly)
    assert reaches_database(isinstance)


def test_without_its_source_a_check_counts():
    """Only the compiled file may be there."""
    names: dict = {}
    exec("def is_admin(context):\n    return context.is_admin\n", names)

    assert reaches_database(names["is_admin"])
