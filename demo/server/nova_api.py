# SPDX-License-Identifier: Apache-2.0
"""A running nova-api, for a with statement."""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from demo import identity
from demo.places import ROOT, STATE
from demo.server import configuration

MODES = ("threads", "eventlet", "uwsgi")
_START_S = 90
_STOP_S = 15


class NovaApi(NamedTuple):
    """Where a running nova-api is reached, and where its files are."""

    port: int
    directory: Path

    @property
    def url(self) -> str:
        """Return the base URL of the compute API."""
        return f"http://127.0.0.1:{self.port}/v2.1"

    def request(
        self, method: str, path: str, body: str | None = None, token: str = ""
    ) -> tuple[int, bytes]:
        """Return the status and body of one request, path after /v2.1."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, 60)
        headers = {
            "X-Auth-Token": token or identity.token(),
            "Content-Type": "application/json",
        }
        try:
            connection.request(method, f"/v2.1{path}", body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


class StartError(Exception):
    """nova-api did not start; the last lines of its output."""


def new_directory(name: str) -> Path:
    """Return an empty directory for the files of one nova-api."""
    directory = STATE / name
    shutil.rmtree(directory, ignore_errors=True)
    (directory / "locks").mkdir(parents=True)
    directory.chmod(0o700)
    return directory


@contextmanager
def running(
    directory: Path,
    urls: Mapping[str, str],
    mode: str = "threads",
    profiler: Mapping[str, str] | None = None,
    workers: int = 10,
) -> Iterator[NovaApi]:
    """Run nova-api until the end of the with statement.

    *profiler* are the options of [nova_profiler]; None leaves the filter out
    of the pipelines, for a nova-api as it comes.
    """
    with _neutron() as neutron_url:
        _write_configuration(directory, urls, neutron_url, profiler)
        process = _start(
            "demo.server.serve",
            *(str(directory), mode, str(workers)),
            log=directory / "output.log",
        )
        try:
            yield NovaApi(_port(process, directory), directory)
        finally:
            _stop(process)


def _write_configuration(
    directory: Path,
    urls: Mapping[str, str],
    neutron_url: str,
    profiler: Mapping[str, str] | None,
) -> None:
    (directory / "nova.conf").write_text(
        configuration.nova_conf_text(directory, urls, neutron_url, profiler)
    )
    paste = configuration.nova_paste().read_text()
    paste = configuration.with_token_check(paste)
    if profiler is not None:
        paste = configuration.with_profiler(paste)
    (directory / "api-paste.ini").write_text(paste)


@contextmanager
def _neutron() -> Iterator[str]:
    process = _start("demo.server.stub_neutron", log=subprocess.PIPE)
    try:
        if process.stdout is None or not (line := process.stdout.readline()):
            raise StartError("the stub of neutron did not start")
        yield f"http://127.0.0.1:{int(line)}"
    finally:
        _stop(process)


def _start(
    module: str, *arguments: str, log: Path | int
) -> subprocess.Popen[bytes]:
    """Start a module of the demo that ends when its input is closed."""
    output = log.open("wb") if isinstance(log, Path) else log
    try:
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output if isinstance(log, Path) else None,
            env={
                name: value
                for name, value in os.environ.items()
                # Both would change nova's own configuration.
                if not name.startswith(("OS_", "UWSGI_"))
            },
            # Ctrl-C is for the demo, which then stops this process.
            start_new_session=True,
        )
    finally:
        if not isinstance(output, int):
            output.close()


def _port(process: subprocess.Popen[bytes], directory: Path) -> int:
    """Wait for the server to listen; return its port."""
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        if (directory / "port").exists():
            return int((directory / "port").read_text())
        time.sleep(0.05)
    lines = []
    for name in ("output.log", "uwsgi.log"):
        if (directory / name).exists():
            lines += (directory / name).read_text().splitlines()[-5:]
    raise StartError("\n".join(["nova-api did not come up:", *lines]))


def _stop(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
