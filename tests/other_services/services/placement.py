# SPDX-License-Identifier: Apache-2.0
"""placement: no Paste, a table of routes, no DB API."""

from __future__ import annotations

from pathlib import Path

from tests.other_services.services import (
    UNMATCHED,
    Request,
    Service,
    own_options,
)

PROVIDER = "2b7a1b9e-6f7d-4d3c-8f27-0d3b7c8a91e4"


def configure(folder: Path, is_profiled: bool) -> None:
    """Write placement.conf."""
    text = f"""\
[placement_database]
connection = sqlite:///{folder}/state/placement.db
[api]
auth_strategy = noauth2
"""
    if is_profiled:
        text += f"[nova_profiler]\n{own_options(folder)}"
    (folder / "placement.conf").write_text(text)


SERVICE = Service(
    name="placement",
    requirement="openstack-placement==16.0.0",
    application="placement.wsgi.api:application",
    service="placement",
    has_paste=False,
    configure=configure,
    make_database=lambda folder: [
        [
            "placement-manage",
            "--config-file",
            f"{folder}/placement.conf",
            *("db", "sync"),
        ]
    ],
    environment=lambda folder: {"OS_PLACEMENT_CONFIG_DIR": str(folder)},
    headers={
        "X-Auth-Token": "admin",
        "OpenStack-API-Version": "placement 1.39",
    },
    requests=(
        Request("GET", "/", 200, "/", has_sql=False),
        Request("GET", "/resource_providers", 200, "/resource_providers"),
        Request(
            "POST",
            "/resource_providers",
            200,
            "/resource_providers",
            {"name": "one", "uuid": PROVIDER},
        ),
        Request(
            "POST",
            "/resource_providers",
            409,
            "/resource_providers",
            {"name": "one", "uuid": PROVIDER},
        ),
        Request(
            "POST",
            "/resource_providers",
            400,
            "/resource_providers",
            {"name": 5},
            has_sql=False,
        ),
        Request(
            "GET",
            f"/resource_providers/{PROVIDER}/inventories/VCPU",
            404,
            "/resource_providers/{uuid}/inventories/{resource_class}",
        ),
        Request("PUT", "/traits/CUSTOM_GOLD", 201, "/traits/{name}"),
        Request("GET", "/no/such/thing", 404, UNMATCHED, has_sql=False),
        Request("PATCH", "/traits", 405, "/traits", has_sql=False),
    ),
)
