# SPDX-License-Identifier: Apache-2.0
"""A Prometheus of its own for a run, and what it answers.

The report on the run's log goes by the textfile collector of node_exporter.
All of it listens on the loopback interface, on free ports.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from nova_profiler.reading.screen.terminal import plain_table, print_part

_REPORT = (
    sys.executable,
    "-c",
    "import sys; from nova_profiler.cli import main; sys.exit(main())",
    "report",
)
# As Debian calls them, and as they are called elsewhere.
_PROGRAMS = {
    "prometheus": ("prometheus",),
    "prometheus-node-exporter": ("prometheus-node-exporter", "node_exporter"),
}
_CONFIG = """\
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: nova
    static_configs: [{{targets: ["{exporter}"]}}]
"""
_NAME = "nova_profiler_report_request_seconds"
# Seconds of requests, and how many they were.
SECONDS = f"sum by (method, route) ({_NAME}_sum)"
COUNT = f"sum by (method, route) ({_NAME}_count)"
_READY_S, _STOP_S = 60.0, 15.0


class PrometheusError(Exception):
    """Prometheus is not installed or does not answer."""


class Answer(NamedTuple):
    """A route's figure as Prometheus has it, beside that of the report."""

    route: str
    query: str
    prometheus: float
    report: float

    @property
    def is_equal(self) -> bool:
        """Whether they are the same, to nine digits."""
        return f"{self.prometheus:.9g}" == f"{self.report:.9g}"


def programs() -> dict[str, str]:
    """Return the path of each program by its name in Debian.

    Raises PrometheusError, which names the packages that are missing.
    """
    found = {
        package: next(filter(None, map(shutil.which, names)), None)
        for package, names in _PROGRAMS.items()
    }
    missing = [package for package, path in found.items() if path is None]
    if missing:
        raise PrometheusError(
            f"prometheus is not whole here: apt install {' '.join(missing)}"
        )
    return {package: str(path) for package, path in found.items()}


@contextmanager
def serving(folder: Path, log_file: Path) -> Iterator[str]:
    """Serve the report on *log_file* until the end; give the address.

    *folder* gets the data. What was started has ended after that.
    """
    found = programs()
    textfiles = folder / "textfiles"
    textfiles.mkdir(parents=True)
    text = _report(log_file, "--format", "prometheus")
    (textfiles / "nova_profiler.prom").write_text(text, encoding="utf-8")
    exporter, server = _free_address(), _free_address()
    config = folder / "prometheus.yml"
    config.write_text(_CONFIG.format(exporter=exporter))
    with ExitStack() as running:
        running.enter_context(
            _process(
                folder / "node_exporter.log",
                found["prometheus-node-exporter"],
                "--collector.disable-defaults",
                "--collector.textfile",
                f"--collector.textfile.directory={textfiles}",
                f"--web.listen-address={exporter}",
            )
        )
        process = running.enter_context(
            _process(
                folder / "prometheus.log",
                found["prometheus"],
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={server}",
            )
        )
        address = f"http://{server}"
        _wait(process, address, folder / "prometheus.log")
        yield address


def answers(address: str, log_file: Path) -> list[Answer]:
    """Return each route's figures, by PromQL and as the report has them."""
    found = []
    for query, of in ((SECONDS, "total_ms"), (COUNT, "calls")):
        by_route = {
            f"{one['metric']['method']} {one['metric']['route']}": float(
                one["value"][1]
            )
            for one in _asked(address, query)
        }
        for row in json.loads(_report(log_file, "--json"))["rows"]:
            name = f"{row['method']} {row['route']}"
            value = row[of] / 1000 if of == "total_ms" else row[of]
            found.append(Answer(name, query, by_route[name], value))
    return found


def show(console: Console, found: Sequence[Answer]) -> None:
    """Print each answer beside the report's figure.

    Raises PrometheusError where one differs.
    """
    table = plain_table()
    for name in ("PromQL", "route"):
        table.add_column(name, overflow="fold")
    for name in ("Prometheus", "report"):
        table.add_column(name, justify="right")
    for one in found:
        figures = f"{one.prometheus:.9g}", f"{one.report:.9g}"
        table.add_row(one.query, one.route, *figures)
    print_part(console, table)
    console.print()
    unequal = [one for one in found if not one.is_equal]
    if unequal:
        raise PrometheusError(f"Prometheus has other figures: {unequal}")


def _report(log_file: Path, *options: str) -> str:
    return subprocess.run(
        [*_REPORT, log_file, *options],
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def _free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"127.0.0.1:{taken.getsockname()[1]}"


@contextmanager
def _process(log: Path, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            # Ctrl-C is for the demo, which then stops this process.
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    """Return once Prometheus has asked node_exporter for our metrics."""
    until = time.monotonic() + _READY_S
    while not _asked(address, COUNT):
        if process.poll() is not None or time.monotonic() > until:
            raise PrometheusError(
                f"prometheus does not answer: see {log} for why"
            )
        time.sleep(0.2)


def _asked(address: str, query: str) -> list[dict[str, Any]]:
    """Return the rows of *query*; none while it does not answer."""
    words = urllib.parse.urlencode({"query": query})
    try:
        with urllib.request.urlopen(
            f"{address}/api/v1/query?{words}", timeout=10
        ) as answer:
            return list(json.load(answer)["data"]["result"])
    except (urllib.error.URLError, ConnectionError):
        return []
