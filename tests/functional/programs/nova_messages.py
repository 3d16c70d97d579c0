# SPDX-License-Identifier: Apache-2.0
"""nova's own RPC client and server in one process, switched on by a drop-in.

Run with a directory that has ``nova.conf`` and ``nova.conf.d``. Prints what
came of each call and what was there before the first one, as JSON; the records
are in the files that the configuration names.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

# The arguments of each call.
CALLS: dict[str, dict[str, str]] = {
    "ping": {},
    "chain": {},
    "missing": {},
    "broken": {},
    "no_such_method": {},
    "object_class_action_versions": {
        "objname": "Instance",
        "objmethod": "get_by_uuid",
    },
}


def main(directory: Path) -> None:
    """Serve and call, then print what was seen."""
    import nova.monkey_patch

    nova.monkey_patch.patch()
    import oslo_messaging as messaging
    from nova import config, context, exception, objects, rpc
    from oslo_log import log

    sys.argv[0] = "nova-conductor"
    config.parse_args(
        ["nova-conductor", "--config-file", str(directory / "nova.conf")]
        + ["--config-dir", str(directory / "nova.conf.d")]
    )
    log.setup(config.CONF, "nova")
    objects.register_all()
    before = {
        "threads": threading.active_count(),
        "dumps": (directory / "dumps").exists(),
        "log": (directory / "records.json").exists(),
        "notifies": rpc.NOTIFIER.is_enabled(),
    }

    class Endpoint:
        target = messaging.Target(version="1.0")

        def ping(self, ctxt: Any) -> str:
            return str(ctxt.request_id)

        def chain(self, ctxt: Any) -> Any:
            return client.call(ctxt, "ping")

        @messaging.expected_exceptions(exception.InstanceNotFound)
        def missing(self, ctxt: Any) -> None:
            raise exception.InstanceNotFound(instance_id="a-secret")

        def broken(self, ctxt: Any) -> None:
            raise ValueError("a-secret")

        def object_class_action_versions(
            self, ctxt: Any, objname: str, objmethod: str, **rest: Any
        ) -> None:
            return None

    server = rpc.get_server(
        messaging.Target(topic="conductor", server="host-1"), [Endpoint()]
    )
    server.start()
    client = rpc.get_client(messaging.Target(topic="conductor", version="1.0"))
    new_context = partial(context.RequestContext, "a-user", "a-project")
    answers = _answers(client, new_context)
    client.cast(new_context(), "ping")
    # And of the ping within the chain.
    _wait_for(directory / "records.json", len(answers) + 2)
    server.stop()
    server.wait()
    rpc.cleanup()
    after = {"eventlet": "eventlet" in sys.modules}
    print(json.dumps({"before": before, "answers": answers, "after": after}))


def _answers(client: Any, new_context: Callable[[], Any]) -> dict[str, Any]:
    """Return what came of each call: True for the caller's request id."""
    answers = {}
    for method, arguments in CALLS.items():
        ctxt = new_context()
        try:
            answer = client.call(ctxt, method, **arguments)
            answers[method] = answer == ctxt.request_id or answer
        except Exception as exc:
            answers[method] = type(exc).__name__
    return answers


def _wait_for(path: Path, lines: int) -> None:
    """Wait until as many records are there; some seconds at most."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if path.exists() and len(path.read_text().splitlines()) >= lines:
            return
        time.sleep(0.02)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
