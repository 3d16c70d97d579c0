# SPDX-License-Identifier: Apache-2.0
"""ironic: no Paste, pecan, a DB API that is a class."""

from __future__ import annotations

from pathlib import Path

from tests.other_services.services import (
    TOKEN,
    UNMATCHED,
    Request,
    Service,
    own_options,
)

MISSING = "00000000-df5a-4a71-a53b-d453ccc0be64"


def configure(folder: Path, is_profiled: bool) -> None:
    """Write ironic.conf."""
    text = f"""\
[DEFAULT]
auth_strategy = noauth
transport_url = fake://
state_path = {folder}/state
[database]
connection = sqlite:///{folder}/state/ironic.db
[oslo_concurrency]
lock_path = {folder}/lock
"""
    if is_profiled:
        text += f"[nova_profiler]\n{own_options(folder)}"
    (folder / "ironic.conf").write_text(text)


def _settings(folder: Path) -> list[str]:
    return ["--config-file", f"{folder}/ironic.conf"]


SERVICE = Service(
    name="ironic",
    requirement="ironic==39.0.0",
    application="ironic.wsgi.api:application",
    service="ironic-api",
    has_paste=False,
    configure=configure,
    make_database=lambda folder: [
        ["ironic-dbsync", *_settings(folder), "create_schema"]
    ],
    environment=lambda folder: {},
    arguments=_settings,
    headers={"X-OpenStack-Ironic-API-Version": "1.50"},
    requests=(
        Request("GET", "/v1", 200, "/v1", has_sql=False),
        Request(
            "GET", "/v1/nodes", 200, "/v1/nodes", db_api=("get_node_list",)
        ),
        Request(
            "POST",
            "/v1/chassis",
            201,
            "/v1/chassis",
            {"description": "one"},
            keeps="uuid/",
            db_api=("create_chassis",),
        ),
        Request(
            "GET",
            f"/v1/chassis/{TOKEN}",
            200,
            "/v1/chassis/{id}",
            db_api=("get_chassis_by_uuid",),
        ),
        Request(
            "GET",
            f"/v1/chassis/{MISSING}",
            404,
            "/v1/chassis/{id}",
            db_api=("get_chassis_by_uuid",),
        ),
        Request(
            "POST",
            "/v1/chassis",
            400,
            "/v1/chassis",
            {"description": 5},
            has_sql=False,
        ),
        Request("GET", "/v1/nothing", 404, UNMATCHED, has_sql=False),
    ),
)
