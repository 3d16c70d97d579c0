# SPDX-License-Identifier: Apache-2.0
"""What the sink sends is what the mapping names, with the same labels."""

from __future__ import annotations

import fnmatch

import pytest
import yaml
from builders import record

from nova_profiler.capture.calls import Calls
from nova_profiler.capture.sinks.statsd_sink import StatsdSink
from nova_profiler.groups import GROUPS
from nova_profiler.reading.metrics import statsd_exporter
from nova_profiler.record import CallTotals, GroupTotals


def matched(rules, name):
    """Return name and labels as the exporter's glob rules give them."""
    words = name.split(".")
    for rule in rules:
        wanted = rule["match"].split(".")
        if len(wanted) == len(words) and all(
            fnmatch.fnmatchcase(word, star)
            for word, star in zip(words, wanted, strict=True)
        ):
            taken = [
                word
                for word, star in zip(words, wanted, strict=True)
                if star == "*"
            ]
            labels = {
                label: taken[int(place[1:]) - 1]
                for label, place in rule.get("labels", {}).items()
            }
            return rule["name"], labels
    return None


def sent(labels):
    """Return the lines of a request and a message with calls of each group."""
    datagrams = []
    sink = StatsdSink(
        *(datagrams.append, "nova", "nova-api"),
        labels=labels,
        news=lambda: {"dump_lock": 1},
    )
    calls = Calls()
    calls += [(0.0, 0.25, 0)]
    names = {
        group.name: " ".join(f"a{n}" for n, _ in enumerate(group.metric))
        or group.name
        for group in GROUPS
    }
    sink.emit(
        record(
            groups={
                name: GroupTotals(calls=1, ms=2.0, wall_ms=2.0)
                for name in names
            },
            calls=[
                CallTotals(group.name, names[group.name], 1, 2.0, 2.0, 0)
                for group in GROUPS
                if group.metric
            ],
        )
    )
    sink.add_up("message", "rpc conductor Instance.save", 8.0, 2.0, [])
    return [line for one in datagrams for line in one.split("\n")]


@pytest.fixture
def rules():
    return yaml.safe_load(statsd_exporter.text("nova"))["mappings"]


def test_names_with_dots_become_labels(rules):
    """Every word behind the name is a label, and the service is one."""
    found = {matched(rules, line.split(":")[0])[0] for line in sent("none")}

    assert len(found) == len(GROUPS) + 4
    assert matched(rules, "nova.nova-api.request.v2_1_servers.GET.200") == (
        "nova_profiler_request_seconds",
        {
            "service": "nova-api",
            "route": "v2_1_servers",
            "method": "GET",
            "status": "200",
        },
    )
    assert matched(rules, "nova.nova-api.profiler.dump_lock") == (
        "nova_profiler_profiler_total",
        {"service": "nova-api", "what": "dump_lock"},
    )


def test_labelled_names_become_the_same_metrics(rules):
    """Their labels are read by the exporter itself."""
    with_dots = {
        matched(rules, line.split(":")[0])[0] for line in sent("none")
    }
    labelled = {
        matched(rules, line.split(":")[0])[0] for line in sent("dogstatsd")
    }

    assert labelled == with_dots


def test_no_two_rules_take_the_same_name(rules):
    """The first rule that fits wins: each must be the only one."""
    for line in sent("none"):
        name = line.split(":")[0]
        fits = [rule for rule in rules if matched([rule], name)]
        assert len(fits) == 1, name


def test_a_prefix_with_dots_is_part_of_the_name():
    """As statsd_prefix may have them."""
    rules = yaml.safe_load(statsd_exporter.text("a.b"))["mappings"]

    assert matched(rules, "a.b.nova-api.sql.SELECT.instances") == (
        "nova_profiler_sql_seconds",
        {"service": "nova-api", "verb": "SELECT", "table": "instances"},
    )
    assert matched(rules, "nova.nova-api.sql.SELECT.instances") is None
