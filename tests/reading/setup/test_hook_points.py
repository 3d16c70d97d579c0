# SPDX-License-Identifier: Apache-2.0
"""A hook that cannot be installed: the remedy names the right option."""

from __future__ import annotations

from nova_profiler.reading.setup.folded_hook_points import hook_remedy


def test_a_hook_is_taken_out_of_hooks():
    """Or what it needs is installed."""
    remedy = hook_remedy("no module sqlalchemy", ["db_api", "threads"], [])

    assert remedy == ("take it out of hooks = db_api,threads, or install it",)


def test_a_named_callable_is_mended_where_it_is_named():
    """The hooks have nothing to do with it."""
    remedy = hook_remedy(
        "ConfigError: nova_profiler: timed_callables: 'a:b': no such",
        ["db_api"],
        ["a:b", "c:d"],
    )

    assert remedy[0].endswith("that name in timed_callables = a:b,c:d")
    assert not any("hooks" in line for line in remedy)
