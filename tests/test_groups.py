# SPDX-License-Identifier: Apache-2.0
"""A new source of calls is one file and one row, and is seen everywhere."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from builders import numbered, written
from imported import imported
from places import ROOT
from rich.style import Style

from nova_profiler import cli, groups
from nova_profiler.capture.hooks import late_patches
from nova_profiler.capture.settings.options import Settings
from nova_profiler.capture.sinks.log_lines import text_format
from nova_profiler.capture.sinks.statsd_sink import StatsdSink
from nova_profiler.reading.runs.kept import schema
from nova_profiler.record import CallTotals, GroupTotals

ROW = """
    Hook(
        "gpu",
        "gpu_kernels",
        "kernels on a GPU",
        (
            Group(
                "gpu",
                "A kernel.",
                OTHER,
                Bucket("gpu", "kernels on a GPU", "red", since=2),
                title="GPU",
                named="kernel",
                noun="kernel",
                metric=("kernel",),
                log_line_place=3,
            ),
        ),
    ),
"""
FILE = '''
"""Hook that times the kernels of a library that does not exist."""

import a_gpu

from nova_profiler.capture.current import lane_here
from nova_profiler.capture.hooks.attribute_patches import patch
from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.timing import call_timed

LAUNCH = CallKey("gpu", "matrix")


def install():
    return patch(a_gpu, "launch", _timed)


def _timed(launch):
    def timed_launch():
        lane = lane_here()
        if lane is None:
            return launch()
        return call_timed(lane, LAUNCH, launch, (), {})

    return timed_launch
'''
# One request with two kernels of 3 ms; then the commands over its files.
PROGRAM = """
import contextlib, io, json, logging, pathlib, socket, sys, types
from time import perf_counter

a_gpu = types.ModuleType("a_gpu")

def launch():
    end = perf_counter() + 0.003
    while perf_counter() < end:
        pass

a_gpu.launch = launch
sys.modules["a_gpu"] = a_gpu

from oslo_config import cfg
from nova_profiler import cli, factory

lines = []
handler = logging.Handler()
handler.emit = lambda record: lines.append(record.getMessage())
log = logging.getLogger("nova_profiler.requests")
log.setLevel("INFO")
log.addHandler(handler)
listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
listener.bind(("127.0.0.1", 0))
listener.settimeout(10)

def app(environ, start_response):
    a_gpu.launch()
    a_gpu.launch()
    start_response("200 OK", [])
    return [b"ok"]

options = {
    "dump_dir": "dumps", "dump_when": "all", "log_file": "requests.json",
    "statsd_host": "127.0.0.1",
    "statsd_port": str(listener.getsockname()[1]),
    "hooks": "gpu,threads",
}
served = factory.make_filter(cfg.ConfigOpts(), {}, options)(app)
environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/v2.1/servers"}
list(served(environ, lambda *args: None))

def printed(*args):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert cli.main(list(args)) == 0
    return out.getvalue()

dumps = ("--dump-dir", "dumps")
kept = ("--history", "history")
added = printed("history", "add", "night", "requests.json", *kept)
import pyarrow.parquet as pq
(part,) = pathlib.Path("history").rglob("*.parquet")
print(json.dumps({
    "record": json.loads(open("requests.json").readline()),
    "metrics": listener.recv(2000).decode(),
    "line": lines[0],
    "show": printed("show", "--last", *dumps),
    "calls": printed("calls", "--by", "gpu", *dumps),
    "report": printed("report", "requests.json"),
    "columns": pq.read_schema(part).names,
    "column": pq.read_table(part)["gpu_ms"].to_pylist(),
    "runs": printed("history", "list", *kept),
}))
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """Return what a copy of the package with one more source shows."""
    if importlib.util.find_spec("ibis") is None:
        pytest.fail("the tests need nova-profiler[history]")
    folder = tmp_path_factory.mktemp("copy")
    package = folder / "nova_profiler"
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "nova_profiler", package, ignore=ignore)
    (package / "capture" / "hooks" / "gpu_kernels.py").write_text(FILE)
    table = package / "groups.py"
    head, start, rest = table.read_text().partition("HOOKS = (\n")
    table.write_text(head + start + ROW + rest)

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_record_has_its_calls_and_its_part_of_the_breakdown(seen):
    """Two kernels of 3 ms each."""
    record = seen["record"]

    assert record["groups"]["gpu"]["calls"] == 2
    assert record["groups"]["gpu"]["ms"] >= 6.0
    assert [call["name"] for call in record["calls"]] == ["matrix"]
    assert record["breakdown_ms"]["gpu"] >= 6.0
    assert sum(record["breakdown_ms"].values()) == pytest.approx(
        record["duration_ms"], abs=0.01
    )


def test_each_call_is_a_metric(seen):
    """Under its group's name."""
    assert (
        len(re.findall(r"nova\.nova-api\.gpu\.matrix:", seen["metrics"])) == 2
    )


def test_the_log_line_has_the_group(seen):
    """In the place that the row gives it."""
    assert re.search(r" ms, gpu 2 calls \d+\.\d ms, user=", seen["line"])


def test_the_page_of_the_request_shows_it(seen):
    """In the breakdown by its label, and in a table of its own."""
    assert "kernels on a GPU" in seen["show"]
    assert re.search(r"\n  kernel +calls .*\n  matrix +2 ", seen["show"])


def test_calls_can_be_asked_for_by_it(seen):
    """As for DB API functions."""
    assert re.search(r"matrix +2 +2\.0", seen["calls"])


def test_the_report_counts_it(seen):
    """The breakdown of all requests."""
    assert "kernels on a GPU" in seen["report"]


def test_a_kept_run_has_a_column_for_it(seen):
    """Of a schema of its own number, which older releases refuse."""
    assert "gpu_ms" in seen["columns"]
    assert seen["column"][0] >= 6.0
    assert "night" in seen["runs"]


@pytest.mark.parametrize("hook", groups.HOOKS, ids=lambda hook: hook.name)
def test_a_row_names_a_module_with_install(hook):
    """And an option that there is, if it takes one."""
    name = f"nova_profiler.capture.hooks.{hook.module}"

    module = importlib.import_module(name)

    assert callable(module.install)
    assert not hook.takes or hasattr(Settings(), hook.takes)


CHOICES = [hook for hook in groups.HOOKS if hook.is_choice]


@pytest.mark.parametrize("hook", CHOICES, ids=lambda hook: hook.name)
def test_a_hook_finds_what_it_hooks(hook):
    """In the releases of the libraries that the tests have."""
    module = importlib.import_module(
        f"nova_profiler.capture.hooks.{hook.module}"
    )
    undo = module.install(*([()] if hook.takes else []))
    try:
        for name in late_patches.waiting_modules():
            try:
                imported(name)
            except ModuleNotFoundError:
                # Some come with nova alone, which one Python here has.
                pytest.skip(f"{name} is not installed here")
        late_patches.look_again()
        waiting = late_patches.waiting_modules()
        missing = late_patches.missing_points()
    finally:
        undo()

    assert (waiting, missing) == (set(), [])


@pytest.mark.parametrize("bucket", groups.BUCKETS, ids=lambda one: one.name)
def test_a_bucket_can_be_shown(bucket):
    """By a label, in a colour that rich knows."""
    assert bucket.label
    assert Style.parse(bucket.color)


@pytest.fixture
def of_group(tmp_path, group):
    """Return a record of 100 ms, 60 of them in two calls of *group*."""
    made = numbered(
        1,
        duration_ms=100.0,
        breakdown_ms={group.bucket.name: 60.0, "python": 40.0},
        groups={group.name: GroupTotals(2, 60.0, 60.0)},
        calls=[],
        timeline=[],
        statements=[],
    )
    if group.metric:
        made.calls = [CallTotals(group.name, "a name", 2, 60.0, 40.0)]
    return made


@pytest.mark.parametrize("group", groups.GROUPS, ids=lambda one: one.name)
def test_every_group_is_in_all_that_is_sent(of_group, group):
    """The log line, metrics, JSON, columns of runs, the manual."""
    sent = []
    StatsdSink(sent.append, "nova", "nova-api").emit(of_group)

    assert f"{group.name} 2 calls 60.0 ms" in text_format(of_group)
    assert re.search(rf"\.{group.name}(\.a\.name)?:", "\n".join(sent))
    assert group.name in of_group.to_dict()["groups"]
    assert f"{group.bucket.name}_ms" in schema.COLUMNS.names
    waits = (ROOT / "doc" / "source" / "waits.rst").read_text()
    assert f"``{group.name}``" in waits


@pytest.mark.parametrize("group", groups.GROUPS, ids=lambda one: one.name)
def test_every_group_is_on_all_pages(of_group, group, tmp_path, capsys):
    """Of a request, of the calls of a route, of a log."""
    written(tmp_path, of_group)
    of_group.timeline = of_group.statements = None
    log_file = tmp_path / "requests.json"
    log_file.write_text(json.dumps(of_group.to_dict()) + "\n")

    def printed(*args):
        assert cli.main(list(args)) == 0
        return capsys.readouterr().out

    assert re.search(
        rf"\n +{re.escape(group.bucket.label)} +60\.0 ms +60\.0 %",
        printed("show", "--last", "--dump-dir", str(tmp_path)),
    )
    name = "a name" if group.metric else re.escape(group.bucket.label)
    assert re.search(
        rf"\n  {name} +2 +2\.0 +60\.0",
        printed("calls", "--by", group.name, str(log_file)),
    )
    assert f"{group.bucket.label} 60.0 %" in printed("report", str(log_file))


def test_names_are_unique():
    """Each group and bucket stands once."""
    for names in (
        [one.name for one in groups.GROUPS],
        [one.name for one in groups.BUCKETS],
        [one.name for one in groups.HOOKS],
    ):
        assert len(set(names)) == len(names)
