# SPDX-License-Identifier: Apache-2.0
"""All that eats bytes of others: one row each, and one file a feature."""

from __future__ import annotations

from fuzz.readers import (
    collectors,
    dumps,
    headers,
    kinds,
    logs,
    pages,
    pictures,
    profiles,
    running,
    runs,
    services,
    settings,
)

READERS = {
    "dump": dumps.RECORD,
    "dump-pages": dumps.PAGES,
    "served": pages.SERVED,
    "picture": pictures.PICTURE,
    "session": profiles.SESSION,
    "session-pages": profiles.SESSION_PAGES,
    "prof": profiles.CALLS,
    "prof-pages": profiles.CALLS_PAGES,
    "trace": running.TRACE,
    "answer": running.ANSWER,
    "manifest": runs.MANIFEST,
    "parquet": runs.PART,
    "line": logs.LINE,
    "line-times": logs.TIMES,
    "log": logs.FILE,
    "report": logs.REPORT,
    "compare": logs.COMPARE,
    "follow": logs.FOLLOW,
    "paste": settings.PASTE_FILE,
    "nova-conf": settings.NOVA_CONF,
    "routes": settings.ROUTES_FILE,
    "statsd": settings.STATSD_ADDRESS,
    "collector": collectors.ANSWER,
    "otlp-endpoint": collectors.ENDPOINT,
    "trigger": headers.TRIGGER,
    "signed-path": headers.SIGNED_PATH,
    "osprofiler": headers.OSPROFILER,
    "services": services.HOST,
    "kinds": kinds.BUNDLE,
}
