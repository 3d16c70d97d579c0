# SPDX-License-Identifier: Apache-2.0
"""Ten thousand names of anything are some hundred, and then ``other``."""

from __future__ import annotations

import contextlib
import itertools
import logging
import types

import pytest
from imported import imported
from serving import recorded, set_clock

from nova_profiler.capture.call_names import MOST_NAMES, OTHER
from nova_profiler.capture.hooks import lock_waits, log_handlers
from nova_profiler.capture.hooks.processes import child_processes
from nova_profiler.capture.hooks.rpc import sent_messages

MANY = 10_000


def letters(number: int) -> str:
    """Return a word without a digit, which would be an id."""
    word = ""
    for _ in range(4):
        number, rest = divmod(number, 16)
        word += "ghijklmnopqrstuv"[rest]
    return word


def programs(monkeypatch):
    library = imported("oslo_concurrency.processutils")
    monkeypatch.setattr(library, "execute", lambda *cmd, **kwargs: None)
    undo = child_processes.install()
    return undo, lambda word: library.execute(f"/usr/bin/{word}", word)


def privileged(monkeypatch):
    library = imported("oslo_privsep.daemon")._ClientChannel

    def remote_call(self, name, args, kwargs, timeout):
        """Ask no daemon."""

    monkeypatch.setattr(library, "remote_call", remote_call)
    undo = child_processes.install()
    return undo, lambda word: library.remote_call(None, word, (), {}, None)


def messages(monkeypatch, topic=None):
    library = imported("oslo_messaging.transport").Transport

    def send(self, target, ctxt, message, wait_for_reply=None):
        """Hand it to no broker."""

    def send_one(word):
        target = types.SimpleNamespace(topic=topic or word, fanout=None)
        message = {"method": word if topic else "ping", "args": {}}
        library._send(None, target, {}, message)

    monkeypatch.setattr(library, "_send", send)
    return sent_messages.install(), send_one


def methods(monkeypatch):
    return messages(monkeypatch, "compute")


def locks(monkeypatch):
    library = imported("oslo_concurrency.lockutils")
    monkeypatch.setattr(library, "lock", lambda name: contextlib.nullcontext())

    def take(word):
        with library.lock(f"nova-{word}"):
            pass

    return lock_waits.install(), take


def handlers(monkeypatch):
    record = logging.makeLogRecord({})

    def log(word):
        emit = {"emit": lambda self, record: None}
        type(word, (logging.Handler,), emit)().handle(record)

    return log_handlers.install(), log


@pytest.mark.parametrize(
    ("make", "group"),
    [
        (programs, "process"),
        (privileged, "process"),
        (messages, "rpc"),
        (methods, "rpc"),
        (locks, "lock"),
        (handlers, "log"),
    ],
)
def test_names_are_bounded(make, group, monkeypatch):
    """Whatever a plugin, a message or a client makes them of."""
    undo, call = make(monkeypatch)
    ticks = itertools.count()
    # Every wait is one that has a name.
    set_clock(monkeypatch, lambda: next(ticks) * 0.001)

    def work():
        for number in range(MANY):
            call(letters(number))

    try:
        record = recorded(
            work, dump_dir="x", dump_when=("all",), max_calls=MANY
        )
    finally:
        undo()

    names = {one.name for one in record.timeline if one.group == group}
    assert len(names) == MOST_NAMES + 1
    assert OTHER in names
    assert record.groups[group].calls == MANY
