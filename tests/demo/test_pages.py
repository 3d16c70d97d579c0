# SPDX-License-Identifier: Apache-2.0
"""The demo serves pages of its own dumps, whatever else is served."""

from __future__ import annotations

import socket

import pytest
from builders import numbered, written
from served_pages import json_of

from demo import pages


def test_pages_are_served_until_the_end(tmp_path):
    """Also where the usual port is taken, as by another demo."""
    written(tmp_path, numbered(1))

    with pages.served(tmp_path) as first, pages.served(tmp_path) as second:
        assert first != second
        for address in (first, second):
            assert "requests" in json_of(address)

    port = int(first.rstrip("/").rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError, match="refused"):
        socket.create_connection(("127.0.0.1", port), 10)


def test_what_cannot_be_served_is_named(tmp_path):
    """With what the command printed."""
    with pytest.raises(pages.PagesError, match="no such file or directory"):
        with pages.served(tmp_path / "none"):
            raise AssertionError("nothing is served")
