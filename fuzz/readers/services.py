# SPDX-License-Identifier: Apache-2.0
"""What `check` reads of a host's services: command lines, files, packages."""

from __future__ import annotations

from pathlib import Path

from fuzz.readers.contracts import Reader
from nova_profiler.reading.setup.nova_conf import options_of
from nova_profiler.reading.setup.services.environments import python_at
from nova_profiler.reading.setup.services.finding import services_of
from nova_profiler.reading.setup.services.points import service_points
from nova_profiler.reading.setup.services.processes import processes

_SEEDS = (
    b"/opt/v/bin/python3\0/opt/v/bin/nova-compute\0--config-file\0/etc/x\0",
    b"nova-apiuWSGI worker 1\0",
    b"[uwsgi]\nmodule = nova_profiler.wsgi:application\n"
    b"env = NOVA_PROFILER_APPLICATION=placement.wsgi.api:application\n",
    b"[oslo_messaging_notifications]\ndriver = messagingv2\n"
    b"driver = nova_profiler\n[nova_profiler]\nenabled = false\n",
    b"[composite:osapi_compute]\n/v2.1/+: api\n[composite:api]\n"
    b"use = call:x\nkeystone = nova_profiler cors app\n[app:app]\n",
    b"[oslo.messaging.notify.drivers]\nnova_profiler = a.b:C\n",
)
_PIECES = (
    b"\0", b"uWSGI ", b"(wsgi:", b"--multiprocessing-fork", b"-c\0",
    b"[uwsgi]", b"module = ", b"driver = ", b"[filter:nova_profiler]\n",
    b".ini", b"\n ",
)  # fmt: skip


def read_host(data: bytes, folder: Path) -> None:
    """Take *data* as each of the files of a host with two processes."""
    etc, venv = folder / "etc", folder / "venv"
    site = venv / "lib" / "python3.11" / "site-packages"
    info = site / "nova_profiler-0.1.0.dist-info"
    for one in (etc / "nova", etc / "placement", info):
        one.mkdir(parents=True, exist_ok=True)
    for path in (
        *(etc / "nova" / "nova.conf", etc / "nova" / "api-paste.ini"),
        *(etc / "placement" / "placement.conf", venv / "pyvenv.cfg"),
        *(
            etc / "placement" / "placement-uwsgi.ini",
            info / "entry_points.txt",
        ),
    ):
        path.write_bytes(data)
    for pid in ("7", "8"):
        process = folder / "proc" / pid
        process.mkdir(parents=True, exist_ok=True)
        (process / "cmdline").write_bytes(data)
        (process / "stat").write_bytes(data if pid == "8" else b"7 (a) S 1")
    running = list(processes(str(folder / "proc")))
    for found in (running, []):
        services = services_of(str(etc), found, options_of, str(venv))
        list(service_points(services, str(etc)))
    python_at(str(venv))


# configparser took minutes for so many blanks in a line.
_FINDS = (b"[a]\nd" + b"\t" * 40_000 + b"r = nova_profiler\n",)

HOST = Reader(read_host, _SEEDS, _PIECES, _FINDS)
