# SPDX-License-Identifier: Apache-2.0
"""The filter beside wrappers of every kind: nothing is different for them.

Beside the agents themselves: ``tests/functional/test_agents.py``.
"""

from __future__ import annotations

import pytest
from beside_agents import differences


@pytest.mark.parametrize(
    "agent", ["none", "wrapt", "functools", "closures", "descriptors"]
)
def test_a_wrapper_gets_what_it_got_without_the_filter(agent):
    """Instance, arguments and results; and each statement counts once."""
    assert differences(agent) == []
