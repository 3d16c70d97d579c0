# SPDX-License-Identifier: Apache-2.0
"""`nova-profiler running`: what is on now, in whichever state workers are."""

from __future__ import annotations

import json
import os
import stat
import threading
import time

import pytest
from running_requests import TOKEN, ended_process, left_behind, unfinished

from nova_profiler.cli import main
from nova_profiler.dump_store import asking
from nova_profiler.dump_store.asking import Listener
from nova_profiler.dump_store.processes import this_process
from nova_profiler.dump_store.running import running_folder
from nova_profiler.reading.record_words import telling_frame
from nova_profiler.reading.running import workers
from nova_profiler.reading.running.page import seconds_text
from nova_profiler.record import RUNNING, OpenStack


@pytest.fixture
def worker(tmp_path, monkeypatch):
    """Return what makes a worker that answers once, or never."""
    monkeypatch.setattr(workers, "WAIT_S", 30.0)
    monkeypatch.setattr(asking, "_MOST_ASKERS", 1)
    started = []

    def make(*records, number=1, on=None, answer=None, directory=tmp_path):
        folder = running_folder(directory)
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{this_process()}-{number:08x}.sock"
        listener = Listener(folder, name)
        if answer is None:
            requests = [record.to_dict() for record in records]
            fields = {"on": on or len(records), "requests": requests}
            answer = json.dumps(fields).encode()
        thread = threading.Thread(
            target=listener.serve, args=(60.0, lambda: answer)
        )
        thread.start()
        started.append((folder, listener, thread))

    yield make
    for folder, listener, thread in started:
        asking.ask(folder, [listener.name], 0.0)
        thread.join()
        listener.close()


def hanging(tmp_path, monkeypatch):
    """Have a worker that cannot answer; return its socket."""
    monkeypatch.setattr(workers, "WAIT_S", 0.0)
    running_folder(tmp_path).mkdir(exist_ok=True)
    return Listener(running_folder(tmp_path), f"{this_process()}-{TOKEN}.sock")


def on_for(seconds, **fields):
    return unfinished(outcome=RUNNING, duration_ms=seconds * 1000, **fields)


def shown(capsys, *args):
    code = main(["running", *map(str, args)])
    printed = capsys.readouterr()
    assert code == 0, printed.err
    return printed.out


def figures(capsys, *args):
    return json.loads(shown(capsys, *args, "--json"))


def test_the_longest_comes_first(worker, tmp_path, capsys):
    """The answer is in the first three lines."""
    nothing_open = {"open_calls": [], "path": "/v2.1/os-services"}
    worker(on_for(0.5, route="unmatched", **nothing_open), on_for(4.2))
    worker(on_for(12.4, user_name="demo"), number=2)

    lines = shown(capsys, "--dump-dir", tmp_path).splitlines()

    assert lines == [
        "3 requests are on in 2 workers; the longest for 12.4 s",
        "in: sql SELECT instances 2, nothing that is timed 1",
        "    12.4 s  GET /v2.1/servers/detail  6ec84648  pid 4711  user demo",
        "            in sql SELECT instances for 4.0 s, of db_api "
        "instance_get_all for 4.1 s",
        "            at pymysql/connections.py:7 read",
        "     4.2 s  GET /v2.1/servers/detail  6ec84648  pid 4711",
        "            in sql SELECT instances for 4.0 s, of db_api "
        "instance_get_all for 4.1 s",
        "            at pymysql/connections.py:7 read",
        "    0.50 s  GET /v2.1/os-services  6ec84648  pid 4711",
        "            at pymysql/connections.py:7 read",
    ]


def test_a_task_has_its_word_once(worker, tmp_path, capsys):
    """Its route begins with it."""
    worker(on_for(3.0, method="TASK", route="task LONG_TASK f", kind="task"))

    _, line, *_ = shown(capsys, "--dump-dir", tmp_path).splitlines()

    assert line.startswith("     3.0 s  task LONG_TASK f  6ec84648  pid")


def test_one_request_is_one(worker, tmp_path, capsys):
    """Words fit their numbers."""
    worker(on_for(1.0))

    first = shown(capsys, "--dump-dir", tmp_path).splitlines()[0]

    assert first == "1 request is on in 1 worker; the longest for 1.0 s"


def test_nothing_is_on(worker, tmp_path, capsys):
    """The API does not hang here."""
    worker()

    printed = shown(capsys, "--dump-dir", tmp_path)

    assert printed == "no request is on in 1 worker\n"


def test_whole_stacks_are_shown_on_demand(worker, tmp_path, capsys):
    """Of each thread that works for the request."""
    stacks = [*unfinished().open_stacks, OpenStack("cell_0", ("/a/b.py:1 f",))]
    worker(on_for(1.0, open_stacks=stacks))

    lines = shown(capsys, "--dump-dir", tmp_path, "--stacks").splitlines()

    assert [line.strip() for line in lines[3:]] == [
        "worker-1",
        "/usr/lib/python3/dist-packages/nova/db/main/api.py:18 get",
        "/usr/lib/python3/dist-packages/pymysql/connections.py:7 read",
        "cell_0",
        "/a/b.py:1 f",
    ]


@pytest.mark.parametrize("columns", [40, 80])
def test_lines_fit_a_terminal(worker, tmp_path, capsys, monkeypatch, columns):
    """What is longer is wrapped."""
    worker(on_for(1.0, user_name="u" * 200, path="/x" * 500), on=5000)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setattr(
        "shutil.get_terminal_size", lambda: os.terminal_size((columns, 24))
    )

    lines = shown(capsys, "--dump-dir", tmp_path).splitlines()

    assert max(map(len, lines)) <= columns


def test_what_is_not_shown_is_counted(worker, tmp_path, capsys):
    """Beyond the limit, and beyond what a worker describes."""
    worker(*(on_for(n) for n in range(1, 6)), on=12)

    lines = shown(capsys, "--dump-dir", tmp_path, "--limit", "2").splitlines()

    assert lines[0].startswith("12 requests are on")
    assert lines[-1] == "and 10 requests more; --limit for more"


def test_json_has_all(worker, tmp_path, capsys):
    """For other programs: whole stacks, whatever the limit."""
    worker(on_for(1.0), on_for(2.0))

    fields = figures(capsys, "--dump-dir", tmp_path, "--limit", "1")

    assert fields["schema"] == 1
    assert fields["workers"] == {"answered": 1, "silent": []}
    assert [one["on_ms"] for one in fields["requests"]] == [2000.0, 1000.0]
    first = fields["requests"][0]
    assert first["outcome"] == "running"
    assert first["open_calls"][1]["name"] == "SELECT instances"
    assert first["open_stacks"][0]["thread"] == "worker-1"


def test_the_last_words_of_a_worker_that_does_not_answer(
    tmp_path, capsys, monkeypatch
):
    """Held up outside Python, it has written down what takes long."""
    listener = hanging(tmp_path, monkeypatch)
    path = left_behind(tmp_path, this_process())
    os.utime(path, (time.time() - 60, time.time() - 60))

    lines = shown(capsys, "--dump-dir", tmp_path).splitlines()
    listener.close()

    assert lines[0].startswith(
        "1 request is on in 0 of 1 workers that answered, with last words of "
        "the others; the longest for 64."
    )
    assert "as its worker wrote 60." in lines[2]
    assert lines[-2:] == [
        f"no answer from pid {os.getpid()}:",
        "  held up outside Python, stopped, or a uWSGI without enable-threads",
    ]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b'{"on": 1, "requests": [{"schema": 99}]}',
        b'{"on": 1, "requests": [7]}',
        b'{"on": "x", "requests": []}',
        b"[" * 100_000,
    ],
)
def test_an_answer_that_is_none_is_silence(worker, tmp_path, capsys, answer):
    """A socket may be anything's."""
    worker(answer=answer)

    fields = figures(capsys, "--dump-dir", tmp_path)

    assert fields["requests"] == []
    assert fields["workers"] == {"answered": 0, "silent": [os.getpid()]}


def test_ended_workers_are_no_workers(worker, tmp_path, capsys):
    """What they left is for list and show."""
    worker(on_for(1.0))
    Listener(
        running_folder(tmp_path), f"{ended_process()}-{TOKEN}.sock"
    ).let_go()
    left_behind(tmp_path)

    fields = figures(capsys, "--dump-dir", tmp_path)

    assert fields["workers"] == {"answered": 1, "silent": []}
    assert len(fields["requests"]) == 1


def test_several_services_are_asked_at_once(worker, tmp_path, capsys):
    """One that is not there does not hide the others."""
    worker(on_for(1.0), directory=tmp_path / "a")
    worker(on_for(2.0, service="placement"), directory=tmp_path / "b")
    dirs = [f"--dump-dir={tmp_path / name}" for name in ("a", "b", "none")]

    assert main(["running", *dirs, "--json"]) == 0

    fields = json.loads(capsys.readouterr().out)
    assert [one["service"] for one in fields["requests"]] == [
        "placement",
        "nova-api",
    ]
    assert "none: no worker is known there" in fields["problems"][0]


@pytest.mark.parametrize("make", ["nothing", "folder", "ended"])
def test_without_workers_the_answer_is_one_line(tmp_path, capsys, make):
    """With what to look for; a directory that is not there is an error."""
    expected = "no worker is known there; has one served a request since"
    if make == "folder":
        (tmp_path / "dumps").mkdir()
    if make == "ended":
        left_behind(tmp_path / "dumps")
        expected = "no worker that dumps there runs now"

    code = main(["running", "--dump-dir", str(tmp_path / "dumps")])

    printed = capsys.readouterr()
    assert (code, printed.out) == (2 if make == "nothing" else 0, "")
    assert printed.err.count("\n") == 1
    assert expected in printed.err


def test_who_may_not_look_is_told_what_to_do(tmp_path, capsys, monkeypatch):
    """The folder is the workers' user's alone."""

    def refused(directory):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(workers, "seen_running", refused)

    code = main(["running", "--dump-dir", str(tmp_path)])

    assert code == 2
    assert "sudo -u nova nova-profiler running" in capsys.readouterr().err


def test_links_are_named_and_not_followed(worker, tmp_path, capsys):
    """A stranger's folder may have them to anywhere."""
    worker(on_for(1.0), directory=tmp_path / "other")
    running = running_folder(tmp_path / "other")
    (tmp_path / "given").mkdir()
    given = running_folder(tmp_path / "given")
    given.symlink_to(running)

    assert main(["running", "--dump-dir", str(tmp_path / "given")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.endswith("a link, which is not followed; take it away\n")

    given.unlink()
    given.mkdir()
    (name,) = (path.name for path in running.iterdir())
    (given / name).symlink_to(running / name)

    assert shown(capsys, "--dump-dir", tmp_path / "given") == ""

    worker(directory=tmp_path / "given", number=2)
    assert main(["running", "--dump-dir", str(tmp_path / "given")]) == 0
    printed = capsys.readouterr()
    assert printed.out == "no request is on in 1 worker\n"
    assert printed.err == f"skipped: {given / name}: no socket, left out\n"


def test_a_directory_comes_from_the_configuration(worker, tmp_path, capsys):
    """As for the other commands."""
    worker(on_for(1.0))
    conf = tmp_path / "nova.conf"
    conf.write_text(f"[nova_profiler]\ndump_dir = {tmp_path}\n")

    assert "1 request is on" in shown(capsys, "--config-file", conf)


def test_a_terminal_is_not_steered(worker, tmp_path, capsys):
    """Names and paths may come from a client."""
    worker(on_for(1.0, user_name="a\x1b[31mb", open_calls=[]))

    assert "\x1b" not in shown(capsys, "--dump-dir", tmp_path)


def test_a_request_that_no_thread_works_for_says_so(worker, tmp_path, capsys):
    """Its body waits for the client."""
    worker(on_for(1.0, open_calls=[], open_stacks=[]))

    lines = shown(capsys, "--dump-dir", tmp_path).splitlines()

    assert lines[-1].strip() == "no stack: no thread works for it now"


@pytest.mark.parametrize(
    ("frames", "telling"),
    [
        (["/v/nova/api.py:1 get"], "v/nova/api.py:1 get"),
        (
            ["/v/a.py:1 f", "/usr/lib/python3.11/socket.py:7 readinto"],
            "/v/a.py:1 f",
        ),
        (
            [
                "/p/site-packages/nova/api.py:1 get",
                "/p/site-packages/eventlet/event.py:1 wait",
            ],
            "nova/api.py:1 get",
        ),
        (
            ["/usr/lib/python3.11/threading.py:7 wait"],
            "lib/python3.11/threading.py:7 wait",
        ),
    ],
)
def test_the_frame_that_is_shown_is_a_telling_one(frames, telling):
    """That it waits in a hub or a socket, its call says already."""
    assert telling_frame(frames) == telling


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (3.0, "0.00 s"),
        (830.0, "0.83 s"),
        (12_400.0, "12.4 s"),
        (187_000.0, "3:07 min"),
        (7_500_000.0, "2:05 h"),
    ],
)
def test_times_are_on_a_human_scale(ms, text):
    """From milliseconds to hours."""
    assert seconds_text(ms) == text


def test_the_sockets_are_their_users_alone(worker, tmp_path):
    """Others cannot even connect."""
    worker()

    (socket,) = running_folder(tmp_path).glob("*.sock")
    assert stat.S_IMODE(socket.stat().st_mode) == 0o600


def test_no_line_is_longer_than_columns_asks_for(
    worker, tmp_path, capsys, monkeypatch
):
    """Into a pipe, too, as the other commands have it."""
    worker(on_for(12.4, user_name="demo" * 20), on_for(4.2))
    monkeypatch.setenv("COLUMNS", "80")

    lines = shown(capsys, "--dump-dir", tmp_path).splitlines()

    assert max(map(len, lines)) == 80
