# SPDX-License-Identifier: Apache-2.0
"""A notification driver of oslo.messaging that sends nothing.

Every service loads the drivers that its configuration names, once its options
are read, before it serves and before it forks. So one line switches us on::

    [oslo_messaging_notifications]
    driver = nova_profiler

This module imports next to nothing: tools load every driver there is only to
list their names.
"""

from __future__ import annotations

from typing import Any


class NotificationDriver:
    """Switches the profiler on in the service that loads it."""

    def __init__(self, conf: Any, topics: Any, transport: Any) -> None:
        """Set up capture for the process of *conf*. Never raises.

        Loaded once for each notifier, it does so once.
        """
        # Only where a service asks for us.
        from nova_profiler.services.switching import switch_on

        switch_on(conf)

    def notify(self, ctxt: Any, msg: Any, priority: Any, retry: Any) -> None:
        """Send nothing."""
