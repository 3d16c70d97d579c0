# SPDX-License-Identifier: Apache-2.0
"""Real servers: the same bytes on the wire with the filter and without."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from real_servers import PROGRAMS, SERVERS, Exchange, Server, running

sys.path.insert(0, str(PROGRAMS))
from answering import BODIES, OTHERS

sys.path.remove(str(PROGRAMS))

pytestmark = pytest.mark.slow

# More than all buffers between a server and a client hold.
SIZE = 32 << 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a file of many lines."""
    (tmp_path / "file").write_bytes(b"0123456789abcde\n" * 20_000)
    return tmp_path


def asked(
    server: Server, paths: Iterable[str] = (*BODIES, *OTHERS)
) -> dict[str, tuple[Exchange, bytes]]:
    """Return each exchange, and what the application saw of it."""
    exchanges = {}
    for path in paths:
        for name, got in (
            ("GET", server.ask(f"GET {path} HTTP/1.1")),
            ("old", server.ask(f"GET {path} HTTP/1.0")),
            ("HEAD", server.ask(f"HEAD {path} HTTP/1.1")),
            (
                "unread",
                server.ask(
                    f"POST {path} HTTP/1.1",
                    "Content-Length: 5",
                    body=b"hello",
                ),
            ),
        ):
            seen = server.ask("GET /seen HTTP/1.0").received
            exchanges[f"{name} {path}"] = got, seen
    return exchanges


@pytest.mark.parametrize("name", SERVERS)
def test_a_client_gets_the_same_with_the_filter_and_without(name, folder):
    """Each kind of body, four ways to ask: bytes and the connection's end."""
    with running(name, folder, filtered=False) as server:
        bare = asked(server)
    with running(name, folder, filtered=True) as server:
        filtered = asked(server)
        records = server.records(len(filtered))

    different = [key for key in bare if bare[key] != filtered[key]]
    assert different == []
    assert len(records) == len(filtered)


@pytest.mark.parametrize("profiler", ["cprofile", "pyinstrument"])
@pytest.mark.parametrize("name", ["eventlet", "uwsgi"])
def test_a_response_that_fails_ends_the_same_under_an_engine(
    name, profiler, folder
):
    """Applications that raise, before their answer and in its middle."""
    paths = [path for path in (*BODIES, *OTHERS) if "fails" in path]
    with running(name, folder, filtered=False) as server:
        bare = asked(server, paths)
    with running(name, folder, True, profiler) as server:
        filtered = asked(server, paths)

    assert filtered == bare


@pytest.mark.parametrize("name", SERVERS)
def test_figures_of_files_are_true_or_null(name, folder):
    """A download that the client leaves is aborted where that is seen."""
    with open(folder / "file", "wb") as file:
        file.truncate(SIZE)
    with running(name, folder, filtered=True) as server:
        server.ask("GET /download HTTP/1.0")
        server.leave("GET /download HTTP/1.0", 100_000)
        server.ask("GET /file/read HTTP/1.0")
        records = server.records(3)

    whole, left, read = sorted(records, key=lambda one: one["started_at"])
    assert (whole["outcome"], read["outcome"]) == ("ok", "ok")
    assert whole["response_bytes"] in (SIZE, None)
    assert read["response_bytes"] in (9000, None)
    # The offloading thread sends when the request is over for Python.
    expected = "ok" if name == "uwsgi-offloading" else "aborted"
    assert left["outcome"] == expected
    assert left["response_bytes"] is None or left["response_bytes"] < SIZE


@pytest.mark.parametrize("name", ["uwsgi", "eventlet", "wsgiref"])
def test_a_connection_taken_over_is_no_500(name, folder):
    """As by a websocket: the application never calls start_response()."""
    with running(name, folder, filtered=True) as server:
        server.ask("GET /silent HTTP/1.0")
        (record,) = server.records(1)

    assert record["outcome"] == "unanswered"
    assert record["status"] == 0
    assert record["response_bytes"] is None
