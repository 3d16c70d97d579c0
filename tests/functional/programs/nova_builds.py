# SPDX-License-Identifier: Apache-2.0
"""A test as nova's functional ones, in which each service is recorded.

    python -m testtools.run tests.functional.programs.nova_builds

Conductor, scheduler and compute, on a fake hypervisor, serve the creation, a
live migration and a snapshot of a server. Writes the records, and what is not
in this nova, as one JSON object into the file that RECORDS names.
"""

from __future__ import annotations

import json
import os
from typing import Any

from nova.tests.functional import integrated_helpers  # isort: skip

from nova import context

from nova_profiler.capture.hooks.late_patches import missing_points
from nova_profiler.capture.served.kinds import periodic_tasks, tasks
from nova_profiler.capture.served.kinds.messages import served_messages
from nova_profiler.capture.settings.options import Settings
from nova_profiler.factory import install_hooks
from tests.shared.serving import Profiled
from tests.shared.task_pools import ALL_KINDS


class Builds(integrated_helpers.ProviderUsageBaseTestCase):
    """A server that is created, migrated and photographed."""

    compute_driver = "fake.MediumFakeDriver"
    microversion = "latest"

    def setUp(self) -> None:
        super().setUp()
        # As in production, where no service is there yet.
        kinds = (*ALL_KINDS, "message:all")
        self.profiled = Profiled(None, log_requests=kinds)
        worker = self.profiled.worker
        undos = [install_hooks(Settings())]
        undos += [
            kind.install(worker)
            for kind in (served_messages, tasks, periodic_tasks)
        ]
        for undo in undos:
            self.addCleanup(undo)
        self._start_compute("host1")
        self._start_compute("host2")

    def test_a_server(self) -> None:
        """Write what was recorded."""
        server = self._create_server(networks="none", host="host1")
        self._live_migrate(server)
        self.api.post_server_action(
            server["id"], {"createImage": {"name": "image"}}
        )
        self._wait_for_server_parameter(
            server, {"OS-EXT-STS:task_state": None}
        )
        compute = self.computes["host1"].manager
        compute.periodic_tasks(context.get_admin_context())
        answer: dict[str, Any] = {
            "records": [one.to_dict() for one in self.profiled.records],
            "missing": missing_points(),
            "failures": self.profiled.failures.counts(),
        }
        with open(os.environ["RECORDS"], "w") as file:
            json.dump(answer, file)
