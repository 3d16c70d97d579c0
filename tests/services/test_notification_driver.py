# SPDX-License-Identifier: Apache-2.0
"""The driver by which a service switches us on: light, and harmless."""

from __future__ import annotations

import configparser
import sys

import pytest
from places import ROOT
from programs import answer_of


def test_its_module_brings_next_to_nothing():
    """Tools load every driver there is, only to list the names."""
    loaded = answer_of(
        """
        import json, sys
        before = set(sys.modules)
        import nova_profiler.services.notification_driver
        print(json.dumps(sorted(set(sys.modules) - before)))
        """
    )

    own = {
        name
        for name in loaded
        if name.partition(".")[0] not in sys.stdlib_module_names
    }
    assert own == {
        "nova_profiler",
        "nova_profiler.services",
        "nova_profiler.services.notification_driver",
    }


def test_it_is_an_entry_point():
    """As a line of the configuration names it."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    points = setup["options.entry_points"]["oslo.messaging.notify.drivers"]

    assert points.split() == [
        "nova_profiler",
        "=",
        "nova_profiler.services.notification_driver:NotificationDriver",
    ]


def test_switched_on_it_opens_nothing():
    """Before the first message: no thread, no file, no socket, no eventlet.

    nova-manage loads drivers, too, and a service forks after that.
    """
    pytest.importorskip("oslo_messaging")
    found = answer_of(
        """
        import gc, json, os, sys, tempfile, threading
        import oslo_messaging
        from oslo_config import cfg
        from nova_profiler.services.notification_driver import (
            NotificationDriver
        )

        directory = tempfile.mkdtemp()
        path = os.path.join(directory, "nova.conf")
        with open(path, "w") as file:
            file.write(
                "[nova_profiler]\\nstatsd_host = 127.0.0.1\\n"
                f"dump_dir = {directory}/dumps\\n"
                f"log_file = {directory}/log\\nprofiler = stacks\\n"
            )
        conf = cfg.ConfigOpts()
        conf(["--config-file", path], project="nova", prog="nova-conductor")
        had_eventlet = "eventlet" in sys.modules
        opened = len(os.listdir("/proc/self/fd"))
        callbacks = len(gc.callbacks)
        first = NotificationDriver(conf, ["notifications"], None)
        method = oslo_messaging.rpc.server.RPCServer._process_incoming
        second = NotificationDriver(conf, ["notifications"], None)
        first.notify({}, {}, "INFO", None)
        print(json.dumps({
            "threads": threading.active_count(),
            "opened": len(os.listdir("/proc/self/fd")) - opened,
            "callbacks": len(gc.callbacks) - callbacks,
            "files": sorted(os.listdir(directory)),
            "eventlet": ("eventlet" in sys.modules) and not had_eventlet,
            "wrapped": hasattr(method, "__wrapped__"),
            "twice": hasattr(method.__wrapped__, "__wrapped__"),
            "same": method is
                oslo_messaging.rpc.server.RPCServer._process_incoming,
        }))
        """
    )

    assert found == {
        "threads": 1,
        "opened": 0,
        "callbacks": 0,
        "files": ["nova.conf"],
        "eventlet": False,
        "wrapped": True,
        "twice": False,
        "same": True,
    }
