# SPDX-License-Identifier: Apache-2.0
"""`nova-profiler export`: from which profiles, to which file."""

from __future__ import annotations

import io
import json
import marshal
import sys
from pathlib import Path

import pytest
from builders import slow_rebuild, written
from profile_builders import (
    rebuild_samples,
    rebuild_stats,
    write_session,
    write_stats,
)

from nova_profiler.cli import main
from nova_profiler.errors import NovaProfilerError
from nova_profiler.reading.code import export_command


@pytest.fixture
def dump(tmp_path, monkeypatch):
    """A dump with samples, and the current directory elsewhere."""
    record = slow_rebuild()
    record.profile = {"engine": "pyinstrument", "notes": ["partly seen"]}
    (path,) = written(tmp_path / "dumps", record)
    write_session(path.with_suffix(".pyisession"), *rebuild_samples())
    monkeypatch.setenv("NOVA_PROFILER_DUMP_DIR", str(tmp_path / "dumps"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return path


@pytest.mark.parametrize(
    ("how", "suffix"),
    [
        ("html", ".html"),
        ("pstats", ".prof"),
        ("speedscope", ".speedscope.json"),
        ("collapsed", ".folded"),
        ("pyinstrument", ".pyisession"),
    ],
)
def test_a_file_of_each_format_in_the_current_directory(
    dump, tmp_path, capsys, how, suffix
):
    """The name is the dump's, and is printed."""
    assert main(["export", "6ec84648", "--format", how]) == 0

    assert capsys.readouterr().out == f"{dump.stem}{suffix}\n"
    assert (tmp_path / "here" / f"{dump.stem}{suffix}").stat().st_size > 100


def test_the_page_has_what_the_dump_says(dump, tmp_path):
    """Which request it was, and what is not true of its stacks."""
    assert main(["export", str(dump), "-o", "page.html"]) == 0

    page = (tmp_path / "here" / "page.html").read_text()
    assert "POST /v2.1/servers/{id}/action rebuild, 3117.4 ms" in page
    assert "pyinstrument: partly seen" in page


def test_many_requests_are_one_file(dump, tmp_path, capsys):
    """Their route is in its name; --json tells programs."""
    other = dump.with_name(dump.name.replace("6ec84648", "7fc84648"))
    other.write_bytes(dump.read_bytes())
    write_session(other.with_suffix(".pyisession"), *rebuild_samples(2))

    assert (
        main(["export", "--route", "/v2.1/servers/{id}/action", "--json"]) == 0
    )

    written = json.loads(capsys.readouterr().out)
    name = "2-requests-v2_1_servers_id_action.html"
    assert written == {"schema": 1, "file": name, "profiles": 2}
    page = (tmp_path / "here" / name).read_text()
    assert "/v2.1/servers/{id}/action, 2 requests" in page
    assert "300 samples" in page


class Terminal(io.TextIOWrapper):
    """Standard output of a person."""

    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (
            "a\x9bb\u202ec\n\x1b[2Jd\n".encode(),
            "a\ufffdb\ufffdc\n\ufffd[2Jd\n",
        ),
        ("é 1\n".encode(), "é 1\n"),
    ],
)
def test_nothing_steers_a_terminal(monkeypatch, content, shown):
    """Whatever the format; a file has it as it is."""
    out = Terminal(io.BytesIO())
    monkeypatch.setattr("sys.stdout", out)

    export_command._write(content, Path("-"), [], as_json=False)

    assert out.buffer.getvalue().decode() == shown


def test_bytes_are_not_for_a_terminal(monkeypatch):
    """pstats' own format is none for people."""
    monkeypatch.setattr("sys.stdout", Terminal(io.BytesIO()))

    with pytest.raises(NovaProfilerError, match="give -o FILE"):
        export_command._write(b"\xfb\xff", Path("-"), [], as_json=False)


def test_a_link_of_the_usual_name_is_not_written_through(
    dump, tmp_path, capsys
):
    """A stranger may have put it into the folder."""
    assert main(["export", "6ec8", "--json"]) == 0
    name = json.loads(capsys.readouterr().out)["file"]
    target = tmp_path / "target"
    target.write_text("mine")
    path = tmp_path / "here" / name
    path.unlink()
    path.symlink_to(target)

    assert main(["export", "6ec8"]) == 2

    assert "is a link; give -o FILE" in capsys.readouterr().err
    assert target.read_text() == "mine"


def test_to_standard_output(dump, tmp_path, capsysbinary):
    """For a pipe, without a file."""
    assert main(["export", "6ec8", "--format", "pstats", "-o", "-"]) == 0

    content = capsysbinary.readouterr().out
    assert len(marshal.loads(content)) == 7  # our own
    assert not list((tmp_path / "here").iterdir())


def test_a_file_is_never_written_over_what_is_read(
    tmp_path, capsys, monkeypatch
):
    """The same format in the same directory has the same name."""
    monkeypatch.chdir(tmp_path)
    path = write_stats(tmp_path / "a.prof", rebuild_stats())
    before = path.read_bytes()

    assert main(["export", "a.prof", "--format", "pstats"]) == 2

    assert "a.prof: is what is read; give -o FILE" in capsys.readouterr().err
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["a.prof", "--format", "speedscope"], "counted calls have no stacks"),
        (["a.prof", "6ec8"], "whose times do not add up; name those of one"),
        (["b.prof"], "nova-profiler: b.prof: ends in the middle"),
        (["a.prof", "--since", "1h"], "leave them out where profiles are"),
        (["a.prof", "--json", "-o", "-"], "--json and -o - would both print"),
        (["a.prof", "-o", "no/such/dir.html"], "No such file or directory"),
    ],
)
def test_what_cannot_be_done_is_said(dump, tmp_path, capsys, args, message):
    """In one line, and nothing is written."""
    write_stats(tmp_path / "here" / "a.prof", rebuild_stats())
    (tmp_path / "here" / "b.prof").write_bytes(b"{")

    assert main(["export", *args]) == 2

    assert message in capsys.readouterr().err
    left = {path.name for path in (tmp_path / "here").iterdir()}
    assert left == {"a.prof", "b.prof"}


def test_without_jinja2_the_error_has_the_remedy(dump, capsys, monkeypatch):
    """The page alone needs it."""
    monkeypatch.setitem(sys.modules, "jinja2", None)

    assert main(["export", "6ec8"]) == 2

    assert "pip install 'nova-profiler[html]'" in capsys.readouterr().err
