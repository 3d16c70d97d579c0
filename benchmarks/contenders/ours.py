# SPDX-License-Identifier: Apache-2.0
"""nova-profiler itself: everything on, switched off, and out of requests."""

from __future__ import annotations

from benchmarks.contenders import Installed, Place
from benchmarks.contenders.log_file import LogFile
from benchmarks.running.wsgi_client import App
from nova_profiler.factory import filter_factory

LOG_NAME = "requests.log"


def everything(place: Place) -> Installed:
    """Return the filter with all its hooks, statsd and log_file."""
    log_file = LogFile(place.directory / LOG_NAME)
    return Installed(_filtered(place), log_file.seen)


def off(place: Place) -> Installed:
    """Return the same filter with ``enabled = false``."""
    log_file = LogFile(place.directory / LOG_NAME)
    return Installed(_filtered(place, enabled="false"), log_file.seen)


def outside(place: Place) -> Installed:
    """Return the bare application; the hooks see calls of no request."""
    log_file = LogFile(place.directory / LOG_NAME)
    _filtered(place)
    return Installed(place.app, log_file.seen)


def _filtered(place: Place, **options: str) -> App:
    settings = {
        "hooks": "sqlalchemy,db_api,threads",
        "db_api_modules": "benchmarks.application.db_api",
        "statsd_host": "127.0.0.1",
        "statsd_port": str(place.statsd_port),
        "log_file": str(place.directory / LOG_NAME),
        # The log line of nova's own handlers is nova's price, not ours.
        "log_requests": "false",
        **options,
    }
    app: App = filter_factory({}, **settings)(place.app)
    return app
