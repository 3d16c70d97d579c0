# SPDX-License-Identifier: Apache-2.0
"""The option --timezone: logs of hosts that write their local time."""

from __future__ import annotations

import json

import pytest
from run_builders import entry, log_text

from nova_profiler.cli import main

REQUEST = "req-00000000-0000-4000-8000-000000000000"


@pytest.fixture
def log(tmp_path):
    """Return a log whose only request ended after ten, by its host's clock."""
    path = tmp_path / "n-api.log"
    path.write_text(log_text([entry(5.0)]).replace("10:00:", "10:10:"))
    return str(path)


@pytest.mark.parametrize(
    ("zone", "hour"),
    [
        ("UTC", "10"), ("+02:00", "08"), ("-0300", "13"), ("+01", "09"),
        ("Europe/Berlin", "09"), ("Asia/Kolkata", "04"),
    ],
)  # fmt: skip
def test_times_are_shown_in_utc(
    capsys, log, tmp_path, monkeypatch, zone, hour
):
    """By all commands that read logs."""
    monkeypatch.setenv("NOVA_PROFILER_HISTORY", str(tmp_path / "history"))
    more = [log, "--timezone", zone, "--json"]

    assert main(["report", "--by", "hour", *more]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert main(["follow", REQUEST, *more]) == 0
    followed = json.loads(capsys.readouterr().out)
    assert main(["history", "add", "night", *more]) == 0
    run = json.loads(capsys.readouterr().out)

    assert row["hour"] == f"2026-11-21 {hour}:00"
    assert followed["rows"][0]["at"][11:13] == hour
    assert run["first_at"][11:13] == hour


@pytest.mark.parametrize(
    "zone", ["", "Berlin", "+25:00", "../etc/passwd", "+2", "\x1b[2J", "a\0b"]
)
def test_what_is_no_zone(capsys, log, zone):
    """One line that says what is expected; nothing hostile is shown."""
    assert main(["report", log, "--timezone", zone]) == 2

    error = capsys.readouterr().err
    assert "expected a zone such as Europe/Berlin" in error
    assert "\x1b" not in error
