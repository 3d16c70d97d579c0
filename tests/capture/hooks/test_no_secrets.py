# SPDX-License-Identifier: Apache-2.0
"""No argument, path, query, header or key of a call is in any output."""

from __future__ import annotations

import logging
import sys
import types
from pathlib import Path

import pytest
from secret_requests import answer_with, ask_with
from serving import Profiled, during
from stub_service import stub_service

from nova_profiler.capture.hooks import cache_calls, instance_events
from nova_profiler.capture.hooks.http import request_names, sent_requests
from nova_profiler.capture.sinks.dump_files import DumpSink
from nova_profiler.capture.sinks.json_file import JsonFileSink
from nova_profiler.capture.sinks.log_lines import CallLogSink, RequestLogSink
from nova_profiler.capture.sinks.statsd_sink import StatsdSink
from nova_profiler.cli import main
from nova_profiler.dump_store import DumpStore

CANARY = "hunter2canary"


@pytest.fixture
def hooks(monkeypatch):
    """Install them all; nova and a service stand by."""
    monkeypatch.setattr(request_names, "_keys", {})
    nova = types.ModuleType("nova.compute.manager")
    nova.ComputeVirtAPI = type(
        "ComputeVirtAPI", (), {"_InstanceEvent": InstanceEvent}
    )
    monkeypatch.setitem(sys.modules, "nova.compute.manager", nova)
    undos = [
        hook.install()
        for hook in (sent_requests, cache_calls, instance_events)
    ]
    with stub_service() as service:
        answer_with(CANARY, service)
        yield service
    for undo in undos:
        undo()


class InstanceEvent:
    name = f"network-vif-plugged-{CANARY}"

    def wait(self, timeout):
        return CANARY


def work_of(service):
    from dogpile.cache import make_region

    def work():
        ask_with(CANARY, service.url)
        region = make_region(key_mangler=str).configure(
            "dogpile.cache.dbm", arguments={"filename": work.cache}
        )
        region.set(CANARY, CANARY)
        region.get(CANARY)
        InstanceEvent().wait(CANARY)

    return work


def test_a_run_of_all_hooks_keeps_no_secret(hooks, tmp_path, caplog, capsys):
    """In records, dumps, metrics, log lines and what commands print."""
    caplog.set_level(logging.DEBUG, "nova_profiler")
    metrics: list[str] = []
    dumps = tmp_path / "dumps"
    work = work_of(hooks)
    work.cache = str(tmp_path / "cache")
    profiled = Profiled(
        during(work),
        StatsdSink(metrics.append, "nova", "nova-api"),
        StatsdSink(metrics.append, "nova", "nova-api", "dogstatsd"),
        JsonFileSink(str(tmp_path / "requests.jsonl")),
        DumpSink(DumpStore(dumps)),
        RequestLogSink(lambda record: True),
        CallLogSink(),
        dump_dir=str(dumps),
        dump_when=("all",),
        log_calls=True,
    )
    profiled.get()
    for command in ("show --last", "show --last --json", "calls", "list"):
        assert main([*command.split(), "--dump-dir", str(dumps)]) == 0
    texts = [
        *metrics,
        *caplog.messages,
        capsys.readouterr().out,
        repr(profiled.record),
        *(
            file.read_text()
            for file in [tmp_path / "requests.jsonl", *_files_in(dumps)]
        ),
    ]

    assert profiled.failures.counts() == {}
    assert set(profiled.record.groups) == {
        "http", "identity", "cache", "event",
    }  # fmt: skip
    # Metrics' names have their own spelling.
    assert [text for text in texts if CANARY in text.lower()] == []


def _files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
