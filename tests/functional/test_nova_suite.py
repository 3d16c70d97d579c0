# SPDX-License-Identifier: Apache-2.0
"""Some of nova's own functional tests, with the filter and without."""

from __future__ import annotations

import re

import pytest

from tests.functional import nova_suite

pytestmark = [pytest.mark.functional, pytest.mark.slow]

# Few enough for every run; `make nova-functional` has many more.
_OF = r"functional\.test_servers\.ServersTest\."
REGEX = _OF + (
    r"(test_create_and_rebuild_server|test_create_server_with_error"
    r"|test_create_multiple_servers|test_get_servers|test_server_metadata)"
)
WITH_STACKS = _OF + r"(test_create_and_rebuild_server|test_server_metadata)"


@pytest.fixture(scope="module", params=["threads", "eventlet"])
def mode(request: pytest.FixtureRequest) -> str:
    """Return one of the two ways in which nova runs its threads."""
    return str(request.param)


@pytest.fixture(scope="module")
def without(mode: str) -> nova_suite.Outcome:
    """Return how nova's tests end without the filter."""
    return nova_suite.run(mode, nova_suite.BARE, REGEX)


def test_novas_own_tests_pass_as_without_the_filter(
    mode: str, without: nova_suite.Outcome
) -> None:
    """The same of nova's tests pass, and the filter did see requests."""
    with_filter = nova_suite.run(mode, "none", REGEX)

    assert without.passed
    assert with_filter.passed == without.passed
    assert with_filter.failed == without.failed
    assert with_filter.records > 0


@pytest.mark.parametrize("profiler", ["pyspy", "pyinstrument"])
def test_they_pass_with_the_stacks_of_every_request(
    mode: str, profiler: str, without: nova_suite.Outcome
) -> None:
    """Fewer of them: each engine starts nova's services once more."""
    with_stacks = nova_suite.run(mode, profiler, WITH_STACKS)

    assert with_stacks.passed
    assert with_stacks.passed == {
        test for test in without.passed if re.search(WITH_STACKS, test)
    }
    assert not with_stacks.failed
    assert with_stacks.stacks > 0
