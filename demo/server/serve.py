# SPDX-License-Identifier: Apache-2.0
"""Process that serves nova-api on a free loopback port.

    python -m demo.server.serve DIRECTORY MODE WORKERS

DIRECTORY has nova.conf and api-paste.ini, and gets a file ``port`` when the
server listens. The process ends on SIGTERM, or when its standard input is
closed, so that it never outlives the process that started it.
"""

from __future__ import annotations

import _thread
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from demo.places import ROOT
from demo.server import configuration

# Before nova may replace it: eventlet's would not block the thread below.
_read = os.read
UWSGI_PROCESSES = 2
# The default of nova's option wsgi_log_format.
_EVENTLET_LOG_FORMAT = (
    '%(client_ip)s "%(request_line)s" status: %(status_code)s len: '
    "%(body_length)s time: %(wall_seconds).7f"
)


def main() -> None:
    """Serve by the arguments of the command line."""
    directory, mode, workers = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    # nova parses the command line of the program that it is loaded into.
    sys.argv = ["nova-api"]
    os.environ.update(configuration.environment(directory, mode))
    end_with_starter()
    serve = {"threads": _threads, "eventlet": _eventlet, "uwsgi": _uwsgi}
    serve[mode](directory, int(workers))


def say_ready(directory: Path, port: int) -> None:
    """Write the port, now that requests are answered."""
    aside = directory / f"port.{os.getpid()}"
    aside.write_text(str(port))
    aside.rename(directory / "port")


def end_with_starter() -> None:
    """End this process when its standard input is closed."""
    # Not threading.Thread, which eventlet would find when it patches.
    _thread.start_new_thread(_wait_for_starter, ())


def _wait_for_starter() -> None:
    while _read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _exit(signum: int, frame: FrameType | None) -> None:
    sys.exit(0)


def _nova_application() -> Any:
    """Return nova's application; nova must come before any eventlet."""
    from nova.wsgi import osapi_compute

    return osapi_compute.application


def _threads(directory: Path, workers: int) -> None:
    """Serve nova-api in its native threading mode."""
    in_threads(_nova_application(), directory, workers)


def in_threads(
    application: Any, directory: Path, workers: int, port: int = 0
) -> None:
    """Serve *application* with cheroot, on a free port if none is given."""
    from cheroot import wsgi

    server = wsgi.Server(
        ("127.0.0.1", port),
        application,
        numthreads=workers,
        request_queue_size=128,
    )
    # Nagle's algorithm would add 40 ms to each kept-alive request.
    server.nodelay = True
    server.prepare()
    signal.signal(signal.SIGTERM, _exit)
    say_ready(directory, server.bind_addr[1])
    try:
        server.serve()
    finally:
        server.stop()


def _eventlet(directory: Path, workers: int) -> None:
    """Serve as nova-api's own server did up to nova 29."""
    application = _nova_application()
    import eventlet
    import eventlet.wsgi
    from oslo_log import log as logging

    listener: Any = eventlet.listen(("127.0.0.1", 0), backlog=128)
    signal.signal(signal.SIGTERM, _exit)
    say_ready(directory, listener.getsockname()[1])
    eventlet.wsgi.server(
        listener,
        application,
        custom_pool=eventlet.GreenPool(workers),
        # As nova's own server did: its requestlog leaves the line to it.
        log=logging.getLogger("nova.osapi_compute.wsgi.server"),
        log_format=_EVENTLET_LOG_FORMAT,
        debug=False,
        socket_timeout=900,
    )


def _uwsgi(directory: Path, workers: int) -> None:
    """Serve with uWSGI, nova in its native threading mode."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    os.environ["DEMO_PORT"] = str(port)
    with (directory / "uwsgi.log").open("w") as log:
        server = subprocess.Popen(
            [
                str(Path(sys.executable).with_name("uwsgi")),
                *("--http-socket", f"127.0.0.1:{port}", "--listen", "100"),
                *("--master", "--need-app", "--lazy-apps", "--die-on-term"),
                *("--processes", str(UWSGI_PROCESSES)),
                *("--enable-threads", "--threads", str(workers)),
                *("--pythonpath", str(ROOT)),
                *("--module", "demo.server.uwsgi_application"),
                *("--home", sys.prefix, "--buffer-size", "65535"),
                # True: this socket keeps no connection alive.
                *("--add-header", "Connection: close"),
                *("--worker-reload-mercy", "3", "--reload-mercy", "3"),
                "--disable-logging",
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    signal.signal(signal.SIGTERM, _exit)
    try:
        server.wait()
    finally:
        _stop_uwsgi(server)


def _stop_uwsgi(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        # Its workers are in the session that it leads.
        os.killpg(server.pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
