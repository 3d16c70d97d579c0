# SPDX-License-Identifier: Apache-2.0
"""Process that makes nova's schemas, two cells and servers in the second.

    python -m demo.databases.populate DIRECTORY CELL0_URL CELL1_URL SERVERS

DIRECTORY has the nova.conf. The schemas and mappings are made by nova's own
nova-manage, the rows by nova.objects.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from demo import identity


def main() -> None:
    """Make schemas, cells and servers by the command line."""
    directory, cell0, cell1, servers = sys.argv[1:]
    os.environ["OS_NOVA_DISABLE_EVENTLET_PATCHING"] = "true"
    conf = Path(directory, "nova.conf")
    _make_schemas(conf, cell0, cell1)
    _make_servers(conf, int(servers))


def _make_schemas(conf: Path, cell0: str, cell1: str) -> None:
    def manage(*words: str, **variables: str) -> None:
        program = Path(sys.executable).with_name("nova-manage")
        subprocess.run(
            [sys.executable, program, "--config-file", conf, *words],
            env={**os.environ, **variables},
            check=True,
        )

    manage("api_db", "sync")
    manage("cell_v2", "map_cell0", "--database_connection", cell0)
    manage("db", "sync", "--local_cell")
    # The environment beats the file: the same command for the other cell.
    manage("db", "sync", "--local_cell", OS_DATABASE__CONNECTION=cell1)
    manage(
        *("cell_v2", "create_cell", "--name", "cell1"),
        *("--database_connection", cell1, "--transport-url", "fake://"),
    )


def _make_servers(conf: Path, servers: int) -> None:
    from nova import monkey_patch

    monkey_patch.patch(backend="threading")

    from nova import config, context, objects

    objects.register_all()
    config.parse_args(
        ["nova-manage", "--config-file", str(conf)], default_config_files=[]
    )
    admin = context.RequestContext(
        identity.USER_ID, identity.PROJECT_ID, is_admin=True
    )
    flavor = objects.Flavor(
        admin,
        **_sizes(),
        **{"name": "demo.tiny", "flavorid": "1", "is_public": True},
        **{"swap": 0, "rxtx_factor": 1.0, "vcpu_weight": 0},
        **{"disabled": False, "projects": []},
        extra_specs={"hw:cpu_policy": "shared"},
    )
    flavor.create()
    cell = next(
        cell
        for cell in objects.CellMappingList.get_all(admin)
        if cell.name == "cell1"
    )
    for number in range(servers):
        with context.target_cell(admin, cell) as in_cell:
            server = _server(in_cell, flavor, number)
        objects.InstanceMapping(
            admin,
            instance_uuid=server.uuid,
            cell_mapping=cell,
            project_id=identity.PROJECT_ID,
            user_id=identity.USER_ID,
            queued_for_delete=False,
        ).create()


def _sizes() -> dict[str, int]:
    return {"memory_mb": 512, "vcpus": 1, "root_gb": 1, "ephemeral_gb": 0}


def _server(context: Any, flavor: Any, number: int) -> Any:
    """Return a new running server with one port and one volume."""
    from nova import objects
    from oslo_utils import timeutils, uuidutils

    uuid = uuidutils.generate_uuid()
    server = objects.Instance(
        context,
        **_sizes(),
        **{"uuid": uuid, "vm_state": "active", "power_state": 1},
        **{"project_id": identity.PROJECT_ID, "user_id": identity.USER_ID},
        **{"host": "compute1", "node": "compute1", "compute_id": 1},
        **{"kernel_id": "", "ramdisk_id": "", "config_drive": ""},
        **{"task_state": None, "key_name": None, "old_flavor": None},
        **{"new_flavor": None, "launch_index": 0, "progress": 0},
        display_name=f"demo-{number:03}",
        hostname=f"demo-{number:03}",
        reservation_id=f"r-demo{number:04}",
        image_ref=uuidutils.generate_uuid(),
        instance_type_id=flavor.id,
        flavor=flavor,
        availability_zone="nova",
        launched_at=timeutils.utcnow(),
        locked=False,
        system_metadata={"image_min_disk": "1"},
        metadata={"number": str(number)},
        info_cache=objects.InstanceInfoCache(
            context,
            instance_uuid=uuid,
            network_info=_network(number),
        ),
    )
    server.create()
    objects.BlockDeviceMapping(
        context,
        instance_uuid=uuid,
        source_type="volume",
        destination_type="volume",
        device_name="/dev/vdb",
        volume_id=uuidutils.generate_uuid(),
        delete_on_termination=False,
        boot_index=-1,
    ).create()
    return server


def _network(number: int) -> Any:
    """Return what nova knows of the server's one port."""
    from nova.network import model
    from oslo_utils import uuidutils

    high, low = divmod(number, 250)
    subnet = model.Subnet(
        cidr="10.0.0.0/16",
        version=4,
        gateway=model.IP(address="10.0.0.1", version=4),
        ips=[model.FixedIP(address=f"10.0.{high}.{low + 2}", version=4)],
    )
    return model.NetworkInfo(
        [
            model.VIF(
                id=uuidutils.generate_uuid(),
                address=f"fa:16:3e:00:{high:02x}:{low:02x}",
                network=model.Network(
                    id=uuidutils.generate_uuid(),
                    bridge="br-int",
                    label="private",
                    subnets=[subnet],
                ),
                active=True,
                type="ovs",
            )
        ]
    )


if __name__ == "__main__":
    main()
