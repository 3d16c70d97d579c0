# SPDX-License-Identifier: Apache-2.0
"""`nova-profiler show`: one request by id, newest or slowest."""

from __future__ import annotations

import cProfile
import json
import re

import pytest
from builders import REQUEST_ID, numbered, slow_rebuild, written
from created_servers import created, rebuilt
from places import ROOT
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
    assert [one["rule"] for one in fields.pop("advice")] == (
        ["largest_part", "repeated_statement"] if which == "rebuild" else []
    )
    assert fields == json.loads(dumps[which].read_text())


def test_the_page_ends_with_what_to_try_next(dumps, capsys):
    """The commands can be pasted: quoted, and finding the same dumps."""
    assert main(["show", "6ec8"]) == 0

    assert capsys.readouterr().out.splitlines()[-2:] == [
        "  nova-profiler calls --route '/v2.1/servers/{id}/action'",
        "  nova-profiler list --slowest --route '/v2.1/servers/{id}/action'",
    ]


@pytest.mark.parametrize(
    "args", [["6ec8", "{dumps}"], ["--slowest", "{dumps}"], ["{file}"]]
)
def test_a_place_without_the_option_is_given_on(
    dumps, tmp_path, capsys, monkeypatch, args
):
    """The next commands would look elsewhere, or nowhere."""
    monkeypatch.delenv("NOVA_PROFILER_DUMP_DIR")
    names = {"dumps": tmp_path, "file": dumps["rebuild"]}

    assert main(["show", *(arg.format(**names) for arg in args)]) == 0

    for line in capsys.readouterr().out.splitlines()[-2:]:
        assert line.endswith(f" --dump-dir {tmp_path}")


def test_a_given_directory_is_given_on(dumps, tmp_path, capsys):
    """What was needed to find this dump is needed again."""
    assert main(["show", "6ec8", "--dump-dir", str(tmp_path)]) == 0

    assert f"--dump-dir {tmp_path}\n" in capsys.readouterr().out


def test_profiles_are_offered(dumps, capsys):
    """Beside the dump, each with the program that reads it."""
    profiler = cProfile.Profile()
    profiler.runcall(len, "")
    profiler.dump_stats(dumps["rebuild"].with_suffix(".prof"))
    write_session(
        dumps["first"].with_suffix(".pyisession"), *rebuild_samples()
    )

    assert main(["show", "--last"]) == 0
    counted = capsys.readouterr().out
    assert main(["show", "req-00000001"]) == 0
    sampled = capsys.readouterr().out

    assert "  python -m pstats " in counted
    assert "  pyinstrument --load " in sampled


def test_the_hot_path_is_on_the_page(dumps, capsys):
    """Function, file and line, and how to see more of it."""
    path = dumps["rebuild"].with_suffix(".pyisession")
    write_session(path, *rebuild_samples())

    assert main(["show", "--last"]) == 0

    shown = capsys.readouterr().out
    assert "Hot path, pyinstrument" in shown
    assert "nova.compute.api:rebuild holds 100.0 % of the work" in shown
    assert "nova/compute/api.py:3512, mostly in line 3540" in shown
    assert "nova-profiler export 6ec84648 --format html\n" in shown
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
    assert main(["show", "--last", "--dump-dir", str(tmp_path)]) == 0

    assert "dump_when sets which requests get one" in capsys.readouterr().err


def test_a_newer_dump_is_one_line(dumps, capsys):
    """The remedy is in the message."""
    dumps["rebuild"].write_text('{"schema": 7}')

    assert main(["show", "--last"]) == 2

    assert capsys.readouterr().err == (
        f"nova-profiler: dump {dumps['rebuild'].name}: schema 7 is newer "
        f"than this version reads (2); upgrade nova-profiler\n"
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


def test_one_page_has_all_of_it(dumps, capfdbinary):
    """It stands alone: no link out of it, no network, no script."""
    write_session(
        dumps["rebuild"].with_suffix(".pyisession"), *rebuild_samples()
    )

    assert main(["show", "6ec8", "--format", "html"]) == 0

    page = capfdbinary.readouterr().out.decode()
    assert page.startswith("<!DOCTYPE html>")
    assert page.endswith("</html>\n")
    assert "instance_update_and_get_original" in page
    assert "sqlalchemy.orm.loading:instances" in page
    assert not re.findall(r'href="(?!#)', page)
    assert "<script" not in page


def test_one_format_at_a_time(dumps, capsys):
    """JSON is no form of the page."""
    assert main(["show", "6ec8", "--format", "html", "--json"]) == 2

    assert "one of --format and --json" in capsys.readouterr().err


@pytest.mark.parametrize("content", [None, "{", "[]"])
@pytest.mark.parametrize("command", ["show", "top", "export"])
def test_stacks_that_cannot_be_read_are_the_reason(
    tmp_path, capsys, content, command
):
    """Named, whatever notes their engine made; no command is for them."""
    name = "there.pyisession"
    notes = ["it stood in line for a processor for 24% of the time"]
    profile = {"engine": "stacks", "file": name, "notes": notes}
    [dump] = written(tmp_path, numbered(1, profile=profile))
    path = dump.with_suffix(".pyisession")
    if content is not None:
        path.write_text(content)

    main([command, "00000001", "--dump-dir", str(tmp_path)])

    shown = capsys.readouterr()
    if content is None:
        assert f"{name}: not there, though its dump names it" in shown.err
    else:
        assert path.name in shown.err
    assert "processor" not in shown.err
    for words in ("export ", "pyinstrument --load", " top "):
        assert words not in shown.out


@pytest.fixture
def hosts(tmp_path, monkeypatch):
    """Return a folder with the dumps of a create, one directory a host."""
    monkeypatch.delenv("NOVA_PROFILER_DUMP_DIR", raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    for request in (created(), rebuilt()):
        for one in request.records:
            written(tmp_path / "hosts" / one.host / "dumps", one)
    return tmp_path / "hosts"


def test_the_post_is_found_in_the_first_three_lines(hosts, capsys):
    """A rebuild whose time is in nova-api, before it casts to nova-compute."""
    assert main(["show", "req-00001bad", "--dump-dir", str(hosts)]) == 0

    assert capsys.readouterr().out.splitlines()[:3] == [
        "POST /v2.1/servers/{id}/action rebuild 202 3117.4 ms",
        "Until the answer, 3.12 s: nova-api 100 % (before casting "
        "rebuild_instance)",
        "Until all was done, 3.16 s: nova-api 3.10 s 98 %, nova-compute "
        "54.8 ms 2 %",
    ]


@pytest.mark.parametrize(
    "args",
    [
        ["req-6ec84648", "--dump-dir", "{hosts}"],
        ["6ec84648", "{hosts}"],
        ["--slowest", "--dump-dir", "{hosts}"],
        ["--slowest", "{hosts}"],
        [
            "6ec84648", "--dump-dir", "{hosts}/controller-1/dumps",
            "--dump-dir", "{hosts}/controller-2", "{hosts}/compute-7",
            "{hosts}/controller-3",
        ],
    ],
)  # fmt: skip
def test_one_picture_over_all_hosts(hosts, capsys, args):
    """A folder of folders, several directories; the newest, the slowest."""
    assert main(["show", *(one.format(hosts=hosts) for one in args)]) == 0

    shown = capsys.readouterr().out
    assert "16 records of 5 services on 4 hosts" in shown
    assert "nova-conductor 10 x Instance.save" in shown


def test_the_picture_for_programs(hosts, capsys):
    """Each record with its file, its parent and how that is known."""
    assert main(["show", "6ec84648", str(hosts), "--json"]) == 0

    figures = json.loads(capsys.readouterr().out)
    assert figures["request_id"] == created().request_id
    assert len(figures["records"]) == 16
    assert figures["records"][0]["file"].endswith(".json")


def test_the_picture_as_a_page(hosts, capfdbinary):
    """In that of the client's request, which stands alone."""
    assert main(["show", "6ec84648", str(hosts), "--format", "html"]) == 0

    page = capfdbinary.readouterr().out.decode()
    assert page.startswith("<!DOCTYPE html>")
    assert "10 x Instance.save" in page
    assert re.search(r"POST /v2.1/servers <span[^>]*>this page", page)
    assert "quota_reserve\n" in page
    assert not re.findall(r'href="(?!#)', page)
    assert "<script" not in page


def test_a_page_has_the_others_of_its_route(tmp_path, capfdbinary):
    """As far as names of dumps have them."""
    written(tmp_path, *map(numbered, range(20)))
    asked = ["show", "--slowest", "--dump-dir", str(tmp_path)]

    assert main([*asked, "--format", "html"]) == 0

    page = capfdbinary.readouterr().out.decode()
    assert "The slowest of 20" in page


def test_one_of_the_records_alone(hosts, capsys):
    """By the path that the picture ends with."""
    main(["show", "6ec84648", str(hosts)])
    command = capsys.readouterr().out.splitlines()[-3].split()

    assert main(command[1:]) == 0

    shown = capsys.readouterr().out
    assert "task default ComputeManager._do_build" in shown
    assert "records of" not in shown


def test_a_record_alone_is_shown_as_ever(dumps, tmp_path, capsys):
    """The same page by its id as by its path, whatever else lies around."""
    main(["show", REQUEST_ID, "--dump-dir", str(tmp_path)])
    by_id = capsys.readouterr().out
    main(["show", str(dumps["rebuild"]), "--dump-dir", str(tmp_path)])

    assert by_id == capsys.readouterr().out
    assert by_id.startswith("POST /v2.1/servers/{id}/action rebuild")


def test_a_record_of_a_log_line(tmp_path, capsys):
    """What has no dump has no timeline, and a page all the same."""
    log = tmp_path / "requests.json"
    one = slow_rebuild()
    one.timeline = one.statements = None
    log.write_text(json.dumps(one.to_dict()) + "\n")

    assert main(["show", "6ec84648", str(log)]) == 0
    assert "Where its time went" in capsys.readouterr().out
    assert main(["show", "6ec84648", str(log), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["file"] is None


def test_starts_of_ids_in_equal_names(hosts, capsys):
    """Which of them was meant is not guessed."""
    other = numbered(1, request_id="req-6ec84648-ffff")
    written(hosts / "controller-1", other)

    assert main(["show", "6ec84648", str(hosts)]) == 2
    assert "give more of the id" in capsys.readouterr().err
    assert main(["show", "6ec84648-ffff", str(hosts)]) == 0
    assert main(["show", created().request_id, str(hosts)]) == 0


def test_a_missing_place_is_one_line(hosts, capsys):
    """A directory that was named has to be there."""
    assert main(["show", "6ec8", "--dump-dir", str(hosts / "no")]) == 2

    assert "no such directory" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("request_id", "most"), [("6ec84648", None), ("00001bad", 5)]
)
def test_the_picture_in_the_manual_is_real(
    hosts, capsys, monkeypatch, request_id, most
):
    """What the manual shows is what the command prints."""
    monkeypatch.setenv("COLUMNS", "79")
    manual = (ROOT / "doc" / "source" / "one_picture.rst").read_text()

    assert main(["show", request_id, str(hosts)]) == 0

    shown = capsys.readouterr().out.partition("\nNext\n")[0]
    lines = shown.rstrip("\n").splitlines()[:most]
    assert "\n".join(f"    {line}".rstrip() for line in lines) in manual


def test_a_place_that_is_not_there_is_named(tmp_path, capsys):
    """And no dump is looked for where nobody said."""
    place = str(tmp_path / "hosts")

    assert main(["show", "5e2a8989", place]) == 2

    assert capsys.readouterr().err == (
        f"nova-profiler: no such file or folder: {place}\n"
    )


def test_a_place_that_is_not_there_is_named_beside_others(tmp_path, capsys):
    """It may be why there is no such request."""
    written(tmp_path, numbered(1))
    place = str(tmp_path / "hosts")

    assert main(["show", "5e2a8989", str(tmp_path), place]) == 2

    error = capsys.readouterr().err
    assert f"skipped: no such file: {place}\n" in error
    assert f"list --dump-dir {tmp_path}`" in error


def test_where_there_are_logs_alone_the_next_command_reads_logs(
    tmp_path, capsys
):
    """What it prints finds the file, whatever its name."""
    log = tmp_path / "my requests.log"
    log.write_text("nothing\n")

    assert main(["show", "5e2a8989", str(log)]) == 2

    error = capsys.readouterr().err
    assert f"`nova-profiler follow 5e2a8989 '{log}'` shows" in error
