# SPDX-License-Identifier: Apache-2.0
"""A function for privsep's daemon, which needs no privilege for it."""

from __future__ import annotations

import time

from oslo_privsep import priv_context

context = priv_context.PrivContext(
    "benchmarks",
    cfg_section="benchmarks",
    pypath=f"{__name__}.context",
    capabilities=[],
)


@context.entrypoint
def sleeps(seconds: float) -> None:
    """Sleep so long."""
    time.sleep(seconds)
