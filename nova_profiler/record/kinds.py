# SPDX-License-Identifier: Apache-2.0
"""What a record may be of.

A new kind is one file in ``capture/served/kinds`` and one row here: options,
metrics, log lines and commands that distinguish kinds read this table. What
only one kind has, as the way of a message, asks for that kind by its name.
"""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """One kind of what is served."""

    name: str
    # What one is, in "15 messages".
    noun: str
    # The first word of its routes, by which a reader of text knows it; none:
    # the route is a path.
    word: str = ""
    # What its records have as their method; none: that of HTTP.
    methods: tuple[str, ...] = ()
    # The module below nova_profiler.capture.served.kinds, whose install()
    # has them served; none: the WSGI filter does.
    module: str = ""
    # What the words of its route behind the first are: parts of a metric's
    # name, or its labels.
    metric: tuple[str, ...] = ()


REQUEST = Kind("request", "request", metric=("route", "method", "status"))
MESSAGE = Kind(
    "message",
    "message",
    "rpc",
    # An answer is awaited, or none, or that is not known.
    ("CALL", "CAST", "MESSAGE"),
    "messages.served_messages",
    ("topic", "method"),
)
TASK = Kind("task", "task", "task", ("TASK",), "tasks", ("pool", "function"))
PERIODIC = Kind(
    "periodic",
    "periodic task",
    "periodic",
    ("PERIODIC",),
    "periodic_tasks",
    ("task",),
)

KINDS = (REQUEST, MESSAGE, TASK, PERIODIC)

_BY_METHOD = {method: kind for kind in KINDS for method in kind.methods}


def kind_of_method(method: str) -> Kind:
    """Return the kind whose records have *method*, as names of dumps do."""
    return _BY_METHOD.get(method, REQUEST)
