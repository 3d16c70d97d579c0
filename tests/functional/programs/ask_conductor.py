# SPDX-License-Identifier: Apache-2.0
"""Asks nova-conductor for objects over RPC, as nova-compute does.

Run with a directory that has ``nova.conf`` and ``nova.conf.d``, and how often
to ask. Prints the ids of the requests and what came, as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(directory: Path, times: int) -> None:
    """Ask, then print what came."""
    from nova import config, context, objects, rpc
    from nova.conductor import api, rpcapi
    from nova.objects import base

    sys.argv[0] = "nova-compute"
    config.parse_args(
        ["nova-compute", "--config-file", str(directory / "nova.conf")]
        + ["--config-dir", str(directory / "nova.conf.d")],
        configure_db=False,
    )
    objects.register_all()
    base.NovaObject.indirection_api = rpcapi.ConductorAPI()
    # What is sent before it listens is lost.
    api.API().wait_until_ready(
        context.get_admin_context(), early_timeout=2, early_attempts=60
    )
    ids, binaries, missing = [], set(), 0
    for _ in range(times):
        ctxt = context.get_admin_context()
        ids.append(ctxt.request_id)
        services = objects.ServiceList.get_all(ctxt)
        binaries |= {one.binary for one in services}
        try:
            objects.Instance.get_by_uuid(ctxt, "0" * 32)
        except Exception as exc:
            missing += "InstanceNotFound" in type(exc).__name__
    rpc.cleanup()
    print(
        json.dumps(
            {"ids": ids, "binaries": sorted(binaries), "missing": missing}
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
