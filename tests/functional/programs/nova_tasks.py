# SPDX-License-Identifier: Apache-2.0
"""Process in which requests submit tasks by the real nova's functions.

    python -m tests.functional.programs.nova_tasks [CALLABLE]...

Functions and methods that are named have to be there to be timed. Prints the
records, and what is not in this nova, as one JSON object. The environment says
whether nova runs with threads or with eventlet.
"""

from __future__ import annotations

# First, as its commands have it: it decides about eventlet.
from nova import monkey_patch

monkey_patch.patch()

import functools
import json
import os
import sys
import threading
import time
from typing import Any

import nova.compute.manager
import nova.conf
from nova import context as nova_context
from nova import manager as nova_manager
from nova import rpc
from nova import thread_pool_factory as pools
from nova.network import model
from oslo_service import periodic_task

from nova_profiler.capture.hooks import (
    instance_events,
    lock_waits,
    pool_waits,
    timed_callables,
)
from nova_profiler.capture.hooks.late_patches import (
    missing_points,
)
from nova_profiler.capture.hooks.spawns import thread_spawns
from nova_profiler.capture.served.kinds import (
    periodic_tasks,
    tasks,
)
from tests.shared.serving import Profiled, during
from tests.shared.task_pools import ALL_KINDS

WAIT_S = 60
SECRET = "hunter2"


class Manager(nova_manager.Manager):
    """A manager of nova's with tasks of its own."""

    @periodic_task.periodic_task(spacing=60, run_immediately=True)
    def _heal(self, context: Any) -> None:
        """Submit one and go on."""
        pools.spawn_on(pools.ExecutorType.SYNC_POWER, self._sync, SECRET)

    @periodic_task.periodic_task(spacing=60, run_immediately=True)
    def _fails(self, context: Any) -> None:
        raise LookupError(SECRET)

    def _sync(self, secret: str) -> None:
        time.sleep(0.2)

    def build(self, go_on: threading.Event, secret: str) -> None:
        """Go on when the request has ended."""
        assert go_on.wait(WAIT_S)


def in_request(manager: Manager, go_on: threading.Event) -> None:
    """Submit what ends before the request does, and what does not."""
    nova_context.RequestContext(
        user_id="user", project_id="project", auth_token=SECRET
    ).update_store()
    build = functools.partial(manager.build, go_on, secret=SECRET)
    pools.spawn_on(pools.ExecutorType.LONG_TASK, build)
    info = model.NetworkInfoAsyncWrapper(lambda: [time.sleep(0.05)])
    info.wait()
    pools.spawn(time.sleep, 0.01).result(WAIT_S)


def later(go_on: threading.Event) -> Any:
    """Submit what begins a moment after the request."""
    wrapper = pools.StaticallyDelayingCancellableTaskExecutorWrapper(
        0.3, pools.get_executor(pools.ExecutorType.DEFAULT)
    )
    wrapper.submit_with_delay(go_on.set)
    return wrapper


def main() -> None:
    """Print what came of it."""
    os.environ["OS_DEFAULT__TRANSPORT_URL"] = "fake:/"
    conf = nova.conf.CONF
    conf([], project="nova", default_config_files=[])
    rpc.init(conf)
    profiled = Profiled(None, log_requests=ALL_KINDS)
    undos = [
        hook.install()
        for hook in (pool_waits, lock_waits, instance_events, thread_spawns)
    ]
    undos.append(timed_callables.install(sys.argv[1:]))
    undos += [
        kind.install(profiled.worker) for kind in (tasks, periodic_tasks)
    ]
    manager = Manager("host")
    go_on = threading.Event()
    profiled.filter._app = during(lambda: in_request(manager, go_on))
    profiled.get()
    wrappers: list[Any] = []
    profiled.filter._app = during(lambda: wrappers.append(later(go_on)))
    profiled.get()
    manager.periodic_tasks(nova_context.get_admin_context())
    wrappers[0].shutdown()
    pools.shutdown_all_executors()
    json.dump(
        {
            "records": [one.to_dict() for one in profiled.records],
            "missing": missing_points(),
            "is_green": monkey_patch.is_patched(),
            "failures": profiled.failures.counts(),
        },
        sys.stdout,
    )
    for undo in undos:
        undo()


if __name__ == "__main__":
    main()
