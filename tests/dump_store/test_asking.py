# SPDX-License-Identifier: Apache-2.0
"""Workers answer through their sockets, and no asker can hold one up."""

from __future__ import annotations

import _socket
import os
import socket
import threading
from contextlib import contextmanager

import pytest

from nova_profiler.dump_store import asking
from nova_profiler.dump_store.asking import Listener, ask, is_listening


@contextmanager
def worker(folder, name, answer=lambda: b"{}"):
    """Have a worker listen and answer once."""
    listener = Listener(folder, name)
    thread = threading.Thread(target=listener.serve, args=(30.0, answer))
    # One answer is enough, and then the thread ends.
    asking._MOST_ASKERS, most = 1, asking._MOST_ASKERS
    thread.start()
    try:
        yield listener
    finally:
        if thread.is_alive():
            ask(folder, [name], 5.0)
        thread.join()
        asking._MOST_ASKERS = most
        listener.close()


def test_workers_answer(tmp_path):
    """All at once, each with its own; a large answer, too."""
    large = b"x" * 3_000_000
    with (
        worker(tmp_path, "a", lambda: b"1"),
        worker(tmp_path, "b", lambda: large),
    ):
        asked = ask(tmp_path, ["a", "b"], 30.0)

    assert asked.answers == {"a": b"1", "b": large}
    assert (asked.silent, asked.ended) == ([], [])


def test_a_worker_that_hangs_is_silent(tmp_path):
    """It listens, and its thread cannot run."""
    listener = Listener(tmp_path, "a")

    asked = ask(tmp_path, ["a"], 0.0)

    assert asked == ({}, ["a"], [])
    assert is_listening(tmp_path, "a")
    listener.close()


def test_a_worker_that_many_ask_in_vain_is_silent(tmp_path, monkeypatch):
    """Connecting would wait then."""
    monkeypatch.setattr(asking, "_BACKLOG", 0)
    listener = Listener(tmp_path, "a")
    askers = [socket.socket(socket.AF_UNIX) for _ in range(4)]
    for asker in askers:
        asker.setblocking(False)
        asker.connect_ex(str(tmp_path / "a"))

    asked = ask(tmp_path, ["a"], 0.0)

    assert asked.silent == ["a"]
    assert is_listening(tmp_path, "a")
    for asker in askers:
        asker.close()
    listener.close()


def test_a_worker_that_ended_is_ended(tmp_path):
    """kill -9 leaves the file of its socket."""
    Listener(tmp_path, "killed").let_go()
    (tmp_path / "file").touch()
    names = ["killed", "gone", "file"]

    asked = ask(tmp_path, names, 1.0)

    assert asked == ({}, [], names)
    assert [is_listening(tmp_path, name) for name in names] == [False] * 3


def test_a_link_to_a_socket_is_not_followed(tmp_path):
    """What it leads to would see that somebody connects."""
    (tmp_path / "asked").mkdir()
    listener = Listener(tmp_path, "private")
    (tmp_path / "asked" / "a").symlink_to(tmp_path / "private")

    assert ask(tmp_path / "asked", ["a"], 1.0) == ({}, [], ["a"])
    assert not is_listening(tmp_path / "asked", "a")

    listener._socket.settimeout(0.0)
    with pytest.raises(BlockingIOError):
        listener._socket._accept()
    listener.close()


def test_a_worker_that_breaks_off_is_silent(tmp_path):
    """Half an answer is none, and so is one without an end."""

    def broken():
        raise OSError(5, "it breaks off")

    with worker(tmp_path, "a", broken):
        assert ask(tmp_path, ["a"], 30.0).silent == ["a"]


def test_an_answer_without_an_end_is_left(tmp_path, monkeypatch):
    """What lies in the folder may be anything's socket."""
    monkeypatch.setattr(asking, "LARGEST_ANSWER", 1000)
    with worker(tmp_path, "a", lambda: b"x" * 5_000_000):
        assert ask(tmp_path, ["a"], 30.0).silent == ["a"]


def test_an_asker_that_does_not_read_is_left(tmp_path, monkeypatch):
    """The worker's thread has other work."""
    monkeypatch.setattr(asking, "_SEND_S", 0.01)
    with socket.socket(socket.AF_UNIX) as asker:
        with worker(tmp_path, "a", lambda: b"x" * 5_000_000):
            asker.connect(str(tmp_path / "a"))
        # The worker's thread has ended while the asker was still there.
        assert not is_listening(tmp_path, "a")


def test_a_stranger_gets_nothing(tmp_path, monkeypatch):
    """Even where the folder's mode was changed."""
    monkeypatch.setattr(asking.os, "geteuid", lambda: 12345)
    stranger = asking._CREDENTIALS.pack(1, 54321, 1)

    class Asker:
        def getsockopt(self, *option):
            return stranger

    assert not asking._may_ask(Asker())
    stranger = asking._CREDENTIALS.pack(1, 12345, 1)
    assert asking._may_ask(Asker())
    stranger = asking._CREDENTIALS.pack(1, 0, 1)
    assert asking._may_ask(Asker())


def test_who_may_not_ask_is_told(tmp_path, monkeypatch):
    """And does not see an empty host."""
    listener = Listener(tmp_path, "a")
    if os.geteuid() == 0:
        # Root may all.
        class Refused(socket.socket):
            def connect(self, address):
                raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(asking.socket, "socket", Refused)
    else:
        (tmp_path / "a").chmod(0)

    with pytest.raises(PermissionError, match="ermission"):
        ask(tmp_path, ["a"], 1.0)
    assert is_listening(tmp_path, "a")
    listener.close()


def test_a_long_path_is_no_matter(tmp_path):
    """The system takes 107 bytes of an address."""
    folder = tmp_path / ("d" * 200)
    folder.mkdir()

    with worker(folder, "a", lambda: b"1"):
        assert ask(folder, ["a"], 30.0).answers == {"a": b"1"}


def test_a_place_without_sockets_is_an_error_of_the_system(tmp_path):
    """And leaves nothing open."""
    with pytest.raises(OSError, match="such file"):
        Listener(tmp_path / "none", "a")
    Listener(tmp_path, "a").let_go()
    with pytest.raises(OSError, match="in use"):
        Listener(tmp_path, "a")


def test_only_the_systems_sockets_are_used():
    """Those of eventlet and gevent would wait on their hub."""
    assert asking._socket is _socket


def test_it_waits_no_longer_than_asked(tmp_path):
    """Then its thread looks at the requests again."""
    listener = Listener(tmp_path, "a")

    listener.serve(0.0, lambda: b"")
    listener.serve(0.001, lambda: b"")

    assert listener.is_in(tmp_path)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    listener.close()
    assert not listener.is_in(tmp_path)


def test_its_file_goes_from_the_folder_where_it_was_made(tmp_path):
    """Whatever has been put in the place of that since."""
    folder = tmp_path / "running"
    folder.mkdir()
    listener = Listener(folder, "a")
    folder.rename(tmp_path / "moved")
    folder.mkdir()
    (folder / "a").write_text("another's")

    listener.close()

    assert (folder / "a").read_text() == "another's"
    assert list((tmp_path / "moved").iterdir()) == []
