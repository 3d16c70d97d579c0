# SPDX-License-Identifier: Apache-2.0
"""What rally's users did, in its report and in its older results."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.cli import main
from nova_profiler.reading.logs import Unread, entries_of
from nova_profiler.reading.logs.files.rally_results import is_rally, lines_of
from nova_profiler.reading.logs.files.recoding import packing_of
from nova_profiler.reading.logs.forms import BAD_RECORD, NO_TIME

# 2026-03-04T08:00:00Z
BEGAN = 1772611200.0
ITERATIONS = [
    {
        "timestamp": BEGAN,
        "duration": 8.75,
        "idle_duration": 0.5,
        "error": [],
        "output": {"additive": [], "complete": []},
        "atomic_actions": [
            {
                "name": "nova.boot_server",
                "started_at": BEGAN,
                "finished_at": BEGAN + 6.25,
                # Part of its parent: its time counts once.
                "children": [
                    {
                        "name": "nova.get_server",
                        "started_at": BEGAN + 1,
                        "finished_at": BEGAN + 1.5,
                        "children": [],
                    }
                ],
            },
            {
                "name": "nova.delete_server",
                "started_at": BEGAN + 6.5,
                "finished_at": BEGAN + 8.75,
                "children": [],
            },
        ],
    },
    {
        "timestamp": BEGAN + 10,
        "duration": 30.5,
        "error": ["TimeoutException", "Timed out {waiting", "Traceback ["],
        "atomic_actions": [
            {
                "name": "neutron.create_network",
                "started_at": BEGAN + 10,
                "finished_at": BEGAN + 10.5,
                "children": [],
            },
            {
                "name": "nova.boot_server",
                "started_at": BEGAN + 10.5,
                "finished_at": BEGAN + 40.5,
                "children": [],
                "failed": True,
            },
        ],
    },
]
REPORT = {
    "info": {"rally_version": "3.4.0", "format_version": "1.2"},
    "tasks": [
        {
            "uuid": "x",
            "subtasks": [
                {
                    "title": "boot",
                    "workloads": [
                        {
                            "runner": {"constant": {"times": 2}},
                            "hooks": [{"config": {}, "results": []}],
                            "scenario": {"NovaServers.boot_server": {}},
                            "statistics": {"durations": {"atomics": [{}]}},
                            "data": ITERATIONS,
                            "contexts_results": [{"plugin_name": "users"}],
                            "sla_results": {"sla": [{"success": True}]},
                        }
                    ],
                }
            ],
        }
    ],
}
OLD = [
    {
        "key": {"name": "NovaServers.boot", "kw": {"runner": {"times": 2}}},
        "result": [
            {
                "timestamp": BEGAN,
                "error": [],
                "atomic_actions": {
                    "nova.boot_server": 6.25,
                    "nova.boot_server (2)": 2.25,
                },
            },
            {
                "timestamp": BEGAN + 10,
                "error": ["x", "y", "z"],
                "atomic_actions": {
                    "glance_v2.create_image": 0.5,
                    "nova.boot_server": None,
                },
            },
        ],
        "hooks": [{"config": {}}],
        "sla": [{"success": True}],
    }
]


def calls(tmp_path, text, unread=None):
    """Return service, name, status, ms and end of each action of a file."""
    path = tmp_path / "rally.json"
    path.write_text(text)
    return [
        (one.service, one.method, one.route, one.status, one.ms, one.at)
        for one in entries_of([str(path)], unread or Unread())
    ]


@pytest.mark.parametrize("indent", [4, None])
def test_the_report_of_a_task(tmp_path, indent):
    """Each outermost action once, with its own end; a failed one is told."""
    found = calls(tmp_path, json.dumps(REPORT, indent=indent))

    assert found == [
        ("nova-api", "rally", "nova.boot_server", 0, 6250.0, BEGAN + 6.25),
        ("nova-api", "rally", "nova.delete_server", 0, 2250.0, BEGAN + 8.75),
        ("neutron-server", "rally", "neutron.create_network", 0, 500.0,
         BEGAN + 10.5),
        ("nova-api", "rally", "nova.boot_server", 500, 30000.0, BEGAN + 40.5),
    ]  # fmt: skip


def test_older_results(tmp_path):
    """Durations alone: one without a value has no time."""
    unread = Unread()

    found = calls(tmp_path, json.dumps(OLD, indent=4), unread)

    assert found == [
        ("nova-api", "rally", "nova.boot_server", 0, 6250.0, BEGAN + 6.25),
        ("nova-api", "rally", "nova.boot_server", 0, 2250.0, BEGAN + 8.5),
        ("glance-api", "rally", "glance_v2.create_image", 0, 500.0,
         BEGAN + 10.5),
    ]  # fmt: skip
    assert [tuple(kind)[:2] for kind in unread] == [(NO_TIME, 1)]


def test_a_result_that_was_cut(tmp_path):
    """What was whole is read, the rest is a damaged record."""
    unread = Unread()
    text = json.dumps(REPORT, indent=4)

    found = calls(tmp_path, text[: text.index('"Timed out')], unread)

    assert [call[2] for call in found] == [
        "nova.boot_server", "nova.delete_server",
    ]  # fmt: skip
    assert [tuple(kind)[:2] for kind in unread] == [(BAD_RECORD, 1)]


def test_other_json_is_not_rallys():
    """Exports of collectors have packings of their own."""
    assert packing_of(b'[{"message": "x", "runner": 1}]') == "spread"
    assert packing_of(json.dumps(REPORT, indent=4).encode()) == "rally"
    assert packing_of(json.dumps(OLD).encode()) == "rally"
    assert not is_rally(b'{"info": {"name": "total"}}')


def test_the_report_names_actions(tmp_path, capsys):
    """In the place of method and route."""
    path = tmp_path / "rally.json"
    path.write_text(json.dumps(REPORT, indent=4))

    assert main(["report", str(path)]) == 0

    shown = capsys.readouterr().out
    assert "2 of 4 calls" not in shown
    assert "rally   nova.boot_server" in shown


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
KEYS = st.sampled_from(
    ["name", "started_at", "finished_at", "failed", "error", "timestamp"]
)
ACTIONS = st.lists(st.dictionaries(KEYS, VALUES)) | st.dictionaries(
    st.text(), VALUES
)


@given(actions=ACTIONS | VALUES, rest=st.dictionaries(KEYS, VALUES))
def test_any_iteration_makes_lines_or_none(actions, rest):
    """Whatever stands in it: no name breaks a line, no number is refused."""
    record = json.dumps({"atomic_actions": actions, **rest}).encode()

    for line in lines_of(record):
        assert line.endswith(b" s\n") or line.endswith(b" s failed\n")
        assert line.count(b"\n") == 1
