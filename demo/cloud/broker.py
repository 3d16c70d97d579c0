# SPDX-License-Identifier: Apache-2.0
"""RabbitMQ: a node of the cloud's own, on free ports of loopback."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from demo.cloud.processes import CloudError, Processes, answers, free_port

# Debian's wrapper of the same name on PATH serves root and its own user only.
_PROGRAMS = ("/usr/lib/rabbitmq/bin/rabbitmq-server", "rabbitmq-server")
_START_S = 120
_EPMD_START_S = 20
_STARTED = "Server startup complete"


def missing() -> str | None:
    """Return what to install for a broker; None if it is there."""
    for program in (_program(), shutil.which("epmd")):
        if program is None:
            return (
                "RabbitMQ is not installed: apt-get install rabbitmq-server "
                "(its service need not run: the demo starts a node of its own)"
            )
    return None


def start(processes: Processes, directory: Path) -> int:
    """Start a node whose files are in *directory*; return its port."""
    program, epmd = _program(), shutil.which("epmd")
    if program is None or epmd is None:
        raise CloudError(str(missing()))
    ports = [free_port() for _ in range(3)]
    variables = _variables(directory, *ports)
    # Not left to the node, which would have it outlive the node.
    names = ("-address", "127.0.0.1", "-port", str(ports[2]))
    processes.start("epmd", [epmd, *names])
    processes.wait("epmd", "not up", lambda: answers(ports[2]), _EPMD_START_S)
    processes.start("rabbitmq", [program], variables)
    return ports[0]


def wait(processes: Processes) -> None:
    """Return when the node takes messages."""
    processes.wait(
        "rabbitmq",
        "not up",
        lambda: _STARTED in processes.output("rabbitmq"),
        _START_S,
    )


def _program() -> str | None:
    found = (shutil.which(program) for program in _PROGRAMS)
    return next((program for program in found if program), None)


def _variables(
    directory: Path, port: int, distribution_port: int, epmd_port: int
) -> dict[str, str]:
    """Return the environment of a node that knows of no other one."""
    directory.mkdir(parents=True)
    (directory / "plugins").write_text("[].\n")
    # The line that it is up is one of these.
    (directory / "rabbitmq.conf").write_text("log.console.level = info\n")
    loopback = "-kernel inet_dist_use_interface {127,0,0,1}"
    return {
        # Where the node puts its cookie.
        "HOME": str(directory),
        "ERL_EPMD_PORT": str(epmd_port),
        "RABBITMQ_NODENAME": f"nova_profiler_demo_{os.getpid()}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(distribution_port),
        "RABBITMQ_MNESIA_BASE": str(directory / "mnesia"),
        "RABBITMQ_LOG_BASE": str(directory),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "plugins"),
        "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq.conf"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(directory / "generated"),
        "RABBITMQ_PID_FILE": str(directory / "pid"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": loopback,
    }
