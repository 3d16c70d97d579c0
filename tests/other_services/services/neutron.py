# SPDX-License-Identifier: Apache-2.0
"""neutron: Paste, pecan behind a router for extensions, no DB API."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.other_services.services import (
    TOKEN,
    UNMATCHED,
    Request,
    Service,
    own_options,
    with_filter,
)

MISSING = "00000000-df5a-4a71-a53b-d453ccc0be64"
ORIGINAL = Path(sys.prefix) / "etc/neutron/api-paste.ini"
# Its migrations change constraints, which SQLite cannot do; its own tests
# make the tables like this, too.
TABLES = """
import sys
import sqlalchemy
from neutron.db.migration.models import head
head.get_metadata().create_all(sqlalchemy.create_engine(sys.argv[1]))
"""


def configure(folder: Path, is_profiled: bool) -> None:
    """Write neutron.conf and the paste file."""
    paste = ORIGINAL.read_text()
    if is_profiled:
        paste = with_filter(paste, ("noauth",), own_options(folder))
    (folder / "paste.ini").write_text(paste)
    (folder / "neutron.conf").write_text(f"""\
[DEFAULT]
state_path = {folder}/state
auth_strategy = noauth
transport_url = fake://
core_plugin = ml2
service_plugins =
api_paste_config = {folder}/paste.ini
[database]
connection = {_url(folder)}
[oslo_concurrency]
lock_path = {folder}/lock
[ml2]
type_drivers = vxlan
tenant_network_types = vxlan
mechanism_drivers =
[ml2_type_vxlan]
vni_ranges = 7:7
""")


def _url(folder: Path) -> str:
    return f"sqlite:///{folder}/state/neutron.db"


SERVICE = Service(
    name="neutron",
    requirement="neutron==29.0.0",
    application="neutron.wsgi.api:application",
    service="neutron-server",
    configure=configure,
    make_database=lambda folder: [["python", "-c", TABLES, _url(folder)]],
    environment=lambda folder: {
        "OS_NEUTRON_CONFIG_DIR": str(folder),
        "OS_NEUTRON_CONFIG_FILES": "neutron.conf",
    },
    requests=(
        Request("GET", "/v2.0/networks", 200, "/v2.0/networks"),
        Request(
            "POST",
            "/v2.0/networks",
            201,
            "/v2.0/networks",
            {"network": {"name": "one", "project_id": "p"}},
            keeps="network/id",
        ),
        Request("GET", f"/v2.0/networks/{TOKEN}", 200, "/v2.0/networks/{id}"),
        Request(
            "GET", f"/v2.0/networks/{MISSING}", 404, "/v2.0/networks/{id}"
        ),
        Request(
            "POST",
            "/v2.0/networks",
            400,
            "/v2.0/networks",
            {"network": {"admin_state_up": "perhaps"}},
            has_sql=False,
        ),
        Request(
            "GET", "/v2.0/extensions", 200, "/v2.0/extensions", has_sql=False
        ),
        Request("GET", "/v2.0/nothing", 404, UNMATCHED, has_sql=False),
    ),
)
