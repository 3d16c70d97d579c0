# SPDX-License-Identifier: Apache-2.0
"""Runs in an object store: the one in memory that fsspec brings."""

from __future__ import annotations

import json
import secrets

import fsspec
import fsspec.asyn
import pytest
from run_builders import kept, run_of

from nova_profiler.cli import main
from nova_profiler.reading.runs.kept.buckets import Bucket, history_at
from nova_profiler.reading.runs.kept.run import (
    LARGEST_MANIFEST,
    HistoryError,
)
from nova_profiler.reading.runs.kept.store import History

# Its thread lasts as long as the process: it is no test's.
fsspec.asyn.get_loop()


def some_run(seed: int, **how):
    return run_of(seed, routes=4, calls=25, **how)


@pytest.fixture
def url():
    """Return the URL of an empty place."""
    return f"memory://bucket-{secrets.token_hex(8)}/history"


@pytest.fixture
def bucket(url):
    """Return a bucket with two runs, the second newer."""
    made = Bucket(url)
    made.add("n1", some_run(1))
    made.add("n2", some_run(2, day=1))
    return made


def files_of(url: str) -> list[str]:
    """Return the paths of all objects below *url*."""
    files, root = fsspec.core.url_to_fs(url)
    return sorted(path.removeprefix(f"{root}/") for path in files.find(root))


def test_a_run_is_laid_out_as_in_a_directory(bucket, url, tmp_path):
    """So that one can be copied to the other."""
    history = kept(tmp_path, n1=some_run(1), n2=some_run(2, day=1))

    assert files_of(url) == sorted(
        str(path.relative_to(tmp_path))
        for path in tmp_path.rglob("*")
        if path.is_file()
    )
    there, here = bucket.runs(), history.runs()
    assert [one._replace(added_at="") for one in there] == [
        one._replace(added_at="") for one in here
    ]


def printed(capsys, *words: str) -> object:
    assert main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_its_figures_are_those_of_a_directory(capsys, bucket, url, tmp_path):
    """DuckDB reads the same rows through fsspec."""
    kept(tmp_path, n1=some_run(1), n2=some_run(2, day=1))

    for words in (["history", "trend"], ["compare", "n1", "n2"]):
        there = printed(capsys, *words, "--history", url)
        here = printed(capsys, *words, "--history", str(tmp_path))

        assert there == here
        assert there


def test_a_run_is_there_once_its_manifest_is(monkeypatch, url):
    """An upload that ends half way is no run, and is named."""
    made = Bucket(url)
    written = []

    def put(local, path):
        if written:
            raise OSError("no room")
        written.append(path)
        type(made.files).put_file(made.files, local, path)

    monkeypatch.setattr(made.files, "put_file", put)
    with pytest.raises(HistoryError, match="no room"):
        made.add("n1", some_run(1))
    monkeypatch.undo()

    unreadable: list[str] = []
    assert Bucket(url).runs(unreadable) == []
    assert unreadable == ["run n1: has no _run.json"]


def test_what_a_broken_upload_left_can_be_removed(url):
    """By the name of the run that it was to be."""
    made = Bucket(url)
    made.files.pipe_file(f"{made._root}/run=n1/part-00000.parquet", b"x")

    with pytest.raises(HistoryError, match="history remove n1` first"):
        Bucket(url).add("n1", some_run(1))
    Bucket(url).remove("n1")

    assert files_of(url) == []


def test_a_removed_run_is_gone(bucket, url):
    """And the other one stays, also for what is open already."""
    bucket.remove("n1")

    assert [run.name for run in bucket.runs()] == ["n2"]
    assert not bucket.has("n1")
    assert all(path.startswith("run=n2/") for path in files_of(url))


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda b: b.add("n1", some_run(1)), "n1: is kept already"),
        (lambda b: b.add("n1", some_run(1), replace=True), "cannot replace"),
        (lambda b: b.run("nn1"), "nn1: not in .*; did you mean n1"),
        (lambda b: b.remove("n3"), "n3: not in"),
        (lambda b: b.run("../n1"), "a run's name is"),
    ],
)
def test_what_cannot_be_done_is_one_line(bucket, act, message):
    """With the name, and the remedy where there is one."""
    with pytest.raises(HistoryError, match=message):
        act(bucket)


def test_a_part_that_is_missing_is_named(bucket, url):
    """As of a directory: the run has fewer requests than it should."""
    files, root = fsspec.core.url_to_fs(url)
    files.rm_file(f"{root}/run=n1/part-00000.parquet")

    with pytest.raises(HistoryError, match="n1: part-00000.parquet is missi"):
        Bucket(url).run("n1")


@pytest.mark.parametrize(
    "manifest", [b"", b"{", b"[]", b"\xff", b'{"schema": "x"}', b"[" * 9000]
)
def test_a_damaged_manifest_is_named(bucket, url, manifest):
    """The other runs are listed."""
    files, root = fsspec.core.url_to_fs(url)
    files.pipe_file(f"{root}/run=n1/_run.json", manifest)
    unreadable: list[str] = []

    runs = Bucket(url).runs(unreadable)

    assert [run.name for run in runs] == ["n2"]
    assert unreadable == ["run n1: _run.json is damaged"]


def test_a_manifest_without_end_is_not_read_whole(bucket, url, monkeypatch):
    """Whoever writes to the bucket decides on its length."""
    files, root = fsspec.core.url_to_fs(url)
    files.pipe_file(f"{root}/run=n1/_run.json", b"[" * (20 << 20))
    read = []
    cat_file = type(files).cat_file

    def noted(self, path, start=None, end=None, **how):
        found = cat_file(self, path, start, end, **how)
        read.append(len(found))
        return found

    monkeypatch.setattr(type(files), "cat_file", noted)
    unreadable: list[str] = []

    Bucket(url).runs(unreadable)

    assert unreadable == ["run n1: _run.json is too large"]
    assert 0 < max(read) <= LARGEST_MANIFEST + 1


def test_objects_of_others_are_no_runs(bucket, url):
    """Beside runs, within them, and above them."""
    files, root = fsspec.core.url_to_fs(url)
    files.pipe_file(f"{root}/run=x", b"")
    files.pipe_file(f"{root}/readme/run=y/a", b"")
    files.pipe_file(f"{root}/run=-/a", b"")

    assert Bucket(url).names() == ["n1", "n2"]


@pytest.mark.parametrize(
    "url",
    [
        "s3://key:secret@bucket/prefix",
        "s3://bucket/prefix?token=secret",
        "s3://bucket/pre fix",
        "s3://",
    ],
)
def test_no_secret_is_part_of_a_url(url):
    """Nor repeated in the line about it."""
    with pytest.raises(HistoryError, match="own environment") as caught:
        history_at(url)

    assert "secret" not in str(caught.value)


def test_the_package_of_a_store_is_named(capsys):
    """fsspec knows which; no store of an unknown scheme is there."""
    assert main(["history", "list", "--history", "nosuch://b/h"]) == 2

    assert "nosuch" in capsys.readouterr().err


def test_a_path_is_a_directory(tmp_path):
    """As before: a history without a scheme."""
    assert isinstance(history_at(tmp_path), History)


def test_nothing_kept_says_what_to_do(capsys, url):
    """An empty prefix and a missing one are alike to an object store."""
    assert main(["history", "trend", "--history", url]) == 2

    assert "history add" in capsys.readouterr().err
