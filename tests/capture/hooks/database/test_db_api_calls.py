# SPDX-License-Identifier: Apache-2.0
"""Every public function of a DB API module is timed, whatever it returns."""

from __future__ import annotations

import gc
import importlib
import inspect
import itertools
import sys

import pytest
import sqlalchemy
from serving import Profiled, added_up, calls_of, during, recorded, set_clock

from nova_profiler.capture.hooks import HookError
from nova_profiler.capture.hooks.database import (
    db_api_calls,
    sqlalchemy_statements,
)

SOURCE = '''
import functools
from os.path import join

CONSTANT = 5


def pick_context_manager(function):
    @functools.wraps(function)
    def wrapped(context, *args, **kwargs):
        return function(context, *args, **kwargs)
    return wrapped


@pick_context_manager
def instance_get(context, uuid, columns=None):
    """Return the instance *uuid*."""
    return uuid


def instance_update(context, uuid):
    return "updated", instance_get(context, uuid)


def instance_destroy(context, uuid):
    raise LookupError(uuid)


def instance_each(context, count):
    for number in range(count):
        got = yield number
        if got is not None:
            yield got
    return "all"


def instance_each_failing(context):
    yield 1
    raise LookupError("no more")


def instance_each_catching(context):
    try:
        yield 1
    except ValueError as exc:
        yield str(exc)


def instance_each_of(context, count):
    instance_get(context, "first")
    return instance_each(context, count)


def helper(value):
    return value


def model_query(context):
    return "plumbing"


def get_context_manager(context):
    return "plumbing"


def _private(context):
    return "private"


class Model:
    def method(self, context):
        return 1
'''
TIMED = {
    "instance_get",
    "instance_update",
    "instance_destroy",
    "instance_each",
    "instance_each_failing",
    "instance_each_catching",
    "instance_each_of",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder that modules are imported from, and forgotten."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("db_of_test"):
            del sys.modules[name]


@pytest.fixture
def api(folder):
    """Return a DB API as nova's is written."""
    (folder / "db_of_test.py").write_text(SOURCE)
    return importlib.import_module("db_of_test")


@pytest.fixture
def hook(api):
    """Install the hook for that DB API."""
    undo = db_api_calls.install(["no_such_db_of_test", "db_of_test"])
    yield
    undo()


def calls(record):
    """Return (count, nested, errors) of DB API functions by name."""
    return {
        name: (call.count, call.nested, call.errors)
        for name, call in calls_of(record, "db_api").items()
    }


def test_functions_with_a_context_are_the_api(api):
    """Helpers, plumbing, private and imported functions are not."""
    assert set(db_api_calls.functions_of(api)) == TIMED


def test_without_any_context_all_public_functions_are(folder):
    """Another application's module may know no contexts."""
    source = "def one():\n    pass\n\n\ndef two(x):\n    pass\n"
    (folder / "db_of_test2.py").write_text(source)
    module = importlib.import_module("db_of_test2")

    assert db_api_calls.functions_of(module) == ["one", "two"]


def test_calls_are_counted_by_name(api, hook):
    """Each by its bare function name; what is no API function is not."""

    def work():
        for uuid in "abc":
            assert api.instance_get(None, uuid) == uuid
        api.helper(None)
        api.model_query(None)

    record = recorded(work)

    assert calls(record) == {"instance_get": (3, 0, 0)}
    assert record.groups["db_api"].calls == 3


def test_a_call_within_a_call_is_nested(api, hook):
    """It is marked, and in no total: its time is the outer one's already."""
    record = recorded(lambda: api.instance_update(None, "a"))
    found = calls_of(record, "db_api")

    assert calls(record) == {
        "instance_get": (1, 1, 0),
        "instance_update": (1, 0, 0),
    }
    assert found["instance_get"].ms == 0.0
    assert record.groups["db_api"].calls == 1
    assert record.groups["db_api"].ms == found["instance_update"].ms
    assert added_up(record) == pytest.approx(record.duration_ms, abs=0.001)


def test_a_call_after_one_that_failed_is_not_nested(api, hook):
    """An exception ends the call it comes out of."""

    def work():
        with pytest.raises(LookupError, match="a"):
            api.instance_destroy(None, "a")
        api.instance_get(None, "b")

    record = recorded(work)

    assert calls(record) == {
        "instance_destroy": (1, 0, 1),
        "instance_get": (1, 0, 0),
    }


def test_functions_keep_their_looks(api, hook):
    """nova looks for signatures through the chain of wrappers."""
    function = api.instance_get

    assert function.__name__ == "instance_get"
    assert function.__doc__ == "Return the instance *uuid*."
    assert list(inspect.signature(function).parameters) == [
        "context",
        "uuid",
        "columns",
    ]
    assert inspect.unwrap(function).__code__.co_varnames[0] == "context"
    assert not hasattr(function.__wrapped__.__wrapped__, "__wrapped__")


def test_outside_a_request_everything_works(api, hook):
    """Most calls of a service happen there."""
    assert api.instance_update(None, "a") == ("updated", "a")
    assert list(api.instance_each(None, 2)) == [0, 1]


# -- generators ------------------------------------------------------------


def test_a_generator_is_one_call(api, hook):
    """However many it yields."""
    results = []

    record = recorded(lambda: results.extend(api.instance_each(None, 5)))

    assert results == [0, 1, 2, 3, 4]
    assert calls(record) == {"instance_each": (1, 0, 0)}


def test_a_generator_takes_as_long_as_its_steps(api, hook, monkeypatch, clock):
    """What its consumer does in between is not the database's time."""
    set_clock(monkeypatch, clock)
    monkeypatch.setattr(
        api, "range", lambda n: spending(clock, n), raising=False
    )

    def work():
        for _ in api.instance_each(None, 3):
            clock.advance(10.0)

    record = recorded(work)

    assert calls_of(record, "db_api")["instance_each"].ms == pytest.approx(
        4000
    )


def spending(clock, count):
    """Yield *count* numbers, a second for each and one for the end."""
    for number in range(count):
        clock.advance(1.0)
        yield number
    clock.advance(1.0)


def test_an_abandoned_generator_is_counted(api, hook):
    """Its consumer took what it wanted; the generator is closed."""

    def work():
        each = api.instance_each(None, 5)
        assert list(itertools.islice(each, 2)) == [0, 1]
        del each
        gc.collect()

    record = recorded(work)

    assert calls(record) == {"instance_each": (1, 0, 0)}


def test_a_closed_generator_closes_the_inner_one(api, hook):
    """What it holds open is given back at once."""
    states = []

    def work():
        each = api.instance_each(None, 5)
        next(each)
        each.close()
        states.append(next(each, "closed"))

    record = recorded(work)

    assert states == ["closed"]
    assert calls(record) == {"instance_each": (1, 0, 0)}


def test_a_generator_that_throws(api, hook):
    """The consumer gets the error, the record its class."""

    def work():
        each = api.instance_each_failing(None)
        assert next(each) == 1
        with pytest.raises(LookupError, match="no more"):
            next(each)

    record = recorded(work)

    assert calls(record) == {"instance_each_failing": (1, 0, 1)}


def test_send_throw_and_return_reach_the_generator(api, hook):
    """It is a generator as before in everything."""
    got = []

    def delegating():
        got.append((yield from api.instance_each(None, 1)))

    def work():
        each = api.instance_each(None, 2)
        got.append((next(each), each.send("sent")))
        each = api.instance_each_catching(None)
        next(each)
        got.append(each.throw(ValueError("thrown")))
        got.append(list(delegating()))

    record = recorded(work)

    assert got == [(0, "sent"), "thrown", "all", [0]]
    assert calls(record)["instance_each"][0] == 2


def test_calls_between_the_steps_are_not_nested(api, hook):
    """The consumer's own calls are its own."""

    def work():
        for _ in api.instance_each(None, 2):
            api.instance_get(None, "x")

    record = recorded(work)

    assert calls(record) == {
        "instance_each": (1, 0, 0),
        "instance_get": (2, 0, 0),
    }


def test_a_generator_that_outlives_its_request_is_late(api, hook):
    """Its record is written; what comes then is nobody's."""
    kept = []

    def work():
        kept.append(api.instance_each(None, 3))
        next(kept[0])

    record = recorded(work)

    assert list(kept[0]) == [1, 2]
    assert calls(record) == {}


# -- totals and limits -----------------------------------------------------


def test_totals_stay_exact_where_the_list_ends(api, hook, tmp_path):
    """100 000 calls: all counted, few listed, little kept."""
    kept = []

    def work():
        for _ in range(100_000):
            api.instance_get(None, "x")

    class Sink:
        name = "sink"

        def emit(self, record):
            kept.append(record)

    profiled = Profiled(
        during(work),
        Sink(),
        max_calls=1000,
        dump_dir=str(tmp_path),
        dump_when=("all",),
        log_calls=True,
    )
    profiled.get()
    record = profiled.record
    call = calls_of(record, "db_api")["instance_get"]

    assert call.count == record.groups["db_api"].calls == 100_000
    assert call.ms == pytest.approx(record.groups["db_api"].ms)
    assert len(record.timeline) == 1000
    assert len(record.db_api_calls) == 1000
    assert record.dropped_calls == 99_000
    assert sum(map(len, record.durations.values())) <= 10
    assert added_up(record) == pytest.approx(record.duration_ms, abs=0.001)


def test_errors_are_exact_where_the_list_ends(api, hook):
    """Each of them counts, listed or not."""

    def work():
        for _ in range(300):
            with pytest.raises(LookupError, match="a"):
                api.instance_destroy(None, "a")

    record = recorded(work, max_calls=0)

    assert calls(record) == {"instance_destroy": (300, 0, 300)}
    assert record.dropped_calls == 300


def test_each_call_is_listed_with_its_module(api, hook):
    """For the lines of log_calls: module, function, seconds."""
    record = recorded(lambda: api.instance_update(None, "a"), log_calls=True)

    ((label, seconds),) = record.db_api_calls
    assert label == "db_of_test.instance_update"
    assert seconds >= 0


def test_what_was_done_to_make_a_generator_has_its_driver_time(
    api, hook, monkeypatch
):
    """Statements before the first step are the call's as well."""
    engine = sqlalchemy.create_engine("sqlite://")

    def instance_get(context, uuid):
        with engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")

    monkeypatch.setattr(api, "instance_get", instance_get)
    undo = sqlalchemy_statements.install()

    record = recorded(lambda: list(api.instance_each_of(None, 1)))
    undo()
    engine.dispose()

    call = calls_of(record, "db_api")["instance_each_of"]
    assert call.driver_ms >= calls_of(record, "sql")["SELECT"].ms > 0


# -- installing ------------------------------------------------------------


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_undo_puts_every_function_back(api, order):
    """Installed twice, undone in any order: the module is as it was."""
    before = dict(vars(api))

    undos = [db_api_calls.install(["db_of_test"]) for _ in range(2)]
    patched = {n for n, v in vars(api).items() if before[n] is not v}
    for index in order:
        undos[index]()

    assert patched == TIMED
    assert dict(vars(api)) == before


def test_absent_modules_are_left_out(folder):
    """One of the two defaults is absent from every nova."""
    undo = db_api_calls.install(["db_of_test_absent.api", "nowhere"])

    undo()

    assert "nowhere" not in sys.modules


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import nothing_of_that_name", "No module named 'nothing_of"),
        ("raise RuntimeError('not here')", "not here"),
        ("def (", "invalid syntax"),
    ],
)
def test_a_module_that_fails_is_told(api, folder, source, message):
    """It exists, so its calls would be missing; nothing else is left."""
    (folder / "db_of_test_broken.py").write_text(source)
    before = dict(vars(api))

    with pytest.raises(
        HookError, match=f"module db_of_test_broken cannot .*{message}"
    ):
        db_api_calls.install(["db_of_test", "db_of_test_broken"])

    assert dict(vars(api)) == before


def test_a_class_may_be_the_api(folder):
    """Its own public methods are timed, for each of its objects."""
    source = """
class Parent:
    def inherited(self):
        return 0


class Connection(Parent):
    LIMIT = 5

    def get_node(self, node_id):
        return node_id

    def update_node(self, node_id):
        return self.get_node(node_id)

    def _private(self):
        return 1

    @staticmethod
    def apart():
        return 2
"""
    (folder / "db_of_test3.py").write_text(source)
    module = importlib.import_module("db_of_test3")
    connection = module.Connection()
    original = module.Connection.get_node
    undo = db_api_calls.install(["db_of_test3:Connection"])

    def work():
        assert connection.update_node("a") == "a"
        connection.inherited()
        connection._private()
        connection.apart()

    record = recorded(work)
    undo()

    assert calls(record) == {"update_node": (1, 0, 0), "get_node": (1, 1, 0)}
    assert module.Connection.get_node is original


@pytest.mark.parametrize(
    "name", ["no_such_db_of_test:Connection", "db_of_test:Missing"]
)
def test_a_class_that_is_not_there_is_left_out(api, name):
    """As a module that is not there; nothing is replaced."""
    before = dict(vars(api))

    db_api_calls.install([name])()

    assert vars(api) == before
