# SPDX-License-Identifier: Apache-2.0
"""An application that answers in each way there is, for any server.

``python answering.py SERVER PORT`` serves it; a server of its own command
loads ``application``. With ``RECORDS`` in the environment, the filter stands
before it and writes its records there. ``FOLDER`` has the file to send.
"""

from __future__ import annotations

import collections
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

FILE = os.path.join(os.environ.get("FOLDER", "."), "file")
CHUNKS = [b"one", b"", b"two", b"x" * 70_000]
PLAIN = [("Content-Type", "text/plain")]
# What the application saw of each exchange: part of what must be the same.
seen: list[str] = []


class Again:
    """A body that can be iterated over again and again."""

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from CHUNKS
        finally:
            seen.append("iterated")

    def close(self) -> None:
        seen.append("closed")


class Sized(Again):
    """The same with a length."""

    def __len__(self) -> int:
        return len(CHUNKS)


class ListWithClose(list[bytes]):
    """A list that has something to close."""

    def close(self) -> None:
        seen.append("closed")


class ByPosition:
    """A body of the old protocol, without __iter__."""

    def __getitem__(self, index: int) -> bytes:
        return CHUNKS[index]


class ReadOnly:
    """What PEP 3333 asks of a file: read(), and nothing else."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)


def _generator(fails_at: int = -1) -> Iterator[bytes]:
    try:
        for number, chunk in enumerate(CHUNKS):
            if number == fails_at:
                raise LookupError("in the body")
            yield chunk
    finally:
        seen.append("ended")


def _wrapped(environ: dict[str, Any], file: Any) -> Any:
    wrapper = environ.get("wsgi.file_wrapper")
    if wrapper is None:
        return iter(lambda: file.read(8192), b"")
    return wrapper(file, 8192)


def _file(start: int = 0) -> Any:
    # The server closes it.
    file = open(FILE, "rb")  # noqa: SIM115 - the server closes it
    file.seek(start)
    return file


def _fails(*args: Any) -> Any:
    raise LookupError("at once")


# By path: headers besides the plain one, and what makes the body.
_Make = Callable[[dict[str, Any]], Any]
_SIZE = str(sum(map(len, CHUNKS)))
BODIES: dict[str, tuple[list[tuple[str, str]], _Make]] = {
    "/list": ([], lambda e: list(CHUNKS)),
    "/one": ([], lambda e: [b"one"]),
    "/tuple": ([], lambda e: tuple(CHUNKS)),
    "/empty": ([], lambda e: []),
    "/length": ([("Content-Length", _SIZE)], lambda e: list(CHUNKS)),
    "/generator": ([], lambda e: _generator()),
    "/generator/length": ([("Content-Length", _SIZE)], lambda e: _generator()),
    "/map": ([], lambda e: map(bytes, CHUNKS)),
    "/deque": ([], lambda e: collections.deque(CHUNKS)),
    "/again": ([], lambda e: Again()),
    "/sized": ([], lambda e: Sized()),
    "/list/close": ([], lambda e: ListWithClose(CHUNKS)),
    "/position": ([], lambda e: ByPosition()),
    "/bytes": ([], lambda e: b"bytes"),
    "/none": ([], lambda e: None),
    "/numbers": ([], lambda e: [1, 2]),
    "/text": ([], lambda e: iter(["text"])),
    "/file": ([], lambda e: _wrapped(e, _file())),
    "/file/length": (
        [("Content-Length", "300000")],
        lambda e: _wrapped(e, _file()),
    ),
    "/file/part": (
        [("Content-Length", "1000")],
        lambda e: _wrapped(e, _file(100)),
    ),
    "/file/memory": ([], lambda e: _wrapped(e, io.BytesIO(b"m" * 9000))),
    "/file/read": ([], lambda e: _wrapped(e, ReadOnly(b"r" * 9000))),
    "/file/empty": ([], lambda e: _wrapped(e, io.BytesIO())),
    "/file/lines": ([], lambda e: _file()),
    "/fails": ([], _fails),
    "/fails/first": ([], lambda e: _generator(0)),
    "/fails/later": ([], lambda e: _generator(2)),
    "/fails/length": ([("Content-Length", _SIZE)], lambda e: _generator(2)),
    "/short": ([("Content-Length", "99999")], lambda e: _generator()),
    "/long": ([("Content-Length", "4")], lambda e: _generator()),
}


def _statuses(path: str) -> Any:
    status = {"/204": "204 No Content", "/304": "304 Not Modified"}[path]
    return status, []


def answer(
    environ: dict[str, Any], start_response: Callable[..., Any]
) -> Iterable[bytes]:
    """Answer in the way that the path names."""
    path = environ["PATH_INFO"]
    if path == "/seen":
        start_response("200 OK", list(PLAIN))
        text = " ".join(seen).encode()
        seen.clear()
        return [text]
    if path in BODIES:
        headers, make = BODIES[path]
        if path != "/fails":
            start_response("200 OK", PLAIN + headers)
        body: Iterable[bytes] = make(environ)
        return body
    if path == "/download":
        length = ("Content-Length", str(os.path.getsize(FILE)))
        start_response("200 OK", [*PLAIN, length])
        file: Iterable[bytes] = _wrapped(environ, _file())
        return file
    if path in ("/204", "/304"):
        status, chunks = _statuses(path)
        start_response(status, [])
        return iter(chunks)
    return _odd(path, start_response)


def _odd(path: str, start_response: Callable[..., Any]) -> Iterable[bytes]:
    if path == "/write":
        write = start_response("200 OK", list(PLAIN))
        write(b"by ")
        write(b"write ")
        return [b"and return"]
    if path == "/write/fails":
        start_response("200 OK", list(PLAIN))(b"begun")
        raise LookupError("after write")
    if path == "/changed":
        start_response("200 OK", list(PLAIN))
        return _changed(start_response)
    if path == "/late":
        return _late(start_response)
    # Never answered.
    return [] if path == "/silent" else iter([b"silent"])


def _changed(start_response: Callable[..., Any]) -> Iterable[bytes]:
    try:
        raise LookupError("changed")
    except LookupError:
        start_response("503 Oops", list(PLAIN), sys.exc_info())
    return [b"sorry"]


def _late(start_response: Callable[..., Any]) -> Iterator[bytes]:
    start_response("201 Created", list(PLAIN))
    yield b"late"


OTHERS = (
    "/204 /304 /write /write/fails /changed /late /silent /silent/chunk"
).split()

application = answer
if os.environ.get("RECORDS"):
    from nova_profiler.factory import filter_factory

    application = filter_factory(
        {},
        log_file=os.environ["RECORDS"],
        log_requests="false",
        profiler=os.environ.get("PROFILER", "none"),
        profile_when="always",
    )(answer)


def _serve_wsgiref(port: int) -> None:
    from wsgiref.simple_server import make_server

    make_server("127.0.0.1", port, application).serve_forever()


def _serve_eventlet(port: int) -> None:
    import eventlet.wsgi

    eventlet.monkey_patch()
    listener = eventlet.listen(("127.0.0.1", port))
    eventlet.wsgi.server(listener, application, debug=False, log_output=False)


def _serve_gevent(port: int) -> None:
    from gevent import monkey, pywsgi

    monkey.patch_all()
    pywsgi.WSGIServer(
        ("127.0.0.1", port), application, log=None
    ).serve_forever()


def _serve_waitress(port: int) -> None:
    import waitress

    waitress.serve(application, host="127.0.0.1", port=port, threads=2)


def _serve_cheroot(port: int) -> None:
    from cheroot.wsgi import Server

    Server(("127.0.0.1", port), application, numthreads=2).start()


def _serve_werkzeug(port: int) -> None:
    from werkzeug.serving import run_simple

    run_simple("127.0.0.1", port, application, threaded=True)


if __name__ == "__main__":
    globals()[f"_serve_{sys.argv[1]}"](int(sys.argv[2]))
