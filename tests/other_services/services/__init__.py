# SPDX-License-Identifier: Apache-2.0
"""A service that is asked with the filter and without, and its requests.

What is here runs in the service's own environment, beside nothing of ours but
the package.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

UNMATCHED = "unmatched"
# Stands in headers and paths for what an answer before had.
TOKEN = "{token}"


class Request(NamedTuple):
    """One request, what it is answered, and what its record must have."""

    method: str
    path: str
    status: int
    route: str
    body: Any = None
    content_type: str = "application/json"
    headers: Mapping[str, str] = {}
    # The header of the answer that is TOKEN from here on, or where it is in
    # the answer's JSON: network/id, or uuid/ right in it.
    keeps: str = ""
    has_sql: bool = True
    # Names of DB API functions that it calls.
    db_api: tuple[str, ...] = ()

    def data(self) -> bytes:
        """Return the body as it is sent."""
        if self.body is None or isinstance(self.body, bytes):
            return self.body or b""
        return json.dumps(self.body).encode()


class Service(NamedTuple):
    """One API of another project, as it is installed, set up and asked."""

    name: str
    # With its exact version.
    requirement: str
    # What a server would load.
    application: str
    # What its records have as `service`, and as `user_id`; None: each its
    # own, or none.
    service: str
    # Writes the configuration into a folder; with the filter or without.
    configure: Callable[[Path, bool], None]
    # Makes the database: commands of its environment, arguments behind.
    make_database: Callable[[Path], list[list[str]]]
    # What a server sets: environment variables, and arguments of the process.
    environment: Callable[[Path], dict[str, str]]
    requests: tuple[Request, ...]
    arguments: Callable[[Path], list[str]] = lambda folder: []
    headers: Mapping[str, str] = {}
    # PasteDeploy loads it: the filter is a word of its paste file.
    has_paste: bool = True


def with_filter(paste: str, keys: tuple[str, ...], options: str) -> str:
    """Return the text of a paste file with the filter in its pipelines.

    It becomes the first word of each line whose key is one of *keys*.
    """
    lines = []
    for line in paste.splitlines():
        key, equals, words = line.partition("=")
        if equals and key.strip() in keys:
            line = f"{key.strip()} = nova_profiler {words.strip()}"
        lines.append(line)
    section = (
        "[filter:nova_profiler]\n"
        "paste.filter_factory = nova_profiler.factory:filter_factory\n"
    )
    return "\n".join([*lines, "", section + options, ""])


def records_of(folder: Path) -> Path:
    """Return the file of the records that the filter writes."""
    return folder / "records.json"


def own_options(folder: Path) -> str:
    """Return the options of the filter, for any file."""
    return f"log_file = {records_of(folder)}\n"
