# SPDX-License-Identifier: Apache-2.0
"""Switches the profiler on in the process of a service.

Only attributes of modules and classes are replaced here. What needs a thread,
a socket or a file waits for the first message or task of the process: commands
such as nova-manage load drivers and serve nothing, and a service forks.
"""

from __future__ import annotations

import importlib
import logging
from typing import Any

from nova_profiler.capture.hooks import HookLock, Undo
from nova_profiler.capture.hooks.attribute_patches import undo_all
from nova_profiler.capture.served.worker import Worker
from nova_profiler.capture.settings.live import LiveSettings
from nova_profiler.capture.settings.options import ConfigError, Settings
from nova_profiler.capture.settings.project_conf import use_defaults_of
from nova_profiler.factory import install_hooks, worker_of
from nova_profiler.record import KINDS
from nova_profiler.services import notifiers
from nova_profiler.services.held_lines import HeldLines
from nova_profiler.services.service_names import service_name_of

LOG = logging.getLogger("nova_profiler")

_KINDS = "nova_profiler.capture.served.kinds"

_lock = HookLock()
# What undoes it, for the options that it was switched on with.
_switched_on: dict[int, Undo] = {}


def switch_on(conf: Any) -> None:
    """Time what the process of *conf* serves, once. Never raises.

    What is wrong is one line in the log, and the service runs without us.
    """
    with _lock.now:
        if id(conf) in _switched_on:
            return
        undos: list[Undo] = []
        _switched_on[id(conf)] = undo_all(undos)
        held = HeldLines()
        try:
            with held.holding():
                # First: it holds whether or not the rest works.
                undos.append(notifiers.install())
                _time_all(conf, held, undos)
        except Exception as exc:
            held.let_go()
            # The text of others' errors may hold anything.
            why = exc if isinstance(exc, ConfigError) else type(exc).__name__
            LOG.warning("nova-profiler is off in this process: %s", why)


def switch_off(conf: Any) -> None:
    """Undo what switch_on() did for *conf*."""
    with _lock.now:
        undo = _switched_on.pop(id(conf), None)
    if undo is not None:
        undo()


def _time_all(conf: Any, held: HeldLines, undos: list[Undo]) -> None:
    name = service_name_of(conf, Settings.service_name)
    use_defaults_of(conf, is_api=False)
    live = LiveSettings(conf, {}, {}, name)
    settings = live.current
    # Without the process-wide hooks first; all of them at the first capture.
    times = iter((False,))

    def install() -> Undo:
        is_serving = next(times, True)
        if is_serving:
            held.let_go()
        return install_hooks(settings, is_serving)

    worker = worker_of(live, install)
    undos.append(worker.undo)
    for kind in KINDS:
        if kind.module:
            _serve(kind.module, worker, undos)


def _serve(module: str, worker: Worker, undos: list[Undo]) -> None:
    """Have one kind served; one that cannot be leaves the others alone."""
    try:
        kind = importlib.import_module(f"{_KINDS}.{module}")
        undos.append(kind.install(worker))
    except Exception as exc:
        worker.failures.note(f"serving_{module}", exc)
