# SPDX-License-Identifier: Apache-2.0
"""`nova-profiler show`: one request by id, newest or slowest."""

from __future__ import annotations

import json

import pytest
from builders import REQUEST_ID, numbered, slow_rebuild, written
from profile_builders import rebuild_samples, write_session
from running_requests import left_behind

from nova_profiler.cli import main
from nova_profiler.record import OpenStack


@pytest.fixture
def dumps(tmp_path, monkeypatch):
    monkeypatch.setenv("NOVA_PROFILER_DUMP_DIR", str(tmp_path))
    paths = written(tmp_path, slow_rebuild(), numbered(1), numbered(2))
    return dict(zip(("rebuild", "first", "second"), paths, strict=True))


@pytest.mark.parametrize(
    ("args", "which"),
    [
        ([REQUEST_ID], "rebuild"),
        (["6ec84648"], "rebuild"),
        (["--last"], "rebuild"),
        (["--slowest"], "rebuild"),
        (["req-00000001"], "first"),
    ],
)
def test_the_request_that_was_asked_for(dumps, capsys, args, which):
    """By id or its start, the newest, the slowest."""
    assert main(["show", "--json", *args]) == 0

    fields = json.loads(capsys.readouterr().out)
    assert fields.pop("file") == str(dumps[which])
    assert fields == json.loads(dumps[which].read_text())


def test_the_page_ends_with_what_to_try_next(dumps, capsys):
    """The commands can be pasted: quoted, and finding the same dumps."""
    assert main(["show", "6ec8"]) == 0

    assert capsys.readouterr().out.splitlines()[-2:] == [
        "  nova-profiler calls --route '/v2.1/servers/{id}/action'",
        "  nova-profiler list --slowest --route '/v2.1/servers/{id}/action'",
    ]


def test_a_given_directory_is_given_on(dumps, tmp_path, capsys):
    """What was needed to find this dump is needed again."""
    assert main(["show", "6ec8", "--dump-dir", str(tmp_path)]) == 0

    assert f"--dump-dir {tmp_path}\n" in capsys.readouterr().out


def test_profiles_are_offered(dumps, capsys):
    """Beside the dump, each with the program that reads it."""
    dumps["rebuild"].with_suffix(".prof").write_bytes(b"")
    dumps["rebuild"].with_suffix(".pyisession").write_text("")

    assert main(["show", "--last"]) == 0

    shown = capsys.readouterr().out
    assert "  pyinstrument --load " in shown
    assert "  python -m pstats " in shown


def test_the_hot_path_is_on_the_page(dumps, capsys):
    """Function, file and line, and how to see more of it."""
    path = dumps["rebuild"].with_suffix(".pyisession")
    write_session(path, *rebuild_samples())

    assert main(["show", "--last"]) == 0

    shown = capsys.readouterr().out
    assert "Hot path, pyinstrument" in shown
    assert "nova.compute.api:rebuild holds 100.0 % of the work" in shown
    assert "nova/compute/api.py:3512, mostly in line 3540" in shown
    assert f"nova-profiler export {path} --format html" in shown
    assert "nova-profiler top --route '/v2.1/servers/{id}/action'" in shown


def test_the_hot_path_for_programs(dumps, capsys):
    """In JSON it stands beside the record's fields."""
    path = dumps["rebuild"].with_suffix(".pyisession")
    write_session(path, *rebuild_samples())

    assert main(["show", "--last", "--json"]) == 0

    stacks = json.loads(capsys.readouterr().out)["stacks"]
    assert stacks["hot_path"][-1]["share"] == 0.75


def test_damaged_stacks_are_named_and_skipped(dumps, capsys):
    """The request is shown all the same."""
    path = dumps["rebuild"].with_suffix(".prof")
    path.write_bytes(b"not a profile")

    assert main(["show", "--last"]) == 0

    shown = capsys.readouterr()
    assert "Hot path" not in shown.out
    assert shown.err.startswith(f"skipped: {path.name}: not a profile")


def test_a_file_that_was_sent_needs_no_dump_dir(
    dumps, tmp_path, capsys, monkeypatch
):
    """Any dump is read by its path, under any name."""
    monkeypatch.delenv("NOVA_PROFILER_DUMP_DIR")
    sent = dumps["first"].rename(tmp_path / "sent.json")

    assert main(["show", str(sent)]) == 0

    shown = capsys.readouterr().out
    assert shown.startswith("GET /v2.1/servers ")
    assert "Next" not in shown


def test_an_empty_directory_says_what_decides(tmp_path, capsys):
    """Nothing was slow, or nothing was asked to be dumped."""
    assert main(["show", "--last", "--dump-dir", str(tmp_path)]) == 2

    assert "dump_when sets which requests get one" in capsys.readouterr().err


def test_a_newer_dump_is_one_line(dumps, capsys):
    """The remedy is in the message."""
    dumps["rebuild"].write_text('{"schema": 7}')

    assert main(["show", "--last"]) == 2

    assert capsys.readouterr().err == (
        f"nova-profiler: dump {dumps['rebuild'].name}: schema 7 is newer "
        f"than this version reads (1); upgrade nova-profiler\n"
    )


@pytest.mark.parametrize("given", [[], ["--dump-dir", "."]])
def test_a_file_that_is_no_dump_is_called_so(
    tmp_path, capsys, monkeypatch, given
):
    """It is there: to say that there is no dump of it would mislead."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.log").write_text("hello")

    assert main(["show", "text.log", *given]) == 2

    assert capsys.readouterr().err == (
        "nova-profiler: text.log: not a dump; dumps end in .json\n"
    )


def test_a_request_of_a_killed_worker_has_a_page(dumps, tmp_path, capsys):
    """What it was, what it was in, and at which line."""
    left_behind(tmp_path)

    assert main(["show", "6ec84648-1111"]) == 0

    lines = [one.strip() for one in capsys.readouterr().out.splitlines()]
    assert lines[1] == (
        "killed: its worker ended before it did; last seen 4.2 s after it "
        "began"
    )
    begin = lines.index("What it was in when last seen")
    assert lines[begin + 1 : begin + 5] == [
        "db_api instance_get_all, for 4100.0 ms",
        "sql SELECT instances, for 4000.0 ms",
        "nova/db/main/api.py:18 get",
        "pymysql/connections.py:7 read",
    ]
    commands = lines[lines.index("Next") + 1 :]
    assert not any("top" in command for command in commands)


def test_a_long_stack_is_cut_on_the_page(dumps, tmp_path, capsys):
    """The innermost frames say where it stood; --json has all."""
    frames = tuple(f"/a/b{n}.py:1 f" for n in range(40))
    stacks = [OpenStack("one", frames), OpenStack("two", ())]
    left_behind(tmp_path, open_stacks=stacks)

    main(["show", "6ec84648-1111"])

    lines = [one.strip() for one in capsys.readouterr().out.splitlines()]
    assert lines[lines.index("one") + 1] == "28 frames, then"
    assert "/a/b39.py:1 f" in lines
    main(["show", "6ec84648-1111", "--json"])
    fields = json.loads(capsys.readouterr().out)
    assert len(fields["open_stacks"][0]["frames"]) == 40
