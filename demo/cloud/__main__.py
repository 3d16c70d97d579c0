# SPDX-License-Identifier: Apache-2.0
"""The cloud's demo: servers created, rebuilt and deleted, looked at whole."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
from importlib.metadata import version
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)

from demo import identity
from demo.cloud import clients, page, services
from demo.cloud.processes import CloudError
from demo.databases.mysql_server import SERVER_URL
from demo.load import LoadError
from demo.page.summary import show_commands
from demo.places import relative
from demo.server.nova_api import new_directory
from nova_profiler.reading.screen.terminal import terminal

# How long a neighbour takes to answer, unless the command line says.
_DELAYS_MS = {"keystone": 20.0, "neutron": 100.0, "glance": 20.0}
_SETTLED_S = 1.0
_SETTLE_S = 20.0


def main() -> int:
    """Run the demo and return the exit code."""
    options = _parse()
    console = terminal()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    directory = new_directory(options.state)
    try:
        _run(options, console, directory)
    except KeyboardInterrupt:
        if not options.keep:
            shutil.rmtree(directory)
        console.print("stopped; nothing is left running")
        return 130
    except (CloudError, LoadError) as exc:
        sys.stderr.write(f"{exc}\n")
        if (directory / "output").exists():
            logs = relative(directory)
            sys.stderr.write(f"what the services wrote is in {logs}\n")
        return 2
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make demo-cloud", description=__doc__
    )
    parser.add_argument("--servers", type=_number, default=20)
    parser.add_argument("--clients", type=_number, default=4)
    parser.add_argument("--state", default="cloud", help=argparse.SUPPRESS)
    parser.add_argument(
        "--keep", action="store_true", help="serve on until Ctrl-C"
    )
    for name, delay in _DELAYS_MS.items():
        parser.add_argument(f"--{name}-ms", type=_delay, default=delay)
    return parser.parse_args()


def _number(text: str) -> int:
    """Return *text* as a count that a run can have."""
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected a number from 1 to 1000"
        )
    return int(text)


def _delay(text: str) -> float:
    """Return *text* as milliseconds that a client can wait for."""
    if not text.isdecimal() or int(text) > 10_000:
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected milliseconds from 0 to 10000"
        )
    return float(text)


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _run(
    options: argparse.Namespace, console: Console, directory: Path
) -> None:
    began = time.monotonic()
    dumps = directory / "dumps"

    def progress(text: str) -> None:
        console.print(f"{time.monotonic() - began:5.0f} s  {text}")

    progress(
        f"nova {version('nova')} and placement "
        f"{version('openstack-placement')}, {options.servers} servers"
    )
    server = os.environ.get("MYSQL_URL", SERVER_URL)
    delays = {name: getattr(options, f"{name}_ms") for name in services.STUBS}
    with services.running(
        directory, server, delays, _profiler(dumps), progress
    ) as cloud:
        done = _load(console, cloud, options)
        _settle(dumps)
        if options.keep:
            page.show(console, dumps, done)
            _keep(console, cloud)
        progress("stopping all services")
    if not options.keep:
        _clean(directory, dumps)
        page.show(console, dumps, done)


def _load(
    console: Console, cloud: services.Cloud, options: argparse.Namespace
) -> list[clients.Done]:
    with Progress(
        TextColumn("{task.description:<10}"),
        BarColumn(40),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as bars:
        tasks = {
            action: bars.add_task(action, total=options.servers)
            for action in clients.ACTIONS
        }
        return clients.run(
            cloud.api.port,
            options.clients,
            options.servers,
            lambda one: bars.advance(tasks[one.action]),
        )


def _profiler(dumps: Path) -> dict[str, str]:
    """Return the options: a dump of everything that is done for a request."""
    return {
        "dump_dir": str(dumps),
        "dump_when": "all,message:all,task:all",
        # A server's life makes about a hundred.
        "dump_max_files": "200000",
        "dump_max_mb": "2048",
        "log_requests": "false",
    }


def _settle(dumps: Path) -> None:
    """Return when no service writes records any more."""
    deadline = time.monotonic() + _SETTLE_S
    before = -1
    while time.monotonic() < deadline:
        there = sum(1 for _ in dumps.rglob("*.json"))
        if there == before:
            return
        before = there
        time.sleep(_SETTLED_S)


def _keep(console: Console, cloud: services.Cloud) -> None:
    """Serve on until Ctrl-C."""
    ask = (
        f"-H 'X-Auth-Token: {identity.token()}' {cloud.api.url}/servers/detail"
    )
    show_commands(
        console,
        f"nova-api serves on at {cloud.api.url}; Ctrl-C ends the cloud",
        [
            ("the token is the stub of keystone's", f"curl -s {ask}"),
            ("configuration and logs", f"ls {relative(cloud.directory)}"),
        ],
    )
    try:
        while True:
            signal.pause()
    except KeyboardInterrupt:
        pass


def _clean(directory: Path, dumps: Path) -> None:
    """Remove all that was written but the records."""
    for path in directory.iterdir():
        if path == dumps:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


if __name__ == "__main__":
    sys.exit(main())
