# SPDX-License-Identifier: Apache-2.0
"""The command prints whole files, each with the names of its own form.

Those that no program here reads are looked at by their structure alone.
"""

from __future__ import annotations

import json
import re

import pytest
import yaml

from nova_profiler.cli import main
from nova_profiler.reading.shipping.columns import IDS, LABELS, columns
from nova_profiler.reading.shipping.command import SHIPPERS
from nova_profiler.reading.shipping.plan import NAME, STREAM, Plan

LOG = "/var/log/kolla/nova/profiler.jsonl"
# The most fields that an index has where nothing else is set.
MOST_FIELDS = 1000
PAIRS = {"(": ")", "[": "]", "{": "}"}


@pytest.fixture
def printed(capsys):
    """Return the function that prints a form's file."""

    def text(form, *options):
        assert main(["shipper", form, "--log-file", LOG, *options]) == 0
        return capsys.readouterr().out

    return text


def unclosed(text, comment):
    """Return the brackets of *text* that have no partner."""
    text = re.sub(r'"(?:[^"\\]|\\.)*"', "", text)
    text = re.sub(rf"(?m){comment}.*$", "", text)
    open_ones = []
    for sign in text:
        if sign in PAIRS:
            open_ones.append(PAIRS[sign])
        elif sign in PAIRS.values() and (
            not open_ones or open_ones.pop() != sign
        ):
            return [sign]
    return open_ones


@pytest.mark.parametrize("form", SHIPPERS)
def test_each_form_is_a_whole_file(form, printed):
    """No place is left unfilled, and it ends with a line."""
    text = printed(form)

    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert not re.search(r"\{(?!\")[a-z_]+\}", text)
    assert max(map(len, text.splitlines())) < 200
    if form != "opensearch":
        assert LOG in text


def test_vector_takes_lines_apart_and_sends_them_on():
    """Its parts lead to each other, and the last one to our table."""
    parts = yaml.safe_load(SHIPPERS["vector"].text(plan()))
    (source,) = parts["sources"].items()
    (transform,) = parts["transforms"].items()
    (sink,) = parts["sinks"].values()

    assert source[1]["include"] == [LOG]
    assert transform[1]["inputs"] == [source[0]]
    assert "parse_json!" in transform[1]["source"]
    assert sink["inputs"] == [transform[0]]
    assert sink["table"] == NAME


def test_vectors_other_end_is_our_data_stream():
    """What is commented out is YAML, too, once it is not."""
    text = SHIPPERS["vector"].text(plan())
    start = text.index("  # nova_profiler_opensearch:")
    other = yaml.safe_load(re.sub(r"(?m)^  # ", "", text[start:]))

    stream = other["nova_profiler_opensearch"]["data_stream"]
    assert "-".join(stream.values()) == STREAM


@pytest.mark.parametrize(
    ("form", "comment"), [("logstash", "#"), ("alloy", "//"), ("rsyslog", "#")]
)
def test_every_bracket_has_its_partner(form, comment, printed):
    """In the forms that are made of blocks."""
    assert unclosed(printed(form), comment) == []


def test_fluentd_closes_what_it_opens(printed):
    """Its blocks are tags, and the tag of records leads to the stream."""
    text = printed("fluentd")
    stack = []
    for is_end, name in re.findall(r"(?m)^ *<(/?)([a-z]+)", text):
        if is_end:
            assert stack.pop() == name
        else:
            stack.append(name)

    assert stack == []
    (tag,) = re.findall(r"(?m)^  tag (\S+)$", text)
    assert f"<match {tag}>" in text
    assert f"data_stream_name {STREAM}\n" in text


def test_alloys_labels_have_few_values(printed):
    """A label is a stream of its own: no id is one."""
    text = printed("alloy")
    labels = re.search(r"stage\.labels \{(.*?)\n  \}", text, re.S)[1]
    metadata = re.search(
        r"stage\.structured_metadata \{(.*?)\n  \}", text, re.S
    )
    taken = re.search(r"stage\.json \{(.*?)\n  \}", text, re.S)[1]

    def names(block):
        return set(re.findall(r"(?m)^      (\w+) +=", block))

    assert names(labels) == set(LABELS)
    assert set(IDS) <= names(metadata[1])
    assert names(labels) | names(metadata[1]) <= names(taken)
    assert names(taken) <= {one.name for one in columns()}


def test_opensearch_maps_each_field_and_no_more(printed):
    """A value of a client makes no field, and there is room for ours."""
    template = json.loads(printed("opensearch"))
    mappings = template["template"]["mappings"]
    fields = mappings["properties"]

    assert template["index_patterns"] == ["logs-nova_profiler-*"]
    assert template["data_stream"] == {}
    assert mappings["dynamic"] is False
    assert list(fields) == [one.name for one in columns()]
    assert fields["@timestamp"] == {"type": "date"}
    assert fields["calls"]["type"] == "nested"
    assert fields["groups"]["properties"]["sql"]["properties"]["ms"] == {
        "type": "double"
    }
    assert json.dumps(fields).count('"type"') < MOST_FIELDS


def test_clickhouse_sorts_and_forgets(printed):
    """With as many days as are asked for."""
    text = printed("clickhouse", "--days", "90")

    assert "ORDER BY (service, route, method, started_at)" in text
    assert "INTERVAL 90 DAY" in text
    assert "`calls` Array(Tuple(`group` " in text


@pytest.mark.parametrize(
    "path", ["profiler.jsonl", '/var/log/a"b', "/var/log/a\nb", "/a b", "/{x}"]
)
def test_a_path_that_could_end_a_string_is_refused(path, capsys):
    """In one line, with what is expected."""
    assert main(["shipper", "rsyslog", "--log-file", path]) == 2

    error = capsys.readouterr().err
    assert "expected a whole path" in error
    assert error.count("\n") == 1


def test_the_help_names_each_form(capsys):
    """With what it is."""
    main(["shipper", "--help"])
    text = " ".join(capsys.readouterr().out.split())

    for name, shipper in SHIPPERS.items():
        assert f"{name} {shipper.meaning}" in text


def plan():
    """Return the plan of a log file of kolla."""
    return Plan(LOG, 30)


@pytest.mark.parametrize("command", ["calls", "size", "shipper"])
def test_the_log_file_has_one_name_in_examples(command, capsys):
    """What one command configures another reads by the same name."""
    assert main([command, "--help"]) == 0

    assert "/var/log/nova/profiler.jsonl" in capsys.readouterr().out
