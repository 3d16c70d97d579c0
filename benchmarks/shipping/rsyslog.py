# SPDX-License-Identifier: Apache-2.0
"""Records through a real rsyslogd, to a TCP port of ours."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from benchmarks.shipping.records import Sums, sums_of
from nova_profiler.reading.shipping import rsyslog
from nova_profiler.reading.shipping.plan import NAME, Plan

# Debian's rsyslog.conf has an input of its own, a work directory, and then
# what is in rsyslog.d.
_MAIN = """\
module(load="imuxsock" SysSock.Use="off")
global(workDirectory="{folder}")
include(file="{folder}/ours.conf")
"""
_PORT = 'port="5170"'


def program() -> str | None:
    """Return the path of rsyslogd, None if there is none."""
    return shutil.which("rsyslogd") or shutil.which(
        "rsyslogd", path="/usr/sbin:/sbin"
    )


class Receiver:
    """Takes JSON lines from each connection, and adds them up.

    rsyslogd opens one for each thread of its queue: in memory, on the disk.
    """

    def __init__(self, wanted: int, port: int = 0) -> None:
        self.sums = Sums()
        self.is_all = threading.Event()
        self._wanted = wanted
        self._lock = threading.Lock()
        self._socket = socket.create_server(("127.0.0.1", port))
        self.port: int = self._socket.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Receiver:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Wakes up what still waits in accept().
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            thread = threading.Thread(
                target=self._take, args=(connection,), daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def _take(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            for line in lines:
                one = sums_of(json.loads(line))
                with self._lock:
                    self.sums += one
                    if self.sums.records >= self._wanted:
                        self.is_all.set()


def shipped(log_file: Path, wanted: int, most_s: float) -> tuple[Sums, float]:
    """Return what arrived of *log_file*, and how many seconds it took.

    Waits for *wanted* records, *most_s* seconds at most, and then until
    rsyslogd has ended. Raises RuntimeError where it complains about its
    configuration.
    """
    with Receiver(wanted) as receiver:
        main = _configured(log_file, receiver.port)
        began = time.perf_counter()
        with _running(main):
            receiver.is_all.wait(most_s)
            seconds = time.perf_counter() - began
    return receiver.sums, seconds


def shipped_late(log_file: Path, wanted: int, most_s: float) -> Sums:
    """Return what arrived of *log_file* at a collector that was away.

    rsyslogd was started anew meanwhile. *log_file* has more records than
    stay in memory. Raises RuntimeError where none get to the disk.
    """
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    main = _configured(log_file, port)
    with _running(main):
        until = time.monotonic() + most_s
        while not list(main.parent.glob(f"{NAME}.0*")):
            if time.monotonic() > until:
                raise RuntimeError("rsyslogd has nothing on the disk")
            time.sleep(0.05)
    with Receiver(wanted, port) as receiver, _running(main):
        receiver.is_all.wait(most_s)
    return receiver.sums


def _configured(log_file: Path, port: int) -> Path:
    """Return the main file of a configuration that rsyslogd accepts."""
    folder = log_file.parent / "rsyslog"
    folder.mkdir()
    main = folder / "main.conf"
    main.write_text(_MAIN.format(folder=folder))
    text = rsyslog.text(Plan(str(log_file), 30))
    (folder / "ours.conf").write_text(text.replace(_PORT, f'port="{port}"'))
    checked = subprocess.run(
        [_found(), "-N1", "-f", main], capture_output=True, text=True
    )
    if checked.returncode:
        raise RuntimeError(checked.stderr)
    return main


@contextmanager
def _running(main: Path) -> Iterator[None]:
    """Have rsyslogd run with *main* until the end."""
    daemon = subprocess.Popen(
        [_found(), "-n", "-f", main, "-i", main.parent / "pid"],
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        daemon.terminate()
        daemon.wait(60)


def _found() -> str:
    found = program()
    if found is None:
        raise RuntimeError("rsyslogd is not installed")
    return found
