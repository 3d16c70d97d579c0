# SPDX-License-Identifier: Apache-2.0
"""The image that stands in for every image of glance's."""

from __future__ import annotations

from typing import Any

_IMAGE = {
    "name": "demo",
    "status": "active",
    "visibility": "public",
    "owner": "demo",
    "size": 1_000_000,
    "container_format": "bare",
    "disk_format": "raw",
    "min_disk": 0,
    "min_ram": 0,
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-01T00:00:00Z",
    "protected": False,
    "tags": [],
    "file": "/v2/images/file",
    "schema": "/v2/schemas/image",
}


def image(image_id: str) -> dict[str, Any]:
    """Return what glance has of an image, whatever its id is."""
    return {**_IMAGE, "id": image_id}


def schema(name: str) -> dict[str, Any]:
    """Return the schema by which glance's client reads an image."""
    return {"name": name, "properties": dict.fromkeys((*_IMAGE, "id"), {})}
