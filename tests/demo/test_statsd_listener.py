# SPDX-License-Identifier: Apache-2.0
"""The demo's small statsd."""

from __future__ import annotations

import os
import socket

from demo.statsd_listener import StatsdListener


def _send(listener: StatsdListener, *datagrams: bytes) -> None:
    with (
        listener,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        for datagram in datagrams:
            sender.sendto(datagram, ("127.0.0.1", listener.port))


def test_each_datagram_is_taken() -> None:
    """The last ones, too, that were sent just before the end."""
    taken: list[bytes] = []
    listener = StatsdListener(taken.append)
    sent = [b"a:1|ms\nb:1|c", *(b"%d:1|c" % n for n in range(100))]

    _send(listener, *sent)

    assert taken == sent
    assert listener.datagrams == 101


def test_only_its_own_thread_stays_on_the_core() -> None:
    """What is measured must not share the core of what listens."""
    allowed = os.sched_getaffinity(0)
    core = min(allowed)
    seen: list[set[int]] = []
    listener = StatsdListener(
        lambda datagram: seen.append(os.sched_getaffinity(0)), core
    )

    _send(listener, b"a:1|ms")

    assert seen == [{core}]
    assert os.sched_getaffinity(0) == allowed
