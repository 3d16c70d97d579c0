# SPDX-License-Identifier: Apache-2.0
"""keystone: no Paste, Flask's rules, drivers in place of a DB API."""

from __future__ import annotations

import os
from pathlib import Path

from tests.other_services.services import (
    TOKEN,
    UNMATCHED,
    Request,
    Service,
    own_options,
)

PASSWORD = "secret"
LOGIN = {
    "auth": {
        "identity": {
            "methods": ["password"],
            "password": {
                "user": {
                    "name": "admin",
                    "domain": {"id": "default"},
                    "password": PASSWORD,
                }
            },
        },
        "scope": {"project": {"name": "admin", "domain": {"id": "default"}}},
    }
}
WITH_TOKEN = {"X-Auth-Token": TOKEN}


def configure(folder: Path, is_profiled: bool) -> None:
    """Write keystone.conf, and make the folders of its keys."""
    keys = folder / "state" / "keys"
    keys.mkdir(exist_ok=True, mode=0o700)
    text = f"""\
[database]
connection = sqlite:///{folder}/state/keystone.db
[fernet_tokens]
key_repository = {keys}
[fernet_receipts]
key_repository = {keys}
[credential]
key_repository = {keys}
"""
    if is_profiled:
        text += f"[nova_profiler]\n{own_options(folder)}"
    (folder / "keystone.conf").write_text(text)


def make_database(folder: Path) -> list[list[str]]:
    """Return the commands that make tables, keys and an administrator."""
    manage = ["keystone-manage", "--config-file", f"{folder}/keystone.conf"]
    user = ["--keystone-user", str(os.getuid())]
    group = ["--keystone-group", str(os.getgid())]
    return [
        [*manage, "db_sync"],
        [*manage, "fernet_setup", *user, *group],
        [
            *(*manage, "bootstrap", "--bootstrap-username", "admin"),
            *("--bootstrap-password", PASSWORD),
            *("--bootstrap-project-name", "admin"),
            *("--bootstrap-role-name", "admin"),
        ],
    ]


SERVICE = Service(
    name="keystone",
    requirement="keystone==30.0.0",
    application="keystone.wsgi.api:application",
    service="keystone",
    has_paste=False,
    configure=configure,
    make_database=make_database,
    environment=lambda folder: {"OS_KEYSTONE_CONFIG_DIR": str(folder)},
    requests=(
        Request("GET", "/", 300, "/", has_sql=False),
        Request("GET", "/v3/users", 401, "/v3/users", has_sql=False),
        Request(
            "POST",
            "/v3/auth/tokens",
            201,
            "/v3/auth/tokens",
            LOGIN,
            keeps="x-subject-token",
        ),
        Request("GET", "/v3/users", 200, "/v3/users", headers=WITH_TOKEN),
        Request(
            "GET",
            "/v3/users/nobody",
            404,
            "/v3/users/{user_id}",
            headers=WITH_TOKEN,
        ),
        Request(
            "POST",
            "/v3/projects",
            201,
            "/v3/projects",
            {"project": {"name": "one"}},
            headers=WITH_TOKEN,
        ),
        Request(
            "POST",
            "/v3/projects",
            400,
            "/v3/projects",
            {"project": {"name": 5}},
            headers=WITH_TOKEN,
        ),
        Request("GET", "/v3/nothing", 404, UNMATCHED, headers=WITH_TOKEN),
        Request("PATCH", "/v3/users", 405, "/v3/users", headers=WITH_TOKEN),
    ),
)
