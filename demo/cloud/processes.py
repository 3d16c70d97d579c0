# SPDX-License-Identifier: Apache-2.0
"""The cloud's processes: each leads a group, all end with the cloud."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from demo.cloud import keeper
from demo.places import ROOT

_STEP_S = 0.1
_LAST_LINES = 8


class CloudError(Exception):
    """The cloud cannot be had; what is missing or has failed, and why."""


class Processes:
    """Starts processes, and ends them all at the end of a with statement.

    *logs* is the folder of their output. If this process is killed, the keeper
    ends them in its place.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._keeper: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Processes:
        self._logs.mkdir(parents=True, exist_ok=True)
        self._keeper = self._begin("keeper", _module("demo.cloud.keeper"), {})
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end_all()
        if self._keeper is not None and self._keeper.stdin is not None:
            self._keeper.stdin.close()
            self._keeper.wait()

    def start(
        self,
        name: str,
        command: Sequence[str],
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """Start *command*; *variables* are added to the environment."""
        process = self._begin(name, command, variables or {})
        self._running[name] = process
        self._tell(f"+{process.pid}")

    def start_module(
        self,
        name: str,
        module: str,
        *arguments: str,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """Start a module of the demo's, which ends when its input does."""
        self.start(name, _module(module, *arguments), variables)

    def end_all(self) -> None:
        """End all that were started."""
        self.end(list(self._running))

    def end(self, names: Sequence[str]) -> None:
        """End these processes with their groups, all at once."""
        ended = [self._running.pop(name) for name in names]
        for process in ended:
            if process.stdin is not None:
                process.stdin.close()
        keeper.end(
            [process.pid for process in ended],
            lambda: [process.poll() for process in ended],
        )
        for process in ended:
            process.wait()
            self._tell(f"-{process.pid}")

    def wait(
        self, name: str, what: str, ready: Callable[[], bool], seconds: float
    ) -> None:
        """Return when *ready* does; raise if the process has ended first."""
        process = self._running[name]
        deadline = time.monotonic() + seconds
        while not ready():
            if process.poll() is not None:
                raise self.failed(name, f"has ended, status {process.poll()}")
            if time.monotonic() > deadline:
                raise self.failed(name, f"{what} after {seconds:.0f} s")
            time.sleep(_STEP_S)

    def failed(self, name: str, reason: str) -> CloudError:
        """Return the error of a process, with the last lines it wrote."""
        lines = self.output(name).splitlines()[-_LAST_LINES:]
        return CloudError("\n".join([f"{name}: {reason}", *lines]))

    def output(self, name: str) -> str:
        """Return what a process has written."""
        return self._log(name).read_text(errors="replace")

    def _begin(
        self, name: str, command: Sequence[str], variables: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        with self._log(name).open("wb") as log:
            return subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**_clean_environment(), **variables},
                # Ctrl-C is for the demo, which then ends this process.
                start_new_session=True,
            )

    def _tell(self, line: str) -> None:
        if self._keeper is not None and self._keeper.stdin is not None:
            self._keeper.stdin.write(f"{line}\n".encode())
            self._keeper.stdin.flush()

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.output"


def free_port() -> int:
    """Return a port of the loopback interface that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def answers(port: int) -> bool:
    """Return whether something listens on a port."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _module(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def _clean_environment() -> dict[str, str]:
    """Return the environment without what would change configurations."""
    prefixes = ("OS_", "UWSGI_", "NOVA_PROFILER_", "RABBITMQ_")
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(prefixes)
    }
