# SPDX-License-Identifier: Apache-2.0
"""The paste entry point: a worker is made once, hooks are put in once."""

from __future__ import annotations

import subprocess
import sys
import types
from concurrent.futures import ThreadPoolExecutor

import pytest
from oslo_config import cfg
from paste.deploy import loadapp
from serving import Answer, served

from nova_profiler import factory
from nova_profiler.capture.failures import Failures
from nova_profiler.capture.profilers import EngineError
from nova_profiler.capture.served.wsgi_middleware import ProfilerMiddleware
from nova_profiler.capture.settings.options import (
    HOOK_NAMES,
    PROFILERS,
    ConfigError,
    Settings,
)
from nova_profiler.factory import (
    check_engine,
    filter_factory,
    install_hooks,
    make_filter,
    sinks_of,
)
from nova_profiler.profiles import ENGINES

APPS = f"""
[composite:main]
paste.composite_factory = {__name__}:composite_factory
pipelines = one two

[pipeline:one]
pipeline = nova_profiler app

[pipeline:two]
pipeline = nova_profiler app

[app:app]
paste.app_factory = {__name__}:app_factory

[filter:nova_profiler]
hooks = db_api
db_api_modules = a_db_api
"""


def app_factory(global_conf, **local_conf):
    """Return an application as paste asks for it."""

    def app(environ, start_response):
        start_response("200 OK", [])
        return [b"ok"]

    return app


def composite_factory(loader, global_conf, pipelines):
    """Return the applications of *pipelines*."""
    return [loader.get_app(name) for name in pipelines.split()]


@pytest.fixture
def db_api(monkeypatch):
    """Return a module whose only function is timed, and its original."""
    module = types.ModuleType("a_db_api")
    exec("def thing_get(context): return context", vars(module))
    monkeypatch.setitem(sys.modules, "a_db_api", module)
    return module


@pytest.fixture(autouse=True)
def workers(monkeypatch):
    """Return the workers made by a test; its hooks are taken away."""
    made: dict = {}
    monkeypatch.setattr(factory, "_workers", made)
    yield made
    for worker, _ in made.values():
        worker.undo()


def _local_conf(**options: str) -> dict[str, str]:
    return {"hooks": "db_api", "db_api_modules": "a_db_api", **options}


def test_five_filters_share_a_worker(db_api, workers):
    """One for each pipeline that names it; the hook is there once."""
    original = db_api.thing_get
    conf = cfg.ConfigOpts()

    filters = [make_filter(conf, {}, _local_conf())(None) for _ in range(5)]

    assert len(workers) == 1
    assert len({id(one.worker) for one in filters}) == 1
    assert db_api.thing_get.__wrapped__ is original


def test_filters_made_at_the_same_time_share_them_too(db_api, workers):
    """Some servers load the application in each of their threads."""
    conf = cfg.ConfigOpts()

    with ThreadPoolExecutor(5) as pool:
        made = list(
            pool.map(lambda _: make_filter(conf, {}, _local_conf()), range(20))
        )

    assert len(made) == 20
    assert len(workers) == 1


def test_other_options_are_another_worker(db_api, workers):
    """Two sections of a paste file; the hook is there once."""
    original = db_api.thing_get
    conf = cfg.ConfigOpts()

    one = make_filter(conf, {}, _local_conf(service_name="a"))(None)
    two = make_filter(conf, {}, _local_conf(service_name="b"))(None)

    assert one.worker is not two.worker
    assert db_api.thing_get.__wrapped__ is original
    for worker, _ in list(workers.values()):
        worker.undo_hooks()
    assert db_api.thing_get is original


@pytest.mark.parametrize(
    "maker",
    [
        "paste.filter_factory = nova_profiler.factory:filter_factory",
        "use = egg:nova-profiler",
        "use = egg:nova-profiler#nova_profiler",
    ],
)
def test_paste_loads_it(tmp_path, db_api, workers, maker):
    """By the factory's name, or as an egg; in both pipelines."""
    paste_file = tmp_path / "api-paste.ini"
    paste_file.write_text(APPS + maker + "\n")

    filters = loadapp(f"config:{paste_file}", "main")

    assert [type(one) for one in filters] == [ProfilerMiddleware] * 2
    assert len(workers) == 1
    answer = Answer()
    assert list(filters[0]({}, answer.start_response)) == [b"ok"]
    assert answer.status == "200 OK"


def test_no_option_brings_eventlet_into_another_service():
    """Though nova is installed beside it, which brings eventlet in."""
    code = """
import sys
from nova_profiler.factory import filter_factory

def app(environ, start_response):
    start_response("200 OK", [])
    return [b"ok"]

wrapped = filter_factory({})(app)
environ = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/"}
b"".join(wrapped(environ, lambda *args: None))
loaded = {name.partition(".")[0] for name in sys.modules}
print(sorted(loaded & {"eventlet", "gevent", "nova", "futurist"}))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "[]\n"


def test_a_wrong_option_stops_the_load(workers):
    """With one line, and nothing is left behind."""
    with pytest.raises(
        ConfigError,
        match=r"^api-paste.ini, nova_profiler filter: unknown option "
        r"'sampel_rate'",
    ):
        filter_factory({"__file__": "/x/api-paste.ini"}, sampel_rate="1")

    assert workers == {}


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("no.such.module:f", "no.such.module"),
        ("a_db_api:nothing", "nothing"),
        ("a_db_api", "a_db_api"),
    ],
)
def test_a_hook_that_cannot_be_installed_stops_the_load(
    db_api, workers, target, message
):
    """Those before it are taken away again."""
    original = db_api.thing_get

    with pytest.raises(ConfigError, match=message) as raised:
        make_filter(cfg.ConfigOpts(), {}, _local_conf(timed_callables=target))

    assert len(str(raised.value).splitlines()) == 1
    assert db_api.thing_get is original
    assert workers == {}


def test_hooks_are_undone_newest_first(db_api):
    """A hook over a function that another one wraps leaves it as it was."""
    original = db_api.thing_get
    settings = Settings(
        hooks=("db_api",),
        db_api_modules=("a_db_api",),
        timed_callables=("a_db_api:thing_get",),
    )

    undo = install_hooks(settings)
    changed = db_api.thing_get is not original
    undo()

    assert changed
    assert db_api.thing_get is original


@pytest.mark.parametrize("name", HOOK_NAMES)
def test_every_hook_can_be_installed_and_undone(name):
    """The autouse guard of the tests sees what stays behind."""
    settings = Settings(hooks=(name,), db_api_modules=("not_there",))

    undo = install_hooks(settings)
    undo()


class _Live:
    def __init__(self, **options) -> None:
        self.current = Settings(**options)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, ["log", "log"]),
        ({"statsd_host": "127.0.0.1"}, ["statsd", "log", "log"]),
        ({"statsd_host": "unix:///nowhere"}, ["statsd", "log", "log"]),
        ({"otlp_endpoint": "http://nowhere"}, ["otlp", "log", "log"]),
        ({"log_file": "/nowhere/x"}, ["log_file", "log", "log"]),
        ({"dump_dir": "/nowhere"}, ["dump", "log", "log"]),
    ],
)
def test_sinks_are_those_that_were_asked_for(options, names):
    """And none of them opens anything yet."""
    sinks = sinks_of(_Live(**options), Failures())

    assert [sink.name for sink in sinks] == names


def test_otlp_without_its_extra_is_one_line(monkeypatch):
    """With what to install."""
    monkeypatch.setitem(sys.modules, "opentelemetry.proto", None)
    for name in list(sys.modules):
        if "sinks.otlp." in name or name.startswith("opentelemetry.proto."):
            monkeypatch.delitem(sys.modules, name)

    with pytest.raises(ConfigError, match=r"pip install 'nova-profiler\[otlp"):
        sinks_of(_Live(otlp_endpoint="http://nowhere"), Failures())


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("none", "No such file or directory"),
        ("empty", "it holds no certificates in PEM form"),
        ("a\0b", "no name of a file"),
    ],
)
def test_certificates_that_are_none_are_one_line(tmp_path, name, fault):
    """At the start: later it would be a fault of each message."""
    (tmp_path / "empty").touch()
    ca_file = f"{tmp_path}/{name}"

    with pytest.raises(ConfigError) as caught:
        sinks_of(
            _Live(otlp_endpoint="https://nowhere", otlp_ca_file=ca_file),
            Failures(),
        )

    expected = f"nova_profiler: otlp_ca_file = {ca_file!r}: {fault}"
    assert str(caught.value) == expected


def test_without_tls_no_certificates_are_read():
    """Nothing looks at them."""
    sinks = sinks_of(
        _Live(otlp_endpoint="http://nowhere", otlp_ca_file="/nowhere"),
        Failures(),
    )

    assert sinks[0].name == "otlp"


def test_a_dump_dir_of_others_is_one_line(tmp_path, workers, caplog):
    """At the start; the service serves, and nothing is written."""
    directory = tmp_path / "dumps"
    directory.mkdir()
    directory.chmod(0o777)

    wrap = filter_factory(
        {},
        hooks="threads",
        dump_dir=str(directory),
        dump_when="all",
        log_requests="false",
        profiler="cprofile",
        slow_ms="0",
    )
    (at_start,) = caplog.messages
    exchange = [served(wrap(app_factory({}))) for _ in range(3)]

    assert f"chmod go-w {directory}" in at_start
    assert caplog.messages == [at_start]
    assert len(exchange) == 3
    assert list(directory.iterdir()) == []
    ((worker, _),) = workers.values()
    assert worker.failures.counts() == {"dump": 4}


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_can_be_made_and_closed(name):
    """All are installed here; nothing is started by that."""
    check_engine(name)

    engine = factory.engine_of(name, Failures().note)
    engine.close()

    assert engine.name == name


def test_every_engine_is_a_choice_of_the_option():
    """And the other way round."""
    assert ("none", *ENGINES) == PROFILERS


@pytest.fixture
def no_engine(monkeypatch):
    """Have one engine that cannot be had."""
    name = "nova_profiler.capture.profilers.pyinstrument.engine"
    module = types.ModuleType(name)

    def engine(note, *taken):
        raise EngineError("it is not there; pip install pyinstrument")

    module.engine = engine  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, name, module)


def test_an_engine_that_cannot_work_stops_the_load(db_api, workers, no_engine):
    """With one line that says what to install, and no hook left."""
    original = db_api.thing_get

    with pytest.raises(ConfigError) as raised:
        make_filter(cfg.ConfigOpts(), {}, _local_conf(profiler="pyinstrument"))

    assert str(raised.value) == (
        "nova_profiler: profiler = pyinstrument: it is not there; pip install "
        "pyinstrument"
    )
    assert db_api.thing_get is original
    assert workers == {}


def test_an_unknown_engine_stops_the_load(workers):
    """With those that there are."""
    with pytest.raises(
        ConfigError,
        match=r"profiler = 'perf': expected none or stacks or "
        r"pyinstrument or cprofile",
    ):
        make_filter(cfg.ConfigOpts(), {}, _local_conf(profiler="perf"))


def test_a_filter_profiles_what_it_is_told_to(db_api, workers):
    """From the section to the record."""
    local_conf = _local_conf(profiler="cprofile", profile_when="always")
    made = make_filter(cfg.ConfigOpts(), {}, local_conf)(app_factory({}))

    answer = served(made)

    ((one, _),) = workers.values()
    assert answer.body == b"ok"
    assert one.watching._engine.name == "cprofile"
    one.undo()
    assert one.watching._engine is None


class Rules:
    """The rules of an application of Flask."""

    def iter_rules(self):
        return [types.SimpleNamespace(rule="/v3/users/<string:user_id>")]


class WithRules:
    """An application that has its rules as Flask has them."""

    url_map = Rules()

    def __call__(self, environ, start_response):
        start_response("200 OK", [])
        return [b"ok"]


def test_an_application_is_asked_for_its_routes(db_api, workers):
    """Whichever way the filter came to stand before it."""
    made = make_filter(cfg.ConfigOpts(), {}, _local_conf())(WithRules())
    records: list = []
    made.worker.recorder._sinks = [
        types.SimpleNamespace(name="list", emit=records.append)
    ]

    served(made, "/v3/users/admin")

    assert [record.route for record in records] == ["/v3/users/{user_id}"]


def test_an_application_whose_attributes_fail_is_served(db_api, workers):
    """Its routes are learned, then; the failure is counted."""

    class Failing(WithRules):
        @property
        def url_map(self):
            raise RuntimeError("not yet")

    made = make_filter(cfg.ConfigOpts(), {}, _local_conf())(Failing())

    assert served(made, "/v3/users").body == b"ok"
    assert made.worker.failures.counts() == {"route": 1}


def test_an_application_with_a_fault_of_ours_is_served_as_it_is(
    monkeypatch, caplog
):
    """The log has one line, without what may be secret."""

    def conf_of(project, environ):
        raise RuntimeError("secret")

    monkeypatch.setattr(factory, "conf_of", conf_of)

    app = WithRules()

    assert factory.wrapped(app, "placement", {}) is app
    (line,) = caplog.messages
    assert line == "RuntimeError; placement is served without nova-profiler"
