# SPDX-License-Identifier: Apache-2.0
"""Sentry in a nova-api, begun before nova is, and round its application.

What each event is, and which operations its spans are, goes to a file.
"""

import os
import sys

if "demo.server.serve" in sys.orig_argv:
    import sentry_sdk
    from paste import deploy
    from sentry_sdk.integrations.wsgi import SentryWsgiMiddleware
    from sentry_sdk.transport import Transport

    class Kept(Transport):
        """Keep names in a file instead of sending events."""

        def capture_envelope(self, envelope):
            with open(os.environ["SEEN_BY_AGENT"], "a") as out:
                for item in envelope.items:
                    event = item.get_transaction_event() or {}
                    for span in event.get("spans", ()):
                        if span["description"].startswith("SELECT"):
                            out.write("SELECT \n")
                    out.write(f"{item.type}\n")

    sentry_sdk.init(
        dsn="http://key@127.0.0.1:9/1",
        traces_sample_rate=1.0,
        transport=Kept,
        shutdown_timeout=0,
    )
    loadapp = deploy.loadapp
    deploy.loadapp = lambda *args, **kwargs: SentryWsgiMiddleware(
        loadapp(*args, **kwargs)
    )
