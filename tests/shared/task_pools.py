# SPDX-License-Identifier: Apache-2.0
"""Pools as nova has them: a stand-in for ``nova.thread_pool_factory``."""

from __future__ import annotations

import enum
import functools
import threading
import types
from collections.abc import Callable
from typing import Any

from oslo_context import context as oslo_context

WAIT_S = 60
# For the option log_requests: each task has a record.
ALL_KINDS = ("all", "task:all", "periodic:all")


class ExecutorType(enum.Enum):
    """Nova's names of pools are those of the members."""

    DEFAULT = "default"
    LONG_TASK = "long_task"


class Delayed:
    """Hands work to an executor when a test says that its delay is over."""

    def __init__(self, delay: float, executor: Any) -> None:
        self._delay = delay
        self._executor = executor
        self._waiting: list[Callable[[], Any]] = []

    def submit_with_delay(self, fn: Any, *args: Any, **kwargs: Any) -> None:
        self._waiting.append(functools.partial(fn, *args, **kwargs))

    def over(self) -> None:
        """Submit all, from a thread that belongs to no request."""
        while self._waiting:
            self._executor.submit(self._waiting.pop(0)).result(WAIT_S)


def module_of(executor: Any) -> types.ModuleType:
    """Return the module, whose pools are all *executor*."""

    def spawn_on(
        executor_type: Any, func: Any, *args: Any, **kwargs: Any
    ) -> Any:
        context = oslo_context.get_current()

        @functools.wraps(func)
        def in_context(*args: Any, **kwargs: Any) -> Any:
            if context is not None:
                context.update_store()
            return func(*args, **kwargs)

        return executor.submit(in_context, *args, **kwargs)

    module: Any = types.ModuleType("nova.thread_pool_factory")
    module.spawn_on = spawn_on
    module.StaticallyDelayingCancellableTaskExecutorWrapper = Delayed
    return module


class Held:
    """A function that runs until it is let go."""

    def __init__(self, work: Callable[[], Any] = lambda: None) -> None:
        self._work = work
        self.begun = threading.Event()
        self._go_on = threading.Event()

    def __call__(self) -> Any:
        self.begun.set()
        assert self._go_on.wait(WAIT_S)
        return self._work()

    def wait(self) -> None:
        """Return when it runs."""
        assert self.begun.wait(WAIT_S)

    def let_go(self) -> None:
        self._go_on.set()
