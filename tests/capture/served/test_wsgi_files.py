# SPDX-License-Identifier: Apache-2.0
"""Files that a server sends by itself: handed on, and their end as seen."""

from __future__ import annotations

import datetime
import gc
import io
import tempfile
from collections.abc import Callable
from typing import Any
from wsgiref.util import FileWrapper

import pytest
from serving import PLAIN, Answer, Profiled, environ_of

from nova_profiler.capture.current import active
from nova_profiler.capture.served import wsgi_files

CONTENT = b"0123456789" * 10


class ReadOnly:
    """What PEP 3333 asks of a file: read(), and nothing else."""

    def __init__(self, content: bytes = CONTENT) -> None:
        self._file = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)


class InC:
    """A wrapper that takes no attribute, as those made in C."""

    __slots__ = ("filelike",)

    def __init__(self, filelike: Any) -> None:
        self.filelike = filelike

    def close(self) -> None:
        close = getattr(self.filelike, "close", None)
        if close is not None:
            close()


def like_uwsgi(file: Any, block_size: int = 0) -> Any:
    """Return the object that came: the server knows it by identity."""
    return file


@pytest.fixture
def path(tmp_path):
    """Return a file with CONTENT."""
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    return path


def sending(file: Any, *headers: tuple[str, str]) -> Any:
    """Return an application that answers with *file*, wrapped."""

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [*PLAIN, *headers])
        return environ["wsgi.file_wrapper"](file)

    return app


def handed(profiled: Profiled, wrapper: Any, **environ: Any) -> Any:
    """Return the body that a server with *wrapper* gets."""
    environ["wsgi.file_wrapper"] = wrapper
    return profiled.filter(environ_of(**environ), Answer().start_response)


def files_of(path: Any) -> list[Any]:
    """Return an open file of each kind."""
    temporary = tempfile.NamedTemporaryFile()  # noqa: SIM115 - the server closes it
    temporary.write(CONTENT)
    temporary.seek(0)
    return [
        open(path, "rb"),
        open(path, "rb", buffering=0),
        io.BytesIO(CONTENT),
        temporary,
        ReadOnly(),
    ]


@pytest.mark.parametrize("kind", range(5))
@pytest.mark.parametrize("wrapper", [like_uwsgi, FileWrapper, InC])
def test_the_server_gets_the_object_that_it_knows(path, kind, wrapper):
    """Not one attribute of it is another afterwards."""
    files = files_of(path)
    file = files[kind]
    profiled = Profiled(sending(file))

    got = handed(profiled, wrapper)
    close = getattr(got, "close", None)
    if close is not None:
        close()

    assert (got if wrapper is like_uwsgi else got.filelike) is file
    assert getattr(file, "closed", True)
    assert "close" not in getattr(file, "__dict__", {})
    assert profiled.record.outcome == "ok"
    assert active == {}
    for other in files:
        getattr(other, "close", list)()


@pytest.mark.parametrize("wrapper", [like_uwsgi, FileWrapper, InC])
@pytest.mark.parametrize("start", [0, 30])
def test_a_file_read_to_its_end_has_its_size(path, wrapper, start):
    """The position in it says what the server has read."""
    with open(path, "rb") as file:
        file.seek(start)
        profiled = Profiled(sending(file))
        body = handed(profiled, wrapper)

        file.read()
        body.close()

    assert profiled.record.response_bytes == len(CONTENT) - start
    assert profiled.record.outcome == "ok"


@pytest.mark.parametrize("wrapper", [like_uwsgi, FileWrapper, InC])
def test_a_file_sent_by_the_kernel_has_no_figure(path, wrapper):
    """Its position does not move; Content-Length is no proof."""
    with open(path, "rb") as file:
        length = ("Content-Length", str(len(CONTENT)))
        profiled = Profiled(sending(file, length))
        body = handed(profiled, wrapper)

        body.close()

    assert profiled.record.response_bytes is None
    assert profiled.record.outcome == "ok"


@pytest.mark.parametrize("wrapper", [like_uwsgi, FileWrapper, InC])
def test_a_file_read_in_part_was_aborted(path, wrapper):
    """The server closed it before its end."""
    with open(path, "rb") as file:
        profiled = Profiled(sending(file))
        body = handed(profiled, wrapper)

        file.read(30)
        body.close()

    assert profiled.record.response_bytes == 30
    assert profiled.record.outcome == "aborted"


@pytest.mark.parametrize("wrapper", [like_uwsgi, FileWrapper, InC])
@pytest.mark.parametrize("read", [0, 30, 100])
def test_a_file_closed_for_an_error_was_aborted(path, wrapper, read):
    """A server closes it while it handles what stopped it."""
    with open(path, "rb") as file:
        profiled = Profiled(sending(file))
        body = handed(profiled, wrapper)

        file.read(read)
        with pytest.raises(BrokenPipeError):
            stop(body)

    assert profiled.record.response_bytes == (read or None)
    assert profiled.record.outcome == "aborted"


def stop(body: Any) -> None:
    try:
        raise BrokenPipeError
    finally:
        body.close()


def test_the_promised_part_of_a_file_is_all(path):
    """A range ends before the file does."""
    with open(path, "rb") as file:
        profiled = Profiled(sending(file, ("Content-Length", "30")))
        body = handed(profiled, FileWrapper)

        file.read(30)
        body.close()

    assert profiled.record.response_bytes == 30
    assert profiled.record.outcome == "ok"


def test_an_empty_file_is_known():
    """There was nothing to send."""
    profiled = Profiled(sending(io.BytesIO()))

    handed(profiled, FileWrapper).close()

    assert profiled.record.response_bytes == 0
    assert profiled.record.outcome == "ok"


def test_what_write_sent_before_a_file_is_added(path):
    """The figure is of the whole body."""

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", PLAIN)(b"before")
        return environ["wsgi.file_wrapper"](open(path, "rb"))

    profiled = Profiled(app)
    body = handed(profiled, FileWrapper)

    b"".join(body)
    body.close()

    assert profiled.record.response_bytes == len(CONTENT) + 6


def test_a_client_that_uwsgi_lost_aborted(path, monkeypatch):
    """The file is closed as after a whole response; the connection is not."""
    monkeypatch.setattr(wsgi_files, "is_cut", lambda: True)
    profiled = Profiled(sending(open(path, "rb")))  # noqa: SIM115 - the server closes it

    handed(profiled, like_uwsgi).close()

    assert profiled.record.outcome == "aborted"
    assert profiled.record.response_bytes is None


@pytest.mark.parametrize("wrapper", [FileWrapper, InC])
def test_a_file_dropped_without_close_has_a_record(wrapper):
    """At once, without a cycle that waits for the collector."""

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", PLAIN)
        return environ["wsgi.file_wrapper"](ReadOnly())

    profiled = Profiled(app)
    gc.disable()
    try:
        body = handed(profiled, wrapper)
        del body
    finally:
        gc.enable()

    assert len(profiled.records) == 1
    assert profiled.record.response_bytes is None
    assert active == {}


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_a_dropped_file_of_uwsgi_was_aborted(path):
    """It closes itself when nothing holds it any more."""

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", PLAIN)
        return environ["wsgi.file_wrapper"](open(path, "rb"))

    profiled = Profiled(app)

    handed(profiled, like_uwsgi)

    assert profiled.record.outcome == "aborted"
    assert profiled.record.response_bytes is None
    assert active == {}


def test_one_file_for_all_requests_grows_by_nothing():
    """An application may answer with the same object for ever."""
    file = ReadOnly()
    profiled = Profiled(sending(file))

    for _ in range(100):
        handed(profiled, like_uwsgi)

    assert len(active) == 1
    assert len(profiled.records) == 99
    file.close()  # type: ignore[attr-defined]
    assert active == {}
    assert not hasattr(file, "close")


def test_a_close_of_the_object_is_called_and_put_back():
    """gunicorn's wrapper has the file's close() as an attribute."""
    closed = []
    file = ReadOnly()
    file.close = own = lambda: closed.append(True)  # type: ignore[attr-defined]
    profiled = Profiled(sending(file))

    handed(profiled, like_uwsgi).close()

    assert closed == [True]
    assert file.close is own  # type: ignore[attr-defined]


def test_a_close_in_a_slot_is_called_and_put_back():
    """An object without a dict may still have an attribute for it."""
    closed = []

    class Slotted:
        __slots__ = ("close",)
        close: Callable[[], None]

        def read(self, size: int = -1) -> bytes:
            return b""

    file = Slotted()
    file.close = own = lambda: closed.append(True)
    profiled = Profiled(sending(file))

    handed(profiled, like_uwsgi).close()

    assert closed == [True]
    assert file.close is own
    assert profiled.record.outcome == "ok"


def test_an_object_that_hands_out_wrappers_keeps_its_close():
    """What it returns for our attribute is not what was set."""
    closed = []

    class Proxy:
        def __getattribute__(self, name: str) -> Any:
            value = super().__getattribute__(name)
            return (lambda: value()) if name == "close" else value

        def read(self, size: int = -1) -> bytes:
            return b""

        def close(self) -> None:
            closed.append(True)

    profiled = Profiled(sending(Proxy()))

    handed(profiled, like_uwsgi).close()

    assert closed == [True]
    assert len(profiled.records) == 1
    assert active == {}


def test_the_applications_own_close_of_a_file_stays(path):
    """What it puts there later is called, and is not taken away."""
    closed = []
    file = ReadOnly()
    profiled = Profiled(sending(file))
    body = handed(profiled, like_uwsgi)
    ours = body.close

    def own() -> None:
        closed.append(True)
        ours()

    body.close = own
    body.close()

    assert closed == [True]
    assert body.close is own
    assert profiled.record.outcome == "ok"


def test_a_file_that_was_not_wrapped_is_followed_chunk_by_chunk(path):
    """A server whose wrapper is a type iterates over it."""

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", PLAIN)
        return open(path, "rb")

    profiled = Profiled(app)
    body = handed(profiled, FileWrapper)

    sent = b"".join(body)
    body.close()

    assert sent == CONTENT
    assert profiled.record.response_bytes == len(CONTENT)


@pytest.mark.parametrize("body", [map(bytes, [b"x"]), iter([b"x"])])
def test_an_iterator_is_no_file_of_uwsgi(body):
    """It is followed, though its class is made in C."""
    profiled = Profiled(lambda environ, start_response: body)

    assert list(handed(profiled, like_uwsgi)) == [b"x"]
    assert profiled.record.outcome == "unanswered"


def test_an_object_made_in_c_is_for_its_server():
    """Wrappers of older servers have no read()."""
    body = datetime.timezone.utc
    profiled = Profiled(sending(body))

    assert handed(profiled, like_uwsgi) is body
    assert profiled.record.outcome == "ok"
    assert profiled.record.response_bytes is None
