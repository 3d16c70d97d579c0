# SPDX-License-Identifier: Apache-2.0
"""The demo: the real nova-api under load, and what the filter wrote."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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

from demo import filter_options, identity, load, otlp, pages, prometheus
from demo.databases import mysql_server, sqlite_files
from demo.databases.making import DatabaseError
from demo.page import figures, stacks, summary
from demo.page.metrics import Metrics
from demo.places import own_program, relative
from demo.run_records import MissingRecordsError, records_of, with_calls
from demo.server import nova_api
from demo.statsd_listener import StatsdListener
from nova_profiler.reading.advice.page import Source
from nova_profiler.reading.screen.terminal import terminal
from nova_profiler.record import RequestRecord

_PATHS = ("/v2.1/servers", "/v2.1/servers/detail")
_PROMETHEUS, _OTLP = "prometheus", "otlp"


def main() -> int:
    """Run the demo and return the exit code."""
    options = _parse()
    console = terminal()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _run(options, console)
    except KeyboardInterrupt:
        console.print("stopped; nothing is left running")
        return 130
    except (
        DatabaseError,
        nova_api.StartError,
        load.LoadError,
        MissingRecordsError,
        pages.PagesError,
        prometheus.PrometheusError,
        otlp.OtlpError,
    ) as exc:
        sys.stderr.write(f"{exc}\n")
        return 2
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--db", choices=("sqlite", "mysql"), default="sqlite")
    parser.add_argument("--mode", choices=nova_api.MODES, default="threads")
    parser.add_argument("--instances", type=_number, default=10)
    parser.add_argument("--clients", type=_number, default=3)
    parser.add_argument("--requests", type=_number, default=100)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument(
        "--profiler", choices=("none", *stacks.ENGINES), default=stacks.STACKS
    )
    parser.add_argument("--metrics", choices=(_PROMETHEUS, _OTLP))
    return parser.parse_args()


def _number(text: str) -> int:
    """Return *text* as a count that a run can have."""
    if not text.isdecimal() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected a number from 1 to 10000"
        )
    return int(text)


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _run(options: argparse.Namespace, console: Console) -> None:
    progress = console.print
    if options.metrics == _PROMETHEUS:
        # Before anything is started, in case it is missing.
        prometheus.programs()
    directory = nova_api.new_directory("demo")
    if options.db == "mysql":
        server = os.environ.get("MYSQL_URL", mysql_server.SERVER_URL)
        urls = mysql_server.urls(server, options.instances, progress)
    else:
        urls = sqlite_files.urls(directory, options.instances, progress)
    progress(
        f"starting nova-api {version('nova')} in {options.mode} mode on "
        f"{options.db} with {options.instances} servers"
    )
    metrics = Metrics()
    each = options.clients * options.requests
    expected = each * len(_PATHS)
    with (
        StatsdListener(metrics.add) as statsd,
        _receiver(directory, options.metrics) as receiver,
    ):
        profiler = filter_options.writing(directory, statsd.port, expected)
        if receiver is not None:
            profiler |= {
                "otlp_endpoint": receiver.endpoint,
                "otlp_traces": "request:all",
            }
        if options.profiler != "none":
            profiler |= stacks.options(options.profiler, each)
        with nova_api.running(directory, urls, options.mode, profiler) as api:
            for path in _PATHS:
                _load(console, api, path, options)
            records = records_of(directory / "requests.jsonl", expected)
            with_calls(records, directory / "dumps")
            routes = figures.by_route(records)
            log_file = relative(directory / "requests.jsonl")
            source = Source(shlex.quote(log_file), False, own_program())
            summary.show(console, records, routes, metrics, source)
            summary.show_commands(
                console, "read on", _commands(directory, records)
            )
            if options.profiler != "none":
                _stacks(console, directory, options.profiler)
            if receiver is not None:
                summary.print_head(console, "what a receiver of OTLP got")
                otlp.show(console, receiver, records)
            with _prometheus(console, directory, options.metrics):
                _answer(console, directory, routes, records)
                if options.keep:
                    _keep(console, api, options.profiler, directory)


def _answer(
    console: Console,
    directory: Path,
    routes: Sequence[figures.RouteFigures],
    records: list[RequestRecord],
) -> None:
    """Print where all is, and the answer, before nova-api may serve on."""
    console.print(f"everything of this run is in {relative(directory)}\n")
    slowest = figures.slowest_of(routes)
    of_route = figures.requests_of(slowest, records)
    summary.show_answer(console, slowest, _show_slowest(directory, of_route))


@contextmanager
def _prometheus(
    console: Console, directory: Path, metrics: str | None
) -> Iterator[None]:
    """Print what Prometheus answers, and serve it on to the end."""
    if metrics != _PROMETHEUS:
        yield
        return
    log_file = directory / "requests.jsonl"
    with prometheus.serving(directory / "prometheus", log_file) as address:
        summary.print_head(console, f"what Prometheus answers at {address}")
        prometheus.show(console, prometheus.answers(address, log_file))
        yield


@contextmanager
def _receiver(
    directory: Path, metrics: str | None
) -> Iterator[otlp.Receiver | None]:
    """Run a receiver of OTLP where that is wanted."""
    if metrics != _OTLP:
        yield None
        return
    with otlp.receiving(directory / "otlp") as receiver:
        yield receiver


def _stacks(console: Console, directory: Path, engine: str) -> None:
    """Print the hot path of the load's last path, and where its page is."""
    page = directory / "servers-detail.html"
    summary.print_head(console, f"hot path of GET {_PATHS[-1]}, {engine}")
    stacks.show(console, directory / "dumps", _PATHS[-1], page)
    console.print(f"\nthe same as a page: {relative(page)}")


def _load(
    console: Console,
    api: nova_api.NovaApi,
    path: str,
    options: argparse.Namespace,
) -> None:
    total = options.clients * options.requests
    with Progress(
        TextColumn("{task.description:<26}"),
        BarColumn(40),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task(f"GET {path}", total=total, rate="")
        done = load.run(
            api.port,
            path,
            options.clients,
            options.requests,
            lambda: progress.advance(task),
        )
        progress.update(task, rate=f"{done.per_second:.1f}/s")
    if not console.is_terminal:
        console.print(
            f"GET {path}: {total} requests by {options.clients} clients in "
            f"{done.seconds:.1f} s, {done.per_second:.1f}/s"
        )


def _commands(
    directory: Path, records: list[RequestRecord]
) -> list[tuple[str, str]]:
    """Return what to look at next, as (what it shows, command)."""
    program = own_program()
    log_file = relative(directory / "requests.jsonl")
    at = f"--dump-dir {relative(directory / 'dumps')}"
    return [
        (
            "the slowest request: where its milliseconds went",
            _show_slowest(directory, records),
        ),
        ("the slowest first", f"{program} list --slowest {at}"),
        (
            "the DB API functions of each route, then the SQL",
            f"{program} calls {log_file}",
        ),
        ("", f"{program} calls {log_file} --by sql"),
        ("what a log shipper gets", f"tail -n 1 {log_file}"),
    ]


def _show_slowest(directory: Path, records: list[RequestRecord]) -> str:
    slowest = max(records, key=lambda record: record.duration_ms)
    dumps = relative(directory / "dumps")
    return (
        f"{own_program()} show {summary.short_id(slowest)} --dump-dir {dumps}"
    )


def _keep(
    console: Console,
    api: nova_api.NovaApi,
    profiler: str | None,
    directory: Path,
) -> None:
    """Serve on until Ctrl-C; print commands that ask, and the pages."""
    ask = f"-H 'X-Auth-Token: {identity.token()}' {api.url}/servers/detail"
    quiet = "curl -s -o /dev/null -w '%{http_code} in %{time_total} s\\n'"
    commands = [("the token stands in for keystone's", f"{quiet} {ask}")]
    if profiler in ("pyinstrument", "cprofile"):
        sign = (
            f"{own_program()} sign --key {stacks.KEY} GET /v2.1/servers/detail"
        )
        commands.append(
            ("with stacks of this request", f'{quiet} -H "$({sign})" {ask}')
        )
    dumps = relative(directory / "dumps")
    commands.append(
        (
            "and then where its time went",
            f"{own_program()} show --last --dump-dir {dumps}",
        )
    )
    console.print()
    summary.show_commands(
        console, f"nova-api serves on at {api.url}; Ctrl-C ends it", commands
    )
    with pages.served(directory / "dumps") as address:
        try:
            console.print(f"pages of its dumps: {address}")
            while True:
                signal.pause()
        except KeyboardInterrupt:
            console.print("stopping nova-api and the pages")


if __name__ == "__main__":
    sys.exit(main())
