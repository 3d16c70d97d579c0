# SPDX-License-Identifier: Apache-2.0
"""Asks one service, in its own environment, in this process.

    python -m tests.other_services.child NAME FOLDER with|without ANSWERS
    python -m tests.other_services.child NAME FOLDER configure

The former writes the answers as JSON to the file ANSWERS.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

from tests.other_services.services import TOKEN, Request, Service
from tests.other_services.services.table import SERVICES

OURS = "nova_profiler.wsgi:application"


def answers_of(service: Service, folder: Path, is_profiled: bool) -> list[Any]:
    """Return the answers to the requests of *service*, one by one."""
    name = service.application
    if is_profiled and not service.has_paste:
        os.environ["NOVA_PROFILER_APPLICATION"] = name
        name = OURS
    module, _, attribute = name.partition(":")
    sys.argv[1:] = service.arguments(folder)
    app = getattr(importlib.import_module(module), attribute)
    answers = []
    token = ""
    for request in service.requests:
        answer = _answer(app, service, request, token)
        token = _kept(answer, request.keeps) or token
        answers.append(answer)
    return answers


def _answer(
    app: Any, service: Service, request: Request, token: str
) -> dict[str, Any]:
    environ = _environ(service, request, token)
    begun: list[Any] = []
    written: list[bytes] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        begun[:] = [status, headers]
        return written.append

    body = app(environ, start_response)
    try:
        written += body
    finally:
        if hasattr(body, "close"):
            body.close()
    status, headers = begun
    return {
        "status": status,
        "headers": sorted((name.lower(), value) for name, value in headers),
        "body": b"".join(written).decode("latin-1"),
    }


def _kept(answer: dict[str, Any], keeps: str) -> str:
    """Return what requests from here on have for TOKEN, if anything."""
    if "/" not in keeps:
        return dict(answer["headers"]).get(keeps, "")
    found = json.loads(answer["body"])
    for name in filter(None, keeps.split("/")):
        found = found[name]
    return str(found)


def _environ(service: Service, request: Request, token: str) -> dict[str, Any]:
    data = request.data()
    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    environ.update(
        {
            "REQUEST_METHOD": request.method,
            "PATH_INFO": request.path.replace(TOKEN, token),
            "QUERY_STRING": "",
            "REMOTE_ADDR": "192.0.2.7",
            "CONTENT_LENGTH": str(len(data)),
            "HTTP_ACCEPT": "application/json",
            "wsgi.input": io.BytesIO(data),
            "wsgi.errors": sys.stderr,
        }
    )
    if data:
        environ["CONTENT_TYPE"] = request.content_type
    for name, value in {**service.headers, **request.headers}.items():
        key = "HTTP_" + name.upper().replace("-", "_")
        environ[key] = value.replace(TOKEN, token)
    return environ


def main() -> None:
    """Do what the arguments say."""
    name, folder, what, *answers = sys.argv[1:]
    service = SERVICES[name]
    service.configure(Path(folder), what == "with")
    if answers:
        found = answers_of(service, Path(folder), what == "with")
        Path(answers[0]).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
