# SPDX-License-Identifier: Apache-2.0
"""Process with a WSGI application whose every statement names its client.

    python -m tests.functional.programs.marked_app MODE DATABASE_URL LOG_FILE

Serves under the filter on a loopback port, which it prints, until its
standard input is closed. ``/marks/CLIENT/OWN/POOL`` runs OWN statements in
the request's own thread and POOL statements in each of three others: two of
an executor as nova has it, one started for the request alone. A statement
of client 7 reads the table marks_07, and each is run by a DB API function of
that client's own. Each thread also sends a request to that client's host, a
message of its method, and runs a function of its name by privsep.
``/sleep/SECONDS`` has the database sleep.
"""

from __future__ import annotations

import sys
import time
import types
from collections.abc import Callable, Iterable
from typing import Any

CLIENTS = 16
# A module of its own, so that the filter takes it for a DB API.
DB_API = "marked_db_api"


class MarkedApp:
    """The application; what differs between the modes is handed in."""

    def __init__(
        self,
        executor: Any,
        start: Callable[..., Any],
        db_api: types.ModuleType,
    ) -> None:
        self._executor = executor
        self._start = start
        self._db_api = db_api
        self._senders = senders()

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        words = environ["PATH_INFO"].strip("/").split("/")
        if words[0] == "sleep":
            self._db_api.sleep(None, float(words[1]))
        else:
            self._marks(*(int(word) for word in words[1:4]))
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    def _marks(self, client: int, own: int, pool: int) -> None:
        def work(statements: int) -> None:
            for _ in range(statements):
                # By attribute at the time of the call, as nova calls it.
                getattr(self._db_api, f"marks_{client:02}")(None)
                # Let another greenthread or thread come in between.
                time.sleep(0)
            for send in self._senders:
                send(f"{client:02}")

        others = [self._executor.submit(work, pool) for _ in range(2)]
        join = self._start(work, pool)
        work(own)
        for other in others:
            other.result()
        join()


def db_api_module(engine: Any) -> types.ModuleType:
    """Return a new DB API module on *engine*: a function for each client."""
    import sqlalchemy

    def reader(client: int) -> Callable[[object], int]:
        statement = sqlalchemy.text(f"SELECT id FROM marks_{client:02}")

        def marks(context: object) -> int:
            with engine.connect() as connection:
                return len(connection.execute(statement).fetchall())

        marks.__module__ = DB_API
        return marks

    def sleep(context: object, seconds: float) -> None:
        with engine.connect() as connection:
            connection.execute(
                sqlalchemy.text("SELECT SLEEP(:seconds)"),
                {"seconds": seconds},
            )

    sleep.__module__ = DB_API
    module = types.ModuleType(DB_API)
    module.sleep = sleep  # type: ignore[attr-defined]
    for client in range(CLIENTS):
        setattr(module, f"marks_{client:02}", reader(client))
    sys.modules[DB_API] = module
    return module


def senders() -> list[Callable[[str], object]]:
    """Return what calls another service, the broker, a privileged daemon.

    None of them is there: what answers lets others come in between.
    """
    import oslo_messaging
    import requests
    from oslo_config import cfg
    from oslo_privsep import daemon

    class Adapter(requests.adapters.BaseAdapter):
        def send(self, request: Any, **kwargs: Any) -> Any:
            time.sleep(0)
            response = requests.Response()
            response.status_code, response._content = 204, b""
            response.request = request
            return response

        def close(self) -> None:
            """Close nothing."""

    def answer(*args: object) -> tuple[object, None]:
        time.sleep(0)
        return daemon.comm.Message.RET, None

    conf = cfg.ConfigOpts()
    conf([], default_config_files=[])
    transport = oslo_messaging.get_rpc_transport(conf, "fake://")
    target = oslo_messaging.Target(topic="conductor", version="1.0")
    channel = daemon._ClientChannel.__new__(daemon._ClientChannel)
    daemon._ClientChannel.send_recv = answer

    def ask(mark: str) -> None:
        session = requests.Session()
        session.mount("http://", Adapter())
        session.get(f"http://marks-{mark}.example/v2.0/ports?mark={mark}")

    def cast(mark: str) -> None:
        message = {"method": f"marks_{mark}", "args": {"argument": mark}}
        transport._send(target, {}, message)

    def run(mark: str) -> None:
        name = f"nova.privsep.marks_{mark}"
        channel.remote_call(name, (mark,), {}, None)

    return [ask, cast, run]


def engine_with_marks(url: str) -> Any:
    """Return an engine on *url*; SQLite gets a table for each client."""
    import sqlalchemy

    engine = sqlalchemy.create_engine(url)
    if engine.dialect.name == "sqlite":
        with engine.begin() as connection:
            for client in range(CLIENTS):
                connection.exec_driver_sql(
                    f"CREATE TABLE marks_{client:02} (id INTEGER)"
                )
    return engine


def main() -> None:
    """Serve by the arguments of the command line."""
    mode, url, log_file = sys.argv[1:]
    {"threads": _threads, "eventlet": _eventlet}[mode](url, log_file)


def _filtered(app: MarkedApp, log_file: str) -> Any:
    from nova_profiler.factory import filter_factory

    make = filter_factory(
        {}, log_file=log_file, db_api_modules=DB_API, log_requests="false"
    )
    return make(app)


def _threads(url: str, log_file: str) -> None:
    import threading

    import futurist
    from cheroot import wsgi

    def start(work: Callable[..., None], *args: object) -> Callable[[], None]:
        thread = threading.Thread(target=work, args=args)
        thread.start()
        return thread.join

    app = MarkedApp(
        futurist.ThreadPoolExecutor(CLIENTS),
        start,
        db_api_module(engine_with_marks(url)),
    )
    server = wsgi.Server(
        ("127.0.0.1", 0), _filtered(app, log_file), numthreads=CLIENTS
    )
    server.nodelay = True
    server.prepare()
    print(server.bind_addr[1], flush=True)
    threading.Thread(target=server.serve, daemon=True).start()
    sys.stdin.read()
    server.stop()


def _eventlet(url: str, log_file: str) -> None:
    import eventlet

    eventlet.monkey_patch()

    import eventlet.tpool
    import eventlet.wsgi
    import futurist

    def start(work: Callable[..., None], *args: object) -> Callable[[], None]:
        return eventlet.spawn(work, *args).wait

    app = MarkedApp(
        futurist.GreenThreadPoolExecutor(1000),
        start,
        db_api_module(engine_with_marks(url)),
    )
    listener = eventlet.listen(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    server = eventlet.spawn(
        eventlet.wsgi.server,
        listener,
        _filtered(app, log_file),
        log_output=False,
    )
    eventlet.tpool.execute(sys.stdin.read)
    server.kill()


if __name__ == "__main__":
    main()
