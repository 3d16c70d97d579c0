# SPDX-License-Identifier: Apache-2.0
"""The filter beside other agents, as they come from their makers."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from beside_agents import differences
from services import missing

pytestmark = pytest.mark.functional

# And the module that each of them is.
AGENTS = {
    "otel": "opentelemetry.instrumentation",
    "sentry": "sentry_sdk",
    "ddtrace": "ddtrace",
    "elastic": "elasticapm",
    "newrelic": "newrelic",
}


@pytest.mark.parametrize("agent", AGENTS)
def test_an_agent_gets_what_it_got_without_the_filter(agent: str) -> None:
    """Threads, executors, engines, methods; each statement counts once."""
    if find_spec(AGENTS[agent].partition(".")[0]) is None:
        missing(f"{agent} is not installed: tests/functional/requirements.txt")

    assert differences(agent) == []
