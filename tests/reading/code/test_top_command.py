# SPDX-License-Identifier: Apache-2.0
"""`nova-profiler top`: which profiles it adds up, and what it skips."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from builders import numbered, one_of_each_kind, slow_rebuild, written
from one_file_pages import parts_of
from profile_builders import (
    rebuild_samples,
    rebuild_stats,
    write_session,
    write_stats,
)

from nova_profiler.cli import main

WITHOUT_STACKS = (
    "1 dump fits, without stacks: the option profiler = stacks takes them, of "
    "requests that are slow or fail\n"
)


@pytest.fixture
def dumps(tmp_path: Path, monkeypatch) -> list[Path]:
    """Four dumps, oldest first: calls, calls, samples, and none."""
    paths = written(
        tmp_path / "dumps",
        numbered(1),
        numbered(2, route="/v2.1/flavors"),
        numbered(3),
        numbered(4),
    )
    write_stats(paths[0].with_suffix(".prof"), rebuild_stats())
    write_stats(paths[1].with_suffix(".prof"), rebuild_stats())
    write_session(paths[2].with_suffix(".pyisession"), *rebuild_samples())
    monkeypatch.setenv("NOVA_PROFILER_DUMP_DIR", str(tmp_path / "dumps"))
    return paths


def top(capsys, *args: str) -> dict[str, int]:
    """Return how many profiles of each engine were added up."""
    assert main(["top", "--json", *args]) == 0
    tables = json.loads(capsys.readouterr().out)["profiles"]
    return {table["engine"]: table["profiles"] for table in tables}


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ([], {"cprofile": 2, "pyinstrument": 1}),
        (["--last", "1"], {"pyinstrument": 1}),
        (["--last", "2"], {"pyinstrument": 1, "cprofile": 1}),
        (["--route", "/v2.1/flavors"], {"cprofile": 1}),
        (
            ["--since", "2026-11-10T08:00:02"],
            {"cprofile": 1, "pyinstrument": 1},
        ),
        (["00000001"], {"cprofile": 1}),
        (["req-00000003", "00000001"], {"pyinstrument": 1, "cprofile": 1}),
    ],
)  # fmt: skip
def test_the_profiles_that_were_asked_for(dumps, capsys, args, expected):
    """All dumps, some, or those that were named."""
    assert top(capsys, *args) == expected


def test_files_and_directories_need_no_dump_dir(
    dumps, tmp_path, capsys, monkeypatch
):
    """A file from elsewhere is read where it is."""
    monkeypatch.delenv("NOVA_PROFILER_DUMP_DIR")
    profile = dumps[0].with_suffix(".prof")

    assert top(capsys, str(profile)) == {"cprofile": 1}
    assert top(capsys, str(dumps[0])) == {"cprofile": 1}
    assert top(capsys, str(dumps[0].parent)) == top(
        capsys, str(tmp_path / "dumps")
    )


def test_links_are_read_where_they_are_named(dumps, capsys, tmp_path):
    """In a folder they are named instead: a stranger's lead anywhere."""
    profile = next(dumps[0].parent.glob("*.pyisession"))
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.pyisession").symlink_to(profile)
    (folder / "b.pyisession").write_bytes(profile.read_bytes())
    (tmp_path / "link").symlink_to(folder)

    for named in (folder, tmp_path / "link"):
        assert main(["top", str(named)]) == 0
        assert capsys.readouterr().err == (
            "skipped: a.pyisession: a link; name the file itself to have it "
            "read\n"
        )
    assert main(["top", str(folder / "a.pyisession")]) == 0
    assert capsys.readouterr().err == ""


def test_two_tables_for_two_engines(dumps, capsys):
    """Calls and samples are never in one column."""
    assert main(["top", "--limit", "1"]) == 0

    lines = capsys.readouterr().out.splitlines()
    heads = [line for line in lines if "filename:lineno(function)" in line]
    assert [head.split()[0] for head in heads] == ["ncalls", "samples"]
    assert lines[0].startswith("where the time went: at work ")
    assert lines[2].startswith("cprofile: 2 profiles, 88 calls")


def test_the_column_to_sort_by(dumps, capsys):
    """Own time first, or any other of pstats' columns."""
    firsts = []
    for sort in ("tottime", "cumtime", "ncalls", "percall"):
        main(["top", "00000001", "--json", "--sort", sort])
        (table,) = json.loads(capsys.readouterr().out)["profiles"]
        firsts.append(table["functions"][0]["function"])

    assert firsts == [
        "sqlalchemy.orm.loading:instances",
        "run:run",
        "sqlalchemy.orm.loading:instances",
        "run:run",
    ]


def test_damaged_profiles_are_named_and_skipped(dumps, capsys):
    """The others are shown all the same."""
    dumps[0].with_suffix(".prof").write_bytes(b"c" + b"\xe3" * 40)

    assert main(["top"]) == 0

    shown = capsys.readouterr()
    assert "cprofile: 1 profile, 44 calls" in shown.out
    name = dumps[0].with_suffix(".prof").name
    assert shown.err.startswith(f"skipped: {name}: not a profile")


def test_nothing_but_damage_is_an_error(tmp_path, capsys):
    """An error in one line, where a file was named."""
    paths = [str(tmp_path / name) for name in ("a.prof", "no.prof")]
    (tmp_path / "a.prof").write_bytes(b"\x1b[31m")

    for args in (["--json"], []):
        assert main(["top", paths[0], *args]) == 2
        assert capsys.readouterr() == (
            "",
            "nova-profiler: a.prof: not a profile as pstats writes it\n",
        )
    assert main(["top", paths[1]]) == 2
    assert capsys.readouterr().err == (
        "nova-profiler: no.prof: No such file or directory\n"
    )
    assert main(["top", *paths]) == 2
    assert capsys.readouterr().err == (
        "nova-profiler: none of these 2 profiles can be read; the first: "
        "a.prof: not a profile as pstats writes it\n"
    )


def test_a_foreign_file_is_no_unread_profile(tmp_path, capsys):
    """Where there are no stacks at all, none were damaged."""
    (path,) = written(tmp_path, slow_rebuild())
    os.mkfifo(path.with_suffix(".pyisession"))

    assert main(["top", "--dump-dir", str(tmp_path)]) == 0

    assert capsys.readouterr().err == (
        f"{WITHOUT_STACKS}skipped: {path.parent.name}/{path.stem}"
        f".pyisession: not a dump\n"
    )


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["a.prof", "--last", "3"], "leave them out where profiles are named"),
        (["no-such-id"], "no dump of 'no-such-id'"),
        (["00000004"], "no stacks beside this dump; the option profiler"),
        (["--sort", "name"], "'name' is not one of"),
    ],
)
def test_what_cannot_be_done_is_one_line(dumps, capsys, args, message):
    """And says what to do."""
    assert main(["top", *args]) == 2

    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_the_dump_says_why_it_has_no_stacks(tmp_path, capsys):
    """The profiler was on, and had no look at it."""
    why = "the reader has no stack of this request: it did not look"
    profile = {"engine": "stacks", "notes": [why]}
    written(tmp_path, numbered(1, profile=profile))
    args = ["00000001", "--dump-dir", str(tmp_path)]

    for name in ("top", "export"):
        assert main([name, *args]) == 2
        error = capsys.readouterr().err
        assert f"no stacks beside this dump; stacks: {why}\n" in error


def test_an_empty_directory_is_an_error(tmp_path, capsys):
    """A typing error in a path is not an empty result."""
    assert main(["top", str(tmp_path)]) == 2

    assert "no profiles in it" in capsys.readouterr().err


def test_no_dumps_with_stacks_is_no_error(tmp_path, capsys):
    """There may be none yet."""
    written(tmp_path, slow_rebuild())

    assert main(["top", "--dump-dir", str(tmp_path)]) == 0

    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", WITHOUT_STACKS)


def test_what_no_dump_fits_can_be_mended(dumps, capsys):
    """A typing error in a route is likelier than that none has stacks."""
    assert main(["top", "--route", "/no/such"]) == 0
    shown = capsys.readouterr().err

    assert shown.startswith("no dumps of /no/such in ")
    assert " calls --dump-dir " in shown


def test_times_that_fit_no_dump_stand_beside_those_of_the_dumps(
    tmp_path, capsys
):
    """Of the route that was asked for; and of all where none was."""
    written(tmp_path, numbered(1), numbered(2), slow_rebuild())
    args = ["top", "--dump-dir", str(tmp_path), "--since", "2101-01-01"]

    assert main([*args, "--route", numbered(1).route]) == 0
    of_route = capsys.readouterr().err
    assert main(args) == 0
    of_all = capsys.readouterr().err

    assert f"has 2 dumps of {numbered(1).route}, from 2026-" in of_route
    assert "has 3 dumps, from 2026-" in of_all


def test_many_profiles_cost_no_more_memory_than_one(tmp_path):
    """Added up one by one: the file read last is forgotten."""
    path = write_stats(tmp_path / "a.prof", rebuild_stats())
    for number in range(300):
        os.link(path, tmp_path / f"{number}.prof")

    assert main(["top", str(tmp_path)]) == 0


def test_messages_are_not_mixed_with_requests(tmp_path, capsys):
    """Neither out of the dump directory nor out of one of its days."""
    paths = written(tmp_path / "dumps", *one_of_each_kind(), numbered(9))
    for path in paths:
        write_stats(path.with_suffix(".prof"), rebuild_stats())
    directory = ["--dump-dir", str(tmp_path / "dumps")]

    for named in (directory, [str(tmp_path / "dumps")], [str(path.parent)]):
        assert top(capsys, *named) == {"cprofile": 2}
        assert top(capsys, *named, "--kind", "task") == {"cprofile": 1}
        assert top(capsys, *named, "--kind", "all") == {"cprofile": 5}
    # What is named alone is what is meant.
    assert top(capsys, str(paths[1])) == {"cprofile": 1}


def test_stacks_of_another_kind_alone_are_said(tmp_path, capsys):
    """Where they are, in one line."""
    (path,) = written(tmp_path, one_of_each_kind()[1])
    write_stats(path.with_suffix(".prof"), rebuild_stats())
    said = "no requests, but 1 message; --kind all is about these, too\n"

    assert main(["top", "--dump-dir", str(tmp_path)]) == 0
    assert capsys.readouterr() == ("", said)
    assert main(["top", str(tmp_path)]) == 2
    assert capsys.readouterr().err.endswith(f"{tmp_path}: {said}")


def test_the_page_of_a_route(tmp_path, capsys):
    """One file with the functions and the tree of their stacks."""
    session = write_session(tmp_path / "a.pyisession", *rebuild_samples())

    assert main(["top", str(session), "--format", "html"]) == 0

    text, _ = parts_of(capsys.readouterr().out)
    assert text.startswith("all routes, 1 request")
    assert "Where it was, by caller" in text


def test_a_page_is_of_one_engine_and_no_json(tmp_path, capsys):
    """Times of two engines do not add up."""
    paths = [
        str(write_session(tmp_path / "a.pyisession", *rebuild_samples())),
        str(write_stats(tmp_path / "b.prof", rebuild_stats())),
    ]

    assert main(["top", *paths, "--format", "html"]) == 2
    assert "whose times do not add up" in capsys.readouterr().err
    assert main(["top", *paths, "--format", "html", "--json"]) == 2
