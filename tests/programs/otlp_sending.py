# SPDX-License-Identifier: Apache-2.0
"""Serves requests by threads or greenthreads, and sends what they did.

``python otlp_sending.py threads|eventlet|gevent ENDPOINT FOLDER``. A few of
the requests fail: these have traces. FOLDER gets requests.jsonl.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

warnings.simplefilter("ignore")
mode, endpoint, folder = sys.argv[1:]
if mode == "eventlet":
    import eventlet

    eventlet.monkey_patch()
elif mode == "gevent":
    import gevent.monkey

    gevent.monkey.patch_all()

import threading
import time
import types
import uuid

from nova_profiler.factory import filter_factory

REQUESTS = 40
FAILING = 5


def thing_get(context: object) -> None:
    """Take a moment, which other requests have."""
    time.sleep(0.001)


db_api = types.ModuleType("a_db_api")
thing_get.__module__ = "a_db_api"
vars(db_api)["thing_get"] = thing_get
sys.modules["a_db_api"] = db_api


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    environ["openstack.request_id"] = f"req-{uuid.uuid4()}"
    for _ in range(3):
        db_api.thing_get(None)
    fails = environ["PATH_INFO"].endswith(f"/{FAILING}")
    start_response("500 x" if fails else "200 OK", [])
    return [b"ok"]


served = filter_factory(
    {},
    otlp_endpoint=endpoint,
    otlp_traces="failed",
    log_file=f"{folder}/requests.jsonl",
    hooks="db_api,threads",
    db_api_modules="a_db_api",
    log_requests="false",
)(application)


def ask(number: int) -> None:
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": f"/{'fails' if number % 8 == 0 else 'works'}/"
        f"{FAILING if number % 8 == 0 else 1}",
    }
    list(served(environ, lambda status, headers: None))


threads = [threading.Thread(target=ask, args=(n,)) for n in range(REQUESTS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
