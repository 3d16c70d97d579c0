# SPDX-License-Identifier: Apache-2.0
"""An RPC server over RabbitMQ, in a process of its own.

Run with URL, topic and, for ours, the port of statsd and a directory. It
serves until its standard input ends; for each line there it prints the CPU
time it has used.
"""

from __future__ import annotations

import sys
import time
import warnings
from contextlib import ExitStack

from benchmarks.messages.servers import (
    Endpoint,
    options,
    server_of,
    switched_on,
)


def main(url: str, topic: str, port: str = "", directory: str = "") -> None:
    """Serve *topic*, with the profiler if there is a *port*."""
    warnings.simplefilter("ignore")
    conf = options()
    with ExitStack() as stack:
        if port:
            stack.enter_context(
                switched_on(
                    conf,
                    statsd_host="127.0.0.1",
                    statsd_port=int(port),
                    dump_dir=directory,
                )
            )
        server = server_of(conf, Endpoint(), url, topic)
        server.start()
        print("ready", flush=True)
        for _ in sys.stdin:
            print(time.process_time(), flush=True)
        server.stop()
        server.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
