# SPDX-License-Identifier: Apache-2.0
"""Where statsd listens, in the forms in which its clients write that."""

from __future__ import annotations

import ipaddress
import os
import re
from typing import NamedTuple

EXPECTED = (
    "a host, host:port, [IPv6 address]:port, or unix:///path of a datagram "
    "socket"
)
# What the name of a Unix socket has room for, with its end.
_LONGEST_PATH = 107
_LONGEST_HOST = 253
# ``::1:8125`` is an address, too; its author meant a port.
_LAST_RESERVED_PORT = 1023
_UDP = "udp://"
_UNIX = ("unix://", "unixgram://", "unix:")
_BRACKETS = re.compile(r"\[([^\[\]]*)\](?::(.*))?", re.DOTALL)
_HOST = re.compile(r"[^\s\x00-\x20\x7f/:@\[\]?#%\\,]+")
_PORT = re.compile(r"[0-9]{1,5}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Address(NamedTuple):
    """A host, and its port if that stands with it; or a socket's path."""

    host: str
    port: int | None = None
    path: str | None = None


def address_of(text: str) -> Address:
    """Return what *text* means; raises ValueError where that is unclear."""
    text = text.strip()
    for scheme in _UNIX:
        if text.startswith(scheme):
            return Address("", None, _path(text.removeprefix(scheme)))
    if text.startswith(("/", "@")):
        return Address("", None, _path(text))
    text = text.removeprefix(_UDP)
    brackets = _BRACKETS.fullmatch(text)
    if brackets is not None:
        return Address(_ipv6(brackets[1]), _port(brackets[2]))
    if text.count(":") > 1:
        return Address(_without_port(text))
    host, colon, port = text.partition(":")
    return Address(_host(host), _port(port if colon else None))


def socket_name(path: str) -> str:
    """Return *path* as the system takes it: ``@`` begins an abstract name."""
    return f"\0{path[1:]}" if path.startswith("@") else path


def _path(path: str) -> str:
    if (
        not path.startswith(("/", "@"))
        or path in ("/", "@")
        or _CONTROL.search(path)
        or len(os.fsencode(path)) > _LONGEST_PATH
    ):
        raise ValueError(f"no path of a socket: {path!r}")
    return path


def _ipv6(text: str) -> str:
    ipaddress.IPv6Address(text)
    return text


def _without_port(text: str) -> str:
    """Return *text*, unless its last part is rather a port."""
    start, _, last = text.rpartition(":")
    if _PORT.fullmatch(last) and int(last) > _LAST_RESERVED_PORT:
        try:
            ipaddress.IPv6Address(start)
        except ValueError:
            pass
        else:
            raise ValueError(f"brackets are missing: {text!r}")
    return _ipv6(text)


def _host(text: str) -> str:
    if not _HOST.fullmatch(text) or len(text) > _LONGEST_HOST:
        raise ValueError(f"no host: {text!r}")
    # What the look-up of a name does first.
    text.encode("idna")
    return text


def _port(text: str | None) -> int | None:
    if text is None:
        return None
    if not _PORT.fullmatch(text) or not 0 < int(text) < 65536:
        raise ValueError(f"no port: {text!r}")
    return int(text)
