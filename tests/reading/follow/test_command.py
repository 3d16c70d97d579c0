# SPDX-License-Identifier: Apache-2.0
"""`nova-profiler follow`: the page, its other shapes, and bad input."""

from __future__ import annotations

import io
import json

import pytest
from followed import GLOBAL, REQUEST, bare, found, line, rebuild, written
from places import ROOT
from rich.console import Console

from nova_profiler.cli import main
from nova_profiler.reading.follow.page import print_story
from nova_profiler.reading.follow.story import story_of

ESCAPE = "\x1b]0;owned\x07\x1b[2J"


@pytest.fixture
def logs(tmp_path) -> str:
    return str(written(tmp_path / "logs", rebuild()))


def page(capsys, *args: str) -> str:
    assert main(["follow", *args]) == 0
    return capsys.readouterr().out


def test_the_page(capsys, logs):
    """Every line with its time, the gap, and the service that held it."""
    shown = page(capsys, REQUEST, logs)

    assert shown.splitlines()[0] == (
        f"POST /v2.1/servers/{{id}}/action 202 3200.0 ms   {REQUEST}"
    )
    lines = [text.split("  ", 1) for text in shown.splitlines()]
    assert [
        "00:53:52.600",
        "nova-api      Action: 'action', calling rebuild",
    ] in lines
    assert "3000.0  ████████████████████ ms nova-api  the largest gap" in shown
    assert "Largest gap: 3000.0 ms in nova-api, after: Action:" in shown
    assert "nova-api                            3100.0  93.4 %" in shown


def test_the_page_in_the_manual_is_real(capsys, logs, monkeypatch):
    """What the manual shows is what the command prints."""
    monkeypatch.setenv("COLUMNS", "79")
    manual = (ROOT / "doc" / "source" / "following.rst").read_text()

    shown = page(capsys, "6ec84648", logs)

    block = "\n".join(f"    {text}".rstrip() for text in shown.splitlines())
    assert block in manual


def test_messages_are_whole_in_a_pipe(capsys, tmp_path):
    """What reads a pipe wants all of a line, on one line."""
    written(tmp_path, {"a.log": [line("00:01:00.000", "x" * 500)]})

    assert "x" * 500 in page(capsys, REQUEST, str(tmp_path)).splitlines()[4]


def test_messages_are_cut_on_a_terminal(logs):
    """There a line of the log is a line of the page, unless asked for."""
    story = story_of(found(logs))
    console = Console(
        width=60, force_terminal=True, record=True, file=io.StringIO()
    )

    print_story(console, story, whole=False)

    shown = console.export_text()
    assert "topic 'compute.host1'" not in shown
    assert max(map(len, shown.splitlines())) <= 60


def test_a_traceback_is_shown_with_its_line(capsys, tmp_path):
    """All of it in a pipe; its middle is left out on a terminal."""
    logger = "nova.compute.manager"
    written(
        tmp_path,
        {
            "nova-compute.log": [
                line("00:01:00.0", "failed", logger=logger, level="ERROR"),
                bare("00:01:00.0", "Traceback", logger=logger),
                bare("00:01:00.0", "ValueError: 7", logger=logger),
                "unlucky",
            ]
        },
    )

    shown = page(capsys, REQUEST, str(tmp_path)).splitlines()

    first = shown.index("00:01:00.000  nova-compute  ERROR failed")
    assert [text.strip() for text in shown[first + 1 : first + 4]] == [
        "Traceback",
        "ValueError: 7",
        "unlucky",
    ]


def test_what_belongs_to_the_request_is_named(capsys, tmp_path):
    """The ids that were searched for as well."""
    ids = f"{GLOBAL} {REQUEST}"
    written(tmp_path, {"a.log": [line("00:01:00.000", "hello", ids=ids)]})

    assert f"with {GLOBAL}" in page(capsys, REQUEST, str(tmp_path))


def test_the_middle_of_a_long_traceback(tmp_path):
    """On a terminal its end is seen, which says more."""
    frames = [f"frame {number}" for number in range(100)]
    written(tmp_path, {"a.log": [line("00:01:00.000", "failed"), *frames]})
    story = story_of(found(tmp_path))
    cut = Console(width=60, file=io.StringIO())
    whole = Console(width=60, file=io.StringIO())

    print_story(cut, story, whole=False)
    print_story(whole, story, whole=True)

    assert "... 40 lines" in cut.file.getvalue()
    assert "frame 99" in cut.file.getvalue()
    assert "frame 50\n" not in cut.file.getvalue()
    assert whole.file.getvalue().count("frame") == 100


def test_a_message_has_no_style_of_its_neighbours(logs):
    """Only the time is faint and only the length of a gap is bold."""
    output = io.StringIO()
    console = Console(
        width=90, force_terminal=True, color_system="standard", file=output
    )

    print_story(console, story_of(found(logs)), whole=False)

    assert "\x1b[0m  Rebuilding instance\n" in output.getvalue()
    assert "\x1b[1m      3000.0  \x1b[0m\x1b[36m" in output.getvalue()


def test_a_terminal_without_unicode(logs):
    """Bars and arrows of ASCII."""
    output = io.TextIOWrapper(io.BytesIO(), encoding="ascii")

    print_story(
        Console(file=output, width=100), story_of(found(logs)), whole=True
    )

    output.seek(0)
    shown = output.read()
    assert "between, nova-compute -> nova-api" in shown
    assert "####" in shown


def test_help_has_an_example(capsys):
    """As every command's."""
    shown = page(capsys, "--help")

    assert "\n  nova-profiler follow req-" in shown
    assert "--json" in shown


def test_json(capsys, logs):
    """Both ways to ask for it give the same."""
    figures = json.loads(page(capsys, REQUEST, logs, "--json"))

    assert figures["request_id"] == REQUEST
    assert figures["unread"] == []
    again = json.loads(page(capsys, REQUEST, logs, "--format", "json"))
    assert again == figures


def test_markdown(capsys, logs):
    """To be put into a bug report."""
    shown = page(capsys, REQUEST[4:], logs, "--format", "markdown")

    assert shown.startswith(f"## `{REQUEST}`\n")
    assert "| nova-api | 3100.0 | 93.4 % | 3 |" in shown
    assert shown.count("```") == 2
    assert "    3000.0 ms nova-api\n" in shown


def test_stream_prints_lines_as_they_are_found(capsys, logs):
    """Before the page, in the order in which they were read."""
    shown = page(capsys, REQUEST, logs, "--stream").splitlines()

    assert shown[0] == (
        "2026-11-21T00:53:52.600 nova-api Action: 'action', calling rebuild"
    )
    assert (
        len(
            shown[
                : shown.index(
                    next(s for s in shown if "POST /v2.1/servers/{id}" in s)
                )
            ]
        )
        == 6
    )


def test_gaps_from_a_length_on(capsys, logs):
    """--gap says which are worth a line."""
    assert page(capsys, REQUEST, logs, "--gap", "100000").count("██ ms") == 0
    assert " ms nova-compute" in page(capsys, REQUEST, logs, "--gap", "10")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (
            ["req-00000000", "LOGS"],
            "req-00000000 is in none of the logs that were searched: 2 files",
        ),
        (["req-", "LOGS"], "expected a request id or the first 4 or more"),
        (["\x1b[2Jabcd", "LOGS"], "expected a request id"),
        ([REQUEST], "Missing argument 'LOG...'"),
    ],
)
def test_errors_are_one_line(capsys, logs, args, message):
    """Exit code 2, and what was searched."""
    args = [logs if one == "LOGS" else one for one in args]

    assert main(["follow", *args]) == 2

    shown = capsys.readouterr()
    assert shown.out == ""
    assert len(shown.err.splitlines()) == 1
    assert message in shown.err
    assert "\x1b" not in shown.err


def test_what_cannot_be_read_is_named(capsys, tmp_path, logs):
    """Missing, binary and unreadable; the rest is right."""
    (tmp_path / "core").write_bytes(b"\x7fELF\0\0" + REQUEST.encode())

    code = main(
        ["follow", REQUEST, logs, str(tmp_path / "core"), "no\x1b[2J.log"]
    )

    shown = capsys.readouterr()
    assert code == 0
    assert "Which service held the time" in shown.out
    assert (
        "skipped: no such file: no\N{REPLACEMENT CHARACTER}[2J.log"
        in shown.err
    )
    assert f"skipped: binary file: {tmp_path / 'core'}" in shown.err


@pytest.mark.parametrize("shape", ["text", "markdown"])
def test_hostile_text_never_reaches_the_terminal(capsys, tmp_path, shape):
    """Not from a message, a traceback, a logger or a file's name."""
    written(
        tmp_path,
        {
            "nova-\x1b[2Japi.log": [
                line("00:01:00.000", f"{ESCAPE} ``` | <b>", level="ERROR"),
                f"traceback {ESCAPE}",
                line("00:01:05.000", f"end {ESCAPE}"),
            ]
        },
    )

    shown = page(capsys, REQUEST, str(tmp_path), "--stream", "--format", shape)

    assert "\x1b" not in shown
    assert "\x07" not in shown
    if shape == "markdown":
        assert shown.count("```") == 2


def test_a_line_of_ten_megabytes(capsys, tmp_path, logs):
    """It is counted; the others are found."""
    huge = line("00:53:53.000", "x" * 10_000_000)
    (tmp_path / "logs" / "huge.log").write_text(
        f"{huge}\n{line('00:53:54.000', 'after the huge one')}\n"
    )

    assert main(["follow", REQUEST, logs]) == 0

    shown = capsys.readouterr()
    assert "after the huge one" in shown.out
    assert "skipped: line longer than 1 MiB: " in shown.err
    assert max(map(len, shown.out.splitlines())) < 20_000


def test_progress_on_a_terminal(capsys, logs, monkeypatch):
    """A person who watches sees what was found so far; nothing remains."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")

    assert main(["follow", REQUEST, logs]) == 0

    shown = capsys.readouterr()
    assert "found 6 lines in 2 files" in shown.err
    assert "Which service held the time" in shown.out
    assert "found 6 lines" not in shown.out
