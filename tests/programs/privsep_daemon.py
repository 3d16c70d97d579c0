# SPDX-License-Identifier: Apache-2.0
"""Call privsep's daemon, forked in a request; print what both sides saw."""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
import threading

from imported import imported
from oslo_config import cfg
from serving import Profiled, during

from nova_profiler.capture.current import active, current_lane
from nova_profiler.capture.settings.options import Settings
from nova_profiler.factory import install_hooks

priv_context = imported("oslo_privsep.priv_context")
processutils = imported("oslo_concurrency.processutils")

context = priv_context.PrivContext(
    "__main__",
    cfg_section="privsep_of_a_test",
    pypath=f"{__name__}.context",
    # No more rights than there are here.
    capabilities=[],
)


@context.entrypoint
def facts() -> dict[str, object]:
    """Return what there is of ours in the process that runs this."""
    processutils.execute("true")
    logging.getLogger("of_the_daemon").warning("a line")
    gc.collect()
    return {
        "pid": os.getpid(),
        "has_lane": current_lane() is not None,
        "active": len(active),
        "threads": [thread.name for thread in threading.enumerate()],
    }


@context.entrypoint
def slow(seconds: str) -> None:
    """Run a program that takes long."""
    processutils.execute("sleep", seconds)


def main() -> None:
    """Print the record's calls, and facts of the daemon, as JSON."""
    cfg.CONF([], default_config_files=[])
    install_hooks(Settings(hooks=("process", "threads", "pool", "log", "gc")))
    found: list[dict[str, object]] = []

    def work() -> None:
        context.start(priv_context.Method.FORK)
        found.append(facts())
        slow(sys.argv[1])

    profiled = Profiled(during(work))
    profiled.get()
    context.stop()
    record = profiled.record
    print(
        json.dumps(
            {
                "pid": os.getpid(),
                "daemon": found[0],
                "calls": {
                    call.name: (call.count, call.ms)
                    for call in record.calls
                    if call.group == "process"
                },
                "breakdown_ms": record.breakdown_ms,
                "failures": profiled.failures.counts(),
            }
        )
    )


main()
