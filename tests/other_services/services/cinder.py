# SPDX-License-Identifier: Apache-2.0
"""cinder: Paste, Routes, a DB API."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.other_services.services import (
    UNMATCHED,
    Request,
    Service,
    own_options,
    with_filter,
)

PROJECT = "6f70656e737461636b20342065766572"
MISSING = "00000000-df5a-4a71-a53b-d453ccc0be64"
ORIGINAL = Path(sys.prefix) / "etc/cinder/api-paste.ini"


def configure(folder: Path, is_profiled: bool) -> None:
    """Write cinder.conf and the paste file."""
    paste = ORIGINAL.read_text()
    if is_profiled:
        paste = with_filter(paste, ("noauth",), own_options(folder))
    (folder / "paste.ini").write_text(paste)
    (folder / "cinder.conf").write_text(f"""\
[DEFAULT]
state_path = {folder}/state
auth_strategy = noauth
transport_url = fake://
api_paste_config = {folder}/paste.ini
[database]
connection = sqlite:///{folder}/state/cinder.db
[oslo_concurrency]
lock_path = {folder}/lock
""")


def _settings(folder: Path) -> list[str]:
    return ["--config-file", f"{folder}/cinder.conf"]


SERVICE = Service(
    name="cinder",
    requirement="cinder==29.0.0",
    application="cinder.wsgi.api:application",
    service="cinder-api",
    configure=configure,
    make_database=lambda folder: [
        ["cinder-manage", *_settings(folder), "db", "sync"]
    ],
    environment=lambda folder: {},
    arguments=_settings,
    headers={"X-Auth-Token": f"admin:{PROJECT}"},
    requests=(
        Request(
            "GET",
            f"/v3/{PROJECT}/volumes",
            200,
            "/v3/volumes",
            db_api=("volume_get_all_by_project",),
        ),
        Request(
            "POST",
            f"/v3/{PROJECT}/types",
            200,
            "/v3/types",
            {"volume_type": {"name": "gold"}},
            db_api=("volume_type_create",),
        ),
        Request(
            "GET",
            f"/v3/{PROJECT}/types",
            200,
            "/v3/types",
            db_api=("volume_type_get_all",),
        ),
        Request(
            "POST",
            f"/v3/{PROJECT}/volumes",
            202,
            "/v3/volumes",
            {"volume": {"size": 1}},
            db_api=("volume_create", "reservation_commit"),
        ),
        Request(
            "GET",
            f"/v3/{PROJECT}/volumes/{MISSING}",
            404,
            "/v3/volumes/{id}",
            db_api=("volume_get",),
        ),
        Request(
            "POST",
            f"/v3/{PROJECT}/volumes",
            400,
            "/v3/volumes",
            {"volume": {"size": "some"}},
            has_sql=False,
        ),
        Request(
            "GET", f"/v3/{PROJECT}/nothing", 404, UNMATCHED, has_sql=False
        ),
    ),
)
