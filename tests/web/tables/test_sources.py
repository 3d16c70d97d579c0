# SPDX-License-Identifier: Apache-2.0
"""A path is a dump directory, a log, a history, or a folder of some."""

from __future__ import annotations

import os

import pytest
from builders import numbered, written
from logged import keep_run, write_log, wsgi_line

from nova_profiler.errors import NovaProfilerError
from nova_profiler.web.index import Index
from nova_profiler.web.tables.histories import HistorySource
from nova_profiler.web.tables.kept import Keeper
from nova_profiler.web.tables.logs import LogSource
from nova_profiler.web.tables.names import Names
from nova_profiler.web.tables.sources import places_of


def found(*paths):
    """Return the paths of dumps, of logs and of histories."""
    places = places_of([str(path) for path in paths])
    others = [
        make(number, Names(), Keeper(None))
        for number, make in enumerate(places.others)
    ]
    return (
        [str(store.directory) for store in places.stores],
        [
            path
            for one in others
            if isinstance(one, LogSource)
            for path in one.paths
        ],
        [one.path for one in others if isinstance(one, HistorySource)],
    )


@pytest.fixture
def log(tmp_path):
    return write_log(tmp_path / "nova-api.log", wsgi_line(1))


def test_a_folder_of_dumps_and_logs(tmp_path, log):
    """As /var/log/nova is: each has its source, and dumps are no logs."""
    dumps = tmp_path / "profiler"
    written(dumps, numbered(1))
    (tmp_path / ".hidden").write_text("x")
    (tmp_path / "empty").mkdir()

    assert found(tmp_path) == ([str(dumps)], [str(log)], [])
    assert found(dumps) == ([str(dumps)], [], [])


def test_a_history_is_no_folder_of_logs(tmp_path, log):
    """Its Parquet is not looked at as a log."""
    history = tmp_path / "history"
    keep_run(history, "first", log)

    assert found(history, log) == ([], [str(log)], [str(history)])


def test_an_empty_folder_is_one_for_dumps(tmp_path):
    """They may come later."""
    assert found(tmp_path) == ([str(tmp_path)], [], [])


def test_what_is_named_twice_is_there_once(tmp_path, log):
    """By itself and by its folder."""
    assert found(log, tmp_path, log) == ([], [str(log)], [])


def read(*paths):
    """Return the rows of *paths*, and what is wrong with them."""
    places = places_of([str(path) for path in paths])
    index = Index(places.stores, more=places.others)
    index.look_up_names()
    index.read_heads()
    return len(index.rows), index.progress.problems


def test_a_line_of_several_files_is_one_row(tmp_path, log):
    """As in ``report``: of a folder, and of files that are named."""
    copy = write_log(tmp_path / "nova-api.log.1", wsgi_line(0), wsgi_line(1))
    later = write_log(tmp_path / "z.log", wsgi_line(2))

    assert read(tmp_path) == (3, ())
    assert read(log, copy) == (2, ())
    assert read(later, tmp_path) == (3, ())


def test_a_row_of_a_folder_has_its_lines_in_all_files(tmp_path, log):
    """And what follows it looks there as well."""
    write_log(tmp_path / "nova-api.log.1", wsgi_line(1))
    [make] = places_of([str(tmp_path)]).others
    index = Index([], more=[make])
    index.look_up_names()
    index.read_heads()
    [row] = index.rows

    files, named = index.source(row).logs(row)

    assert [os.path.basename(file.name) for file in files] == [
        "nova-api.log",
        "nova-api.log.1",
    ]
    assert named == [str(tmp_path)]


def test_a_link_out_of_a_folder_is_not_followed(tmp_path, log):
    """A stranger may have put it there; named itself, it is read."""
    folder = tmp_path / "logs"
    folder.mkdir()
    write_log(folder / "own.log", wsgi_line(2))
    link = folder / "out.log"
    link.symlink_to(log)

    rows, problems = read(folder)

    assert rows == 1
    assert [one for one in problems if "link out of its folder" in one]
    assert read(link) == (1, ())
    assert read(folder, link)[0] == 2


def test_a_folder_that_becomes_a_link_out_is_not_followed(tmp_path):
    """It was a folder of logs at the start."""
    inside, outside = tmp_path / "logs" / "nova", tmp_path / "secret"
    for folder in (inside, outside):
        folder.mkdir(parents=True)
        write_log(folder / "a.log", wsgi_line(1))
    places = places_of([str(tmp_path / "logs")])
    (inside / "a.log").unlink()
    inside.rmdir()
    inside.symlink_to(outside)

    index = Index(places.stores, more=places.others)
    index.look_up_names()
    index.read_heads()

    assert len(index.rows) == 0


def test_a_pipe_holds_nothing_up(tmp_path, log):
    """Named itself, or put in the place of a log of a folder."""
    folder = tmp_path / "logs"
    folder.mkdir()
    write_log(folder / "a.log", wsgi_line(2))
    places = places_of([str(folder)])
    (folder / "a.log").unlink()
    os.mkfifo(folder / "a.log")
    index = Index(places.stores, more=places.others)

    index.look_up_names()
    index.read_heads()

    assert "neither file nor pipe" in index.progress.problems[0]
    rows, problems = read(log, folder / "a.log")
    assert rows == 1
    assert "is a pipe" in problems[0]


def test_a_pattern_is_a_source(tmp_path):
    """As with report; its files may come later."""
    pattern = tmp_path / "*.log.gz"

    assert found(pattern) == ([], [str(pattern)], [])


def test_a_path_that_leads_to_nothing_is_an_error(tmp_path):
    """With the path."""
    with pytest.raises(NovaProfilerError, match="nowhere: no such file"):
        found(tmp_path / "nowhere")
