# SPDX-License-Identifier: Apache-2.0
"""The demo's small statsd."""

from __future__ import annotations

import socket

from demo.statsd_listener import Metric, StatsdListener


def _sent(*datagrams: bytes) -> StatsdListener:
    listener = StatsdListener()
    with (
        listener,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        for datagram in datagrams:
            sender.sendto(datagram, ("127.0.0.1", listener.port))
    return listener


def test_values_of_one_name_are_added_up() -> None:
    """Over all lines of all datagrams."""
    listener = _sent(b"a:1.5|ms\nb:1|c", b"a:2|ms|#route:x")

    assert listener.metrics == {
        "a": Metric("ms", 2, 3.5),
        "b": Metric("c", 1, 1.0),
    }
    assert (listener.datagrams, listener.lines) == (2, 3)


def test_what_is_no_metric_is_kept_aside() -> None:
    """So that the demo can say that something was not understood."""
    listener = _sent(b"nonsense\na:x|ms")

    assert listener.refused == ["nonsense", "a:x|ms"]
