# SPDX-License-Identifier: Apache-2.0
"""Some of nova's own functional tests, with the filter and without."""

from __future__ import annotations

import pytest

from tests.functional import nova_suite

pytestmark = [pytest.mark.functional, pytest.mark.slow]

# Few enough for every run; `make nova-functional` has many more.
REGEX = (
    r"functional\.test_servers\.ServersTest\."
    r"(test_create_and_rebuild_server|test_create_server_with_error"
    r"|test_create_multiple_servers|test_get_servers|test_server_metadata)"
)


@pytest.mark.parametrize("mode", ["threads", "eventlet"])
def test_novas_own_tests_pass_as_without_the_filter(mode: str) -> None:
    """The same of nova's tests pass, and the filter did see requests."""
    without = nova_suite.run(mode, False, REGEX)
    with_filter = nova_suite.run(mode, True, REGEX)

    assert without.passed
    assert with_filter.passed == without.passed
    assert with_filter.failed == without.failed
    assert with_filter.records > 0
