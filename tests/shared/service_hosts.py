# SPDX-License-Identifier: Apache-2.0
"""A host of services in a folder: configuration, Pythons, processes."""

from __future__ import annotations

from pathlib import Path

from nova_profiler.reading.setup import Point
from nova_profiler.reading.setup.nova_conf import options_of
from nova_profiler.reading.setup.services import Service
from nova_profiler.reading.setup.services.finding import services_of
from nova_profiler.reading.setup.services.points import service_points
from nova_profiler.reading.setup.services.processes import processes

DRIVER = "[oslo_messaging_notifications]\ndriver = nova_profiler\n"
PASTE = """\
[composite:metadata]
use = egg:Paste#urlmap
/: meta

[pipeline:meta]
pipeline = {meta}metaapp

[composite:osapi_compute]
use = call:nova.api.openstack.urlmap:urlmap_factory
/v2.1/+: openstack_compute_api_v21

[composite:openstack_compute_api_v21]
use = call:nova.api.auth:pipeline_factory_v21
keystone = {api}cors osapi_compute_app_v21
"""
FILTER = """
[filter:nova_profiler]
paste.filter_factory = nova_profiler.factory:filter_factory
"""
# What is in a Python where everything is right.
PACKAGES = {"nova": "34.0.0", "nova_profiler": "0.1.0"}


class Host:
    """Files as on a host, below a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.etc = folder / "etc"
        self.proc = folder / "proc"
        for one in (self.etc, self.proc):
            one.mkdir()

    def write(self, name: str, text: str) -> Path:
        """Write a file of the configuration."""
        path = self.etc / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def paste(self, api: str = "", meta: str = "", rest: str = FILTER) -> Path:
        """Write nova's paste file, with these words before its pipelines."""
        text = PASTE.format(api=api, meta=meta)
        return self.write("nova/api-paste.ini", text + rest)

    def python(
        self,
        name: str = "venv",
        driver: bool = True,
        packages: dict[str, str] | None = None,
    ) -> Path:
        """Make an environment with *packages*, ours with its entry point."""
        prefix = self.folder / name
        site = prefix / "lib" / "python3.11" / "site-packages"
        site.mkdir(parents=True)
        for package, version in (packages or PACKAGES).items():
            info = site / f"{package}-{version}.dist-info"
            info.mkdir()
            (info / "METADATA").write_text(f"Name: {package}\n")
            if package == "nova_profiler" and driver:
                (info / "entry_points.txt").write_text(
                    "[oslo.messaging.notify.drivers]\n"
                    "nova_profiler = nova_profiler.capture.driver:Driver\n"
                )
        return prefix

    def process(self, pid: int, *words: str, parent: int = 1) -> None:
        """Have a process run with the *words* of its command line."""
        folder = self.proc / str(pid)
        folder.mkdir()
        (folder / "cmdline").write_bytes(
            b"".join(word.encode() + b"\0" for word in words)
        )
        (folder / "stat").write_text(f"{pid} (a) b) S {parent} 0 0")

    def services(self, prefix: str = "") -> list[Service]:
        """Return what is found of all that."""
        return services_of(
            str(self.etc),
            list(processes(str(self.proc))),
            options_of,
            prefix,
        )

    def service(self, name: str, prefix: str = "") -> Service:
        """Return the one service of that name."""
        (one,) = [
            one for one in self.services(prefix) if one.kind.service == name
        ]
        return one

    def points(self, name: str = "", prefix: str = "") -> list[Point]:
        """Return the points of the service *name*, or all of them."""
        found = list(service_points(self.services(prefix), str(self.etc)))
        if not name:
            return found
        return [one for one in found if one.name == f"service {name}"]
