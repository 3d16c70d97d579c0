# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler size``: what it reads, what it prints, what it refuses."""

from __future__ import annotations

import json

import pytest
from builders import numbered, record, written

from nova_profiler.capture.sinks.json_file import line_of
from nova_profiler.cli import main
from nova_profiler.dump_store import DumpStore


@pytest.fixture
def log(tmp_path):
    """Return a file with a request a second, a hundred of them."""
    path = tmp_path / "requests.json"
    path.write_text("".join(line_of(numbered(n)) for n in range(101)))
    return path


def figures(capsys, *words) -> dict:
    assert main(["size", *map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_bytes_of_lines_are_those_of_the_file(capsys, log):
    """At one a second, a second's bytes are those of a record."""
    (api,) = figures(
        capsys, log, "--processes", "nova-api=7", "--rate", "nova-api=1"
    )["services"]

    assert api["service"] == "nova-api"
    assert api["processes"] == 7
    assert api["line_bytes"] == pytest.approx(log.stat().st_size / 101)
    assert api["metric_lines"] == 1


def test_without_a_rate_it_is_that_of_the_file(capsys, log):
    """Two hundred processes as that one."""
    (api,) = figures(capsys, log, "--processes", "nova-api=200")["services"]

    assert api["records"] == pytest.approx(101 / 100 * 200)


def test_the_page_has_a_table_for_each_way(capsys, log, tmp_path):
    """Lines, metrics and, where some were given, dumps."""
    written(tmp_path / "dumps", record(duration_ms=1500.0))

    code = main(["size", str(log), "--dump-dir", str(tmp_path / "dumps")])
    shown = capsys.readouterr().out

    assert code == 0
    assert "nova-api: measured on 101 records of 1 process in 100 s" in shown
    assert "Lines of log_file" in shown
    assert "Metrics to statsd" in shown
    assert "Dumps of what takes 1000 ms or fails" in shown


def test_dumps_alone_do(capsys, tmp_path):
    """And a line has that they may be the slow ones."""
    written(tmp_path, *(numbered(n, duration_ms=1500.0) for n in range(5)))

    assert main(["size", "--dump-dir", str(tmp_path)]) == 0

    shown = capsys.readouterr().out
    assert "measured on 5 records" in shown
    assert "of dumps" in shown.splitlines()[-1]


def test_a_dump_that_is_pruned_meanwhile_is_left_out(
    capsys, tmp_path, monkeypatch
):
    """By nova-api, which goes on."""
    written(tmp_path, *(numbered(n, duration_ms=1500.0) for n in range(2)))
    read = DumpStore.read

    def read_at_last(self, entry):
        found = read(self, entry)
        if found.request_id == numbered(0).request_id:
            entry.path.unlink()
        return found

    monkeypatch.setattr(DumpStore, "read", read_at_last)

    assert main(["size", "--dump-dir", str(tmp_path)]) == 0

    shown = capsys.readouterr()
    assert "measured on 1 record of" in shown.out
    assert "is gone by now" in shown.err


def test_a_cut_is_named(capsys, log):
    """--limit leaves records out, and both forms have it."""
    assert main(["size", str(log), "--limit", "10"]) == 0
    shown = capsys.readouterr().out
    cut = figures(capsys, log, "--limit", "10")

    assert "the first 10 records; " in shown
    assert main(["size", str(log), "--limit", "1"]) == 0
    assert "the first record; " in capsys.readouterr().out
    assert cut["is_whole"] is False
    assert figures(capsys, log)["is_whole"] is True


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "give what the option log_file wrote, or --dump-dir"),
        (["LOG", "--processes", "200"], "expected SERVICE=NUMBER"),
        (["LOG", "--processes", "=200"], "expected SERVICE=NUMBER"),
        (["LOG", "--processes", "nova-api=-1"], "'--processes'"),
        (["LOG", "--rate", "nova-api=inf"], "'--rate'"),
        (
            ["LOG", "--rate", "nova-apl=5"],
            "no record of nova-apl in these files; they have those of nova",
        ),
    ],
)
def test_what_is_wrong_is_one_line(capsys, log, words, message):
    """With what to write instead."""
    code = main(["size", *(str(log) if w == "LOG" else w for w in words)])

    error = capsys.readouterr().err
    assert code == 2
    assert message in error
    assert error.count("\n") == 1


def test_a_file_without_records_is_named(capsys, tmp_path):
    """nova's own log has requests, and no records."""
    path = tmp_path / "nova-api.log"
    path.write_text("hello\n" * 3)

    assert main(["size", str(path)]) == 2

    assert "no record" in capsys.readouterr().err
