# SPDX-License-Identifier: Apache-2.0
"""glance: Paste, Routes, a DB API, and bodies that are no JSON."""

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

IMAGE = "5c9d7c47-df5a-4a71-a53b-d453ccc0be64"
MISSING = "00000000-df5a-4a71-a53b-d453ccc0be64"
ORIGINAL = Path(sys.prefix) / "etc/glance/glance-api-paste.ini"


def configure(folder: Path, is_profiled: bool) -> None:
    """Write glance-api.conf, and the paste file without its authtoken.

    What comes behind that believes the headers of our requests, then.
    """
    (folder / "state" / "store").mkdir(exist_ok=True)
    (folder / "state" / "staging").mkdir(exist_ok=True)
    paste = ORIGINAL.read_text().replace(" authtoken ", " ")
    if is_profiled:
        paste = with_filter(paste, ("keystone",), own_options(folder))
    (folder / "paste.ini").write_text(paste)
    (folder / "glance-api.conf").write_text(f"""\
[DEFAULT]
enabled_import_methods = []
worker_self_reference_url = http://localhost
node_staging_uri = file://{folder}/state/staging
image_cache_dir = {folder}/state/cache
[paste_deploy]
flavor = keystone
config_file = {folder}/paste.ini
[glance_store]
filesystem_store_datadir = {folder}/state/store
[database]
connection = sqlite:///{folder}/state/glance.db
[oslo_concurrency]
lock_path = {folder}/lock
""")


SERVICE = Service(
    name="glance",
    requirement="glance==33.0.0",
    application="glance.wsgi.api:application",
    service="glance-api",
    configure=configure,
    make_database=lambda folder: [
        [
            "glance-manage",
            "--config-file",
            f"{folder}/glance-api.conf",
            "db_sync",
        ]
    ],
    environment=lambda folder: {"OS_GLANCE_CONFIG_DIR": str(folder)},
    headers={
        "X-Identity-Status": "Confirmed",
        "X-User-Id": "6ecfd1c5a31c4d8b90a7f0d4e6b0f3c2",
        "X-Project-Id": "6f70656e737461636b20342065766572",
        "X-Roles": "admin,member,reader",
    },
    requests=(
        Request(
            "GET", "/v2/images", 200, "/v2/images", db_api=("image_get_all",)
        ),
        Request(
            "POST",
            "/v2/images",
            201,
            "/v2/images",
            {
                "id": IMAGE,
                "name": "one",
                "disk_format": "raw",
                "container_format": "bare",
            },
            db_api=("image_create",),
        ),
        Request(
            "PUT",
            f"/v2/images/{IMAGE}/file",
            204,
            "/v2/images/{image_id}/file",
            b"image" * 100_000,
            "application/octet-stream",
            db_api=("image_update",),
        ),
        Request(
            "GET",
            f"/v2/images/{IMAGE}/file",
            200,
            "/v2/images/{image_id}/file",
            db_api=("image_get",),
        ),
        Request(
            "GET",
            f"/v2/images/{MISSING}",
            404,
            "/v2/images/{image_id}",
            db_api=("image_get",),
        ),
        Request(
            "POST",
            "/v2/images",
            400,
            "/v2/images",
            {"name": 5},
            has_sql=False,
        ),
        Request("GET", "/v2/nothing", 404, UNMATCHED, has_sql=False),
    ),
)
