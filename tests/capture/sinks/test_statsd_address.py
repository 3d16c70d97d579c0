# SPDX-License-Identifier: Apache-2.0
"""The forms of statsd's address: taken as meant, or refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.capture.sinks.statsd_address import (
    Address,
    address_of,
    socket_name,
)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1", Address("127.0.0.1")),
        ("127.0.0.1:9125", Address("127.0.0.1", 9125)),
        ("statsd", Address("statsd")),
        (" my_statsd.example.org. ", Address("my_statsd.example.org.")),
        ("statsd.example.org:8125", Address("statsd.example.org", 8125)),
        ("udp://statsd", Address("statsd")),
        ("udp://statsd:1", Address("statsd", 1)),
        ("::1", Address("::1")),
        ("[::1]", Address("::1")),
        ("[::1]:8125", Address("::1", 8125)),
        ("udp://[2001:db8::1]:65535", Address("2001:db8::1", 65535)),
        ("2001:db8::1", Address("2001:db8::1")),
        ("fe80::1%eth0", Address("fe80::1%eth0")),
        ("[fe80::1%eth0]:8125", Address("fe80::1%eth0", 8125)),
        ("unix:///run/statsd.sock", Address("", None, "/run/statsd.sock")),
        ("unix:/run/statsd.sock", Address("", None, "/run/statsd.sock")),
        ("unixgram:///run/d.sock", Address("", None, "/run/d.sock")),
        ("/run/statsd.sock", Address("", None, "/run/statsd.sock")),
        ("unix://@statsd", Address("", None, "@statsd")),
        ("@statsd", Address("", None, "@statsd")),
    ],
)
def test_a_form_that_clients_of_statsd_know(text, address):
    """A host or a socket, and the port where it has one."""
    assert address_of(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":8125",
        "statsd:",
        "statsd:0",
        "statsd:65536",
        "statsd:port",
        "statsd:8125/",
        "a b",
        "a,b",
        "a..b",
        "a" * 64,
        "user@statsd",
        "run/statsd.sock",
        "./statsd.sock",
        "http://statsd",
        "http://statsd:8125/",
        "tcp://statsd:8125",
        "unixstream:///run/statsd.sock",
        "unix://run/statsd.sock",
        "unix://",
        "unix:///",
        "/",
        "@",
        "/run/" + "x" * 103,
        "/run/a\nb",
        "[::1",
        "::1]",
        "[::1]8125",
        "[::1]:",
        "[127.0.0.1]:8125",
        "[]",
        "::1:8125",
        "1:2:3",
    ],
)
def test_what_is_unclear_is_refused(text):
    """Rather than sent to a place that was never meant."""
    with pytest.raises(ValueError, match="."):
        address_of(text)


@given(st.text(max_size=120))
def test_any_text_is_an_address_or_refused(text):
    """And what is taken can be used."""
    try:
        host, port, path = address_of(text)
    except ValueError:
        return
    assert bool(host) != (path is not None)
    assert port is None or 0 < port < 65536
    if path is not None:
        assert len(socket_name(path).encode()) <= 107
