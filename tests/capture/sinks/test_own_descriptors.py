# SPDX-License-Identifier: Apache-2.0
"""Lines to what this process has open already: pipes, files, sockets."""

from __future__ import annotations

import fcntl
import json
import os
import socket

import pytest
from builders import record

from nova_profiler.capture.sinks import own_descriptors
from nova_profiler.capture.sinks.json_file import LOOK_EVERY_S, JsonFileSink
from nova_profiler.capture.sinks.own_descriptors import own_descriptor

NONBLOCK = os.O_NONBLOCK


@pytest.fixture
def opened():
    """Return what takes descriptors that are closed afterwards."""
    numbers: list[int] = []

    def keep(*made: int) -> tuple[int, ...]:
        numbers.extend(made)
        return made

    yield keep
    for number in numbers:
        os.close(number)


@pytest.fixture
def ticks(monkeypatch):
    """Move the sink's clock."""
    clock = [1000.0]
    monkeypatch.setattr(
        "nova_profiler.capture.sinks.json_file.monotonic", lambda: clock[0]
    )
    return clock


@pytest.fixture
def sinks():
    """Return a maker of sinks whose descriptors are closed afterwards."""
    made: list[JsonFileSink] = []

    def sink(path: str) -> JsonFileSink:
        made.append(JsonFileSink(path))
        return made[-1]

    yield sink
    for one in made:
        if one._file is None:
            continue
        if isinstance(one._kept, own_descriptors._Socket):
            one._kept.close()
        else:
            os.close(one._file)


def paths(data: bytes) -> list[str]:
    return [json.loads(line)["path"] for line in data.splitlines()]


def flags_of(number: int) -> int:
    return fcntl.fcntl(number, fcntl.F_GETFL)


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("/dev/stdin", 0),
        ("/dev/stdout", 1),
        ("/dev/stderr", 2),
        ("/dev/../dev/stderr", 2),
        ("/dev/fd/7", 7),
        ("/proc/self/fd/1", 1),
        ("/proc/thread-self/fd/2", 2),
        ("/proc/1/fd/1", None),
        ("/dev/null", None),
        ("/proc/self/fd", None),
        ("/no/such/file", None),
        ("relative", None),
    ],
)
def test_a_name_leads_to_a_descriptor_or_not(path, number):
    """By the names that there are for it."""
    assert own_descriptor(path) == number


def test_links_are_followed(tmp_path):
    """As images of containers have them; also links that end nowhere."""
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("/dev/stdout")
    (tmp_path / "folder").symlink_to("/proc/self/fd")
    (tmp_path / "round").symlink_to("round")
    own = f"/proc/{os.getpid()}/fd/9"

    assert own_descriptor(str(tmp_path / "a")) == 1
    assert own_descriptor(str(tmp_path / "folder" / "2")) == 2
    assert own_descriptor(str(tmp_path / "round")) is None
    assert own_descriptor(own) == 9


def test_a_pipe_gets_lines(sinks, opened):
    """The descriptor's flags stay: others write to it as well."""
    reader, writer = opened(*os.pipe())
    before = flags_of(writer)
    sink = sinks(f"/dev/fd/{writer}")

    sink.emit(record(path="/1"))
    sink.emit(record(path="/2"))

    assert paths(os.read(reader, 100_000)) == ["/1", "/2"]
    assert flags_of(writer) == before
    assert not before & NONBLOCK


@pytest.mark.parametrize("may_open", [True, False])
def test_a_full_pipe_is_not_waited_for(sinks, opened, monkeypatch, may_open):
    """Neither one of our own nor one that another user made."""
    _, writer = opened(*os.pipe())
    if not may_open:
        monkeypatch.setattr(own_descriptors, "_AGAIN", os.O_DIRECTORY)
    sink = sinks(f"/dev/fd/{writer}")

    with pytest.raises(
        OSError, match=f"(Resource temporarily|only a part).*/dev/fd/{writer}"
    ):
        for _ in range(10_000):
            sink.emit(record())


def test_a_pipe_of_another_user_gets_lines(sinks, opened, monkeypatch):
    """It cannot be opened anew; what is inherited can be written to."""
    reader, writer = opened(*os.pipe())
    monkeypatch.setattr(own_descriptors, "_AGAIN", os.O_DIRECTORY)

    sinks(f"/dev/fd/{writer}").emit(record(path="/1"))

    assert paths(os.read(reader, 100_000)) == ["/1"]


@pytest.mark.parametrize("more", [0, os.O_APPEND])
def test_a_file_is_written_through_the_descriptor(
    sinks, opened, tmp_path, more
):
    """What else goes there is neither overwritten nor overwrites."""
    path = tmp_path / "out"
    (writer,) = opened(os.open(path, os.O_WRONLY | os.O_CREAT | more))
    sink = sinks(f"/proc/self/fd/{writer}")

    os.write(writer, b'{"path": "/first"}\n')
    sink.emit(record(path="/1"))
    os.write(writer, b'{"path": "/between"}\n')
    sink.emit(record(path="/2"))

    written = paths(path.read_bytes())
    assert written == ["/first", "/1", "/between", "/2"]


@pytest.mark.parametrize("timeout", [None, 5.0])
@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_socket_gets_lines(sinks, kind, timeout, monkeypatch):
    """A unit's journal; its flags stay, whatever the default timeout."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    monkeypatch.setattr(socket, "socket", None)
    with ours, theirs:
        before = flags_of(ours.fileno())
        socket.setdefaulttimeout(timeout)
        try:
            sink = sinks(f"/dev/fd/{ours.fileno()}")
            sink.emit(record(path="/1"))
        finally:
            socket.setdefaulttimeout(None)

        assert paths(theirs.recv(100_000)) == ["/1"]
        assert flags_of(ours.fileno()) == before
        assert not before & NONBLOCK


def test_a_full_socket_is_not_waited_for(sinks):
    """The journal reads slowly, and the next line that fits is whole."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sink = sinks(f"/dev/fd/{ours.fileno()}")
        with pytest.raises(OSError, match="Resource temp|only a part"):
            for _ in range(10_000):
                sink.emit(record())
        theirs.setblocking(False)
        data = b""
        try:
            while got := theirs.recv(1 << 20):
                data += got
        except BlockingIOError:
            pass
        sink.emit(record(path="/after"))

        last = theirs.recv(100_000).splitlines()[-1]
        assert json.loads(last)["path"] == "/after"


def test_a_socket_without_a_reader_is_an_error(sinks):
    """And no signal."""
    ours, theirs = socket.socketpair()
    with ours:
        theirs.close()
        with pytest.raises(OSError, match="Broken pipe: /dev/fd"):
            sinks(f"/dev/fd/{ours.fileno()}").emit(record())


def test_a_network_connection_gets_no_lines(sinks):
    """Standard output was closed, and a database has its number."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as ours,
    ):
        with pytest.raises(OSError, match="network connection has taken it"):
            sinks(f"/dev/fd/{ours.fileno()}").emit(record())
        theirs, _ = server.accept()
        with theirs:
            theirs.setblocking(False)
            with pytest.raises(BlockingIOError, match="unavailable"):
                theirs.recv(10)


def test_a_closed_descriptor_is_an_error(sinks):
    """With the path that the operator gave."""
    reader, writer = os.pipe()
    os.close(reader)
    os.close(writer)

    with pytest.raises(OSError, match=f"Bad file desc.*: /dev/fd/{writer}"):
        sinks(f"/dev/fd/{writer}").emit(record())


@pytest.fixture
def standard_output(monkeypatch, opened, tmp_path):
    """Have a file stand for /dev/stdout, under a number of its own."""
    path = tmp_path / "out"
    (number,) = opened(os.open(path, os.O_WRONLY | os.O_CREAT))
    monkeypatch.setitem(own_descriptors.STANDARD, "/dev/stdout", number)
    monkeypatch.setattr(own_descriptors, "FOLLOWED", (number,))
    return number


def test_a_log_that_the_server_rotates_is_followed(
    sinks, standard_output, tmp_path, ticks
):
    """It puts the new file under the same number."""
    sink = sinks("/dev/stdout")
    sink.emit(record(path="/1"))
    new = os.open(tmp_path / "new", os.O_WRONLY | os.O_CREAT)
    os.dup2(new, standard_output)
    os.close(new)
    ticks[0] += LOOK_EVERY_S
    sink.emit(record(path="/2"))

    assert paths((tmp_path / "out").read_bytes()) == ["/1"]
    assert paths((tmp_path / "new").read_bytes()) == ["/2"]


def test_a_socket_that_took_the_number_is_not_followed(
    sinks, standard_output, tmp_path, ticks
):
    """It is some client's connection."""
    sink = sinks("/dev/stdout")
    sink.emit(record(path="/1"))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        os.dup2(ours.fileno(), standard_output)
        ticks[0] += LOOK_EVERY_S
        sink.emit(record(path="/2"))

        theirs.setblocking(False)
        with pytest.raises(BlockingIOError, match="unavailable"):
            theirs.recv(10)
    assert paths((tmp_path / "out").read_bytes()) == ["/1", "/2"]


def test_a_file_in_place_of_a_socket_is_followed(
    sinks, standard_output, tmp_path, ticks
):
    """A unit whose log goes to a file from now on."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        old = os.dup(standard_output)
        os.dup2(ours.fileno(), standard_output)
        sink = sinks("/dev/stdout")
        sink.emit(record(path="/1"))
        os.dup2(old, standard_output)
        os.close(old)
        ticks[0] += LOOK_EVERY_S
        sink.emit(record(path="/2"))

        assert paths(theirs.recv(100_000)) == ["/1"]
    assert paths((tmp_path / "out").read_bytes()) == ["/2"]
