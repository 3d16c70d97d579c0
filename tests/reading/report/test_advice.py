# SPDX-License-Identifier: Apache-2.0
"""What `report` and `calls` advise, from lines and dumps of our own."""

from __future__ import annotations

import json

import pytest
from builders import numbered, written

from nova_profiler.cli import main
from nova_profiler.reading.advice.page import ADVICE_HEADING
from nova_profiler.record import CallTotals, GroupTotals, RequestRecord

PORTS = "network GET /v2.0/ports"
SENTENCE = (
    f"in each of 12 requests waiting for neutron is the largest part ({PORTS} "
    f"60.0 ms in one of them): an answer in no time saves at most 60.0 ms a "
    f"request, 60.0 %"
)


def waiting(number: int) -> RequestRecord:
    """Return a request of 100 ms that waited 60 ms for neutron."""
    return numbered(
        number,
        route="/v2.1/servers/detail",
        duration_ms=100.0,
        breakdown_ms={"http": 60.0, "python": 40.0},
        groups={"http": GroupTotals(1, 60.0, 60.0)},
        calls=[CallTotals("http", PORTS, 1, 60.0, 60.0)],
    )


@pytest.fixture
def log_file(tmp_path):
    path = tmp_path / "requests.json"
    records = [*map(waiting, range(12)), *map(numbered, range(20, 32))]
    path.write_text(
        "".join(json.dumps(one.to_dict()) + "\n" for one in records)
    )
    return path


def test_the_report_begins_with_it(log_file, capsys, monkeypatch):
    """With the route, before the tables, which are long."""
    monkeypatch.setenv("COLUMNS", "400")

    assert main(["report", str(log_file)]) == 0

    lines = capsys.readouterr().out.splitlines()
    at = lines.index(ADVICE_HEADING)
    assert at < 8
    advised = " ".join(" ".join(lines[at + 1 : at + 4]).split())
    assert advised.startswith(f"GET /v2.1/servers/detail: {SENTENCE}")


@pytest.mark.parametrize("form", ["markdown", "html"])
def test_pages_for_others_have_it(log_file, capsys, form):
    assert main(["report", "--format", form, str(log_file)]) == 0

    shown = capsys.readouterr().out
    assert ADVICE_HEADING in shown
    assert "waiting for neutron is the largest part" in shown


def test_the_report_as_json_has_all(log_file, capsys):
    """Each with its rule, route and bound."""
    assert main(["report", "--json", str(log_file)]) == 0

    assert json.loads(capsys.readouterr().out)["advice"] == [
        {
            "rule": "slow_service",
            "route": "GET /v2.1/servers/detail",
            "text": SENTENCE,
            "saves_at_most_ms": 60.0,
            "share": 0.6,
            "requests": 12,
            "of_requests": 12,
        }
    ]


def test_lines_of_others_are_no_evidence(tmp_path, capsys):
    """They do not say what a request waited for."""
    log = tmp_path / "nova-api.log"
    log.write_text(
        "2026-11-21 10:35:02.001 1 INFO nova.api.openstack.requestlog "
        "[req-6ec84648-1f0d-4f2c-9a53-6cc2b5e0b7aa demo demo] 192.0.2.7 "
        '"GET /v2.1/servers" status: 200 len: 15 microversion: 2.1 '
        "time: 9.084210\n"
    )

    assert main(["report", "--json", str(log)]) == 0
    assert json.loads(capsys.readouterr().out)["advice"] == []
    assert main(["report", str(log)]) == 0
    assert ADVICE_HEADING not in capsys.readouterr().out


def test_a_damaged_call_does_not_lose_its_line(tmp_path, capsys):
    """Figures do not need it; advice says what is largest without it."""
    fields = waiting(1).to_dict()
    path = tmp_path / "requests.json"
    with path.open("w") as log:
        for calls in (None, 7, ["x"], [{"group": "http"}], [{"group": {}}]):
            log.write(json.dumps({**fields, "calls": calls}) + "\n")

    assert main(["report", "--json", str(path)]) == 0

    shown = json.loads(capsys.readouterr().out)
    assert shown["total"]["calls"] == 5
    (row,) = shown["advice"]
    assert (row["rule"], row["saves_at_most_ms"]) == ("largest_part", 60.0)


def test_calls_begin_with_it(log_file, tmp_path, capsys):
    """Whatever group is asked for; of dumps with what only they have."""
    dumps = tmp_path / "dumps"
    written(dumps, *map(waiting, range(12)))

    for args in ([str(log_file)], ["--dump-dir", str(dumps)]):
        assert main(["calls", "--by", "http", *args]) == 0
        assert capsys.readouterr().out.startswith(ADVICE_HEADING)
        assert main(["calls", "--json", *args]) == 0
        (first, *_) = json.loads(capsys.readouterr().out)["routes"]
        assert [one["text"] for one in first["advice"]] == [SENTENCE]
